"""The ticks that one connection is owed: first a cached one, then those of instruments that changed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Generic, TypeVar

import numpy as np

from g6.clock import IST
from g6.model.columns import Ints
from g6.simulator.kite_server import packets
from g6.simulator.kite_server.data_faults import faulty_index_ticks, faulty_ticks, matched_indices
from g6.simulator.kite_server.faults import Fault
from g6.simulator.kite_server.packets import Packets
from g6.simulator.kite_server.subscriptions import FULL, LTP, MODES, QUOTE, Subscriptions
from g6.simulator.kite_server.tape import Listing, Tape
from g6.simulator.kite_server.ticks import IndexTicks, Ticks

T = TypeVar("T", Ticks, IndexTicks)
Words = Mapping[str, tuple[str, ...]]

# What a packet of each mode says, but for the exchange's stamp: a tick is due when any of it changed.
_TRADED = ("last", "last_quantity", "average", "volume", "buy_quantity", "sell_quantity")
_PRICES = ("open", "high", "low", "close")
_REST = ("traded_at", "oi", "oi_high", "oi_low", "depth_price", "depth_quantity", "depth_orders")
SAID: Words = MappingProxyType({
    LTP: ("last",), QUOTE: (*_TRADED, *_PRICES), FULL: (*_TRADED, *_PRICES, *_REST),
})  # fmt: skip
# An index's stamp counts, because it is recomputed every second even when it stands.
INDEX_SAID: Words = MappingProxyType({
    LTP: ("last",), QUOTE: ("last", *_PRICES), FULL: ("last", *_PRICES, "quoted_at"),
})  # fmt: skip
NEVER = -1
_MULTIPLIER = np.int64(0x2545F4914F6CDD1D)


class Channel(Generic[T]):
    """Contracts, or indices, of one day's listing: which are wanted in which mode, and what was sent of each.

    `take` gives the ticks of some rows of the listing at an instant.
    """

    def __init__(
        self,
        rows: int,
        take: Callable[[Ints, datetime, Sequence[Fault]], T],
        said: Words,
        encoders: Mapping[str, Callable[[T], Packets]],
    ) -> None:
        self._take: Callable[[Ints, datetime, Sequence[Fault]], T] = take
        self._said = said
        self._encoders: Mapping[str, Callable[[T], Packets]] = encoders
        self._mode = np.full(rows, -1, np.int64)  # place in MODES; -1: not wanted
        self._stamp = np.full(rows, NEVER, np.int64)
        self._digest = np.zeros(rows, np.int64)
        self.wanted: Ints = np.empty(0, np.int64)

    def want(self, rows: Ints, modes: Sequence[str]) -> None:
        """Take these rows as all that is wanted."""
        self._mode[:] = -1
        self._mode[rows] = [MODES.index(mode) for mode in modes]
        self.wanted = rows

    def forget(self, rows: Ints) -> None:
        """Let the next tick of these rows be due whatever it says."""
        self._stamp[rows] = NEVER

    def cached(self, rows: Ints, at: datetime, faults: Sequence[Fault]) -> list[Packets]:
        """Return quote packets of these rows, whatever their mode."""
        ticks = self._take(rows, at, faults)
        rows, ticks = rows[ticks.answered], ticks.take(ticks.answered)
        self._note(rows, ticks.quoted_at, self._digests(ticks, QUOTE))
        return [self._encoders[QUOTE](ticks)]

    def changes(self, rows: Ints, at: datetime, faults: Sequence[Fault]) -> list[Packets]:
        """Return packets of those of these rows that are due, each in its mode."""
        ticks = self._take(rows, at, faults)
        return [packed for number, mode in enumerate(MODES) for packed in self._in_mode(number, mode, rows, ticks)]

    def _in_mode(self, number: int, mode: str, rows: Ints, ticks: T) -> Iterable[Packets]:
        here = np.flatnonzero((self._mode[rows] == number) & ticks.answered)
        rows, ticks = rows[here], ticks.take(here)
        digests = self._digests(ticks, mode)
        never = self._stamp[rows] == NEVER
        due = never | ((ticks.quoted_at > self._stamp[rows]) & (digests != self._digest[rows]))
        self._note(rows[due], ticks.quoted_at[due], digests[due])
        if due.any():
            yield self._encoders[mode](ticks.take(due))

    def _note(self, rows: Ints, stamps: Ints, digests: Ints) -> None:
        self._stamp[rows], self._digest[rows] = stamps, digests

    def _digests(self, ticks: T, mode: str) -> Ints:
        """Return one number per row that differs when what the mode says does, but for one chance in 2**64."""
        digest: Ints = np.zeros(len(ticks), np.int64)
        for name in self._said[mode]:
            column: Ints = getattr(ticks, name)
            for part in column.T if column.ndim == 2 else (column,):
                digest = (digest ^ part) * _MULTIPLIER
                digest ^= digest >> 29
        return digest


class Feed:
    """Messages for one connection. It remembers what was sent; the tape itself remembers nothing."""

    def __init__(self, tape: Tape, subscriptions: Subscriptions) -> None:
        self._tape = tape
        self._subscriptions = subscriptions
        self._version = -1
        self._listing: Listing | None = None

    def cached(self, at: datetime, faults: Sequence[Fault] = ()) -> bytes | None:
        """Return quote packets of everything newly subscribed, whatever its mode is by now; None for nothing."""
        fresh = list(self._subscriptions.fresh)
        self._subscriptions.fresh.clear()
        if not fresh:
            return None
        contracts, indices = self._rows(fresh, at)
        return _message([*self._indices.cached(indices, at, faults), *self._contracts.cached(contracts, at, faults)])

    def changes(self, at: datetime, faults: Sequence[Fault] = (), *, only_remoded: bool = False) -> bytes | None:
        """Return packets of the instruments that are due since they were last sent; None for nothing.

        One is due when the exchange's stamp is later and what its mode shows differs, or when its mode was
        changed. `only_remoded` asks for the latter alone.
        """
        remoded = list(self._subscriptions.remoded)
        self._subscriptions.remoded.clear()
        contracts, indices = self._rows(remoded, at)
        self._contracts.forget(contracts)
        self._indices.forget(indices)
        if not only_remoded:
            contracts, indices = self._contracts.wanted, self._indices.wanted
        return _message([*self._indices.changes(indices, at, faults), *self._contracts.changes(contracts, at, faults)])

    def _rows(self, tokens: Sequence[int], at: datetime) -> tuple[Ints, Ints]:
        """Return the rows of these tokens among the day's contracts and indices; who is not listed has none."""
        listing = self._follow(at)
        found = np.array(tokens, np.int64)
        contracts, indices = listing.contract_rows(found), listing.index_rows(found)
        return contracts[contracts >= 0], indices[indices >= 0]

    def _follow(self, at: datetime) -> Listing:
        """Return the day's listing; find the subscribed tokens in it anew where either changed."""
        listing = self._tape.listing(at.astimezone(IST).date())
        if listing is not self._listing:
            self._listing, self._version = listing, -1
            self._contracts, self._indices = self._channels(listing)
        if self._version != self._subscriptions.version:
            self._version = self._subscriptions.version
            tokens = np.array(list(self._subscriptions.modes), np.int64)
            modes = np.array(list(self._subscriptions.modes.values()), "U5")
            for channel, rows in (
                (self._contracts, listing.contract_rows(tokens)),
                (self._indices, listing.index_rows(tokens)),
            ):
                channel.want(rows[rows >= 0], modes[rows >= 0].tolist())
        return listing

    def _channels(self, listing: Listing) -> "tuple[Channel[Ticks], Channel[IndexTicks]]":
        def contracts(rows: Ints, at: datetime, faults: Sequence[Fault]) -> Ticks:
            table = listing.contracts.take(rows)
            ticks = faulty_ticks(self._tape, table, faults, at)
            for fault in _mutes(faults):
                ticks = replace(ticks, answered=ticks.answered & ~fault.match.of_contracts(table))
            return ticks

        def indices(rows: Ints, at: datetime, faults: Sequence[Fault]) -> IndexTicks:
            ticks = faulty_index_ticks(self._tape, [listing.indices[row] for row in rows.tolist()], faults, at)
            for fault in _mutes(faults):
                ticks = replace(ticks, answered=ticks.answered & ~matched_indices(fault, ticks))
            return ticks

        return (
            Channel(len(listing.contracts), contracts, SAID, _ENCODERS),
            Channel(len(listing.indices), indices, INDEX_SAID, _INDEX_ENCODERS),
        )


_ENCODERS: Mapping[str, Callable[[Ticks], Packets]] = MappingProxyType({
    LTP: packets.ltp_packets, QUOTE: packets.quote_packets, FULL: packets.full_packets,
})  # fmt: skip
_INDEX_ENCODERS: Mapping[str, Callable[[IndexTicks], Packets]] = MappingProxyType({
    LTP: packets.ltp_packets, QUOTE: packets.index_quote_packets, FULL: packets.index_full_packets,
})  # fmt: skip


def _mutes(faults: Sequence[Fault]) -> list[Fault]:
    """Return the faults that keep instruments from ticking while the connection looks well."""
    return [fault for fault in faults if fault.do == "mute"]


def _message(parts: Sequence[Packets]) -> bytes | None:
    return packets.message(parts) if any(part.count for part in parts) else None
