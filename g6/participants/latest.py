"""The last stored day, looked up again only after a file has changed: a person imports while G6 runs."""

import logging
from datetime import date
from operator import itemgetter
from pathlib import Path

from g6.errors import SinkError
from g6.model.participants_report import ParticipantsReport, Standing
from g6.participants.days import KINDS, Cash, Contracts
from g6.participants.derived import long_short_ratio
from g6.participants.store import CASH, ParticipantStore

log = logging.getLogger(__name__)

Signature = tuple[tuple[int, int, int] | None, ...]  # inode, size and instant of each file; None where there is none


class Latest:
    """The last day of a store. A file that cannot be read is logged once and is as if it were not there."""

    def __init__(self, store: ParticipantStore) -> None:
        self._store = store
        self._known: tuple[Signature, ParticipantsReport] | None = None

    def report(self) -> ParticipantsReport:
        """Return what is stored now."""
        signature = tuple(_signature(self._store.path(kind)) for kind in (*KINDS, CASH))
        if self._known is None or self._known[0] != signature:
            self._known = signature, self._read()
        return self._known[1]

    def _read(self) -> ParticipantsReport:
        days: dict[str, date] = {}
        standings: dict[tuple[str, str], Standing] = {}
        cash_net: dict[str, float] = {}
        for kind in (*KINDS, CASH):
            try:
                last = self._last(kind)
            except SinkError as error:
                log.warning("participants: %s", error)
                continue
            if last is not None:
                days[kind] = last.day
            if isinstance(last, Cash):
                cash_net = {who: flow.net for who, flow in last.flows.items()}
            elif last is not None and last.kind == "oi":
                standings = _standings(last)
        return ParticipantsReport(days, standings, cash_net)

    def _last(self, kind: str) -> Contracts | Cash | None:
        if kind == CASH:
            return max(self._store.cash().items(), key=itemgetter(0), default=(None, None))[1]
        named = next(each for each in KINDS if each == kind)
        return max(self._store.contracts(named).items(), key=itemgetter(0), default=(None, None))[1]


def _standings(day: Contracts) -> dict[tuple[str, str], Standing]:
    return {
        place: Standing(float(held.long - held.short), long_short_ratio(held)) for place, held in day.positions.items()
    }


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        told = path.stat()
    except OSError:
        return None
    return told.st_ino, told.st_size, told.st_mtime_ns
