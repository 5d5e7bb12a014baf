"""CSS into ``style`` attributes, once per template rather than per message.

Mail clients drop style sheets, so the rules have to stand on the elements. What is inlined is the template's source:
its Jinja tags step aside as comments and tokens that an HTML parser leaves alone, and come back afterwards.
"""

from __future__ import annotations

import re

import css_inline

_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_COMMENT = "<!--jinja-{}-->"
_TOKEN = "jinja-{}-token"  # noqa: S105 (a placeholder)


def inline(source: str, css: str) -> str:
    """``source`` (a document or a fragment, with Jinja tags) with the rules of ``css`` on its elements.

    At-rules in the document's own style sheets stay where they are. Should a template not survive the round trip,
    it is returned as it was: worse to look at, never wrong.
    """
    masked, tags = _masked(source)
    inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False, extra_css=css)
    whole = "<html" in source.lower()
    inlined = inliner.inline(masked) if whole else inliner.inline_fragment(masked, css)
    return _restored(inlined, tags, source) or source


def _masked(source: str) -> tuple[str, list[tuple[str, int]]]:
    tags: list[tuple[str, int]] = []

    def mask(match: re.Match[str]) -> str:
        tags.append((match[0], source.count("\n", 0, match.start())))
        before = source[: match.start()]
        inside_element = before.rfind("<") > before.rfind(">")
        form = _TOKEN if inside_element or match[0].startswith("{{") else _COMMENT
        return form.format(len(tags) - 1)

    return _TAG.sub(mask, source), tags


def _restored(inlined: str, tags: list[tuple[str, int]], source: str) -> str | None:
    for number, (tag, line) in enumerate(tags):
        for form in (_TOKEN.format(number) + '=""', _TOKEN.format(number), _COMMENT.format(number)):
            at = inlined.find(form)
            if at >= 0:
                break
        else:
            return None
        if inlined.count(form) != 1:
            return None
        inlined = inlined[:at] + _on_line(tag, line - inlined.count("\n", 0, at)) + inlined[at + len(form) :]
    return inlined


def _on_line(tag: str, missing: int) -> str:
    """Where the parser joined lines, give them back inside the tag: errors then name the line of the file."""
    head = 3 if tag[2] in "-+" else 2
    return tag[:head] + "\n" * max(0, missing) + tag[head:]
