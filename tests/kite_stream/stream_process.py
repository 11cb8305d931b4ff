"""One process, one reactor, several stories over real sockets. Prints a JSON object of what was seen.

A reactor cannot be started twice, which is why this is a process of its own; that several providers live in it one
after the other is one of the stories.
"""

import asyncio
import json
import logging
import os
import ssl
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from g6.clock import IST, VirtualClock
from g6.errors import AuthError, G6Error, TransientError
from g6.market.indices import load_indices
from g6.market.sessions import SessionCalendar
from g6.model.quotes import QUOTE_COLUMNS
from g6.providers.kite_stream.inbox import Inbox
from g6.providers.kite_stream.keeper import PART
from g6.providers.kite_stream.link import TickerLink
from g6.providers.kite_stream.options import StreamOptions
from g6.providers.kite_stream.provider import KiteStreamProvider
from g6.simulator.kite_server.faults import FaultPlan
from g6.simulator.kite_server.server import KiteServer
from g6.simulator.kite_server.tape import Tape
from g6.simulator.kite_server.wire_tokens import index_token
from g6.simulator.market import SimulatedMarket

PROJECT = Path(__file__).resolve().parents[2]
START = datetime(2026, 11, 20, 10, 0, tzinfo=IST)
SPEED = 5.0
OPTIONS = StreamOptions(stall_seconds=4.0, settle_seconds=10.0, mute_seconds=25.0)  # settle 2, mute 5 of the machine
EXCHANGES = {"NFO": "NSE", "BFO": "BSE"}
PATIENCE_SECONDS = 30.0  # far more than any story takes: a busy machine is no failure


class Switchboard(FaultPlan):
    """A plan whose faults can be changed while the server runs."""

    def set(self, *faults: dict) -> None:
        self.faults = FaultPlan.parse({"faults": [{"name": f["do"], **f} for f in faults]}).faults if faults else ()


class Session:
    """An account whose token is whatever was last handed in."""

    def __init__(self, stream_root: str, access_token: str | None) -> None:
        self.options = SimpleNamespace(stream_root=stream_root)
        self.login_command = "g6 login"
        self.failures: list[str] = []
        self.access_token = access_token

    @property
    def token(self) -> SimpleNamespace | None:
        return self.access_token and SimpleNamespace(api_key="simulated", access_token=self.access_token)

    def on_auth_failure(self, reason: str) -> None:
        self.failures.append(reason)
        self.access_token = None


class Rest:
    """REST without a wire: the market itself, counting what it is asked for."""

    name = "kite"

    def __init__(self, market: SimulatedMarket) -> None:
        self.market = market
        self.listed = Tape(market).contracts(START.date())
        self.asked: list[int] = []

    def index_tokens(self, indices, at):
        return {index.name: index_token(index.spot_symbol) for index in indices}

    def contracts(self, indices, at):
        return self.listed.take(np.isin(self.listed.index, [index.name for index in indices]))

    def spots(self, indices, at):
        return {index.name: self.market.spot(index.name, at) for index in indices}

    def quotes(self, contracts, at):
        self.asked.append(len(contracts))
        return self.market.quotes(contracts, at)


class Recording(TickerLink):
    """A link that keeps what it was told to subscribe."""

    told: ClassVar[list] = []

    def tell(self, change) -> None:
        Recording.told.append(change)
        super().tell(change)


class Stage:
    """A market, a server, a clock that both share, and a provider that talks to the server."""

    def __init__(self) -> None:
        calendar = SessionCalendar.load(PROJECT / "config" / "calendar.yaml")
        every = load_indices(PROJECT / "config" / "indices.yaml")
        self.indices = [every["NIFTY"], every["SENSEX"]]
        self.market = SimulatedMarket(7, {index.name: index for index in self.indices}, calendar)
        self.clock = VirtualClock(START, SPEED)
        self.plan = Switchboard()
        self.is_open = lambda exchange, at: calendar.is_open(at, EXCHANGES.get(exchange, exchange))
        self.rest = Rest(self.market)
        self.legs = self.near_the_money()
        self.secrets: list[str] = []

    def near_the_money(self, count: int = 20):
        """The nearest expiry's most traded legs, of both indices."""
        listed = self.rest.contracts(self.indices, START)
        rows = []
        for index in self.indices:
            spot = self.market.spot(index.name, START).last
            mine = np.flatnonzero((listed.index == index.name) & (listed.kind != "FUT"))
            first = mine[listed.expiry[mine] == listed.expiry[mine].min()]
            rows.extend(first[np.argsort(np.abs(listed.strike[first] - spot), kind="stable")][:count])
        return listed.take(np.array(rows))

    def serve(self, port: int = 0) -> KiteServer:
        return KiteServer(self.market, self.clock, faults=self.plan, port=port, enforce_limits=True).start()

    def session(self, server: KiteServer) -> Session:
        self.secrets.append(server.issue_token())
        return Session(server.stream_url, self.secrets[-1])

    def provider(self, session: Session, options: StreamOptions = OPTIONS) -> KiteStreamProvider:
        link = partial(Recording, root=session.options.stream_root)
        return KiteStreamProvider(session, self.rest, options, self.clock, self.is_open, make_link=link)

    def ask(self, provider: KiteStreamProvider, legs=None):
        """Return a minute's answer, and how many legs REST filled in it."""
        self.rest.asked.clear()
        quotes = provider.quotes(self.legs if legs is None else legs, self.clock.now())
        return quotes, sum(self.rest.asked)

    def answer(self, provider: KiteStreamProvider):
        """Return the first minute's answer, passing over those in which no connection lived."""
        answers: list = []
        self.until(lambda: answers.append(self.ask(provider)) or True)
        return answers[0]

    def until(self, condition: Callable[[], object]) -> float:
        """Wait for it; return the real seconds that it took, or -1."""
        begun = time.monotonic()
        while time.monotonic() - begun < PATIENCE_SECONDS:
            try:
                if condition():
                    return time.monotonic() - begun
            except (TransientError, AuthError):
                pass
            time.sleep(0.05)
        return -1.0


def losses(report) -> dict:
    total: dict = {}
    for connection in report.stream.connections:
        for word, count in connection.reconnects.items():
            total[word] = total.get(word, 0) + count
    return total


def error_of(call: Callable[[], object]) -> str:
    try:
        call()
    except G6Error as error:
        return f"{type(error).__name__}: {error}"
    return ""


def story_of_a_morning(stage: Stage, server: KiteServer, provider: KiteStreamProvider) -> dict:
    seen: dict = {"first_seconds": stage.until(lambda: stage.ask(provider)[1] == 0)}
    seen["spots"] = {n: s.last for n, s in provider.spots(stage.indices, stage.clock.now()).items()}
    seen["spots_of_the_market"] = {n: s.last for n, s in stage.rest.spots(stage.indices, stage.clock.now()).items()}
    Recording.told.clear()
    moved = stage.rest.contracts(stage.indices, START).take(
        np.isin(stage.rest.contracts(stage.indices, START).token, stage.legs.token[5:])
    )
    stage.until(lambda: stage.ask(provider, moved)[1] == 0 and Recording.told)
    seen["unsubscribed"] = sorted(t for c in Recording.told for t in c.unsubscribe)
    seen["left_out"] = sorted(stage.legs.token[:5].tolist())
    seen["subscribed"] = [t for c in Recording.told for t in c.subscribe]
    seen["instruments"] = [c.instruments for c in provider.report().stream.connections]
    stage.until(lambda: stage.ask(provider)[1] == 0)
    return seen


def story_of_a_frozen_market(stage: Stage) -> dict:
    """Where nothing moves, the stream's columns are the market's own."""
    stage.plan.set({"do": "frozen", "from": "09:50"})
    server = stage.serve()
    provider = stage.provider(stage.session(server))
    stage.until(lambda: stage.ask(provider)[1] == 0)
    quotes, filled = stage.answer(provider)
    truth = stage.market.quotes(stage.legs, datetime(2026, 11, 20, 9, 50, tzinfo=IST))
    apart = (quotes.at - truth.at).total_seconds()
    unequal = []
    for name in set(QUOTE_COLUMNS) - {"broker_iv"}:
        shift = apart if name.endswith("age_seconds") else 0.0
        # Ages are whole seconds on the wire; the market's own have fractions.
        slack = 1.5 if name.endswith("age_seconds") else 0.0051
        if not np.allclose(getattr(quotes, name), getattr(truth, name) + shift, atol=slack, rtol=0, equal_nan=True):
            unequal.append(name)
    provider.close()
    server.stop()
    stage.plan.set()
    return {"filled": filled, "answered": int(quotes.answered.sum()), "unequal": unequal}


def story_of_a_drop(stage: Stage, provider: KiteStreamProvider) -> dict:
    provider.report()
    lost: dict = {}
    stage.plan.set({"do": "drop", "times": 1})
    stage.until(lambda: lost.update(losses(provider.report())) or lost)
    stage.plan.set()
    return {"losses": lost, "healed_seconds": stage.until(lambda: stage.ask(provider)[1] == 0)}


def story_of_a_half_open_link(stage: Stage, provider: KiteStreamProvider) -> dict:
    provider.report()
    stage.plan.set({"do": "half_open"})
    # Ticks come five times a second, and what is half open stays so.
    stage.until(lambda: (provider.report().stream.connections[0].silent_seconds or 0.0) > 2.0)
    stage.plan.set()
    lost: dict = {}
    problems: list = []

    def gone() -> bool:
        report = provider.report()
        lost.update(losses(report))
        problems.extend(report.problems)
        return bool(lost)

    seconds = stage.until(gone)
    return {"losses": lost, "seconds": seconds, "problems": problems,
            "healed_seconds": stage.until(lambda: stage.ask(provider)[1] == 0)}  # fmt: skip


def story_of_a_mute_exchange(stage: Stage, provider: KiteStreamProvider) -> dict:
    stage.plan.set({"do": "mute", "match": {"exchange": "BFO"}})
    bfo = int((stage.legs.exchange == "BFO").sum())
    seconds = stage.until(lambda: stage.ask(provider)[1] == bfo)
    report = provider.report()
    quotes, filled = stage.answer(provider)
    stage.plan.set()
    return {
        "seconds": seconds, "problems": report.problems, "filled": filled, "bfo": bfo,
        "counted": provider.report().stream.filled_by_rest, "answered": int(quotes.answered.sum()),
        "healed_seconds": stage.until(lambda: stage.ask(provider)[1] == 0 and not provider.report().problems),
    }  # fmt: skip


def story_of_garbage(stage: Stage, provider: KiteStreamProvider) -> dict:
    provider.report()
    dropped = [0]
    stage.plan.set({"do": "garbage"}, {"do": "text_noise"}, {"do": "text_error", "message": "subscription limit"})

    words: list = []

    def counted() -> bool:
        report = provider.report()
        dropped[0] += report.stream.dropped_messages
        words.extend(report.problems)
        return dropped[0] > 3

    seconds = stage.until(counted)
    quotes, _ = stage.answer(provider)
    stage.plan.set()
    return {"seconds": seconds, "dropped": dropped[0], "answered": int(quotes.answered.sum()),
            "losses": losses(provider.report()), "problems": words,
            "healed_seconds": stage.until(lambda: stage.ask(provider)[1] == 0)}  # fmt: skip


def story_of_a_token(stage: Stage, server: KiteServer, session: Session, provider: KiteStreamProvider) -> dict:
    server.kill_token()
    dead_seconds = stage.until(lambda: session.failures)
    error = error_of(lambda: stage.ask(provider))
    time.sleep(1.0)
    tries = losses(provider.report()).get("refused", 0)
    stage.secrets.append(server.issue_token())
    session.access_token = stage.secrets[-1]
    healed = stage.until(lambda: stage.ask(provider)[1] == 0)
    # A second login while the first one's connection still lives.
    stage.secrets.append(server.issue_token())
    session.access_token = stage.secrets[-1]
    again = stage.until(lambda: set(losses(provider.report())) & {"new_token", "closed"})
    stage.until(lambda: stage.ask(provider)[1] == 0)
    return {"dead_seconds": dead_seconds, "error": error, "failures": session.failures, "tries": tries,
            "healed_seconds": healed, "again_seconds": again}  # fmt: skip


def story_of_a_dead_server(stage: Stage, server: KiteServer, session: Session, provider: KiteStreamProvider) -> dict:
    port = server.port
    server.stop()
    down = stage.until(lambda: error_of(lambda: stage.ask(provider)))
    error = error_of(lambda: stage.ask(provider))
    problems = provider.report().problems
    server = stage.serve(port)
    stage.secrets.append(server.issue_token())
    session.access_token = stage.secrets[-1]
    healed = stage.until(lambda: stage.ask(provider)[1] == 0)
    provider.close()
    return {"down_seconds": down, "error": error, "problems": problems, "healed_seconds": healed, "server": server}


def story_of_two_providers(stage: Stage, server: KiteServer) -> dict:
    """After one was closed, two more in the same process; one of them with more than a connection carries."""
    session = stage.session(server)
    small = StreamOptions(settle_seconds=1.0, connections=2, instruments_per_connection=15)
    one, two = stage.provider(session), stage.provider(session, small)
    seconds = [stage.until(lambda p=p: stage.ask(p)[1] == 0) for p in (one,)]
    seconds.append(stage.until(lambda: 0 <= stage.ask(two)[1] <= len(stage.legs) - 30))
    report = two.report()
    before = keepers()
    one.close()
    two.close()
    return {"seconds": seconds, "instruments": [c.instruments for c in report.stream.connections],
            "problems": report.problems, "keepers": [before, keepers()]}  # fmt: skip


def keepers() -> int:
    """Count the threads that keep a stream; those that look after them end in their own time."""
    return sum(thread.name == PART for thread in threading.enumerate())


def story_of_certificates() -> dict:
    """A server that nobody vouches for never sees the token; one that the trusted file vouches for does."""
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = Path(folder, "certificate.pem"), Path(folder, "key.pem")
        self_signed(certificate, key)
        asked: list[str] = []
        port, stop = serve_tls(certificate, key, asked)
        outcomes = {}
        for name, bundle in (("unknown", ""), ("trusted", str(certificate))):
            os.environ["REQUESTS_CA_BUNDLE"] = bundle
            inbox = Inbox(1 << 20)
            token = SimpleNamespace(api_key="simulated", access_token=f"for-{name}")
            link = TickerLink(1, token, inbox, f"wss://127.0.0.1:{port}")
            link.begin()
            outcomes[name] = [str(event) for event in inbox.take(PATIENCE_SECONDS)]
            link.leave()
        stop()
        del os.environ["REQUESTS_CA_BUNDLE"]
    return {"outcomes": outcomes, "asked": asked}


def self_signed(certificate: Path, key: Path) -> None:
    private, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "g6")])
    now = datetime.now(IST)
    signed = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(private.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )  # fmt: skip
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ))  # fmt: skip


def serve_tls(certificate: Path, key: Path, asked: list[str]) -> tuple[int, Callable[[], None]]:
    """Serve WebSocket upgrades over TLS in a thread; note the tokens that come."""
    loop, context = asyncio.new_event_loop(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    async def upgrade(request: web.Request) -> web.WebSocketResponse:
        asked.append(request.query["access_token"])
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for _ in socket:
            pass
        return socket

    app = web.Application()
    app.router.add_get("/", upgrade)
    runner = web.AppRunner(app, shutdown_timeout=1.0)

    async def begin() -> int:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        return runner.addresses[0][1]

    threading.Thread(target=loop.run_forever, daemon=True).start()

    def stop() -> None:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)

    return asyncio.run_coroutine_threadsafe(begin(), loop).result(), stop


def main() -> None:
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    stage, seen = Stage(), {}
    seen["frozen"] = story_of_a_frozen_market(stage)
    server = stage.serve()
    session = stage.session(server)
    provider = stage.provider(session)
    seen["morning"] = story_of_a_morning(stage, server, provider)
    seen["drop"] = story_of_a_drop(stage, provider)
    seen["half_open"] = story_of_a_half_open_link(stage, provider)
    seen["mute"] = story_of_a_mute_exchange(stage, provider)
    seen["garbage"] = story_of_garbage(stage, provider)
    seen["token"] = story_of_a_token(stage, server, session, provider)
    seen["dead_server"] = story_of_a_dead_server(stage, server, session, provider)
    server = seen["dead_server"].pop("server")
    seen["two"] = story_of_two_providers(stage, server)
    server.stop()
    seen["certificates"] = story_of_certificates()
    seen["secrets"] = stage.secrets
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
