from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from notifier.errors import SettingsError
from notifier.settings import Settings
from notifier.settings_file import FILE_NAME, commented_file, load


def write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / FILE_NAME
    file.write_text(text, "utf-8")
    return file


def test_the_environment_is_stronger_than_env_file_and_toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, 'smtp_host = "toml"\ncontact = "toml"\nmail_from = "toml@example.org"\n')
    Path(".env").write_text("NOTIFIER_SMTP_HOST=dotenv\nNOTIFIER_CONTACT=dotenv\nOTHER_PROGRAM=x\n", "utf-8")
    monkeypatch.setenv("NOTIFIER_SMTP_HOST", "environment")
    settings = load(tmp_path)
    assert (settings.smtp_host, settings.contact, settings.mail_from) == ("environment", "dotenv", "toml@example.org")


def test_a_real_environment_sets_lists_and_durations(tmp_path: Path) -> None:
    code = "from notifier.settings_file import load; s = load(); print(s.allow_networks, s.look_back, s.smtp_password)"
    environment = os.environ | {
        "NOTIFIER_ALLOW_NETWORKS": "10.0.0.0/8, 192.168.0.0/16",
        "NOTIFIER_LOOK_BACK": "3d",
        "NOTIFIER_SMTP_PASSWORD": "hush",
    }
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "('10.0.0.0/8', '192.168.0.0/16') 3 days, 0:00:00 **********"


def test_a_wrong_value_is_named_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path, "max_entries = 0\n")
    with pytest.raises(SettingsError, match="max_entries") as in_file:
        load(tmp_path)
    assert str(file) in str(in_file.value)
    file.unlink()
    monkeypatch.setenv("NOTIFIER_DEFAULT_TIMEZONE", "Mars/Olympus")
    with pytest.raises(SettingsError, match=r"NOTIFIER_DEFAULT_TIMEZONE.*no IANA time zone"):
        load(tmp_path)


def test_an_unknown_setting_in_the_file_is_named(tmp_path: Path) -> None:
    write(tmp_path, 'smpt_host = "typo"\n')
    with pytest.raises(SettingsError, match="smpt_host"):
        load(tmp_path)


def test_a_secret_is_never_shown_in_an_error_or_when_printed(tmp_path: Path) -> None:
    write(tmp_path, 'smtp_password = ["hush-hush"]\n')
    with pytest.raises(SettingsError) as error:
        load(tmp_path)
    assert "hush-hush" not in str(error.value)
    write(tmp_path, 'smtp_password = "hush-hush"\n')
    assert "hush-hush" not in repr(load(tmp_path))


def test_broken_toml_is_a_sentence_with_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, "smtp_host = \n")
    with pytest.raises(SettingsError, match="not valid TOML") as error:
        load(tmp_path)
    assert str(file) in str(error.value)


def test_the_commented_file_explains_every_setting_and_sets_none() -> None:
    text = commented_file()
    assert tomllib.loads(text) == {}
    for name in Settings.model_fields:
        assert name == "data_dir" or f"# {name} = " in text


def test_every_line_of_the_commented_file_can_be_uncommented(tmp_path: Path) -> None:
    lines = [line.removeprefix("# ") for line in commented_file().splitlines() if " = " in line]
    write(tmp_path, "\n".join(line for line in lines if not line.endswith('= ""')))
    assert load(tmp_path).look_back == timedelta(days=7)


def test_every_setting_has_a_description() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_every_setting_is_in_the_readme() -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
    assert [name for name in Settings.model_fields if f"`{name}`" not in readme] == []
