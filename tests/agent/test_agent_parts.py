"""Whatever runs beside the loop may raise, die or hang: the minutes go on, it comes back, and the state is told."""

import json
import subprocess
import sys
import threading
from datetime import datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

import pytest
from agent_process import environment
from bent_agent import DAY, agent_on, minutes, overview
from breaking_parts import DIES, FAULTS, HANGS, RAISES, BreakingParts
from influx_front import HttpFront
from supervisor_by_hand import until

from g6 import observation
from g6.governor.governor import Governor
from g6.health.document import decode
from g6.health.state_file import read_state

SAID = {
    RAISES: "RuntimeError: broken by hand",
    DIES: "SystemExit: 3",
    HANGS: "no sign of life for",
}
OPEN = datetime.fromisoformat(f"{DAY}T10:00+05:30")
COMES_BACK_SECONDS = 3  # after its first rest, of a second at most


class Minutes:
    """An agent whose minutes are run one by one."""

    def __init__(self, agent, parts):
        self.agent, self.parts, self.ran = agent, parts, 0

    def one(self):
        due = OPEN + timedelta(minutes=self.ran)
        self.parts.clock.wait_until(due, threading.Event())
        report, snapshot = self.agent.minute(due)
        self.agent._tell(report, snapshot, first=self.ran == 0)
        self.ran += 1
        return report

    def document(self):
        """Return what `g6 status` shows: of the agent itself, and what it left on the disk in the minute just told."""
        return self.parts.observation.health.document(), read_state(self.parts.closing.root)


@pytest.fixture
def database():
    """A database that takes whatever it is given."""
    front = HttpFront(lambda _lines: None)
    yield front
    front.close()


def broken(name, fault, settings, monkeypatch, works):
    """Break a part between two minutes, and see that it is told, that it comes back and that it works again."""
    monkeypatch.setattr(observation, "LOOK_SECONDS", 0.05)
    supervisor = BreakingParts(name, fault)
    with agent_on(settings, supervisor=supervisor) as (agent, parts):
        run = Minutes(agent, parts)
        assert str(run.one()).startswith("ok: ")
        assert run.document()[0].problems == ()
        supervisor.break_it()
        report = run.one()
        assert report.status == "ok"
        assert f"; {name} restarting: {SAID[fault]}" in str(report)
        for document in run.document():
            (problem,) = [p for p in document.problems if p.id == "part_restarting"]
            assert (problem.subject, document.status) == (name, "degraded")
            assert SAID[fault] in problem.cause
        supervisor.pass_seconds(COMES_BACK_SECONDS)
        report = run.one()
        assert str(report).startswith("ok: ")
        assert name not in str(report)
        (part,) = [p for p in run.document()[0].parts if p.name == name]
        assert (part.state, part.restarts) == ("running", 1)
        assert "part_restarting" not in {p.id for p in run.document()[0].problems}
        works(parts)
        supervisor.let_go()
    return run


def serves(parts):
    with urlopen(f"{parts.observation.url}/health", timeout=30) as answer:
        assert decode(answer.read()).status == "healthy"


def samples(parts):
    sampled = threading.Event()
    parts.governor.sample = lambda: (Governor.sample(parts.governor), sampled.set())
    assert sampled.wait(30)


def looks(parts):
    written = parts.closing.root / "status.json"
    before = written.stat().st_ino
    until(lambda: written.exists() and written.stat().st_ino != before)


NAMES = {"http_server": serves, "memory": samples, "health": looks, "influx_writer": None}
CASES = [
    pytest.param(name, fault, marks=[] if fault == RAISES or name == "http_server" else pytest.mark.long)
    for name in NAMES
    for fault in FAULTS
]


@pytest.mark.parametrize(("name", "fault"), CASES)
def test_a_part_that_breaks_costs_no_minute_is_told_and_comes_back(
    settings_for, tmp_path, monkeypatch, database, name, fault
):
    def delivers(_parts):
        until(lambda: {line for _, _, lines in database.writes for line in lines if b"index=NIFTY" in line})
        last = f" {int((OPEN + timedelta(minutes=2)).timestamp())}".encode()
        until(lambda: any(last in line for _, _, lines in database.writes for line in lines))

    influx = {"storage__influx__enabled": "true", "storage__influx__url": database.url}
    settings = settings_for(
        clock__at=OPEN.isoformat(), collection__indices="NIFTY", collection__expiries="this_week",
        governor__sample_seconds="0.1", **(influx if name == "influx_writer" else {}),
    )  # fmt: skip
    run = broken(name, fault, settings, monkeypatch, NAMES[name] or delivers)
    assert minutes(overview(tmp_path, "NIFTY")) == ["10:00", "10:01", "10:02"]
    assert run.ran == 3


def test_a_part_that_never_lasts_is_given_up_and_only_it(settings_for, tmp_path, monkeypatch):
    settings = settings_for(
        clock__at=OPEN.isoformat(), collection__indices="NIFTY", collection__expiries="this_week",
        governor__sample_seconds="0.1",
    )  # fmt: skip
    supervisor = BreakingParts("memory", RAISES)
    with agent_on(settings, supervisor=supervisor) as (agent, parts):
        run = Minutes(agent, parts)
        while run.one().parts[-1].state != "failed":
            supervisor.break_it()
            supervisor.look()
            supervisor.pass_seconds(61)
        report = run.one()
        assert str(report).startswith("ok: ")
        assert "; memory failed: RuntimeError: broken by hand" in str(report)
        document, _ = run.document()
        (problem,) = document.problems
        assert (problem.id, problem.subject, problem.severity) == ("part_failed", "memory", "degraded")
        assert problem.cause.startswith("given up, restarted 5 times: RuntimeError: broken by hand")
    assert len(overview(tmp_path, "NIFTY")) == run.ran


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
def test_the_stream_breaks_and_its_minutes_come_from_rest_until_it_is_back(tmp_path, fault):
    script = Path(__file__).parents[1] / "support" / "breaking_stream.py"
    done = subprocess.run(
        [sys.executable, str(script), fault, str(tmp_path)], env=environment(), capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    said = seen["sentences"]
    assert list(said) == [f"10:0{minute}" for minute in range(5)]
    assert all(sentence.startswith("ok: ") and "44/44 quotes" in sentence for sentence in said.values())
    assert "kite instead of kite-stream: nobody has read the stream for" in said["10:02"]
    assert f"kite_stream restarting: {SAID[fault]}" in said["10:02"]
    providers = seen["providers"]
    assert (providers["10:01"], providers["10:02"], providers["10:04"]) == ("kite-stream", "kite", "kite-stream")
    assert "kite_stream" not in said["10:04"]
    assert seen["part"] == ["running", 1]
    assert seen["wrong"] == []
