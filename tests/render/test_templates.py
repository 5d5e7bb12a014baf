from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, nodes

from notifier import resources
from notifier.errors import TemplateError
from notifier.render import Composer, Links
from notifier.render import view as views
from notifier.render.excerpt import Piece
from notifier.render.inlining import inline
from tests.render.reading import html, mail, slack, text, texts
from tests.render.samples import NOW, digest, german

TEMPLATES = resources.folder("templates")
FILES = sorted(
    path
    for kind in ("email", "slack", "text", "feed")
    for path in (TEMPLATES / kind).rglob("*")
    if path.suffix in (".html", ".txt")
)

# What each name in a template stands for; loop variables by what they run over.
NAMES: dict[str, type] = {
    "view": views.DigestView,
    "entry": views.EntryView,
    "fact": views.Fact,
    "reason": views.Because,
    "piece": Piece,
    "each": views.Link,
    "paper": views.FollowUpView,
    "group": views.GroupView,
}
PLAIN = {
    "to",
    "site",
    "until",
    "channel",
    "id",
    "entries",
    "groups",
    "label",
    "notice",
    "sentence",
    "because",
    "cut",
    "summary",
    "line",
    "loop",
}
NESTED = {"more": views.MoreView, "footer": views.FooterView, "code": views.Link}


def attributes(tree: nodes.Template) -> Iterator[tuple[Any, str]]:
    for node in tree.find_all(nodes.Getattr):
        if isinstance(node.node, nodes.Name):
            yield NAMES.get(node.node.name), node.attr
        elif isinstance(node.node, nodes.Getattr):
            yield NESTED[node.node.attr], node.attr


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_every_variable_of_a_template_is_a_field_of_what_it_is_given(file: Path) -> None:
    tree = Environment(extensions=["jinja2.ext.i18n"], autoescape=True).parse(file.read_text("utf-8"))
    assert {node.name for node in tree.find_all(nodes.Name)} <= NAMES.keys() | PLAIN | {"gettext", "ngettext"}
    for kind, name in attributes(tree):
        kind = views.LetterView if file.parent.name == "letters" and kind is views.DigestView else kind
        # In the list of "more" an entry is a link.
        known = {field.name for field in fields(kind)} if kind else {"first", "last", "index"}
        assert name in known | ({"text", "url"} if kind is views.EntryView else set()), f"{name} of {kind}"


def override(folder: Path, name: str, source: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source, "utf-8")
    return file


def test_a_file_of_the_operators_replaces_the_bundled_one(tmp_path: Path) -> None:
    override(tmp_path, "email/entry.txt", "MINE {{ entry.title }}\n")
    override(tmp_path, "slack/title.txt", "mine: {{ entry.title }}")
    assert "MINE Falling Well, Part 1" in text(mail(digest(), overrides=tmp_path))
    assert "mine: Falling Well, Part 1" in texts(slack(digest(), overrides=tmp_path)[0])


def test_an_override_of_the_styles_reaches_the_elements(tmp_path: Path) -> None:
    override(tmp_path, "email/styles.css", ".title { color: #123456 }")
    assert 'style="color: #123456;"' in html(mail(digest(), overrides=tmp_path))


def test_an_override_of_a_translation_is_used(tmp_path: Path) -> None:
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
    override(tmp_path, "locale/de.po", f'{head}msgid "Unsubscribe:"\nmsgstr "Schluss:"\n')
    assert "Schluss: mailto:" in text(mail(digest(subscription=german()), overrides=tmp_path))


def test_a_broken_translation_is_named(tmp_path: Path) -> None:
    file = override(tmp_path, "locale/de.po", "this is no catalogue\n")
    with pytest.raises(TemplateError, match=file.name):
        mail(digest(subscription=german()), overrides=tmp_path)


@pytest.mark.parametrize("name", ["email/entry.html", "email/entry.txt", "slack/title.txt"])
@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("\n\n{{ entry.nothing }}\n", "line 3, .*nothing"),
        ("\n<p>{% if entry.title %}</p>\n", "line 3, .*|line 2, "),
        ("\n{{ 1 / 0 }}\n", "line 2, .*zero"),
        ("\n{{ ''.__class__.__mro__ }}\n", "line 2, .*unsafe"),
        ("<table\n class='a'\n id='b'>\n<tr><td>{{ nothing }}</td></tr></table>", "line 4, .*nothing"),
        ("{% include 'missing.txt' %}", "line 1, .*missing.txt"),
        ("{{ entry.title|nofilter }}", "line 1, .*nofilter"),
    ],
)
def test_an_error_in_an_override_names_its_file_and_line(tmp_path: Path, name: str, source: str, said: str) -> None:
    override(tmp_path, name, source)
    with pytest.raises(TemplateError, match=f"{name}, ({said})"):
        Composer(links=Links(), overrides=tmp_path).render(digest(), name.split("/")[0], now=NOW)


def test_an_override_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    override(tmp_path, "email/entry.txt", "").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TemplateError, match="UTF-8"):
        mail(digest(), overrides=tmp_path)


def test_an_error_falls_on_that_one_render_only(tmp_path: Path) -> None:
    override(tmp_path, "email/entry.txt", "{{ nothing }}")
    composer = Composer(links=Links(), overrides=tmp_path)
    with pytest.raises(TemplateError):
        composer.render(digest(), "email", now=NOW)
    assert composer.render(digest(), "slack", now=NOW).parts


def test_a_digest_template_has_to_show_the_entries(tmp_path: Path) -> None:
    override(tmp_path, "email/digest.html", "<html><body>{{ view.date }}</body></html>")
    with pytest.raises(TemplateError, match="entries"):
        mail(digest(), overrides=tmp_path)


def test_a_digest_template_that_is_too_large_by_itself_is_named(tmp_path: Path) -> None:
    override(tmp_path, "email/digest.html", "<html><body>" + "x" * 95_000 + "{{ entries }}</body></html>")
    with pytest.raises(TemplateError, match="95 KB"):
        mail(digest(), overrides=tmp_path)


def test_values_are_escaped_in_an_override_too(tmp_path: Path) -> None:
    override(tmp_path, "slack/title.txt", "{{ '<!channel>' }} & {{ entry.title }}")
    assert "&lt;!channel&gt; & Falling Well, Part 1" in texts(slack(digest(), overrides=tmp_path)[0])


def test_inlining_leaves_jinja_tags_as_they_were() -> None:
    source = (
        '<p class="a" {% if x %}title="{{ y }}"{% endif %}>{# note #}{{ "a < b" }}'
        "{% for z in q %}<b>{{ z }}</b>{% endfor %}</p>"
    )
    made = inline(source, ".a { color: red }")
    assert 'style="color: red;"' in made
    assert all(tag in made for tag in ("{% if x %}", "{{ y }}", "{# note #}", '{{ "a < b" }}', "{% endfor %}"))
