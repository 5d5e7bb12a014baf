"""What is built carries templates/ and rules/, and finds them wherever it is unpacked.

A clone and an editable install are what this suite itself runs from.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest

from notifier import resources

ROOT = Path(__file__).parent.parent
FOLDERS = ("templates", "rules")
PRINT_FOLDERS = """
from notifier import resources
for name in ("templates", "rules"):
    print(resources.folder(name))
"""


def build(kind: str, source: Path, out: Path) -> Path:
    """Build a ``wheel`` or ``sdist`` without isolation and without a network."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(out)]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=120)
    (built,) = out.iterdir()
    return built


def bundled() -> set[str]:
    """Paths of everything in templates/ and rules/ of this clone, relative to it."""
    return {
        path.relative_to(ROOT).as_posix()
        for name in FOLDERS
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def names_in(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def unpacked_sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sdist = build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))
    place = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(place, filter="data")
    (top,) = place.iterdir()
    return top


@pytest.fixture(scope="module")
def wheel_of_sdist(unpacked_sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", unpacked_sdist, tmp_path_factory.mktemp("again"))


def folders_found_from(package_parent: Path, elsewhere: Path) -> list[str]:
    """What a fresh Python, started in another folder, takes for templates/ and rules/."""
    done = subprocess.run(
        [sys.executable, "-c", PRINT_FOLDERS],
        cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(package_parent), "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout.splitlines()


def test_a_wheel_carries_every_template_and_rule(wheel: Path) -> None:
    assert bundled()
    assert {f"notifier/_resources/{name}" for name in bundled()} <= names_in(wheel)


def test_a_wheel_brings_the_package_and_nothing_beside_it(wheel: Path) -> None:
    tops = {PurePosixPath(name).parts[0] for name in names_in(wheel)}
    assert [top for top in tops if not top.endswith(".dist-info")] == ["notifier"]
    assert "notifier/py.typed" in names_in(wheel)


def test_an_unpacked_wheel_finds_its_folders_from_anywhere(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "site"
    with ZipFile(wheel) as archive:
        archive.extractall(place)  # noqa: S202 - built by the test itself
    found = folders_found_from(place, tmp_path)
    assert found == [str(place / "notifier" / "_resources" / name) for name in FOLDERS]
    assert all(any(Path(folder).iterdir()) for folder in found)


READ_A_FEED = """
import asyncio
from datetime import UTC, datetime
import notifier
from notifier.sources.apart import Apart
from notifier.sources.feed_worker import Job, parse_apart

async def main():
    apart = Apart()
    job = Job(content_type="", url="https://x.org/f", source="x", now=datetime.now(UTC))
    feed = b"<rss version='2.0'><channel><item><title>A</title></item></channel></rss>"
    print(notifier.__file__, (await parse_apart(job, feed, apart=apart)).sightings[0].entry.title)
    await apart.close()

asyncio.run(main())
"""


def test_an_unpacked_wheel_parses_feeds_in_a_process_of_its_own(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "site"
    with ZipFile(wheel) as archive:
        archive.extractall(place)  # noqa: S202 - built by the test itself
    done = subprocess.run(
        [sys.executable, "-c", READ_A_FEED],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(place)},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == [str(place / "notifier" / "__init__.py"), "A"]
    assert done.stderr == ""


def test_an_unpacked_sdist_finds_its_folders_beside_the_package(unpacked_sdist: Path, tmp_path: Path) -> None:
    assert folders_found_from(unpacked_sdist, tmp_path) == [str(unpacked_sdist / name) for name in FOLDERS]


def test_an_sdist_carries_what_developers_need(unpacked_sdist: Path) -> None:
    wanted = ("Makefile", "requirements.lock", "CHANGELOG.md", "README.md", "LICENSE", "tests/tools.py", "deploy")
    assert [name for name in wanted if not (unpacked_sdist / name).exists()] == []


def test_a_wheel_built_from_the_sdist_is_the_same(wheel: Path, wheel_of_sdist: Path) -> None:
    assert names_in(wheel_of_sdist) == names_in(wheel)


def test_a_clone_finds_its_folders(tmp_path: Path) -> None:
    assert [resources.folder(name) for name in FOLDERS] == [ROOT / name for name in FOLDERS]
    assert folders_found_from(ROOT, tmp_path) == [str(ROOT / name) for name in FOLDERS]
