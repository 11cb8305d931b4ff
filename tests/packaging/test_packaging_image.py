"""The image and its compose file: taken by the checkers that stand in for a builder, and fitting the program."""

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import yaml
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from g6.health.document import About, StatusDocument
from g6.health.state_file import NAME as STATE_FILE
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


@pytest.mark.parametrize("name", ["compose.yaml", "compose.profiles.yaml"])
def test_the_compose_file_is_valid_by_its_schema(project: Path, name: str) -> None:
    done = run(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(project / name))
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_itself_takes_the_file(project: Path) -> None:
    done = run(tool("docker-compose"), "-f", str(project / "compose.yaml"), "config")
    assert done.returncode == 0, done.stderr
    resolved = yaml.safe_load(done.stdout)["services"]["g6"]
    assert resolved["environment"]["G6_PROVIDER"] == "simulated"


def test_compose_starts_everything_without_a_profile(project: Path) -> None:
    services = yaml.safe_load((project / "compose.yaml").read_text())["services"]
    assert [name for name, one in services.items() if "profiles" in one] == []


@pytest.mark.parametrize(
    ("profiles", "started"),
    [
        (set(), {"g6"}),
        ({"monitoring"}, {"g6", "prometheus", "alertmanager"}),
        ({"grafana"}, {"g6", "prometheus", "grafana"}),
        ({"influx"}, {"g6", "influxdb"}),
        ({"monitoring", "grafana", "influx"}, {"g6", "prometheus", "alertmanager", "grafana", "influxdb"}),
    ],
)
def test_a_profile_starts_so_much_of_the_stack(project: Path, profiles: set[str], started: set[str]) -> None:
    """By compose's rule: a service without profiles always, another one when one of its profiles is chosen."""
    services = yaml.safe_load((project / "compose.profiles.yaml").read_text())["services"]
    assert {
        name for name, one in services.items() if not one.get("profiles") or profiles & {*one["profiles"]}
    } == started


def resolved(project: Path, name: str) -> dict[str, Any]:
    """What compose makes of a file, without its profiles."""
    document = yaml.safe_load(run(tool("docker-compose"), "-f", str(project / name), "config").stdout)
    for service in document["services"].values():
        service.pop("profiles", None)
        service["volumes"].sort()
    return document


def test_with_profiles_the_services_are_those_of_the_whole_stack(project: Path) -> None:
    whole, chosen = resolved(project, "compose.yaml"), resolved(project, "compose.profiles.yaml")
    stores = [each["services"]["g6"]["environment"].pop("G6_STORAGE__INFLUX__ENABLED") for each in (whole, chosen)]
    assert stores == ["true", "false"]
    assert chosen == whole


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


@pytest.fixture
def served() -> Iterator[Callable[[int], EmbeddedServer]]:
    """Servers whose /healthz answers with a status."""
    servers: list[EmbeddedServer] = []

    def serve(status: int) -> EmbeddedServer:
        def healthz(_: object) -> PlainTextResponse:
            return PlainTextResponse("", status)

        servers.append(EmbeddedServer(Starlette(routes=[Route("/healthz", healthz)]), port=0))
        servers[-1].start()
        assert httpx.get(f"{servers[-1].url}/healthz").status_code == status
        return servers[-1]

    yield serve
    for server in servers:
        server.stop()


def healthy(dockerfile: str, volume: Path, **environ: str) -> bool:
    """What the container's health check says, asked in the volume."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("G6_")}
    environ = {**inherited, "http_proxy": "http://127.0.0.1:1", **environ}
    done = subprocess.run(
        health_check(dockerfile), cwd=volume, env=environ, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode in {0, 1}, done.stderr
    return done.returncode == 0


def leave_state(volume: Path, folder: str, url: str, *, seconds_ago: int = 0) -> None:
    """What an agent leaves in its data directory."""
    path = volume / folder / STATE_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    assert "agent" in StatusDocument.__dataclass_fields__
    path.write_bytes(msgspec.json.encode({"agent": replace(About.this_process("1", path.parent, "live"), url=url)}))
    os.utime(path, (path.stat().st_mtime - seconds_ago,) * 2)


@pytest.mark.parametrize("status", [200, 503])
def test_the_health_check_asks_whether_the_loop_lives(
    dockerfile: str, tmp_path: Path, served: Callable[[int], EmbeddedServer], status: int
) -> None:
    port = str(served(status).port)
    assert healthy(dockerfile, tmp_path, G6_PORT=port) is (status == 200)
    assert healthy(dockerfile, tmp_path, G6_METRICS__PORT=port) is (status == 200)


@pytest.mark.parametrize("folder", ["data/live", "live", "."])
def test_the_health_check_asks_where_the_last_agent_says_that_it_listens(
    dockerfile: str, tmp_path: Path, served: Callable[[int], EmbeddedServer], folder: str
) -> None:
    sound, failing = served(200), served(503)
    leave_state(tmp_path, "data/simulated", failing.url, seconds_ago=3600)
    leave_state(tmp_path, folder, sound.url)
    assert healthy(dockerfile, tmp_path, G6_PORT=str(failing.port))
    leave_state(tmp_path, folder, failing.url)
    assert not healthy(dockerfile, tmp_path, G6_PORT=str(sound.port))


def test_the_health_check_finds_an_agent_that_listens_everywhere(
    dockerfile: str, tmp_path: Path, served: Callable[[int], EmbeddedServer]
) -> None:
    leave_state(tmp_path, "data/live", f"http://0.0.0.0:{served(200).port}")
    assert healthy(dockerfile, tmp_path)


def test_the_health_check_fails_where_nobody_answers(dockerfile: str, tmp_path: Path) -> None:
    server = EmbeddedServer(Starlette(), port=0)
    server.stop()
    assert not healthy(dockerfile, tmp_path, G6_PORT=str(server.port))


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
