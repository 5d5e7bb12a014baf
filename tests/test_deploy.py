"""What is in deploy/ and .ci/ is what its tools call sound. No container engine is run here."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import yaml

from notifier.settings import PREFIX, Settings
from tests.tools import need

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
CONTAINERFILE = DEPLOY / "Containerfile"
UNIT = DEPLOY / "systemd" / "notifier.service"

# `systemd-analyze security` calls the unit 1.1; the rest is the network it is for and the system's Python.
WORST_EXPOSURE = 1.5


def output(*command: str | Path) -> str:
    """What a linter says, both streams, followed by its exit code if that is not 0."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)
    said = (done.stdout + done.stderr).strip()
    return f"{said}\nexit code {done.returncode}" if done.returncode else said


def compose() -> dict[str, dict[str, object]]:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]
    assert isinstance(services, dict)
    return services


def unit_values(key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", UNIT.read_text("utf-8"), re.MULTILINE)


def test_hadolint_has_nothing_to_say_of_the_container_file() -> None:
    assert output(need("hadolint"), CONTAINERFILE) == ""


def test_the_compose_file_follows_the_compose_specification() -> None:
    schema = "--builtin-schema", "vendor.compose-spec"
    assert output(need("check-jsonschema"), "--quiet", *schema, DEPLOY / "compose.yaml") == ""


def test_systemd_has_nothing_to_say_of_the_unit(tmp_path: Path) -> None:
    tool = need("systemd-analyze")
    program = tmp_path / "notifier"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    copy = tmp_path / "notifier.service"
    copy.write_text(UNIT.read_text("utf-8").replace("/opt/notifier/.venv/bin/notifier", str(program)))
    assert output(tool, "verify", "--man=no", copy) == ""


def test_systemd_verify_would_notice_a_misspelt_key(tmp_path: Path) -> None:
    tool = need("systemd-analyze")
    wrong = tmp_path / "wrong.service"
    wrong.write_text("[Service]\nExecStart=/bin/true\nProtectSytem=strict\n")
    assert "ProtectSytem" in output(tool, "verify", "--man=no", wrong)


def test_the_unit_is_hardened() -> None:
    said = output(need("systemd-analyze"), "security", "--offline=true", f"--threshold={WORST_EXPOSURE * 10:.0f}", UNIT)
    assert re.search(r"Overall exposure level for notifier\.service: [01]\.\d OK", said), said
    assert "exit code" not in said, said


def test_shellcheck_has_nothing_to_say_of_the_ci_script() -> None:
    assert output(need("shellcheck"), ROOT / ".ci" / "run") == ""


def test_each_way_runs_serve_and_gives_it_forty_seconds_to_finish() -> None:
    text = CONTAINERFILE.read_text("utf-8")
    assert 'ENTRYPOINT ["notifier"]' in text
    assert 'CMD ["serve"]' in text
    assert compose()["notifier"]["stop_grace_period"] == "40s"
    assert unit_values("ExecStart") == ["/opt/notifier/.venv/bin/notifier serve"]
    assert (unit_values("TimeoutStopSec"), unit_values("KillSignal")) == (["40"], ["SIGTERM"])


def test_the_container_runs_as_nobody_special_on_a_read_only_root() -> None:
    service = compose()["notifier"]
    assert "\nUSER 10001:10001\n" in CONTAINERFILE.read_text("utf-8")
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["volumes"] == ["data:/data"]


def test_the_container_is_built_from_hashed_wheels() -> None:
    assert "pip wheel --require-hashes" in CONTAINERFILE.read_text("utf-8")


def test_everything_the_container_file_copies_is_there() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", CONTAINERFILE.read_text("utf-8"), re.MULTILINE)
    assert copied
    assert [name for line in copied for name in line.split() if not (ROOT / name).exists()] == []


def test_the_example_environment_names_only_settings_that_exist() -> None:
    names = re.findall(r"^#?([A-Z_]+)=", (DEPLOY / "notifier.env.example").read_text("utf-8"), re.MULTILINE)
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    assert names
    assert set(names) <= known


def test_the_lock_names_no_place_to_download_from() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert "://" not in lock
    assert not re.search(r"^-", lock, re.MULTILINE)
