"""Instruments check: how old the dump is, what was wrong in it, and whether it lists what the exchange's rules say."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from g6.checks.desk import REPLAY, Desk
from g6.checks.page import Page, spoken_day
from g6.errors import ConfigError
from g6.market.indices import IndexDefinition
from g6.market.listing import listed_expiries, lot_on
from g6.market.sessions import SessionCalendar
from g6.model.columns import Bools
from g6.model.contracts import CALL, FUTURE, PUT, ContractTable
from g6.model.provider_report import DumpReport

HEADINGS = (
    "index", "options", "futures", "expiries", "first", "last", "missing", "beyond", "one-sided", "lots", "ticks",
)  # fmt: skip
TEXTS = ("index", "first", "last")
# Exchanges delist some untraded strikes on one side only: 28 of 4,300 on NSE's 2026-08-18. More is a defect.
ONE_SIDED_RATIO = 0.1


@dataclass(frozen=True, slots=True)
class Deviation:
    """Contracts whose lot or tick is not what the index definitions say, all of them with the same two numbers."""

    what: str  # lot, option_tick or future_tick
    found: float
    expected: float
    contracts: int
    first_expiry: date
    last_expiry: date


@dataclass(frozen=True, slots=True)
class IndexInstruments:
    """One index's contracts. A strike is counted once per expiry; `one_sided` ones have a call or a put alone."""

    index: str
    options: int
    futures: int
    strikes: int
    one_sided: int
    expiries: tuple[date, ...]  # of options, ascending
    missing: tuple[date, ...]  # expected by the exchange's rules and not listed
    beyond: tuple[date, ...]  # listed and not expected
    deviations: tuple[Deviation, ...]


@dataclass(frozen=True, slots=True)
class InstrumentsReport:
    """All configured indices in the contracts of one day. `age_days` is None where there is no dump."""

    at: datetime
    provider: str
    market: str
    dump: DumpReport | None
    age_days: int | None
    contracts: int
    indices: tuple[IndexInstruments, ...]
    problems: tuple[str, ...]
    login_needed: bool = False


def examine(desk: Desk) -> InstrumentsReport:
    """Look at the contracts that are listed now. Raises what the provider raises when none answers."""
    at = desk.instant()
    listing = desk.listing(at)
    dump = listing.dump
    # What a recording lists is what was recorded, of whatever day: no rule of today's foresees it, and nobody mends it.
    expected_on = None if listing.provider == REPLAY else dump.day if dump else listing.day
    indices = tuple(
        index_instruments(
            definition, listing.contracts.of_index(definition.name), desk.market.calendar, at.date(), expected_on
        )
        for definition in desk.definitions
    )
    of_indices = [line for index in indices for line in _problems(index)] if expected_on else []
    problems = [*(_dump_problems(dump) if dump else ()), *of_indices]
    return InstrumentsReport(
        at=at,
        provider=listing.provider,
        market=desk.source.said,
        dump=dump,
        age_days=(at.date() - dump.day).days if dump else None,
        contracts=len(listing.contracts),
        indices=indices,
        problems=tuple(problems),
    )


def index_instruments(
    definition: IndexDefinition, own: ContractTable, calendar: SessionCalendar, day: date, expected_on: date | None
) -> IndexInstruments:
    """Count one index's contracts, and compare them with its definition.

    `expected_on` is the day whose listing they should be; expiries before `day` are gone from it since. None asks for
    no comparison of the expiries.
    """
    options = own.take(own.kind != FUTURE)
    expiries = options.option_expiries()
    listed = listed_expiries(definition, expected_on, calendar).all if expected_on else expiries
    expected = [expiry for expiry in listed if expiry >= day]
    calls, puts = (_strikes(options.take(options.kind == kind)) for kind in (CALL, PUT))
    return IndexInstruments(
        index=definition.name,
        options=len(options),
        futures=len(own) - len(options),
        strikes=len(calls | puts),
        one_sided=len(calls ^ puts),
        expiries=expiries,
        missing=tuple(expiry for expiry in expected if expiry not in expiries),
        beyond=tuple(expiry for expiry in expiries if expiry >= day and expiry not in expected),
        deviations=tuple(_deviations(definition, own)),
    )


def show(report: InstrumentsReport, page: Page) -> None:
    """Print the dump's facts and one line per index."""
    page.heading(f"Instruments at {report.at:%a %d %b %Y %H:%M} IST")
    page.facts({
        "source": report.market,
        "contracts": f"{report.contracts:,} of the configured indices, by {report.provider}",
        "dump": _dump_line(report),
        "bad rows": _bad_rows(report.dump) if report.dump else "",
    })  # fmt: skip
    page.table(HEADINGS, [_row(index) for index in report.indices], texts=TEXTS)
    page.verdict(report)


def _strikes(options: ContractTable) -> set[tuple[date, float]]:
    return set(zip(options.expiry.tolist(), options.strike.tolist(), strict=True))


def _deviations(definition: IndexDefinition, own: ContractTable) -> Iterator[Deviation]:
    future = own.kind == FUTURE
    lots = {day: _lot(definition, day) for day in {*own.option_expiries(), *own.future_expiries()}}
    expected_lot = np.array([lots[day] for day in own.expiry.tolist()], dtype=np.float64)
    expected_tick = np.where(future, definition.future_tick, definition.option_tick)
    off_lot = ~np.isnan(expected_lot) & (own.lot != expected_lot)
    off_tick = ~np.isclose(own.tick, expected_tick)
    for what, found, expected, off in (
        ("lot", own.lot.astype(np.float64), expected_lot, off_lot),
        ("option_tick", own.tick, expected_tick, off_tick & ~future),
        ("future_tick", own.tick, expected_tick, off_tick & future),
    ):
        pairs = sorted(set(zip(found[off].tolist(), expected[off].tolist(), strict=True)))
        for pair in pairs:
            yield _deviation(what, pair, own, off & (found == pair[0]) & (expected == pair[1]))


def _lot(definition: IndexDefinition, expiry: date) -> float:
    try:
        return lot_on(definition, expiry)
    except ConfigError:  # before the table begins: nothing is known of it
        return float("nan")


def _deviation(what: str, pair: tuple[float, float], own: ContractTable, rows: Bools) -> Deviation:
    days = own.expiry[rows]
    return Deviation(what, *pair, int(rows.sum()), days.min().item(), days.max().item())


def _dump_problems(dump: DumpReport) -> Iterator[str]:
    if dump.reason:
        yield f"the dump is of {dump.day}: {dump.reason}; today's is asked for again every few minutes by a running g6"
    if dump.bad_rows:
        yield (
            f"{sum(dump.bad_rows.values())} rows of the dump make no sense ({_bad_rows(dump)}); what they list is not "
            "collected: ask for the dump again later, then report it to the broker"
        )


def _problems(index: IndexInstruments) -> Iterator[str]:
    name = index.index
    if not index.options:
        yield f"{name}: no options are listed; take it out of collection.indices, or correct its name in indices.yaml"
        return
    if not index.futures:
        yield f"{name}: no futures are listed, which tell its monthly expiries; ask for the dump again later"
    if index.missing:
        days = ", ".join(day.isoformat() for day in index.missing)
        yield f"{name}: {days} should be listed and is not; ask for the dump again later, or correct its expiry_rules"
    if index.one_sided > ONE_SIDED_RATIO * index.strikes:
        yield f"{name}: {index.one_sided} of {index.strikes} strikes have one side alone; ask for the dump again later"
    for deviation in index.deviations:
        yield f"{name}: {_said(deviation)}"


def _said(deviation: Deviation) -> str:
    if deviation.what == "lot":
        key = "lot_sizes"
        expiring = f"expiring from {deviation.first_expiry} to {deviation.last_expiry}"
    else:
        key, expiring = deviation.what, "of them"
    return (
        f"the {deviation.what.replace('_', ' ')} of {deviation.contracts} contracts {expiring} is {deviation.found:g}, "
        f"indices.yaml says {deviation.expected:g}; correct its {key} once the exchange's circular is found"
    )


def _dump_line(report: InstrumentsReport) -> str:
    if report.dump is None:
        return "none is needed"
    age = {0: "today's", 1: "a day old"}.get(report.age_days or 0, f"{report.age_days} days old")
    return f"{spoken_day(report.dump.day)}, {age}, {report.dump.rows:,} rows"


def _bad_rows(dump: DumpReport) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in sorted(dump.bad_rows.items())) or "none"


def _row(index: IndexInstruments) -> list[str]:
    ends = [f"{day:%d %b %y}" for day in (index.expiries[0], index.expiries[-1])] if index.expiries else ["-", "-"]
    lots = sum(d.contracts for d in index.deviations if d.what == "lot")
    ticks = sum(d.contracts for d in index.deviations if d.what != "lot")
    counts = (index.options, index.futures, len(index.expiries))
    found = (len(index.missing), len(index.beyond), index.one_sided)
    return [
        index.index, *(f"{count:,}" for count in counts), *ends, *(str(count) for count in found),
        *(f"{off:,} off" if off else "ok" for off in (lots, ticks)),
    ]  # fmt: skip
