"""How Kite's stream is checked: whether a connection comes up, and how soon its first tick arrives."""

import threading
from concurrent.futures import Future
from dataclasses import dataclass

from g6.checks.answers import ProviderAnswers, SpotAnswer, StreamAnswer, sentence
from g6.checks.desk import Desk
from g6.clock import Clock
from g6.errors import AuthError, G6Error, TransientError
from g6.market.indices import IndexDefinition
from g6.model.provider_report import ProviderReport
from g6.model.quotes import Spot
from g6.providers.base import Provider
from g6.providers.facade import Reporting

LOOK_SECONDS = 0.02


def stream_answers(desk: Desk, provider: Provider, index: IndexDefinition, server: str) -> ProviderAnswers:
    """Subscribe one index and watch the connection until its first tick, or for as long as the stream may be silent.

    The first tick is a cached one and is sent at once, even while the market is closed.
    """
    if not isinstance(provider, Reporting):
        raise TypeError(f"{provider.name} does not say what it goes through")
    clock = desk.source.clock
    watched = _Watched(clock.monotonic(), desk.settings.providers.kite_stream.stall_seconds)
    at = clock.now()
    question = _asked(provider, index, clock)
    while not watched.done(question, clock):
        watched.look(provider.report(), clock.monotonic())
        threading.Event().wait(LOOK_SECONDS)
    spot, error = _answer(question)
    problems = _problems(provider.name, watched, error)
    return ProviderAnswers(
        name=provider.name,
        server=server,
        spot=SpotAnswer.of(index, spot, at, watched.seconds),
        stream=StreamAnswer(watched.connected_after, watched.ticked_after, watched.ticks, watched.seconds),
        problems=problems,
        login_needed=isinstance(error, AuthError),
    )


@dataclass(slots=True)
class _Watched:
    """What the stream's own reports said since `begun`, in the machine's seconds."""

    begun: float
    patience_seconds: float
    connected_after: float | None = None
    ticked_after: float | None = None
    ticks: int = 0
    seconds: float = 0.0
    problems: tuple[str, ...] = ()

    def look(self, report: ProviderReport, now: float) -> None:
        """Take one report into account."""
        self.seconds = now - self.begun
        self.problems = report.problems
        connections = report.stream.connections if report.stream else ()
        self.ticks += sum(connection.ticks for connection in connections)
        if self.connected_after is None and any(connection.connected for connection in connections):
            self.connected_after = self.seconds
        if self.ticked_after is None and self.ticks:
            self.ticked_after = self.seconds

    def done(self, question: "Future[Spot | None]", clock: Clock) -> bool:
        """Tell whether there is nothing more to wait for."""
        if clock.monotonic() - self.begun > self.patience_seconds:
            return True
        if not question.done():
            return False
        return self.ticked_after is not None or isinstance(question.exception(), AuthError)


def _asked(provider: Provider, index: IndexDefinition, clock: Clock) -> "Future[Spot | None]":
    """Ask for the index's spot in a thread of its own: the provider waits for its tick, and is watched meanwhile."""
    future: Future[Spot | None] = Future()

    def ask() -> None:
        try:
            future.set_result(provider.spots([index], clock.now()).get(index.name))
        except Exception as error:  # noqa: BLE001 - it is raised where the answer is taken
            future.set_exception(error)

    threading.Thread(target=ask, name="stream check", daemon=True).start()
    return future


def _answer(question: "Future[Spot | None]") -> tuple[Spot | None, G6Error | None]:
    if not question.done():
        return None, TransientError("it does not answer")
    try:
        return question.result(), None
    except G6Error as error:
        return None, error


def _problems(name: str, watched: _Watched, error: G6Error | None) -> tuple[str, ...]:
    """Return what is wrong at the end; what was so only while the connection was being made is not."""
    if watched.ticked_after is not None:
        return ()
    found, patience = [f"{name}: {problem}" for problem in watched.problems], f"{watched.patience_seconds:g} s"
    if isinstance(error, AuthError):
        found = [sentence(error)]
    elif watched.connected_after is not None and not found:
        found = [f"{name}: no tick came within {patience}; REST fills its legs; see the broker's notices"]
    elif not found:
        found = [f"{name}: no connection within {patience}; check that the network lets WebSockets through"]
    return tuple(found)
