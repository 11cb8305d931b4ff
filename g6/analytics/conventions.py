"""The choices that a valuation rests on. Each is a setting; together they are recorded with what they gave."""

from dataclasses import dataclass
from typing import Literal

NSE_RATE = 0.10  # printed on the exchange's option-chain page
DEALER_SIGNS = {
    "long_calls_short_puts": (1.0, -1.0),
    "short_calls_long_puts": (-1.0, 1.0),
    "long_both": (1.0, 1.0),
    "short_both": (-1.0, -1.0),
}


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
    # Who holds the other side of the public's options is told by nobody: net exposures rest on this guess.
    dealers: Literal["long_calls_short_puts", "short_calls_long_puts", "long_both", "short_both"] = (
        "long_calls_short_puts"
    )
    window_strikes: int = 10  # listed strikes on either side of the ATM that are a window
    # Changes since yesterday that are smaller than these shares of yesterday's value are no change: neutral.
    build_up_price_ratio: float = 0.01
    build_up_oi_ratio: float = 0.01
    straddle_factor: float = 1.0  # expected move over straddle; some use 0.85
    value_area_ratio: float = 0.7  # of the day's volume that the strikes of the value area hold
    # A smile: least quotes that it is fitted to, and how many standard deviations out; what SVI cannot follow at the
    # money; when a fit is called a poor one; how many standard deviations beyond its quotes it is read.
    smile_fewest_quotes: int = 7
    smile_span: float = 3.0
    smile_noise: float = 0.001  # volatility
    smile_maximum_rmse: float = 1.0  # vol points
    smile_reach: float = 1.0
    # A constant maturity outside the fitted expiries takes the nearest one's volatility within this ratio of days.
    maturity_reach_ratio: float = 1.25
    session_minutes: int = 375  # of trading in a day
    sessions_a_year: int = 252
    fewest_history_days: int = 60  # for rank and percentile
    fewest_vix_pairs: int = 30  # of minute changes, for their correlation

    @property
    def signs(self) -> tuple[float, float]:
        """Return what calls and puts count as in a net exposure: 1 where dealers are taken to be long, else -1."""
        return DEALER_SIGNS[self.dealers]

    @property
    def rate(self) -> float:
        """Return the rate of the model."""
        return NSE_RATE if self.model == "nse" else self.risk_free_rate
