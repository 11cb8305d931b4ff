"""`g6 simulate`: Kite's HTTP API and WebSocket, served locally from the simulated market."""

import argparse
import math
import re
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue

from g6.cli.arguments import Parser
from g6.cli.surroundings import Surroundings
from g6.clock import Clock, SystemClock, VirtualClock
from g6.errors import ConfigError
from g6.market.sessions import SessionCalendar
from g6.settings import Argument, Settings, load
from g6.settings.wording import shown

DEFAULT_PORT = 8765
DEFAULT_REDIRECT = "http://127.0.0.1:5000/success"
SIGNALS = (signal.SIGINT, signal.SIGTERM)

EPILOG = """\
examples:
  g6 simulate                                          the market as it is now, or the last session again
  g6 simulate --at 2026-11-20T09:15+05:30 --speed 60   a day in six minutes
  g6 simulate --faults faults.yaml                     with scripted faults (g6/simulator/kite_server/README.md)"""

# Flag → the setting that it stands for.
SETTINGS = {"--seed": "providers.simulated.seed", "--at": "clock.at", "--speed": "clock.speed"}


def main(argv: Sequence[str], around: Surroundings) -> int:
    """Serve until SIGTERM or Ctrl-C; raise `ConfigError` for everything that a person must mend."""
    namespace = _parser().parse_strictly(argv)
    settings = load(_settings_of(namespace), around.environ, around.cwd, namespace.config)
    # What serves is heavy; the other commands do without it.
    from g6.simulator.kite_server.faults import NO_FAULTS, FaultPlan  # noqa: PLC0415
    from g6.simulator.kite_server.server import KiteServer  # noqa: PLC0415
    from g6.simulator.kite_server.sessions import App  # noqa: PLC0415
    from g6.simulator.market import SimulatedMarket  # noqa: PLC0415
    from g6.wiring.sources import load_market  # noqa: PLC0415

    faults = FaultPlan.load(around.cwd / namespace.faults) if namespace.faults else NO_FAULTS
    market = load_market(settings)
    clock = _clock(settings, market.calendar)
    app, seed = App(), settings.providers.simulated.seed
    server = KiteServer(
        SimulatedMarket(seed, market.indices, market.calendar, around=market.surroundings),
        clock,
        faults=faults,
        auto_login=namespace.auto_login,
        redirect_url=namespace.redirect_url,
        host=namespace.host,
        port=namespace.port,
        on_event=_teller(clock),
    )
    with _asked_to_end() as asked, server:
        _say(_panel(server.url, server.stream_url, app.api_key, app.api_secret))
        _say(f"  market   seed {seed}, {_said(clock)}")
        for fault in faults.faults:
            _say(f"  fault    {fault.name} ({fault.do})")
        _say(_commands(server.url, app.api_key, app.api_secret))
        asked.get()
    return 0


@contextmanager
def _asked_to_end() -> Iterator["SimpleQueue[int]"]:
    """Give what gets an item when a signal asks for the end: from now on, also while nobody waits for it yet.

    Blocking the signals for `sigwait` would not do: libraries have threads by now that take them all the same.
    """
    asked: SimpleQueue[int] = SimpleQueue()  # the one whose `put` may interrupt its own `get`
    before = {number: signal.signal(number, lambda number, _frame: asked.put(number)) for number in SIGNALS}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _settings_of(namespace: argparse.Namespace) -> dict[str, Argument]:
    given = {flag: getattr(namespace, flag.removeprefix("--")) for flag in SETTINGS}
    found = {SETTINGS[flag]: Argument(text, flag) for flag, text in given.items() if text is not None}
    # A file that makes the agent ask a broker may not keep the clock here from being set.
    return {"providers.order": Argument("simulated", "g6 simulate"), **found}


def _clock(settings: Settings, calendar: SessionCalendar) -> Clock:
    """Return the server's clock: where it was told to be, else the machine's in a session, else the last session."""
    speed = settings.clock.speed
    if math.isinf(speed):
        raise ConfigError("--speed max: a server's clock runs by itself, it cannot jump; give a number")
    now = SystemClock().now()
    if settings.clock.at is not None:
        return VirtualClock(settings.clock.at, speed)
    if calendar.is_open(now, "NSE"):
        return SystemClock() if speed == 1 else VirtualClock(now, speed)
    return VirtualClock(calendar.session_of(calendar.last_minute(now, "NSE"), "NSE")[0].open, speed)


def _panel(url: str, stream_url: str, api_key: str, api_secret: str) -> str:
    lines = ("Kite, simulated", f"  url      {url}", f"  stream   {stream_url}", f"  api key  {api_key}")
    return "\n".join((*lines, f"  secret   {api_secret}"))


def _commands(url: str, api_key: str, api_secret: str) -> str:
    exported = f"  export KITE_API_KEY={api_key} KITE_API_SECRET={api_secret}"
    commands = (f"  g6 login --root {url}", f"  g6 --provider kite --root {url}")
    return "\n".join(("In another terminal:", exported, *commands))


def _said(clock: Clock) -> str:
    speed = "" if clock.speed == 1 else f", {clock.speed:g} times as fast"
    return f"{_stamp(clock.now())}{speed}"


def _teller(clock: Clock) -> Callable[[str], None]:
    return lambda sentence: _say(f"{clock.now():%H:%M:%S} {sentence}")


def _stamp(at: datetime) -> str:
    return f"{at:%a %d %b %Y %H:%M:%S} IST"


def _parser() -> Parser:
    parser = Parser(
        prog="g6 simulate", allow_abbrev=False, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Serves Kite's HTTP API and WebSocket locally from a simulated market, to any Kite client.",
    )  # fmt: skip
    parser.add_argument("--port", type=_port, default=DEFAULT_PORT, metavar="P", help=f"default {DEFAULT_PORT}; 0: any")
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="where to listen (default: here only)")
    parser.add_argument("--seed", metavar="N", help="the market's seed")
    parser.add_argument("--at", metavar="ISO", help="the instant to begin at (default: now, or the last session)")
    parser.add_argument("--speed", metavar="K", help="so many times as fast as the machine's clock")
    parser.add_argument("--faults", metavar="FILE", type=Path, help="YAML of what goes wrong when")
    parser.add_argument("--auto-login", action="store_true", help="the login page logs in by itself")
    parser.add_argument(
        "--redirect-url", default=DEFAULT_REDIRECT, metavar="URL", type=_url,
        help=f"where a login leads back to (default {DEFAULT_REDIRECT})",
    )  # fmt: skip
    parser.add_argument("--config", metavar="FILE", help="YAML or JSON file (default: $G6_CONFIG, or config/g6.yaml)")
    return parser


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{shown(text)} is not a port from 0 to 65535")
    return int(text)


def _url(text: str) -> str:
    if not re.match(r"https?://[^/\s]", text):
        raise argparse.ArgumentTypeError(f"{shown(text)} is not a URL such as {DEFAULT_REDIRECT}")
    return text


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
