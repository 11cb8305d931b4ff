"""Kite over its WebSocket as a provider, with the account's REST provider behind it.

1. contracts: those of REST, from the day's dump.
2. spots, quotes: what is asked for is what is subscribed, by difference; new subscriptions are waited for, briefly.
3. An answer is the board's last tick of each instrument, where a full packet came since its connection was made. Only
   changes are sent, so such a tick holds however old it is, and its age says how old.
4. What the stream lacks is asked of REST, in one call, and counted.

While no connection lives every call raises, with the reason, and whoever asked can ask REST for all of it.
"""

import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

import numpy as np

from g6.clock import IST, Clock
from g6.errors import AuthError, G6Error, TransientError
from g6.market.indices import IndexDefinition
from g6.model.columns import Bools, Ints
from g6.model.contracts import LEVEL, SHARE, ContractTable
from g6.model.provider_report import ProviderReport, StreamReport
from g6.model.quotes import QUOTE_COLUMNS, Quotes, Spot
from g6.providers.kite_stream.board import DAY, MEASURED
from g6.providers.kite_stream.instruments import NO_INSTRUMENTS, Instruments, of_contracts, of_indices
from g6.providers.kite_stream.keeper import Keeper
from g6.providers.kite_stream.link import LinkMaker, TickerLink
from g6.providers.kite_stream.needs import RestProvider, Session
from g6.providers.kite_stream.options import StreamOptions
from g6.providers.kite_stream.packets import Wire
from g6.providers.kite_stream.supervisor import IsOpen, Supervisor
from g6.resilience.supervisor import Supervisor as PartsSupervisor

SHORTEST_WAIT_SECONDS = 0.05  # of the machine: no stream ticks more often, whatever the clock
JUMPING_WAIT_SECONDS = 0.25  # of the machine, on a clock that stands while one waits


class KiteStreamProvider:
    """Connects at the first question. One thread asks at a time; `report` and `close` may be called from any.

    `is_open` tells whether an exchange (NFO, BFO, NSE, BSE) trades at an instant. Any number of providers can live in
    a process, one after the other or together; their connections share one reactor thread.
    """

    def __init__(
        self,
        session: Session,
        rest: RestProvider,
        options: StreamOptions,
        clock: Clock,
        is_open: IsOpen,
        *,
        name: str = "kite-stream",
        make_link: LinkMaker | None = None,
        parts: PartsSupervisor | None = None,
    ) -> None:
        self.name = name
        self._session = session
        self._rest = rest
        self._clock = clock
        self._wait_seconds = _machine_seconds(options.settle_seconds, clock.speed)
        link = make_link or partial(TickerLink, root=session.options.stream_root)
        self._keeper = Keeper(session, link, options, clock, is_open, parts)
        self._indices = self._legs = NO_INSTRUMENTS
        self._lock = threading.Lock()
        self._filled = 0
        self._problems: dict[str, None] = {}
        self._raised = False  # the reason why no connection lives: it need not be said again

    def contracts(self, indices: Sequence[IndexDefinition], at: datetime) -> ContractTable:
        """Return what is listed, by the day's dump."""
        self._keeper.start()
        return self._rest.contracts(indices, at)

    def spots(self, indices: Sequence[IndexDefinition], at: datetime) -> Mapping[str, Spot]:
        """Return the levels, as the exchange wrote them; those that the stream lacks are asked of REST in one call."""
        wanted = of_indices(indices, self._rest.index_tokens(indices, at))
        rows, held = self._ask(wanted, indices=wanted)
        name_of = {index.spot_symbol: index.name for index in indices}
        spots = {
            name_of[symbol]: Spot(float(row["last"]), datetime.fromtimestamp(float(row["quoted_at"]), IST))
            for symbol, row, holds in zip(wanted.symbol.tolist(), rows, held.tolist(), strict=True)
            if holds and not math.isnan(row["quoted_at"])
        }
        lacking = [index for index in indices if index.name not in spots]
        if lacking:
            try:
                spots |= self._rest.spots(lacking, at)
            except G6Error as error:
                if not spots:
                    raise
                self._note(f"{len(lacking)} spots are missing: the stream lacks them, and REST failed: {error}")
        return spots

    def quotes(self, contracts: ContractTable, at: datetime) -> Quotes:
        """Return one row per contract, in the same order, taken at the last answer.

        Raises TransientError or AuthError while no connection lives, and REST's error when neither knows any leg.
        """
        contracts = self._with_tokens(contracts, at)
        # What the dump lacks (a demerger's dummy among shares) nobody quotes, and REST need not be asked for it.
        rows, held = self._ask(of_contracts(contracts), legs=of_contracts(contracts.take(contracts.token > 0)))
        lacking = np.flatnonzero(~held & (contracts.token > 0))
        filled = self._fill(contracts, lacking, at, any_held=bool(held.any())) if len(lacking) else None
        return _merged(rows, held, lacking, filled, max(at, self._clock.now()))

    def _with_tokens(self, contracts: ContractTable, at: datetime) -> ContractTable:
        """Return the table with the tokens of levels and shares, which only the dump knows; 0 is none."""
        rows = np.flatnonzero(np.isin(contracts.kind, (LEVEL, SHARE)))
        if len(rows) == 0:
            return contracts
        pairs = zip(contracts.exchange[rows].tolist(), contracts.symbol[rows].tolist(), strict=True)
        keys = [f"{exchange}:{symbol}" for exchange, symbol in pairs]
        try:
            known = self._rest.tokens(keys, at)
        except G6Error as error:  # what surrounds the options may cost them nothing
            self._note(f"levels and shares are missing: {error}")
            known = {}
        token = contracts.token.copy()
        token[rows] = [known.get(key, 0) for key in keys]
        return replace(contracts, token=token)

    def report(self) -> ProviderReport:
        """Return what the stream went through since the last report, and how it is now."""
        with self._keeper.supervisor() as supervisor, self._lock:
            filled, self._filled = self._filled, 0
            problems, self._problems = [*self._problems, *self._complaints(supervisor)], {}
            self._raised = False
            stream = StreamReport(
                supervisor.reports(), supervisor.tick_ages(), filled, dropped_messages=supervisor.take_dropped()
            )
        return ProviderReport(self.name, stream=stream, problems=(*problems, *_healings(stream)))

    def close(self) -> None:
        """End the connections; the REST provider stays as it is."""
        self._keeper.close()

    def _ask(
        self, wanted: Instruments, *, indices: Instruments | None = None, legs: Instruments | None = None
    ) -> tuple[Wire, Bools]:
        """Want these, wait for those that are new, and return the board's rows of them and which of them hold."""
        self._keeper.start()
        known = np.concatenate([self._indices.token, self._legs.token])
        self._indices = self._indices if indices is None else indices
        self._legs = self._legs if legs is None else legs
        with self._keeper.supervisor() as supervisor:
            # Indices first: without a spot a minute has no strikes.
            supervisor.want(self._indices.followed_by(self._legs))
            mute = list(supervisor.mute)
        new = wanted.token[~np.isin(wanted.token, [0, *known]) & ~np.isin(wanted.exchange, mute)]
        self._keeper.wait(partial(_settled, new=new), self._wait_seconds if len(new) else 0.0)
        with self._keeper.supervisor() as supervisor:
            if not supervisor.alive:
                raise self._down(supervisor)
            if (absent := self._keeper.absent_seconds) is not None:
                self._raised = True
                raise TransientError(f"{self.name}: nobody has read the stream for {absent:.0f} s")
            return supervisor.read(wanted.token)

    def _down(self, supervisor: Supervisor) -> G6Error:
        self._raised = True
        reasons = "; ".join(dict.fromkeys(reason for reason in supervisor.down().values() if reason))
        if not supervisor.has_login:
            return AuthError(f"{self.name}: {reasons or 'nobody is logged in'}; run `{self._session.login_command}`")
        return TransientError(f"{self.name}: no connection yet: {reasons or 'it is being made'}")

    def _fill(self, contracts: ContractTable, lacking: Ints, at: datetime, *, any_held: bool) -> Quotes | None:
        try:
            filled = self._rest.quotes(contracts.take(lacking), at)
        except G6Error as error:
            if not any_held:
                raise
            self._note(f"{len(lacking)} legs are missing: the stream lacks them, and REST failed: {error}")
            return None
        with self._lock:
            self._filled += int(filled.answered.sum())
        return filled

    def _note(self, problem: str) -> None:
        with self._lock:
            self._problems[problem] = None

    def _complaints(self, supervisor: Supervisor) -> list[str]:
        """Return sentences about what is wrong now, each with its remedy."""
        down = supervisor.down() if self._keeper.started and not self._raised else {}
        login = self._session.login_command
        said = [
            f"connection {number} is down: {reason or 'it is being made'}; "
            + ("it is made anew, and REST fills its legs" if supervisor.has_login else f"run `{login}`")
            for number, reason in down.items()
        ]
        for exchange, seconds in supervisor.mute.items():
            said.append(
                f"{exchange} is mute: nothing of it ticked for {seconds:.0f} s, though the stream lives; REST fills "
                "its legs; if it lasts, look for a notice of the exchange or the broker"
            )
        if supervisor.beyond_room:
            said.append(
                f"{supervisor.beyond_room} instruments are more than the stream carries; REST fills them each minute: "
                "collect fewer strikes or expiries"
            )
        if words := supervisor.take_words():
            said.append(f"the broker says over the stream: {words}; REST fills what it holds back")
        return said


def _healings(stream: StreamReport) -> list[str]:
    """Return a sentence about each connection that was lost and lives again."""
    return [
        f"connection {connection.number} was made anew: {', '.join(connection.reconnects).replace('_', ' ')}"
        for connection in stream.connections
        if connection.connected and connection.reconnects
    ]


def _settled(supervisor: Supervisor, new: Ints) -> bool:
    return not supervisor.hopeful or (supervisor.alive and bool(supervisor.read(new)[1].all()))


def _machine_seconds(seconds: float, speed: float) -> float:
    """Return how long to wait for the stream, which is not faster than the machine."""
    if math.isinf(speed):
        return min(seconds, JUMPING_WAIT_SECONDS)
    return max(seconds / speed, min(seconds, SHORTEST_WAIT_SECONDS))


def _merged(rows: Wire, held: Bools, lacking: Ints, filled: Quotes | None, now: datetime) -> Quotes:
    """Put what REST filled in among the board's rows; every age is counted to one instant."""
    at = now if filled is None else max(now, filled.at)
    columns = {name: np.where(held, rows[name], np.nan) for name in (*MEASURED, *DAY)}
    columns |= {name: np.full(len(held), np.nan) for name in QUOTE_COLUMNS if name not in columns}
    for age, stamp in (("quote_age_seconds", "quoted_at"), ("trade_age_seconds", "traded_at")):
        columns[age][held] = at.timestamp() - rows[stamp][held]
    answered = held.copy()
    if filled is not None:
        answered[lacking] = filled.answered
        later = {"quote_age_seconds": (at - filled.at).total_seconds()}
        later["trade_age_seconds"] = later["quote_age_seconds"]
        for name in columns:
            columns[name][lacking] = getattr(filled, name) + later.get(name, 0.0)
    return Quotes(at=at, answered=answered, **columns)
