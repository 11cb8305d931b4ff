"""Provider check against servers that speak Kite's wire: what works is told, what does not is one sentence."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from kite_accounts import token

from g6.clock import VirtualClock
from g6.market.indices import load_indices
from g6.market.sessions import SessionCalendar
from g6.providers.kite.credentials import MAIN, token_path
from g6.providers.kite.options import options_for
from g6.providers.kite.token_file import TokenFile
from g6.simulator.kite_server.faults import FaultPlan
from g6.simulator.kite_server.server import KiteServer
from g6.simulator.market import SimulatedMarket

Checked = Callable[..., tuple[int, str]]
CheckedJson = Callable[..., tuple[int, dict[str, Any]]]
STALL = "providers.kite_stream.stall_seconds=2"
NOW = datetime.fromisoformat("2026-11-20T10:00+05:30")


@dataclass
class Served:
    """A server, and the arguments and the environment with which it is asked."""

    server: KiteServer
    clock: VirtualClock
    state: Path

    @property
    def arguments(self) -> tuple[str, ...]:
        return ("--root", self.server.url, "--indices", "NIFTY", "--set", f"providers.kite.state_dir={self.state}")

    def log_in(self) -> None:
        name = token_path(MAIN, {}, options_for(self.server.url)).name
        TokenFile(self.state / name).write(token(self.server.issue_token(), self.clock.now()))


@pytest.fixture(scope="module")
def market(project: Path) -> SimulatedMarket:
    config = project / "config"
    return SimulatedMarket(6, load_indices(config / "indices.yaml"), SessionCalendar.load(config / "calendar.yaml"))


@pytest.fixture
def serve(market: SimulatedMarket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Served]]:
    """Start a server with these faults, somebody logged in or nobody."""
    for name in [name for name in os.environ if name.startswith("KITE_")]:
        monkeypatch.delenv(name)
    with ExitStack() as stack:

        def start(*faults: dict[str, Any], at: datetime = NOW, speed: float = 1, logged_in: bool = True) -> Served:
            clock = VirtualClock(at, speed)
            plan = FaultPlan.parse({"faults": [{"name": "a fault", **fault} for fault in faults]})
            served = Served(stack.enter_context(KiteServer(market, clock, faults=plan)), clock, tmp_path / "state")
            if logged_in:
                served.log_in()
            return served

        yield start


def test_a_key_that_may_do_everything_is_told_so(serve: Callable[..., Served], checked_json: CheckedJson) -> None:
    code, report = checked_json("provider", "--provider", "kite", *serve().arguments)
    assert (code, report["problems"]) == (0, [])
    (kite,) = report["providers"]
    assert (kite["quotes"], kite["candles"]) == ("yes", "yes")
    assert (kite["profile"]["user_id"], kite["profile"]["exchanges"]) == ("AB1234", ["NSE", "NFO", "BSE", "BFO"])
    assert kite["token"]["state"] == "valid"
    assert kite["token"]["expires_at"] == "2026-11-21T06:00:00+05:30"
    assert kite["spot"]["symbol"] == "NSE:NIFTY 50"
    assert kite["spot"]["last"] > 0
    assert sum(endpoint["calls"] for endpoint in kite["endpoints"]) == 3
    assert {endpoint["breaker"] for endpoint in kite["endpoints"]} == {"closed"}


def test_a_person_reads_one_line_per_fact(serve: Callable[..., Served], checked: Checked) -> None:
    served = serve()
    code, out = checked("provider", "--provider", "kite", *served.arguments)
    facts = {line.split()[0]: " ".join(line.split()[1:]) for line in out.splitlines() if line.startswith("  ")}
    assert code == 0
    assert facts["server"] == served.server.url
    assert facts["token"] == "valid until Sat 21 Nov 06:00 IST"
    assert facts["may"] == "quotes yes, candles yes"
    assert facts["breakers"] == "all closed; 3 calls, 0 failed"
    assert out.splitlines()[-1] == "ok"


def test_nobody_logged_in_leaves_with_4_and_asks_nothing(
    serve: Callable[..., Served], checked_json: CheckedJson
) -> None:
    served = serve(logged_in=False)
    code, report = checked_json("provider", "--provider", "kite", *served.arguments)
    assert code == 4
    (problem,) = report["problems"]
    assert problem.endswith(f"run `g6 login --root {served.server.url}`")
    assert sum(endpoint["calls"] for endpoint in report["providers"][0]["endpoints"]) == 0


FAULTS: Sequence[tuple[str, dict[str, Any], int, str, str, str]] = (
    # what, the fault, exit code, quotes, candles, words of the problem
    ("no-market-data", {"on": "quote", "do": "no_market_data"}, 4, "no", "unknown", "no market data"),
    ("quotes-fail", {"on": "quote", "do": "status", "status": 503}, 3, "unknown", "unknown", "HTTP 503"),
    ("quotes-broken", {"on": "quote", "do": "shape", "shape": "broken_json"}, 3, "unknown", "unknown", "broken JSON"),
    ("profile-fails", {"on": "profile", "do": "status", "status": 502}, 3, "yes", "yes", "kite.profile: "),
    ("candles-fail", {"on": "historical", "do": "status", "status": 500}, 3, "yes", "unknown", "kite.historical: "),
    ("zero-spot", {"on": "quote", "do": "zero_spot"}, 3, "yes", "yes", "is 0 while the market is open"),
    ("no-key", {"on": "quote", "do": "missing", "match": {"symbol": "NIFTY 50"}}, 3, "yes", "unknown", "no quote"),
)


@pytest.mark.parametrize(
    ("fault", "code", "quotes", "candles", "words"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS]
)
def test_each_failure_is_one_sentence_with_a_remedy(
    serve: Callable[..., Served], checked_json: CheckedJson, fault: dict[str, Any], code: int, quotes: str,
    candles: str, words: str,
) -> None:  # fmt: skip
    left, report = checked_json("provider", "--provider", "kite", *serve(fault, speed=float("inf")).arguments)
    (problem,) = report["problems"]
    assert words in problem
    assert "; " in problem
    assert left == code
    (kite,) = report["providers"]
    assert (kite["quotes"], kite["candles"]) == (quotes, candles)


def test_a_token_that_has_died_leaves_with_4_and_nothing_more_is_asked(
    serve: Callable[..., Served], checked_json: CheckedJson
) -> None:
    served = serve()
    served.server.kill_token()
    code, report = checked_json("provider", "--provider", "kite", *served.arguments)
    (problem,) = report["problems"]
    (kite,) = report["providers"]
    assert (code, kite["token"]["state"]) == (4, "dead")
    assert "the access token is refused" in problem
    assert f"run `g6 login --root {served.server.url}`" in problem
    assert sum(endpoint["calls"] for endpoint in kite["endpoints"]) == 1


def test_a_key_without_candles_is_good_for_all_else(serve: Callable[..., Served], checked_json: CheckedJson) -> None:
    refused = {
        "on": "historical", "do": "status", "status": 403, "error_type": "PermissionException",
        "message": "Insufficient permission for that call.",
    }  # fmt: skip
    code, report = checked_json("provider", "--provider", "kite", *serve(refused).arguments)
    assert (code, report["problems"]) == (0, [])
    (kite,) = report["providers"]
    assert (kite["quotes"], kite["candles"]) == ("yes", "no")
    assert "back-filled" in kite["facts"]["candles"]


def test_an_old_quote_is_no_problem_while_the_market_is_closed(
    serve: Callable[..., Served], checked_json: CheckedJson
) -> None:
    evening = datetime.fromisoformat("2026-11-20T20:00+05:30")
    code, report = checked_json("provider", "--provider", "kite", *serve(at=evening).arguments)
    assert (code, report["problems"], report["market_open"]) == (0, [], False)
    assert report["providers"][0]["spot"]["age_seconds"] > 4 * 3600


def test_the_dump_of_a_broker_is_told_with_its_age(serve: Callable[..., Served], checked_json: CheckedJson) -> None:
    served = serve()
    code, report = checked_json("instruments", "--provider", "kite", *served.arguments)
    assert (code, report["problems"]) == (0, [])
    assert (report["dump"]["day"], report["age_days"]) == ("2026-11-20", 0)
    assert report["dump"]["rows"] >= report["contracts"] > 0


def test_bad_rows_of_a_dump_are_counted(serve: Callable[..., Served], checked_json: CheckedJson) -> None:
    served = serve({"on": "instruments", "do": "bad_rows", "count": 4})
    code, report = checked_json("instruments", "--provider", "kite", *served.arguments)
    assert code == 3
    assert sum(report["dump"]["bad_rows"].values()) >= 3
    assert any("make no sense" in problem for problem in report["problems"])


def stream_check(served: Served, folder: Path, *more: str) -> tuple[int, dict[str, Any]]:
    """Run the check in a process of its own: the stream's reactor cannot be had twice."""
    program = "import sys; from g6.cli import check; from g6.cli.surroundings import Surroundings as S; "
    program += "sys.exit(check.main(sys.argv[1:], S.of_process()))"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("G6_", "KITE_"))}
    done = subprocess.run(
        [sys.executable, "-c", program, "provider", "--provider", "kite-stream", *served.arguments, "--json", *more],
        cwd=folder, env=clean, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout)


def test_a_stream_that_ticks_is_told_with_how_soon(serve: Callable[..., Served], tmp_path: Path) -> None:
    code, report = stream_check(serve(), tmp_path)
    assert (code, report["problems"]) == (0, [])
    stream, rest = report["providers"]
    assert (stream["name"], rest["name"]) == ("kite-stream", "kite")
    assert stream["stream"]["ticks"] > 0
    assert 0 < stream["stream"]["connected_after_seconds"] <= stream["stream"]["first_tick_after_seconds"]
    assert stream["spot"]["symbol"] == "NSE:NIFTY 50"


def test_a_stream_nobody_may_use_leaves_with_4_and_says_so_once(serve: Callable[..., Served], tmp_path: Path) -> None:
    code, report = stream_check(serve(logged_in=False), tmp_path)
    assert code == 4
    (problem,) = report["problems"]
    assert "g6 login" in problem


@pytest.mark.long
def test_a_stream_that_cannot_be_opened_is_a_problem_and_rest_is_checked_all_the_same(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    code, report = stream_check(serve({"on": "connect", "do": "refuse", "status": 502}), tmp_path, "--set", STALL)
    stream, rest = report["providers"]
    assert code == 3
    assert stream["stream"]["connected_after_seconds"] is None
    assert stream["problems"]
    assert rest["problems"] == []


def test_the_simulator_and_a_recording_tell_what_they_answer(
    checked: Checked, checked_json: CheckedJson, market_data: Path
) -> None:
    code, report = checked_json("provider", "--at", "2026-11-20T10:00+05:30")
    assert code == 0
    (simulated,) = report["providers"]
    assert (simulated["name"], simulated["token"], simulated["endpoints"]) == ("simulated", None, [])
    assert simulated["spot"]["age_seconds"] < 60
    code, out = checked("provider", "--at", "2026-11-20T10:00+05:30")
    assert code == 0
    assert "computed here" in out
    recorded = market_data / "nse_option_chain"
    code, report = checked_json("provider", "--provider", "replay", "--source", str(recorded))
    (replay,) = report["providers"]
    assert (replay["name"], replay["token"]) == ("replay", None)
    assert replay["spot"]["last"] > 0
    assert code == (3 if report["problems"] else 0)
