"""What one day says of its participants."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple, get_args

Kind = Literal["oi", "volume"]
KINDS: tuple[Kind, ...] = get_args(Kind)

# The exchange's own words: clients, domestic institutions, foreign investors, members on their own account.
CLASSES = ("Client", "DII", "FII", "Pro")
MARKET = "TOTAL"
PARTICIPANTS = (*CLASSES, MARKET)

INSTRUMENTS = (
    "future_index", "future_stock",
    "option_index_call", "option_index_put", "option_stock_call", "option_stock_put",
)  # fmt: skip
TOTAL = "total"

INSTITUTIONS = ("DII", "FII")


class Position(NamedTuple):
    """Contracts held long and short, or bought and sold; over all contracts at hand, of whatever lot."""

    long: int
    short: int


Key = tuple[str, str]  # participant, instrument


@dataclass(frozen=True, slots=True)
class Contracts:
    """Contracts of one day, by participant (TOTAL too) and instrument (`total` too).

    Open interest at the end of the day, or the day's volume. `notes` are sentences on what was odd and tolerated.
    """

    day: date
    kind: Kind
    positions: Mapping[Key, Position]
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return what it is, for a person."""
        return f"{self.kind} of {self.day}"


class Flow(NamedTuple):
    """Shares bought and sold in the cash market, crores of rupees (ten millions)."""

    buy: float
    sell: float
    net: float


@dataclass(frozen=True, slots=True)
class Cash:
    """What institutions bought and sold on one day, by INSTITUTIONS; the exchange's provisional figures."""

    day: date
    flows: Mapping[str, Flow]
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return what it is, for a person."""
        return f"cash of {self.day}"


Day = Contracts | Cash
