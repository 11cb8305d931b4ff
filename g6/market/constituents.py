"""The members of an index, from NSE's own file: Company Name, Industry, Symbol, Series, ISIN Code."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from g6.errors import ConfigError

LARGEST_FILE_BYTES = 1_000_000
MOST_MEMBERS = 500  # the broadest index that anybody counts
SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9_&-]{0,31}")
SYMBOL_COLUMN, INDUSTRY_COLUMN = "Symbol", "Industry"


@dataclass(frozen=True, slots=True)
class Share:
    """A member of an index, by its symbol on NSE. `weight` is relative, and the simulator's alone."""

    symbol: str
    industry: str
    weight: float = 1.0

    @property
    def key(self) -> str:
        """Return what a vendor calls it: NSE:RELIANCE."""
        return f"NSE:{self.symbol}"


def read_constituents(path: Path) -> tuple[Share, ...]:
    """Return the members in the file's order, each once; columns may stand anywhere and be padded.

    During a demerger the exchange lists a dummy (DUMMYTATAM) that nobody quotes: it is a member like any other, and
    its direction is then unknown. Raises ConfigError in one line for a file that is absent, too large, without the two
    columns that are read, without a member, or with a symbol that is none.
    """
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise ConfigError(f"{path}: larger than {LARGEST_FILE_BYTES} bytes, which no list of members is")
        rows = list(csv.reader(path.read_text("utf-8-sig").splitlines()))
    except (OSError, ValueError, csv.Error) as error:
        raise ConfigError(f"{path}: cannot be read as a list of members: {error}") from error
    header = [title.strip() for title in rows[0]] if rows else []
    for column in (SYMBOL_COLUMN, INDUSTRY_COLUMN):
        if column not in header:
            raise ConfigError(f"{path}: has no column {column}; it is not the exchange's list of an index's members")
    places = header.index(SYMBOL_COLUMN), header.index(INDUSTRY_COLUMN)
    found: dict[str, Share] = {}
    for number, row in enumerate(rows[1:], 2):
        symbol, industry = (row[place].strip() if place < len(row) else "" for place in places)
        if not symbol and not industry:
            continue
        if not SYMBOL.fullmatch(symbol):
            raise ConfigError(f"{path}:{number}: {symbol!r} is no symbol of a share")
        found.setdefault(symbol, Share(symbol, industry))
    if not 0 < len(found) <= MOST_MEMBERS:
        raise ConfigError(f"{path}: {len(found)} members; an index has 1 to {MOST_MEMBERS}")
    return tuple(found.values())
