"""Scripted faults of the data itself, applied to columns, so that quotes and the stream lie alike."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from g6.model.columns import Bools, Ints
from g6.model.contracts import PUT, ContractTable
from g6.simulator.kite_server.faults import INDEX, Fault
from g6.simulator.kite_server.tape import Tape
from g6.simulator.kite_server.ticks import IndexTicks, Ticks


def faulty_ticks(tape: Tape, contracts: ContractTable, faults: Sequence[Fault], at: datetime) -> Ticks:
    """Return the tape's rows of these contracts, bent by the faults that are on."""
    return apply_data_faults(tape.ticks(contracts, at), contracts, faults, at, lambda then: tape.ticks(contracts, then))


def faulty_index_ticks(tape: Tape, names: Sequence[str], faults: Sequence[Fault], at: datetime) -> IndexTicks:
    """Return the tape's rows of these indices, bent by the faults that are on."""
    return apply_index_faults(tape.index_ticks(names, at), faults, at, lambda then: tape.index_ticks(names, then))


def apply_data_faults(
    ticks: Ticks, contracts: ContractTable, faults: Sequence[Fault], at: datetime, retake: Callable[[datetime], Ticks]
) -> Ticks:
    """Return the ticks as these faults leave them, in order; those that are not of the data change nothing.

    `contracts` are the ticks' own rows and `retake` gives the same rows at another instant. A contract that is
    missing does not answer; its columns stay as they were.
    """
    for fault in faults:
        touched = fault.match.of_contracts(contracts)
        if fault.do == "missing":
            ticks = replace(ticks, answered=ticks.answered & ~touched)
        elif fault.do == "calls_only":
            ticks = replace(ticks, answered=ticks.answered & ~(touched & (contracts.kind == PUT)))
        elif fault.do == "frozen":
            # What a fault before this one took away stays away.
            then = retake(_begun(fault, at))
            ticks = ticks.where(touched, replace(then, answered=then.answered & ticks.answered))
        elif fault.do == "crossed":
            ticks = replace(ticks, depth_price=_crossed(ticks.depth_price, touched))
        elif fault.do == "negative":
            ticks = replace(ticks, last=_negated(ticks.last, touched), depth_price=_negated(ticks.depth_price, touched))
    return ticks


def apply_index_faults(
    ticks: IndexTicks, faults: Sequence[Fault], at: datetime, retake: Callable[[datetime], IndexTicks]
) -> IndexTicks:
    """Return the indices' ticks as these faults leave them. A spot of 0 is what Kite sends before the open."""
    for fault in faults:
        touched = matched_indices(fault, ticks)
        if fault.do == "missing":
            ticks = replace(ticks, answered=ticks.answered & ~touched)
        elif fault.do == "frozen":
            then = retake(_begun(fault, at))
            ticks = ticks.where(touched, replace(then, answered=then.answered & ticks.answered))
        elif fault.do == "zero_spot":
            ticks = replace(ticks, last=np.where(touched, 0, ticks.last))
        elif fault.do == "negative":
            ticks = replace(ticks, last=_negated(ticks.last, touched))
    return ticks


def matched_indices(fault: Fault, ticks: IndexTicks) -> Bools:
    """Return which of these indices a fault touches; the trading symbol is `NIFTY 50` of `NSE:NIFTY 50`."""
    names = [symbol.split(":", 1) for symbol in ticks.symbol.tolist()]
    exchange, symbol = (np.array([name[part] for name in names], np.str_) for part in (0, 1))
    return fault.match.of_columns(exchange, ticks.index, np.full(len(ticks), INDEX), symbol)


def _begun(fault: Fault, at: datetime) -> datetime:
    return fault.window.begun(at) or at


def _crossed(price: Ints, touched: Bools) -> Ints:
    """Return the depth with its sides' prices exchanged where both sides have a best one: bid above ask."""
    both = touched & (price[:, 0] > 0) & (price[:, 5] > 0)
    return np.where(both[:, None], np.roll(price, 5, axis=1), price)


def _negated(price: Ints, touched: Bools) -> Ints:
    return np.where(touched[:, None] if price.ndim == 2 else touched, -price, price)
