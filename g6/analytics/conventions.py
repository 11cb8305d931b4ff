"""The choices that a valuation rests on. Each is a setting; together they are recorded with what they gave."""

from dataclasses import dataclass
from typing import Literal

NSE_RATE = 0.10  # printed on the exchange's option-chain page


@dataclass(frozen=True, slots=True)
class Conventions:
    """How chains are valued.

    `model` "nse" is for checking against the exchange's own volatilities: Black-Scholes on spot at 10 %, whole
    calendar days (at least one) over 365, last prices. `price_basis` is that of premiums and aggregates.
    """

    model: Literal["black76", "nse"] = "black76"
    risk_free_rate: float = 0.065  # per year, continuously compounded
    minimum_years: float = 5 / (365 * 24 * 60)  # ten minutes of error cost 1 to 3 vol points in the last hour
    price_basis: Literal["last", "average"] = "last"
    # A mid is a price while its spread is at most this share of it, or a few ticks: a bid of 0.05 under an ask of 0.15
    # is as tight as the grid allows, and 100 % wide.
    maximum_spread_ratio: float = 0.25
    maximum_spread_ticks: int = 4
    stale_trade_seconds: float = 900.0
    parity_strikes: int = 11

    @property
    def rate(self) -> float:
        """Return the rate of the model."""
        return NSE_RATE if self.model == "nse" else self.risk_free_rate
