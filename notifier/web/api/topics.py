"""Topics: named queries, used in rules as ``topic:NAME``."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request

from notifier.errors import NotFound
from notifier.library import load_topics
from notifier.topics import Topic
from notifier.web.api.caller import NOT_FOUND, ReadsEntries
from notifier.web.site import site

router = APIRouter(tags=["topics"])


class TopicOut(BaseModel):
    """A named query."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "alignment",
                    "title": "AI alignment",
                    "description": "That models do what people mean.",
                    "query": '"AI alignment" OR "value alignment"',
                    "synonyms": [],
                    "parents": ["ai-safety"],
                }
            ]
        }
    )

    name: str
    title: str
    description: str
    query: str
    synonyms: list[str]
    parents: list[str]


class Topics(BaseModel):
    items: list[TopicOut]


@router.get("/topics", summary="All topics by name")
async def list_topics(request: Request, caller: ReadsEntries) -> Topics:
    found = load_topics(site(request).app.settings.topics_dir)
    return Topics(items=[_shape(each) for each in found.values()])


@router.get("/topics/{name}", summary="One topic", responses=NOT_FOUND)
async def get_topic(request: Request, caller: ReadsEntries, name: str) -> TopicOut:
    found = load_topics(site(request).app.settings.topics_dir).get(name)
    if found is None:
        raise NotFound("There is no such topic: GET /api/v1/topics lists them.")
    return _shape(found)


def _shape(topic: Topic) -> TopicOut:
    return TopicOut(
        name=topic.name,
        title=topic.title,
        description=topic.description,
        query=topic.query,
        synonyms=list(topic.synonyms),
        parents=list(topic.parents),
    )
