"""How many lots the contracts of one expiry trade and hold, as the market stands at a moment."""

from dataclasses import dataclass

import numpy as np

from g6.market.indices import Simulation
from g6.model.columns import Bools, Floats
from g6.model.contracts import CALL, FUTURE, ContractTable
from g6.simulator import liquidity
from g6.simulator.contracts import Expiry, Kind

FUTURES_VOLUME, FUTURES_INTEREST = 0.003, 0.04  # of the nearest future, against all of the index's options
FUTURES_FADE_DAYS = 15


@dataclass(frozen=True, slots=True)
class Moment:
    """What business depends on: the level, calendar days to expiry, and the log return of the last days."""

    log_level: float
    days: int
    momentum: float


@dataclass(frozen=True, slots=True)
class Strip:
    """The contracts of one index and expiry; futures have strike 1."""

    market: Simulation
    expiry: Expiry
    strike: Floats
    lot: Floats
    is_call: Bools
    is_future: Bools

    @classmethod
    def of(cls, market: Simulation, expiry: Expiry, rows: ContractTable) -> "Strip":
        """Read the rows of one expiry."""
        is_future = rows.kind == FUTURE
        strike = np.where(is_future, 1.0, rows.strike)
        return cls(market, expiry, strike, rows.lot.astype(np.float64), rows.kind == CALL, is_future)

    def volume(self, now: Moment) -> Floats:
        """Return the lots that a full ordinary day is expected to trade."""
        share = liquidity.volume_share(self.expiry.kind, now.days, has_weeklies=self.market.weeklies > 0)
        options = share * self._strike_share(now) * liquidity.volume_density(self._moneyness(now), self.is_call)
        futures = FUTURES_VOLUME * np.exp(-now.days / FUTURES_FADE_DAYS)
        lots: Floats = self.market.daily_volume / self.lot * np.where(self.is_future, futures, options)
        return lots

    def interest(self, now: Moment) -> Floats:
        """Return the lots that are expected to be open."""
        share = liquidity.interest_share(self.expiry.kind, now.days, has_weeklies=self.market.weeklies > 0)
        options = share * self._strike_share(now) * liquidity.interest_density(self._moneyness(now), self.is_call)
        futures = FUTURES_INTEREST * np.exp(-now.days / FUTURES_FADE_DAYS)
        lots: Floats = self.market.open_interest / self.lot * np.where(self.is_future, futures, options)
        return lots

    def spread(self, days: int) -> float:
        """Return the standard deviation of the log level to expiry."""
        return float(liquidity.deviation(self.market.annual_volatility, np.array(days)))

    def _moneyness(self, now: Moment) -> Floats:
        moneyness: Floats = (np.log(self.strike) - now.log_level) / self.spread(now.days)
        return moneyness

    def _strike_share(self, now: Moment) -> Floats:
        """Return the width of moneyness that a strike stands for, its roundness, and its side's weight."""
        step = self.market.far_step if self.expiry.kind is Kind.QUARTERLY else self.market.strike_step
        width = step / (np.exp(now.log_level) * self.spread(now.days))
        weight: Floats = width * liquidity.roundness(self.strike, step) * liquidity.side(now.momentum, self.is_call)
        return weight
