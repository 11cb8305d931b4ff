"""Everything recorded, asked for by day or by SQL: CSV of the days not archived yet and Parquet of the others, as one.

    from g6 import history

    history.chain("NIFTY", "2026-11-20", expiry="this_week").pandas()
    history.overview("NIFTY", "2026-11-01", "2026-11-20", expiry="this_week").polars()
    history.sql("SELECT ts, total_premium FROM chain WHERE index = 'NIFTY' AND date = '2026-11-20' "
                "AND expiry_code = 'this_week' AND offset_label = 'atm' ORDER BY ts").rows()

An answer is a table that becomes what is wanted next: `.arrow()`, `.duckdb()`, `.polars()`, `.pandas()`, `.rows()`.

The data directory is `data_dir`, or else the one that the agent would use here: G6_STORAGE__DATA_DIR, the
configuration file, the default. The heavy libraries are loaded by the first question.
"""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from g6.history.table import Table
from g6.history.where import data_directory

if TYPE_CHECKING:
    from g6.history.questions import Day, History, Minute
    from g6.history.scope import Values

__all__ = [
    "Table", "breadth", "chain", "levels", "market", "masters",
    "of", "overview", "participant_cash", "participants", "premium_noise", "sql",
]  # fmt: skip


def of(data_dir: str | Path | None = None) -> "History":
    """Return a data directory's history; ConfigError when the directory is not there."""
    from g6.history.questions import History  # noqa: PLC0415 (loads DuckDB)

    return History(data_directory() if data_dir is None else data_dir)


def chain(
    index: str,
    day: "Day",
    until: "Day | None" = None,
    *,
    expiry: str | date | None = None,
    offset: int | str | None = None,
    minute: "Minute | None" = None,
    price_basis: str | None = None,
    data_dir: str | Path | None = None,
) -> Table:
    """Return a row per minute and strike; see `History.chain`."""
    return of(data_dir).chain(index, day, until, expiry=expiry, offset=offset, minute=minute, price_basis=price_basis)


def overview(
    index: str,
    day: "Day",
    until: "Day | None" = None,
    *,
    expiry: str | None = None,
    data_dir: str | Path | None = None,
) -> Table:
    """Return a row a minute with the aggregates; see `History.overview`."""
    return of(data_dir).overview(index, day, until, expiry=expiry)


def market(day: "Day", until: "Day | None" = None, *, data_dir: str | Path | None = None) -> Table:
    """Return a row a minute of India VIX, breadth, sectors and mood; see `History.market`."""
    return of(data_dir).market(day, until)


def levels(
    day: "Day", until: "Day | None" = None, *, name: str | None = None, data_dir: str | Path | None = None
) -> Table:
    """Return a row per minute and level; see `History.levels`."""
    return of(data_dir).levels(day, until, name=name)


def breadth(
    day: "Day", until: "Day | None" = None, *, group: str | None = None, data_dir: str | Path | None = None
) -> Table:
    """Return a row per minute and group of shares; see `History.breadth`."""
    return of(data_dir).breadth(day, until, group=group)


def masters(
    index: str,
    *,
    expiry: str = "this_week",
    offset: int | str = 0,
    weekday: str | None = None,
    price_basis: str | None = None,
    data_dir: str | Path | None = None,
) -> Table:
    """Return the weekday masters of a strike's place; see `History.masters`."""
    return of(data_dir).masters(index, expiry=expiry, offset=offset, weekday=weekday, price_basis=price_basis)


def participants(
    day: "Day",
    until: "Day | None" = None,
    *,
    kind: str = "oi",
    participant: str | None = None,
    instrument: str | None = None,
    data_dir: str | Path | None = None,
) -> Table:
    """Return who holds what, by class of participants and instrument; see `History.participants`."""
    return of(data_dir).participants(day, until, kind=kind, participant=participant, instrument=instrument)


def participant_cash(day: "Day", until: "Day | None" = None, *, data_dir: str | Path | None = None) -> Table:
    """Return what institutions bought and sold in the cash market; see `History.participant_cash`."""
    return of(data_dir).participant_cash(day, until)


def premium_noise(index: str, day: "Day", *, offset: int | str = 0, data_dir: str | Path | None = None) -> Table:
    """Return how noisy the total premium was on each price basis; see `History.premium_noise`."""
    return of(data_dir).premium_noise(index, day, offset=offset)


def sql(
    query: str,
    values: "Values" = (),
    *,
    first: "Day | None" = None,
    last: "Day | None" = None,
    data_dir: str | Path | None = None,
) -> Table:
    """Return the answer to one SELECT; see `History.sql` and, for the views, `g6.history.views`."""
    return of(data_dir).sql(query, values, first=first, last=last)
