"""Secrets that are planted come out nowhere: not in a log, a page, a store, a file, nor in the list of processes."""

import contextlib
import gzip
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import canary_agent
import pytest
from agent_process import environment
from echoing_broker import HTML, JSON, EchoingBroker
from influx_front import HttpFront
from kite_world import market

from g6.clock import IST, VirtualClock
from g6.providers.kite.credentials import token_path
from g6.providers.kite.options import options_for
from g6.providers.kite.token_file import Token, TokenFile, expiry_of
from g6.simulator.kite_server.server import KiteServer
from g6.simulator.kite_server.sessions import App

API_KEY, API_SECRET, INFLUX_TOKEN = (
    "ck7qcanaryv2x9k4",
    "cs5canaryWm8Zt1Lp3Yq6Rb0Nd4Hf7Js",
    "ciCanary-9tGx_Vw2Mk5Bz8Qn==",
)
SPEED = 60.0
PAGES = ("/", "/metrics", "/metrics/options", "/health", "/healthz", "/readyz", "/status", "/nothing?access_token=x")
# The n-th request for quotes: how the broker answers it, with the request's own secrets in the answer.
ILLS = {3: (503, JSON), 5: (502, HTML), 6: (500, JSON), 8: (0, ""), 10: (400, JSON), 12: (429, JSON), 14: (403, JSON)}
HALF = 10  # characters; half a secret is as bad


@dataclass
class Planted:
    """What a run left behind: place → what is there; and the canaries, by their names."""

    canaries: dict[str, str] = field(default_factory=dict)
    places: dict[str, list[bytes]] = field(default_factory=dict)
    code: int | None = None

    def keep(self, place: str, content: bytes) -> None:
        self.places.setdefault(place, []).append(content)

    def found(self) -> list[str]:
        """Return every sighting, of half a canary too, as "canary in place"."""
        halves = {name: (value[:HALF].encode(), value[-HALF:].encode()) for name, value in self.canaries.items()}
        return [
            f"{name} in {place}"
            for place, contents in self.places.items()
            for name, pieces in halves.items()
            if any(piece in content for piece in pieces for content in contents)
        ]


def run_agent(folder: Path, cycles: int, ills: Mapping[int, tuple[int, str]], *options: str, **more: str) -> Planted:
    """Run the agent for so many minutes, look at all that it shows meanwhile, and then at all that it wrote."""
    clock = VirtualClock(datetime(2026, 11, 20, 10, tzinfo=IST), SPEED)
    planted = Planted({"api_key": API_KEY, "api_secret": API_SECRET, "influx_token": INFLUX_TOKEN})
    own = {
        "KITE_API_KEY": API_KEY, "KITE_API_SECRET": API_SECRET, "INFLUXDB_TOKEN": INFLUX_TOKEN, "HOME": str(folder),
        "XDG_STATE_HOME": str(folder / "state"), "XDG_CONFIG_HOME": str(folder / "config"), "TMPDIR": str(folder),
    }  # fmt: skip
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(KiteServer(market(), clock, apps=[App(API_KEY, API_SECRET)]))
        broker = EchoingBroker(server.url, ills)
        stack.callback(broker.close)
        database = HttpFront(database_ills())
        stack.callback(database.close)
        log_in(planted, "access_token", server, clock, own, broker.url)
        command = [
            sys.executable, canary_agent.__file__, "--provider", "kite", "--root", broker.url, "--verbose",
            "--data-dir", str(folder / "data"), "--port", "0", "--cycles", str(cycles), "--indices", "NIFTY",
            "--set", f"logging.file={folder / 'logs' / 'g6.log'}", "--set", "collection.expiries=this_week",
            "--set", "storage.influx.enabled=true", "--set", f"storage.influx.url={database.url}", *options,
        ]  # fmt: skip
        with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
            process = subprocess.Popen(command, cwd=folder, env=environment(**own, **more), stdout=out, stderr=err)
        stack.callback(process.kill)
        while process.poll() is None:
            look(planted, process.pid, folder)
            if broker.refused.is_set() and "second_access_token" not in planted.canaries:
                log_in(planted, "second_access_token", server, clock, own, broker.url)
            time.sleep(0.2)
        planted.code = process.returncode
        asked = "\n".join(broker.asked)
    assert API_KEY in asked
    assert all(value in asked for name, value in planted.canaries.items() if name.endswith("access_token"))
    assert database.writes, "nothing was sent to the database"
    assert {"/metrics"} <= set(planted.places), "no page was seen"
    search_files(planted, folder)
    return planted


def log_in(
    planted: Planted, name: str, server: KiteServer, clock: VirtualClock, environ: Mapping[str, str], root: str
) -> None:
    now = clock.now()
    planted.canaries[name] = value = server.issue_token(API_KEY)
    path = token_path("main", environ, options_for(root))
    TokenFile(path).write(Token(API_KEY, value, "AB1234", now, expiry_of(now)))


def database_ills():
    """A database that refuses a few requests, each with the token in its answer, and then takes all."""
    said = json.dumps({"code": "x", "message": f"{INFLUX_TOKEN} is refused: Token {INFLUX_TOKEN}"}).encode()
    statuses = iter((500, 429, 400, 422, 503, 401))

    def answer(_lines: list[bytes]) -> tuple[int, dict[str, str], bytes] | None:
        status = next(statuses, None)
        return status and (status, {"Retry-After": "1", "Content-Type": JSON, "X-Echo": INFLUX_TOKEN}, said)

    return answer


def look(planted: Planted, pid: int, folder: Path) -> None:
    """Look at the process from outside, as another user's `ps` and a scraper would."""
    for command_line in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            planted.keep("a command line", command_line.read_bytes())
    with contextlib.suppress(OSError):
        planted.keep("the process's title", Path(f"/proc/{pid}/comm").read_bytes())
        planted.keep("ps", subprocess.run(["ps", "-ef"], capture_output=True, check=False).stdout)
    address = re.search(rb"http://127\.0\.0\.1:(\d+)/metrics", (folder / "stdout").read_bytes())
    for page in PAGES if address else ():
        with contextlib.suppress(OSError):
            planted.keep(page, fetched(f"http://127.0.0.1:{int(address[1])}{page}"))


def fetched(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return str(answer.headers).encode() + answer.read()
    except urllib.error.HTTPError as error:
        return str(error.headers).encode() + error.read()


def search_files(planted: Planted, folder: Path) -> None:
    """Look into every file but the token's, which its owner alone can read."""
    tokens = list((folder / "state" / "g6").glob("*.token"))
    assert [path.stat().st_mode & 0o777 for path in tokens] == [0o600]
    for path in (path for path in folder.rglob("*") if path.is_file() and path not in tokens):
        content, place = path.read_bytes(), str(path.relative_to(folder))
        planted.keep(place, content)
        if content[:2] == b"\x1f\x8b":
            planted.keep(f"{place}, unpacked", gzip.decompress(content))
        if content.startswith(b"SQLite format 3"):
            for cell in cells(path):
                planted.keep(f"{place}, unpacked", cell)


def cells(path: Path) -> Iterator[bytes]:
    """Every value of every table, unpacked where it is packed."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for row in (row for table in tables for row in database.execute(f'SELECT * FROM "{table}"')):
            for value in row:
                content = value if isinstance(value, bytes) else str(value).encode()
                yield content
                with contextlib.suppress(zlib.error):
                    yield zlib.decompress(content)


@pytest.fixture(scope="module")
def careful(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return run_agent(tmp_path_factory.mktemp("careful"), 12, ILLS)


def test_the_canaries_are_nowhere(careful: Planted) -> None:
    assert careful.found() == []


def test_what_could_have_shown_them_did_happen(careful: Planted) -> None:
    """Errors, tracebacks, refusals and the vendor's own debugging went through the log that shows no canary."""
    for place in ("stderr", "logs/g6.log"):
        (told,) = careful.places[place]
        for words in (b"Traceback", b"HTTP 503", b"the access token is dead", b"a new access token is in use",
                      b"Request: GET", b"'Authorization': '***'", b"the thread careless ended", b"RuntimeWarning",
                      b"ConnectionError: Authorization: ***"):  # fmt: skip
            assert words in told, (place, words)
    assert set(PAGES) <= set(careful.places)
    journals = [place for place in careful.places if re.fullmatch(r"data/journal/.*sqlite3, unpacked", place)]
    assert journals
    assert any(b'"columns"' in cell for cell in careful.places[journals[0]])
    assert any(place.startswith("data/csv/") for place in careful.places)
    assert any(b"is refused" in content for contents in careful.places.values() for content in contents)


def test_without_redaction_they_are_found(tmp_path: Path) -> None:
    """The control: the same search finds them in a log that shows all."""
    found = run_agent(tmp_path, 2, {3: (503, JSON)}, CANARY_PLAIN="1").found()
    for place in ("stderr", "logs/g6.log"):
        assert {f"{name} in {place}" for name in ("api_key", "access_token", "influx_token")} <= set(found)


def test_the_environment_of_the_process_is_its_owners_alone() -> None:
    assert (Path("/proc/self/environ").stat().st_mode & 0o077, os.geteuid()) == (0, Path("/proc/self").stat().st_uid)
