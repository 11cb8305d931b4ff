"""A market made by hand: one chain, whose series are what the test says they are."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import numpy as np

from g6.anomalies.readings import SPREAD
from g6.clock import IST
from g6.model.chain import OptionChain
from g6.model.snapshot import IndexSnapshot, Snapshot

OPEN = datetime(2026, 11, 20, 9, 15, tzinfo=IST)
EXPIRY = date(2026, 11, 24)
CLOSE = datetime(2026, 11, 24, 15, 30, tzinfo=IST)
STRIKES = np.repeat(np.arange(23800.0, 24250.0, 50.0), 2)
IS_CALL = np.tile([True, False], len(STRIKES) // 2)


@dataclass
class HandMade:
    """Ordinary minutes: every series has a small noise of its own, from one seed."""

    random: np.random.Generator = field(default_factory=lambda: np.random.default_rng(7))

    def chain(
        self,
        minute: datetime,
        *,
        atm: float = 24000.0,
        iv: float = 0.134,
        premium: float = 200.0,
        oi: float = 1e6,
        pcr: float = 1.0,
        spread: float = 0.004,
        noise: float = 1.0,
        **more: object,
    ) -> OptionChain:
        """Return a chain whose strikes have these values, but for noise: 0.5 %, 0.5 %, 0.1 %, none and 5 %."""
        iv *= np.exp(0.005 * noise * self.random.standard_normal())
        premium *= np.exp(0.005 * noise * self.random.standard_normal())
        spread *= np.exp(0.05 * noise * self.random.standard_normal())
        held = np.where(IS_CALL, 1.0, pcr) * oi
        held = np.round(held * np.exp(0.001 * noise * self.random.standard_normal(len(STRIKES))))
        last = np.full(len(STRIKES), premium / 2)
        aggregates = {
            "atm_iv": iv, "straddle": premium, "call_oi": held[IS_CALL].sum(), "put_oi": held[~IS_CALL].sum(),
            "pcr_oi": held[~IS_CALL].sum() / held[IS_CALL].sum(), SPREAD: spread,
        }  # fmt: skip
        made = OptionChain(
            index="NIFTY", expiry=EXPIRY, codes=("this_week",), at=minute, expires_at=CLOSE,
            spot=atm, spot_frozen=False, expected=len(STRIKES), lot=65, strike=STRIKES, is_call=IS_CALL,
            answered=np.ones(len(STRIKES)), last=last, oi=held, iv=np.full(len(STRIKES), iv), atm=atm,
            aggregates=aggregates,
        )  # fmt: skip
        return replace(made, **more)  # type: ignore[arg-type]

    def minute(self, number: int, **said: object) -> Snapshot:
        """Return the n-th minute of the day."""
        minute = OPEN + timedelta(minutes=number)
        return snapshot_of(minute, self.chain(minute, **said))  # type: ignore[arg-type]

    def minutes(self, count: int, first: int = 0, **said: object) -> list[Snapshot]:
        """Return `count` minutes, all with the same values but for noise."""
        return [self.minute(number, **said) for number in range(first, first + count)]


def snapshot_of(minute: datetime, *chains: OptionChain) -> Snapshot:
    index = IndexSnapshot("NIFTY", 24000.0, False, ("this_week",), chains)
    return Snapshot(minute, "by hand", (index,))
