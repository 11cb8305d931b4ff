"""The service manager hears that the agent is ready, that its loop lives, how it is and that it ends."""

import logging
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from service_manager import Manager, manager

from g6.clock import IST, VirtualClock
from g6.health.service import ServiceNotifier
from g6.model.report import CycleReport

MINUTE = datetime(2026, 11, 20, 10, 0, tzinfo=IST)
REPORT = CycleReport(MINUTE, "simulated", 0.25, {}, (), None, ())
EXTENSION = {"EXTEND_TIMEOUT_USEC": "120000000"}

# An agent in small: a minute, a wait with a sign of life ten times a second, and an end when it is told to.
SERVICE = """
import signal, threading
from datetime import datetime, timedelta
from g6.clock import IST, SystemClock
from g6.health.service import ServiceNotifier
from g6.model.report import CycleReport

stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
service, clock = ServiceNotifier(), SystemClock()
service.alive()
service.cycle(CycleReport(datetime(2026, 11, 20, 10, 0, tzinfo=IST), "simulated", 0.25, {}, (), None, ()))
service.wait_until(clock, clock.now() + timedelta(hours=65), stop)
service.stopping()
service.close()
"""


class SteppedClock:
    """A clock that a test steps, and the event on whose waits it moves on."""

    speed = 1.0

    def __init__(self, speed: float = 1.0, steps: dict[int, timedelta] | None = None) -> None:
        self.speed = speed
        self.at = MINUTE
        self.waits: list[float] = []
        self.steps = steps or {}
        self.stop_after: int | None = None

    def now(self) -> datetime:
        return self.at

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        self.at += timedelta(seconds=seconds * self.speed) + self.steps.get(len(self.waits), timedelta())
        return self.is_set()

    def is_set(self) -> bool:
        return self.stop_after is not None and len(self.waits) >= self.stop_after


@pytest.fixture
def systemd() -> Iterator[Manager]:
    with manager() as made:
        yield made


@pytest.fixture
def service(systemd: Manager) -> Iterator[ServiceNotifier]:
    made = ServiceNotifier(systemd.environ(watchdog_seconds=180))
    yield made
    made.close()


def test_the_first_cycle_makes_it_ready_and_each_feeds_the_watchdog(systemd: Manager, service: ServiceNotifier) -> None:
    service.cycle(REPORT)
    service.cycle(REPORT)
    status = f"10:00 {REPORT}"
    assert systemd.all() == [
        {"READY": "1", "WATCHDOG": "1", "STATUS": status},
        {"WATCHDOG": "1", "STATUS": status},
    ]


def test_a_cycle_that_failed_has_ended_too(systemd: Manager, service: ServiceNotifier) -> None:
    service.cycle(CycleReport(MINUTE, "kite", 0.25, {}, (), None, (), 0, "the access token is refused"))
    (message,) = systemd.all()
    assert message["READY"] == "1"
    assert "the access token is refused" in message["STATUS"]


def test_waiting_for_the_market_makes_it_ready(systemd: Manager, service: ServiceNotifier) -> None:
    service.waiting("closed; the next minute is Mon 23 Nov 2026 09:15")
    (message,) = systemd.all()
    assert message == {
        "READY": "1", "WATCHDOG": "1", "STATUS": "closed; the next minute is Mon 23 Nov 2026 09:15",
    }  # fmt: skip


def test_before_it_is_ready_a_sign_of_life_asks_for_more_time_to_start(
    systemd: Manager, service: ServiceNotifier
) -> None:
    service.alive()
    service.cycle(REPORT)
    service.alive()
    first, _, last = systemd.all()
    assert first == EXTENSION
    assert last == {"WATCHDOG": "1"}


def test_while_it_ends_a_sign_of_life_asks_for_more_time_to_end(systemd: Manager, service: ServiceNotifier) -> None:
    service.cycle(REPORT)
    service.stopping()
    service.alive()
    _, stopping, alive = systemd.all()
    assert stopping == {"STOPPING": "1", "STATUS": "finishing the minute in hand"}
    assert alive == {"WATCHDOG": "1"} | EXTENSION


@pytest.mark.parametrize("abstract", [False, True])
def test_the_managers_socket_may_be_a_file_or_an_abstract_name(abstract: bool) -> None:
    with manager(abstract=abstract) as systemd:
        assert systemd.address.startswith("@") == abstract
        service = ServiceNotifier(systemd.environ())
        assert service.enabled
        service.waiting("closed")
        assert systemd.next()["READY"] == "1"
        service.close()


def test_a_status_is_one_short_line_without_what_no_log_may_hold(systemd: Manager) -> None:
    service = ServiceNotifier(systemd.environ(), clean=lambda text: text.replace("s3cret", "***"))
    service.waiting("the token s3cret\nREADY=0\n\tis refused " + "x" * 5000 + "\udc80")
    service.close()
    (message,) = systemd.all()
    assert message["STATUS"].startswith("the token *** READY=0 is refused xxx")
    assert len(message["STATUS"]) <= 500
    assert message["READY"] == "1"


@pytest.mark.parametrize("address", ["", "vsock:2:1234", "relative/path"])
def test_without_a_manager_nothing_happens(address: str) -> None:
    service = ServiceNotifier({"NOTIFY_SOCKET": address} if address else {})
    assert not service.enabled
    service.cycle(REPORT)
    service.waiting("closed")
    service.alive()
    service.stopping()
    service.close()


def test_a_manager_that_has_gone_costs_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with manager() as systemd:
        service = ServiceNotifier(systemd.environ())
    for _ in range(5):
        service.cycle(REPORT)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "the service manager cannot be told how G6 is" in caplog.text
    service.close()


def test_it_is_ready_only_when_that_got_through() -> None:
    with manager() as systemd:
        address = systemd.address
        service = ServiceNotifier(systemd.environ())
        systemd.leave()
        service.cycle(REPORT)
        os.unlink(address)  # noqa: PTH108 - a socket's own name
        reborn = Manager(address)
        service.cycle(REPORT)
        service.cycle(REPORT)
        assert ["READY" in message for message in reborn.all()] == [True, False]
        reborn.leave()
        service.close()


def test_a_manager_that_does_not_listen_is_never_waited_for(systemd: Manager, service: ServiceNotifier) -> None:
    for _ in range(5000):  # more than any queue of datagrams holds
        service.alive()
    received = systemd.all()
    assert 0 < len(received) < 5000
    service.cycle(REPORT)
    assert systemd.next()["READY"] == "1"


@pytest.mark.parametrize(
    ("environ", "limit", "every"),
    [
        ({"WATCHDOG_USEC": "180000000"}, 180.0, 30.0),
        ({"WATCHDOG_USEC": "30000000"}, 30.0, 10.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0, 10.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, math.inf, 30.0),
        ({"WATCHDOG_USEC": "0"}, math.inf, 30.0),
        ({"WATCHDOG_USEC": "soon"}, math.inf, 30.0),
        ({}, math.inf, 30.0),
    ],
)
def test_signs_of_life_are_due_three_times_within_what_the_manager_allows(
    environ: dict[str, str], limit: float, every: float
) -> None:
    service = ServiceNotifier(environ)
    assert (service.silence_limit_seconds, service.alive_every_seconds) == (limit, every)


@pytest.mark.parametrize("speed", [1.0, 60.0])
def test_a_long_wait_is_never_silent(systemd: Manager, service: ServiceNotifier, speed: float) -> None:
    service.waiting("closed")
    clock = SteppedClock(speed)
    assert service.wait_until(clock, MINUTE + timedelta(seconds=95 * speed), clock)  # type: ignore[arg-type]
    assert clock.waits == pytest.approx([30.0, 30.0, 30.0, 5.0])
    assert systemd.all()[1:] == [{"WATCHDOG": "1"}] * 5
    assert clock.now() >= MINUTE + timedelta(seconds=95 * speed)


def test_a_clock_set_back_makes_the_wait_longer_and_not_the_silence(systemd: Manager, service: ServiceNotifier) -> None:
    service.waiting("closed")
    clock = SteppedClock(steps={2: -timedelta(minutes=2)})
    assert service.wait_until(clock, MINUTE + timedelta(seconds=90), clock)  # type: ignore[arg-type]
    assert sum(clock.waits) == 90 + 120
    assert max(clock.waits) <= 30.0
    assert len(systemd.all()) == 1 + 1 + len(clock.waits)


def test_a_clock_set_forward_ends_the_wait(service: ServiceNotifier) -> None:
    clock = SteppedClock(steps={1: timedelta(hours=1)})
    assert service.wait_until(clock, MINUTE + timedelta(seconds=90), clock)  # type: ignore[arg-type]
    assert clock.waits == [30.0]


def test_a_stop_ends_the_wait_at_once(service: ServiceNotifier) -> None:
    clock = SteppedClock()
    clock.stop_after = 2
    assert not service.wait_until(clock, MINUTE + timedelta(hours=65), clock)  # type: ignore[arg-type]
    assert clock.waits == [30.0, 30.0]


def test_a_clock_that_jumps_is_not_held_up(service: ServiceNotifier) -> None:
    clock, stop = VirtualClock(MINUTE, math.inf), threading.Event()
    assert service.wait_until(clock, MINUTE + timedelta(days=3), stop)
    assert clock.now() == MINUTE + timedelta(days=3)


def test_without_a_manager_the_wait_is_the_clocks_own() -> None:
    clock, stop = VirtualClock(MINUTE, 1e9), threading.Event()
    assert ServiceNotifier({}).wait_until(clock, MINUTE + timedelta(days=3), stop)
    stop.set()
    assert not ServiceNotifier({}).wait_until(clock, MINUTE + timedelta(days=30_000), stop)


def test_a_process_says_all_of_it_in_its_order() -> None:
    with manager() as systemd:
        environ = os.environ | systemd.environ(watchdog_seconds=0.3)
        with subprocess.Popen([sys.executable, "-c", SERVICE], env=environ) as process:
            assert systemd.next() == EXTENSION
            assert systemd.next() == {"READY": "1", "WATCHDOG": "1", "STATUS": f"10:00 {REPORT}"}
            for _ in range(3):
                assert systemd.next() == {"WATCHDOG": "1"}
            process.send_signal(signal.SIGTERM)
            *signs, last = systemd.until("STOPPING")
            assert last == {"STOPPING": "1", "STATUS": "finishing the minute in hand"}
            assert all(sign == {"WATCHDOG": "1"} for sign in signs)
            assert process.wait(60) == 0
        assert systemd.all() == []


def test_a_process_that_is_stopped_in_its_tracks_is_silent() -> None:
    with manager() as systemd:
        environ = os.environ | systemd.environ(watchdog_seconds=0.03)
        with subprocess.Popen([sys.executable, "-c", SERVICE], env=environ) as process:
            systemd.until("READY")
            process.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, process.pid, os.WSTOPPED)
            systemd.all()
            threading.Event().wait(0.3)  # ten times the time within which a sign is due
            assert systemd.all() == []
            process.send_signal(signal.SIGCONT)
            assert systemd.next() == {"WATCHDOG": "1"}
            process.terminate()
