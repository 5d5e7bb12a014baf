"""The pages: what people see in a browser. FastAPI, Jinja2 templates in ``templates/web/``, no build step.

``create(app)`` makes the ASGI application, ``run(app)`` serves it until it is told to stop. Each group of pages is a
module with a ``router``, named once in ``ROUTERS``. A page looks like this:

    router = APIRouter(include_in_schema=False)

    @router.get("/mine")
    async def mine(request: Request, viewer: Viewer) -> Response:      # Viewer: logged in, or sent to log in
        found = await site(request).read(lambda store: store.subscriptions.all(viewer.email))
        return page(request, "web/mine.html", viewer=viewer, subscriptions=found)

    @router.post("/mine/{id}/pause", dependencies=[at_most(30, MINUTE)])
    async def pause(request: Request, viewer: Viewer, own: Own) -> Response:   # Own: {id}, viewer's, or 404
        now = site(request).now()
        await site(request).write(lambda store: account.pause(store, own.id, now=now))
        return see_other("/mine")

- GET changes nothing. Everything else is checked for its origin before it gets here (``safety``).
- The store is reached through ``site(request).read`` and ``.write`` only: they run on threads of their own.
- A NotifierError may fly: ``trouble`` makes a page of its sentence, with 404 for NotFound and 400 for UsageError.
- Templates extend ``web/base.html``; scripts and styles are files in ``templates/web/static/``, never inline.
"""

from notifier.web.application import create
from notifier.web.running import run

__all__ = ["create", "run"]
