"""The image and its compose file: taken by the checkers that stand in for a builder, and fitting the program."""

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from g6.server import EmbeddedServer
from g6.settings import load


def tool(name: str) -> str:
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def dockerfile(project: Path) -> str:
    return (project / "Dockerfile").read_text().replace("\\\n", " ")


@pytest.fixture
def compose(project: Path) -> dict[str, Any]:
    return yaml.safe_load((project / "compose.yaml").read_text())["services"]["g6"]


def copied(dockerfile: str) -> list[str]:
    """What the image takes from the project."""
    lines = [line.split()[1:] for line in dockerfile.splitlines() if line.startswith("COPY ") and "--from" not in line]
    return [source for line in lines for source in line[:-1]]


def is_admitted(project: Path, path: str) -> bool:
    """The rule of .dockerignore: the last line that fits a path, or a folder above it, decides."""
    admitted = True
    for line in (project / ".dockerignore").read_text().splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        plain = pattern.removeprefix("!")
        parts = Path(path).parts
        above = ["/".join(parts[: n + 1]) for n in range(len(parts))]
        if plain.startswith("**/"):
            fits = any(fnmatch.fnmatchcase(part, plain[3:]) for part in parts)
        else:
            fits = any(fnmatch.fnmatchcase(one, plain) for one in above if "/" not in one)
        if fits:
            admitted = pattern.startswith("!")
    return admitted


def test_the_dockerfile_has_no_faults(project: Path) -> None:
    done = run(tool("hadolint"), str(project / "Dockerfile"))
    assert (done.returncode, done.stdout) == (0, "")


def test_the_compose_file_is_valid_by_its_schema(project: Path) -> None:
    done = run(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(project / "compose.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_itself_takes_the_file(project: Path) -> None:
    done = run(tool("docker-compose"), "-f", str(project / "compose.yaml"), "config")
    assert done.returncode == 0, done.stderr
    resolved = yaml.safe_load(done.stdout)["services"]["g6"]
    assert resolved["environment"]["G6_PROVIDER"] == "simulated"


def test_bases_are_pinned_and_alike(dockerfile: str) -> None:
    bases = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert len(bases) == 2
    assert set(bases) == {bases[0]}
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", bases[0])


def test_dependencies_come_from_the_lock_by_hash_and_are_never_built(dockerfile: str) -> None:
    (install,) = [line for line in dockerfile.splitlines() if "requirements.lock" in line and line.startswith("RUN")]
    assert "--require-hashes" in install
    assert "--only-binary :all:" in install


def test_the_builder_is_given_what_the_image_takes_and_nothing_else(project: Path, dockerfile: str) -> None:
    wanted = copied(dockerfile)
    assert all(is_admitted(project, source) for source in wanted)
    tops = {path.name for path in project.iterdir()} | {"data", ".env", "kite-main.token", "logs"}
    assert {top for top in tops if is_admitted(project, top)} == set(wanted)
    assert not is_admitted(project, "g6/__pycache__/x.cpython-311.pyc")
    assert not is_admitted(project, "config/kite-main.token")
    assert not is_admitted(project, "alerts/secrets/smtp_password")
    assert is_admitted(project, "g6/providers/kite/session.py")


def test_it_runs_as_nobody_in_particular_with_nothing_to_write_on(dockerfile: str, compose: dict[str, Any]) -> None:
    assert re.search(r"^USER 10001:10001$", dockerfile, re.MULTILINE)
    assert dockerfile.index("\nUSER ") < dockerfile.index("\nENTRYPOINT ")
    assert compose["read_only"] is True
    assert compose["cap_drop"] == ["ALL"]
    assert compose["security_opt"] == ["no-new-privileges:true"]
    assert [volume.partition(":")[2] for volume in compose["volumes"]] == ["/var/lib/g6"]


def test_only_this_machine_reaches_the_port(compose: dict[str, Any]) -> None:
    assert compose["ports"] == ["127.0.0.1:9108:9108"]


def test_every_setting_of_the_compose_file_is_one_that_g6_has(compose: dict[str, Any], tmp_path: Path) -> None:
    defaults = {name: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", text) for name, text in compose["environment"].items()}
    settings = load({}, defaults, tmp_path)
    assert settings.enabled_indices
    assert (settings.providers.order, settings.storage.influx.enabled) == (("simulated",), True)
    assert (settings.metrics.host, settings.metrics.allow_remote, settings.metrics.port) == ("0.0.0.0", True, 9108)


def health_check(dockerfile: str) -> list[str]:
    (words,) = re.findall(r"^HEALTHCHECK .*?CMD (\[.*\])$", dockerfile, re.MULTILINE)
    command: list[str] = json.loads(words)
    assert command[0] == "python"
    return [sys.executable, *command[1:]]


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_asks_whether_the_loop_lives(dockerfile: str, status: int, code: int) -> None:
    def healthz(_: object) -> PlainTextResponse:
        return PlainTextResponse("", status)

    server = EmbeddedServer(Starlette(routes=[Route("/healthz", healthz)]), port=0)
    server.start()
    try:
        assert httpx.get(f"{server.url}/healthz").status_code == status
        environ = os.environ | {"G6_PORT": str(server.port), "http_proxy": "http://127.0.0.1:1"}
        done = subprocess.run(health_check(dockerfile), env=environ, check=False, timeout=60)
        assert done.returncode == code
    finally:
        server.stop()


def test_the_health_check_fails_where_nobody_answers(dockerfile: str) -> None:
    server = EmbeddedServer(Starlette(), port=0)
    server.stop()
    done = subprocess.run(
        health_check(dockerfile), env=os.environ | {"G6_PORT": str(server.port)}, capture_output=True, check=False
    )
    assert done.returncode == 1


@pytest.mark.long
def test_what_the_builder_is_given_makes_the_whole_package(project: Path, tmp_path: Path, dockerfile: str) -> None:
    context, wheels = tmp_path / "src", tmp_path / "wheels"
    context.mkdir()
    for source in copied(dockerfile):
        if (project / source).is_dir():
            shutil.copytree(project / source, context / source, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(project / source, context / source)
    done = run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(wheels), str(context))
    if done.returncode and re.search(r"No matching distribution found for setuptools|Connection|resolve", done.stderr):
        pytest.skip("the build tool cannot be had")
    assert done.returncode == 0, done.stderr
    (wheel,) = wheels.iterdir()
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {str(path.relative_to(project)) for path in (project / "g6").rglob("*.py")}
    assert modules <= names
    assert {"g6_config/g6.yaml", "g6_config/g6.schema.json", "g6_config/calendar.yaml"} <= names
    assert {f"g6_runbooks/{path.name}" for path in (project / "alerts" / "runbooks").glob("*.md")} <= names
