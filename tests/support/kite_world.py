"""The agent of real parts and the broker's protocol on real sockets, on one clock that jumps from minute to minute."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np

from g6.clock import IST, VirtualClock
from g6.model.chain import OptionChain
from g6.model.contracts import ContractTable
from g6.model.provider_report import MarketReport
from g6.model.quotes import QUOTE_COLUMNS
from g6.model.report import CycleReport
from g6.model.snapshot import IndexSnapshot, Snapshot
from g6.providers.kite.credentials import token_path
from g6.providers.kite.options import options_for
from g6.providers.kite.token_file import Token, TokenFile, expiry_of
from g6.resilience.supervisor import Supervisor
from g6.settings import Settings, load
from g6.simulator.kite_server.fault_file import parse_plan
from g6.simulator.kite_server.faults import FaultPlan
from g6.simulator.kite_server.server import KiteServer
from g6.simulator.kite_server.sessions import APPS, App
from g6.simulator.market import SimulatedMarket
from g6.storage.reader import JournalReader
from g6.unified_main import Agent
from g6.wiring import wire
from g6.wiring.kite import kite_source
from g6.wiring.sources import Market, Run, load_market

SEED = 6
SPOTS_WITHIN = timedelta(seconds=5)  # of the minute's beginning, where no chain says when it was asked for
# What is known of a leg over the wire; the vendor gives no volatility, and ages are of the instant.
VALUES = tuple(name for name in QUOTE_COLUMNS if name not in {"broker_iv", "quote_age_seconds", "trade_age_seconds"})
PLAIN = {
    "providers.order": "kite", "metrics.port": "0", "console.concise": "true", "logging.level": "ERROR",
    "collection.indices": "NIFTY,SENSEX", "collection.expiries": "this_week", "collection.strikes_itm": "5",
    "collection.strikes_otm": "5", "providers.kite.timeout_seconds": "3", "providers.kite.call_timeout_seconds": "5",
}  # fmt: skip


@dataclass
class Told:
    """Everyone who is told of a minute, and with them we; it outlives a restart."""

    clock: VirtualClock
    observation: object = None
    reports: list[CycleReport] = field(default_factory=list)
    probes: dict[str, str] = field(default_factory=dict)  # when → the sentences of a probe before the open
    pages: dict[str, dict[str, float]] = field(default_factory=dict)  # minute → metrics after it
    after: dict[str, list[Callable[[], None]]] = field(default_factory=dict)  # minute or "probe" → what happens then

    def tell(self, report: CycleReport, snapshot: Snapshot | None, *, first: bool) -> None:
        self.reports.append(report)
        self.observation.tell(report, snapshot, first=first)  # type: ignore[attr-defined]
        self._happen(f"{report.minute:%H:%M}")

    def probed(self, market: MarketReport) -> None:
        self.observation.probed(market)  # type: ignore[attr-defined]
        when = f"{self.clock.now():%H:%M}"
        self.probes[when] = "; ".join(market.sentences)
        self._happen(f"probe {when}")

    def page(self) -> dict[str, float]:
        """Series → value, of the page as it is now."""
        page = self.observation.exposition.page()[0].decode()  # type: ignore[attr-defined]
        lines = [line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in lines}

    def keep_page(self, minute: str) -> None:
        """Keep the metrics as they are after this minute."""
        self.after.setdefault(minute, []).append(lambda: self.pages.update({minute: self.page()}))

    def _happen(self, when: str) -> None:
        for action in self.after.get(when, ()):
            action()

    def __getattr__(self, name: str) -> object:
        return getattr(self.observation, name)


@dataclass
class World:
    """One run: the server, the agent and all that it told. Numbers are compared with `truth`, never with the wire."""

    server: KiteServer
    clock: VirtualClock
    told: Told
    truth: SimulatedMarket
    settings: Settings
    token_files: Mapping[str, TokenFile]
    make_server: Callable[[int], KiteServer]
    start_agent: Callable[[], AbstractContextManager[Agent]]
    logged_in: tuple[str, ...]

    def log_in(self, account: str = "main") -> None:
        """Log in as a person would, beside the running agent."""
        api_key = "simulated" if account == "main" else f"simulated-{account}"
        now = self.clock.now()
        token = Token(api_key, self.server.issue_token(api_key), "AB1234", now, expiry_of(now))
        self.token_files[account].write(token)

    def kill_token(self) -> None:
        """Kill the main account's token alone, as a logout elsewhere would."""
        self.server.kill_token()

    def stop_server(self) -> None:
        """Nobody listens any more."""
        self.server.stop()

    def start_server(self) -> None:
        """Start the server again where it was. It forgot its logins as a simulator does, so everybody logs in."""
        self.server = self.make_server(self.server.port).start()
        for account in self.logged_in:
            self.log_in(account)

    def run(self, minutes: int) -> int:
        """Run one process for so many minutes from the clock's own on; return what it would exit with."""
        with self.start_agent() as agent:
            code = agent.loop(minutes)
            self.told.pages["end"] = self.told.page()
        return code

    def sentences(self) -> dict[str, str]:
        """Minute → the sentence that was logged and shown."""
        return {f"{report.minute:%H:%M}": str(report) for report in self.told.reports}

    def recorded(self) -> list[Snapshot]:
        """Return the minutes as they lie in the journal."""
        reader = JournalReader(self.settings.storage.data_dir)
        return [snapshot for day in reader.days() for snapshot in reader.snapshots(day)]

    def stored(self) -> dict[str, dict[str, tuple[int, int]]]:
        """Minute → index → legs received and expected, 0 of 0 where nothing was accepted."""
        return {
            f"{snapshot.minute:%H:%M}": {
                index.index: (sum(c.received for c in index.chains), sum(c.expected for c in index.chains))
                for index in snapshot.indices
            }
            for snapshot in self.recorded()
        }

    def emptied(self) -> dict[str, dict[str, list[str]]]:
        """Minute → index → columns of the wire in which no accepted leg has a number; those accepted alone."""
        return {
            f"{snapshot.minute:%H:%M}": {
                index.index: [n for n in VALUES if all(np.isnan(getattr(chain, n)).all() for chain in index.chains)]
                for index in snapshot.indices
                if index.chains
            }
            for snapshot in self.recorded()
        }

    def wrong_numbers(self) -> list[str]:
        """Return every stored number that the market did not show in its minute, by the market itself."""
        return [words for snapshot in self.recorded() for words in self._wrong_in(snapshot)]

    def _wrong_in(self, snapshot: Snapshot) -> Iterator[str]:
        for index in snapshot.indices:
            if not self._is_right_spot(index, snapshot):
                yield f"{snapshot.minute:%H:%M} {index.index} spot {index.spot:g}"
        for chain in snapshot.chains:
            listed = self.truth.contracts(chain.index, snapshot.minute.date())
            of_chain = listed.take((listed.expiry == np.datetime64(chain.expiry)) & (listed.kind != "FUT"))
            order = np.lexsort((of_chain.kind == "PE", of_chain.strike))
            here = of_chain.take(order)
            strikes = {(s, k == "CE"): row for row, (s, k) in enumerate(zip(here.strike, here.kind, strict=True))}
            rows = np.array([strikes[key] for key in zip(chain.strike, chain.is_call, strict=True)])
            asked = here.take(rows)
            for name, right in self._right(chain, asked, snapshot.minute).items():
                for row in np.flatnonzero(~right):
                    yield f"{snapshot.minute:%H:%M} {asked.symbol[row]} {name} {getattr(chain, name)[row]:g}"

    @property
    def _held_for(self) -> timedelta:
        """How old a number of a minute may be: a stream sends changes, so the last tick of a quiet leg holds."""
        # A machine with other work to do is a second late now and then.
        streams = self.settings.providers.order[0] == "kite-stream"
        return timedelta(seconds=30 + self.clock.speed if streams else 0)

    def _is_right_spot(self, index: IndexSnapshot, snapshot: Snapshot) -> bool:
        """Tell whether a level is one that the index had while its minute was asked for; absence is never wrong."""
        until = max((chain.at for chain in snapshot.chains), default=snapshot.minute + SPOTS_WITHIN)
        quarters = range(int((until - snapshot.minute + self._held_for).total_seconds() * 4) + 2)
        asked = [snapshot.minute - self._held_for + timedelta(seconds=quarter / 4) for quarter in quarters]
        shown = [spot.last for at in asked if (spot := self.truth.spot(index.index, at))]
        return bool(np.isnan(index.spot)) or min(shown) - 0.1 <= index.spot <= max(shown) + 0.1

    def _right(self, chain: OptionChain, asked: ContractTable, minute: datetime) -> dict[str, np.ndarray]:
        """Column → whether each number is one that the market showed: at a batch's instant, or else between.

        Batches are a limiter's interval apart, the last one at the chain's own instant; a repeated one is anywhere
        in the minute, where prices, volume and interest move little and quantities in the book jump.
        """
        interval = self.settings.providers.kite.quote_interval_seconds
        span = (chain.at - minute).total_seconds()
        batches = [chain.at - timedelta(seconds=k * interval) for k in range(int(span / interval) + 1)]
        early = minute - self._held_for
        looks = 1 if self._held_for else 4  # a second; the grid of a long while is coarser
        count = int((chain.at - early).total_seconds() * looks) + looks + 1
        between = [early + timedelta(seconds=k / looks) for k in range(count)]
        exact = [self.truth.quotes(asked, at) for at in batches]
        near = [self.truth.quotes(asked, at) for at in between]
        found = {}
        for name in VALUES:
            values = getattr(chain, name)
            right = np.isnan(values)  # absence is never wrong
            for quotes in exact:
                right |= np.isclose(getattr(quotes, name), values, atol=0.006, rtol=0)
            if name.endswith(("_quantity", "_depth")):
                right |= (values > 0) & (values % chain.lot == 0)
            else:
                shown = np.stack([getattr(quotes, name) for quotes in near])
                low, high = np.fmin.reduce(shown), np.fmax.reduce(shown)  # NaN where it never answered
                # Between two looks a stream's ticks trade anywhere in the spread.
                slack = 0.1 + high * (0.004 if self._held_for else 0.001)
                right |= (values >= low - slack) & (values <= high + slack)
            found[name] = right
        return found


@contextmanager
def kite_world(
    folder: Path,
    at: str,
    faults: Sequence[Mapping[str, object]] = (),
    changes: Mapping[str, str] | None = None,
    *,
    logged_in: tuple[str, ...] = ("main",),
    apps: tuple[App, ...] = APPS,
    speed: float = float("inf"),
    supervisor: Supervisor | None = None,
) -> Iterator[World]:
    """Start a server and know how to start an agent, both at this instant, IST, of a market that neither can change."""
    clock = VirtualClock(datetime.fromisoformat(at).replace(tzinfo=IST), speed)
    plan = FaultPlan(parse_plan({"faults": list(faults)}, "the case"))
    environ = {"XDG_STATE_HOME": str(folder / "state"), "XDG_CONFIG_HOME": str(folder / "config"), "HOME": str(folder)}

    def make_server(port: int = 0) -> KiteServer:
        return KiteServer(market(), clock, apps=apps, faults=plan, port=port)

    server = make_server().start()
    own = {"providers.kite.root": server.url, "storage.data_dir": str(folder / "data")}
    settings = load(PLAIN | own | dict(changes or {}), {}, folder)
    told = Told(clock)

    @contextmanager
    def start_agent() -> Iterator[Agent]:
        run = Run(None, once=False, supervisor=supervisor or Supervisor())
        source = kite_source(settings, facts(), run, clock, environ)
        with wire(settings, run, source) as parts:
            told.observation = parts.observation
            yield Agent(replace(parts, observation=told))  # type: ignore[arg-type]

    options = options_for(server.url)
    files = {name: TokenFile(token_path(name, environ, options)) for name in ("main", "second")}
    world = World(server, clock, told, market(), settings, files, make_server, start_agent, logged_in)
    try:
        for account in logged_in:
            world.log_in(account)
        yield world
    finally:
        world.stop_server()


@cache
def facts() -> Market:
    """Return the exchanges' facts, as shipped."""
    return load_market(load(PLAIN, {}, Path.cwd()))


@cache
def market() -> SimulatedMarket:
    """Return the market, which is a pure function of its seed: all cases, servers and answers may share it."""
    return SimulatedMarket(seed=SEED, indices=facts().indices, calendar=facts().calendar)


def matches(expected: object, value: float | None) -> bool:
    """Tell whether a number is as a case says: a number, NaN, or a comparison such as ">= 3"; None for absent."""
    if expected is None or value is None:
        return expected is None and value is None
    if expected == "NaN":
        return bool(np.isnan(value))
    found = re.fullmatch(r"(>=|<=|>|<)\s*(-?[0-9.]+)", str(expected))
    if not found:
        return value == float(str(expected))
    sign, number = found[1], float(found[2])
    return {">=": value >= number, "<=": value <= number, ">": value > number, "<": value < number}[sign]
