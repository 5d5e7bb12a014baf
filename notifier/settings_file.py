"""Reading the settings from where they stand, and writing a file with all of them."""

from __future__ import annotations

import os
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict

from notifier.errors import SettingsError
from notifier.settings import PREFIX, Settings, default_data_dir, written

FILE_NAME = "notifier.toml"


def load(data_dir: Path | None = None) -> Settings:
    """Read the settings; ``data_dir`` (from the command line) is stronger than all.

    Raises SettingsError that names each wrong setting with the place it came from.
    """
    file = config_file(data_dir)

    class FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=file if file.is_file() else None)

    try:
        given: dict[str, Any] = {"data_dir": data_dir} if data_dir else {}
        return FromFile(**given)
    except ValidationError as error:
        raise SettingsError("\n".join(_sentence(each, file) for each in error.errors())) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file} is not valid TOML: {error}. Mend that line.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file} is not UTF-8 text. Save it as UTF-8.") from None


def config_file(data_dir: Path | None = None) -> Path:
    named = os.environ.get(f"{PREFIX}CONFIG")
    if named:
        if not Path(named).is_file():
            raise SettingsError(f"{PREFIX}CONFIG names {named}, but there is no such file.")
        return Path(named)
    folder = data_dir or Path(os.environ.get(f"{PREFIX}DATA_DIR") or default_data_dir())
    return folder / FILE_NAME


def _sentence(error: Any, file: Path) -> str:
    name = str(error["loc"][0])
    if error["type"] == "extra_forbidden":
        return f"Unknown setting '{name}' in {_place(name, file)}: see the settings in the README."
    message = error["msg"].removeprefix("Value error, ")
    return f"Setting '{name}' in {_place(name, file)} is wrong: {message}."


def _place(name: str, file: Path) -> str:
    variable = f"{PREFIX}{name.removeprefix(PREFIX.lower())}".upper()
    if variable in os.environ:
        return f"the environment ({variable})"
    try:
        if name in tomllib.loads(file.read_text("utf-8")):
            return str(file)
    except (OSError, ValueError):
        pass
    return ".env"


def commented_file() -> str:
    """``notifier.toml`` with every setting explained and none set."""
    lines = ["# Settings of Notifier. Take away the # of a line to set it.", ""]
    for name, each in Settings.model_fields.items():
        if name != "data_dir":
            lines += [
                f"# {each.description}",
                f"# {name} = {_example(each.get_default(call_default_factory=True))}",
                "",
            ]
    return "\n".join(lines)


def _example(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case timedelta():
            return f'"{written(value)}"'
        case int():
            return str(value)
        case SecretStr() | None | ():
            return '""'
        case dict():
            return "{}"
        case _:
            return f'"{value}"'
