"""Cash bought and sold by foreign (FII/FPI) and domestic (DII) institutions, crores of rupees, provisional.

NSE's site gives the latest day alone, as JSON of texts (`"buyValue":"15,109.58"`) and as CSV with a row per category.
People collect many days in CSV with a row a day: `date,DII_buy,DII_sell,DII_net,FII_buy,FII_sell,FII_net`.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from io import StringIO
from typing import Any

import orjson

from g6.errors import BadResponse
from g6.participants.days import INSTITUTIONS, Cash, Flow
from g6.participants.words import day_of, number

# Three values are rounded to a hundredth each.
ROUNDING_CRORES = 0.015
DAY = re.compile(r"([0-9]{1,2})-([A-Za-z]{3,9})-([0-9]{4})")
SIDES = Flow._fields
# Column of a day's row → institution and side.
DAILY: Mapping[str, tuple[str, str]] = {f"{who}_{side}".lower(): (who, side) for who in INSTITUTIONS for side in SIDES}
# What the header of the site's CSV begins with → the name in its JSON.
OF_SITE = {"category": "category", "date": "date", "buy value": "buyValue", "sell value": "sellValue",
           "net value": "netValue"}  # fmt: skip

Said = Mapping[str, Any]


def parse_cash_json(body: bytes) -> tuple[Cash, ...]:
    """Return the day of the site's JSON; BadResponse when it is not that."""
    try:
        rows = orjson.loads(body)
    except ValueError as error:
        raise BadResponse(f"it is no JSON: {error}") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadResponse("it is no list of categories")
    return _of_categories(rows)


def cash_header(text: str) -> Sequence[str] | None:
    """Return the header of a CSV of cash flows, in lower case and single blanks; None when a text is none."""
    header = [" ".join(cell.lower().split()) for cell in next(csv.reader(StringIO(text)), [])]
    daily = {"date", *DAILY} <= set(header)
    by_category = all(any(cell.startswith(word) for cell in header) for word in OF_SITE)
    return header if daily or by_category else None


def parse_cash_csv(text: str) -> tuple[Cash, ...]:
    """Return the days of a CSV, one a row or one of rows by category; BadResponse when it is neither."""
    header = cash_header(text)
    if header is None:
        raise BadResponse("its header is none of cash flows")
    rows = [row for row in list(csv.reader(StringIO(text)))[1:] if any(cell.strip() for cell in row)]
    if any(len(row) < len(header) for row in rows):
        raise BadResponse("a row ends early: it is not whole")
    if "category" not in header:
        return tuple(_daily(dict(zip(header, row, strict=False))) for row in rows)
    names = {word: next(cell for cell in header if cell.startswith(word)) for word in OF_SITE}
    listed = (dict(zip(header, row, strict=False)) for row in rows)
    return _of_categories({OF_SITE[word]: row[name] for word, name in names.items()} for row in listed)


def _of_categories(rows: Iterable[Said]) -> tuple[Cash, ...]:
    days: dict[date, dict[str, Flow]] = {}
    for row in rows:
        # A footnote's asterisks, and the newer name of the same investors.
        category = str(row.get("category", "")).strip(" *").upper().removesuffix("/FPI")
        if category not in INSTITUTIONS:
            raise BadResponse(f"{category[:40]!r} is no category of institutions; they are {', '.join(INSTITUTIONS)}")
        values = (number(str(row.get(f"{side}Value", "")), f"{category}, {side}") for side in SIDES)
        days.setdefault(_day(str(row.get("date", ""))), {})[category] = Flow(*values)
    if not days:
        raise BadResponse("it has no category")
    return tuple(_checked(day, flows) for day, flows in sorted(days.items()))


def _daily(row: Said) -> Cash:
    try:
        day = date.fromisoformat(str(row["date"]).strip())
    except ValueError:
        day = _day(str(row["date"]))
    values = {place: number(str(row[column]), column) for column, place in DAILY.items()}
    return _checked(day, {who: Flow(*(values[who, side] for side in SIDES)) for who in INSTITUTIONS})


def _day(text: str) -> date:
    said = DAY.fullmatch(text.strip())
    if said is None:
        raise BadResponse(f"{text.strip()[:40]!r} is no day like 11-Sep-2026")
    day, month, year = said.groups()
    return day_of(year, month, day)


def _checked(day: date, flows: Mapping[str, Flow]) -> Cash:
    missing = [who for who in INSTITUTIONS if who not in flows]
    if missing:
        raise BadResponse(f"of {day} it has nothing of {', '.join(missing)}")
    return Cash(day, {who: flows[who] for who in INSTITUTIONS}, tuple(_differences(flows)))


def _differences(flows: Mapping[str, Flow]) -> Iterator[str]:
    for who, flow in flows.items():
        if flow.buy < 0 or flow.sell < 0:
            raise BadResponse(f"{who} bought {flow.buy:.2f} and sold {flow.sell:.2f}, which cannot be below 0")
        balance = flow.buy - flow.sell
        said = f"the net of {who} is {flow.net:.2f}, and {balance:.2f} by subtraction"
        if abs(balance - flow.net) > ROUNDING_CRORES + 1e-6:
            raise BadResponse(f"{said}: it is not whole, or not what it says")
        if round(balance, 2) != round(flow.net, 2):
            yield said
