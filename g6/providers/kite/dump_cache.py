"""The day's contracts: asked for once a day, kept on disk, checked, and yesterday's where today's cannot be had.

1. Today's dump is published by half past eight; until then the day before is today (`_dump_day`).
2. A dump on disk of that day is used as it is: this process or another one has already asked (`_stored`).
3. Otherwise it is asked for and judged (`_fetched`, `_defect`); a sound one goes to disk (`DumpFiles`).
4. An unsound or absent one is replaced by the latest sound one known, with a warning, and asked for again every five
   minutes (`_ask`). Where none is known it is asked for again the next minute, and without any the failure is raised.
5. Expired contracts are dropped, and all exchanges become one table, the same object until a dump or the day changes.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from types import MappingProxyType

import numpy as np

from g6.clock import IST, Clock
from g6.errors import AuthError, BadResponse, G6Error, TransientError
from g6.model.contracts import ContractTable
from g6.model.provider_report import DumpReport
from g6.providers.kite.dump_files import DumpFiles
from g6.providers.kite.instruments import DecodedDump, decode_instruments

log = logging.getLogger(__name__)

DERIVATIVE_EXCHANGES = ("NFO", "BFO")
EXCHANGES = (*DERIVATIVE_EXCHANGES, "NSE", "BSE")  # the last two list the indices themselves
PUBLISHED_AT = time(8, 30)  # Kite makes the dump once a day, before the market opens
ASK_AGAIN_AFTER = timedelta(minutes=5)
# Without any contracts an exchange's minutes are lost: ask in each of them, but not twice in one.
ASK_AGAIN_WITHOUT_ANY_AFTER = timedelta(seconds=30)
KEPT_DAYS = 7
BAD_SHARE_MAX = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """An exchange's dump in use: `contracts` of the wanted names, and what the report says of it.

    `day` is the latest that the dump can be of, `defect` why that is not the day it was asked for.
    """

    day: date
    contracts: ContractTable
    indices: Mapping[str, int]
    rows: int
    bad_rows: Mapping[str, int]
    last_expiry: date
    shares: Mapping[str, int]
    defect: str = ""


class DumpCache:
    """Contracts and index tokens of a day. Safe for several threads; several processes may share the folder.

    `fetch` gives an exchange's CSV and raises the errors of `g6.errors`. With `names`, only contracts of underlyings
    with exactly these names are kept in memory. An exchange of which no dump can be used is left out, with a warning,
    as long as another one has contracts.
    """

    def __init__(
        self,
        folder: Path,
        fetch: Callable[[str], bytes],
        clock: Clock,
        *,
        exchanges: Sequence[str] = EXCHANGES,
        names: Collection[str] | None = None,
        minimum_contracts: int = 50,
    ) -> None:
        self._files = DumpFiles(folder)
        self._fetch = fetch
        self._clock = clock
        self._exchanges = tuple(exchanges)
        self._names = None if names is None else sorted(names)
        self._minimum_contracts = minimum_contracts
        self._lock = threading.Lock()
        self._turn = 0  # who is asked first
        self._held: dict[str, _Held] = {}
        self._problems: dict[str, str] = {}  # exchange → why its dump is not today's, as a sentence
        self._failures: dict[str, G6Error] = {}  # exchange → what its last asking ended with
        self._ask_at: dict[str, datetime] = {}
        self._whole: tuple[date, list[_Held], ContractTable] | None = None
        self._report: DumpReport | None = None

    def contracts(self, day: date) -> ContractTable:
        """Return options and futures that are listed on `day`, IST: the same object until a dump or the day changes.

        Raises what `fetch` raised, or BadResponse for what it gave, when no exchange has a dump with live contracts.
        """
        with self._lock:
            self._refresh(day)
            held = [self._held[exchange] for exchange in self._exchanges if exchange in self._held]
            if not self._has_contracts():
                raise self._failure()
            if self._whole is None or self._whole[:2] != (day, held):
                live = (h.contracts.take(h.contracts.expiry >= np.datetime64(day)) for h in held)
                self._whole = (day, held, ContractTable.concatenate(live))
            return self._whole[2]

    def index_tokens(self, day: date) -> Mapping[str, int]:
        """Return spot symbol ("NSE:NIFTY 50") → instrument token; an index that no dump lists is absent."""
        with self._lock:
            self._refresh(day)
            return {key: token for held in self._held.values() for key, token in held.indices.items()}

    def share_tokens(self, day: date) -> Mapping[str, int]:
        """Return share ("NSE:RELIANCE") → instrument token; one that no dump lists is absent."""
        with self._lock:
            self._refresh(day)
            return {key: token for held in self._held.values() for key, token in held.shares.items()}

    def report(self) -> DumpReport | None:
        """Return what is in use, without asking for anything; None before any dump could be used."""
        return self._report

    def _refresh(self, day: date) -> None:
        now = self._clock.now().astimezone(IST)
        # Before it is published, what is handed out is the dump of the day before.
        wanted = now.date() if now.time() >= PUBLISHED_AT else now.date() - timedelta(days=1)
        outage: TransientError | None = None  # one server gives all of them: the others need not wait for it as well
        for exchange in self._in_turn():
            held = self._held.get(exchange)
            if (held is None or held.day < wanted) and now >= self._ask_at.get(exchange, now):
                outage = self._ask(exchange, wanted, day, outage)
                wait = ASK_AGAIN_AFTER if exchange in self._held else ASK_AGAIN_WITHOUT_ANY_AFTER
                self._ask_at[exchange] = now + wait
        self._report = self._reported()

    def _in_turn(self) -> Sequence[str]:
        """Return the exchanges, those behind the last outage first: one that stays broken may not hide the others."""
        return (*self._exchanges[self._turn :], *self._exchanges[: self._turn])

    def _failure(self) -> G6Error:
        failures = [self._failures[e] for e in DERIVATIVE_EXCHANGES if e in self._failures]
        nothing = BadResponse("instruments: none of the exchanges asked for has derivatives")
        return failures[0].with_traceback(None) if failures else nothing

    def _has_contracts(self) -> bool:
        return any(exchange in self._held for exchange in DERIVATIVE_EXCHANGES)

    def _ask(self, exchange: str, wanted: date, day: date, outage: TransientError | None) -> TransientError | None:
        """Find the best dump there is: the wanted day's, or the latest that still has live contracts.

        Returns the outage that was met, now or before. An AuthError is raised: nothing was asked, so it is no answer.
        """
        failure: G6Error | None = None
        found: _Held | None = None
        try:
            found = self._stored(exchange, wanted)
            if found is None and outage is not None:
                raise outage
            found = found or self._fetched(exchange, wanted)
        except AuthError:
            raise
        except TransientError as error:
            if outage is None:
                self._turn = (self._exchanges.index(exchange) + 1) % len(self._exchanges)
            failure = outage = error
        except G6Error as error:
            failure = error
        best, problem = found, found.defect if found else str(failure)
        if problem:
            held = self._held.get(exchange)
            known = (held or self._latest(exchange, wanted), found)  # on a tie what is in use stays in use
            useful = [k for k in known if k and (exchange not in DERIVATIVE_EXCHANGES or k.last_expiry >= day)]
            best = max(useful, key=lambda k: k.day, default=None)
        self._settle(exchange, best, problem)
        if best is None:
            self._failures[exchange] = failure or BadResponse(f"instruments of {exchange}: {problem}")
        return outage

    def _settle(self, exchange: str, best: _Held | None, problem: str) -> None:
        """Take what is best into use, and warn once of each new problem."""
        self._held.pop(exchange, None)
        self._failures.pop(exchange, None)
        clause = f"no instruments: {problem}"
        if best is not None:
            self._held[exchange] = best
            clause = f"the instruments of {best.day}: {problem}" if problem else ""
        if clause and clause != self._problems.get(exchange):
            log.warning("%s: %s; today's are asked for again until they come", exchange, clause)
        self._problems[exchange] = clause

    def _stored(self, exchange: str, day: date) -> _Held | None:
        """Return what is on disk for this day, if it is sound."""
        body = self._files.read(exchange, day)
        if body is None:
            return None
        try:
            return self._judged(exchange, day, body)
        except BadResponse as error:
            self._files.set_aside(exchange, day, str(error))
            return None

    def _latest(self, exchange: str, before: date) -> _Held | None:
        days = (day for day in self._files.days(exchange, before) if day < before)
        return next((held for day in days if (held := self._stored(exchange, day))), None)

    def _fetched(self, exchange: str, wanted: date) -> _Held:
        body = self._fetch(exchange)
        held = self._judged(exchange, wanted, body)
        if not held.defect:
            self._files.write(exchange, wanted, body)
            self._files.prune(exchange, wanted, KEPT_DAYS)
        return held

    def _judged(self, exchange: str, wanted: date, body: bytes) -> _Held:
        """Return a dump as one of `wanted`, or of the day that its expired contracts show; raises BadResponse."""
        dump = decode_instruments(body)
        expiries = dump.contracts.expiry
        reason = _useless(dump, self._minimum_contracts, derivatives=exchange in DERIVATIVE_EXCHANGES)
        if reason:
            raise BadResponse(f"instruments of {exchange}: {reason}")
        contracts = dump.contracts
        if self._names is not None:
            contracts = contracts.take(np.isin(contracts.index, self._names))
        last_expiry = expiries.max().item() if len(expiries) else date.max
        held = _Held(wanted, contracts, dump.indices, dump.rows, dump.bad_rows, last_expiry, dump.shares)
        expired = expiries[expiries < np.datetime64(wanted)]
        if not len(expired):
            return held
        listed = expired.max().item()
        return replace(
            held, day=listed, defect=f"today's answer lists contracts that expired on {listed}, so it is old"
        )

    def _reported(self) -> DumpReport | None:
        if not self._held:
            return None
        bad: Counter[str] = Counter()
        for held in self._held.values():
            bad.update(held.bad_rows)
        return DumpReport(
            day=min(held.day for held in self._held.values()),
            rows=sum(held.rows for held in self._held.values()),
            bad_rows=MappingProxyType(dict(bad)),
            reason="; ".join(
                f"{', '.join(e for e, own in self._problems.items() if own == clause)}: {clause}"
                for clause in dict.fromkeys(self._problems.values())
                if clause
            ),
        )


def _useless(dump: DecodedDump, minimum_contracts: int, *, derivatives: bool) -> str:
    """Return why a dump cannot be used at all; empty when it can."""
    bad = sum(dump.bad_rows.values())
    if bad > BAD_SHARE_MAX * dump.rows:
        return f"{bad} of {dump.rows} rows make no sense"
    if derivatives and len(dump.contracts) < minimum_contracts:
        return f"only {len(dump.contracts)} contracts, at least {minimum_contracts} are expected"
    if not derivatives and not dump.indices:
        return "no index is in it"
    return ""
