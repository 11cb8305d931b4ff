"""One day of participants for a person: who is long and who short, how far, and what changed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from g6.checks.page import Page
from g6.errors import ConfigError
from g6.participants.days import CLASSES, KINDS, TOTAL
from g6.participants.derived import CashRow, PositionRow, cash_rows, position_rows
from g6.participants.store import CASH, ParticipantStore

HEADINGS = {"oi": "open interest, contracts", "volume": "volume, contracts bought and sold"}
INDEX_INSTRUMENTS = ("future_index", "option_index_call", "option_index_put")
SPOKEN = {
    "future_index": "index futures", "option_index_call": "index calls", "option_index_put": "index puts",
    "future_stock": "stock futures", "option_stock_call": "stock calls", "option_stock_put": "stock puts",
    TOTAL: "all",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ParticipantsDay:
    """What is stored of one day; a kind without rows is absent."""

    day: date
    contracts: Mapping[str, Sequence[PositionRow]]  # kind → rows
    cash: Sequence[CashRow]


def participants_on(store: ParticipantStore, day: date | None = None) -> ParticipantsDay:
    """Return a day (None: the last one of which anything is stored); ConfigError where nothing is.

    SinkError when a file is damaged.
    """
    contracts, cash = {kind: store.contracts(kind) for kind in KINDS}, store.cash()
    known = sorted({*cash, *(one for days in contracts.values() for one in days)})
    if not known:
        raise ConfigError(f"nothing is stored in {store.path(CASH).parent}; `g6 participants fetch`, or import files")
    day = day or known[-1]
    if day not in known:
        raise ConfigError(f"nothing is stored of {day}; there are {len(known)} days from {known[0]} to {known[-1]}")
    return ParticipantsDay(
        day,
        {kind: [row for row in position_rows(days) if row.date == day] for kind, days in contracts.items()},
        [row for row in cash_rows(cash) if row.date == day],
    )


def as_document(found: ParticipantsDay) -> dict[str, Any]:
    """Return the day for a machine; what is not known is null."""
    contracts = {kind: [row._asdict() for row in rows] for kind, rows in found.contracts.items()}
    return {"date": found.day, **contracts, "cash": [row._asdict() for row in found.cash]}


def show(page: Page, found: ParticipantsDay, *, everything: bool) -> None:
    """Print the day: the index instruments, or with `everything` those on stocks and the sums, too."""
    instruments = tuple(SPOKEN) if everything else INDEX_INSTRUMENTS
    for kind, rows in found.contracts.items():
        _heading(page, HEADINGS[kind], found.day, rows)
        if rows:
            page.table(
                ("participant", "instrument", "long", "short", "net", "change", "long/short"),
                _position_cells(rows, instruments),
                texts=("participant", "instrument"),
            )
    _heading(page, "cash market, crores of rupees, provisional", found.day, found.cash)
    if found.cash:
        cells = [
            (r.participant, f"{r.buy:,.2f}", f"{r.sell:,.2f}", f"{r.net:+,.2f}", _signed(r.change_net, ",.2f"))
            for r in found.cash
        ]
        page.table(("participant", "bought", "sold", "net", "change"), cells, texts=("participant",))


def _position_cells(rows: Sequence[PositionRow], instruments: Sequence[str]) -> list[tuple[str, ...]]:
    chosen = {(row.participant, row.instrument): row for row in rows}
    listed = (chosen[participant, instrument] for participant in CLASSES for instrument in instruments)
    return [
        (
            row.participant if row.instrument == instruments[0] else "", SPOKEN[row.instrument],
            f"{row.long:,}", f"{row.short:,}", f"{row.net:+,}", _signed(row.change_net, ",.0f"),
            "" if math.isnan(row.long_short_ratio) else f"{row.long_short_ratio:.2f}",
        )
        for row in listed
    ]  # fmt: skip


def _heading(page: Page, what: str, day: date, rows: Sequence[PositionRow] | Sequence[CashRow]) -> None:
    if not rows:
        page.heading(f"{what}: nothing is stored of {day:%a %d %b %Y}")
        return
    before = rows[0].previous_date
    against = f"changes against {before:%a %d %b %Y}" if before else "no earlier day to compare with"
    page.heading(f"{what}, {day:%a %d %b %Y}; {against}")


def _signed(value: float, form: str) -> str:
    return "" if math.isnan(value) else f"{value:+{form}}"
