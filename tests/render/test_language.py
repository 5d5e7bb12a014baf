from io import BytesIO
from pathlib import Path

from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.pofile import read_po

from notifier import render, resources
from tests.render.reading import html, mail, page, slack, text, texts
from tests.render.samples import digest, entry, found, german, subscription

KEYWORDS = {"say": None, "message": None, "count": (1, 2), "gettext": None, "ngettext": (1, 2)}
TEMPLATES = resources.folder("templates")


def messages() -> set[object]:
    # mime.py has no words, but counts bytes.
    methods = [("mime.py", "ignore"), ("**.py", "python")]
    room = Path(render.__file__).parent
    rooms = [room, room.parent / "web", room.parent / "slack"]
    code = [each for one in rooms for each in extract_from_dir(one, methods, keywords=KEYWORDS)]
    templates = extract_from_dir(TEMPLATES, [("**.html", "jinja2"), ("**.txt", "jinja2")], keywords=KEYWORDS)
    files = [room.parent / name for name in ("entrance.py", "readmit.py")]
    others = [each[1] for file in files for each in extract_from_file("python", file, keywords=KEYWORDS)]
    return {*others, *(message for _, _, message, _, _ in [*code, *templates])}


def catalog() -> dict[object, object]:
    """Each message is translated once, in one of the files."""
    parts = [read_po(BytesIO(file.read_bytes())) for file in sorted((TEMPLATES / "locale").glob("de*.po"))]
    found = [message for part in parts for message in part if message.id]
    assert len(found) == len({message.id for message in found})
    return {message.id: message.string for message in found}


def test_every_message_has_a_german_translation() -> None:
    found = messages()
    assert {"because", "Your rules", ("%(num)s paper", "%(num)s papers")} <= found
    assert found == set(catalog())
    assert all(string if isinstance(string, str) else all(string) for string in catalog().values())  # type: ignore[arg-type]


def test_translations_fill_in_the_same_values() -> None:
    def names(text: object) -> set[str]:
        return {part.split(")")[0] for part in str(text).split("%(")[1:]}

    assert all(names(message) == names(string) for message, string in catalog().items())


def test_german_addresses_nobody_as_du_or_sie() -> None:
    words = " ".join(str(string) for string in catalog().values()).split()
    assert not {"du", "dein", "deine", "dir", "dich", "Sie", "Ihre", "Ihr", "Ihnen"} & set(words)


def test_a_german_mail_is_german_with_german_dates() -> None:
    message = mail(digest(found(entry()), found(entry(2)), subscription=german()))
    shown = page(html(message)).words
    assert message["Subject"] == "2 Paper · legs · Di 16. Dez"
    assert '<html lang="de"' in html(message)
    assert "Dienstag, 16. Dezember" in shown and "2 von 112 neuen Papern" in shown
    assert "wegen „legs“: humanoid in der Zusammenfassung" in shown
    assert "112 Paper aus 2 Quellen geprüft (Mo 15. Dez 08:00 – Di 16. Dez 08:00 CET)." in shown
    assert "Abbestellen: mailto:" in text(message)


def test_german_plural_forms_follow_the_number() -> None:
    assert "1 von 1 neuen Paper" in text(mail(digest(subscription=german(), checked=1)))


def test_numbers_are_grouped_as_the_language_does() -> None:
    assert "1,112 papers checked" in page(html(mail(digest(checked=1112)))).words
    assert "1.112 Paper" in page(html(mail(digest(checked=1112, subscription=german())))).words


def test_a_german_slack_message_is_german() -> None:
    assert "Regeln:" in "\n".join(texts(slack(digest(subscription=german()))[0]))


def test_an_unknown_language_is_served_in_english() -> None:
    for language in ("xx", "", "../de", "pt-BR"):
        elsewhere = subscription(subscriber={"language": language})
        assert "Unsubscribe" in text(mail(digest(subscription=elsewhere)))
