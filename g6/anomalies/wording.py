"""A finding as a sentence."""

import math
from collections.abc import Callable, Mapping
from datetime import datetime

from g6.clock import IST
from g6.model.chain import OptionChain

UNITS: Mapping[str, Callable[[float], str]] = {
    "atm_iv": lambda value: f"{value * 100:.1f} %",
    "premium": lambda value: f"{value:,.2f} rupees",
    "oi": lambda value: f"{value:,.0f} units",
    "spread": lambda value: f"{value * 100:.2f} %",
    "pcr": lambda value: f"{value:.3f}",
}
# More digits than these say nothing.
LARGEST = 99.9


def of_change(chain: OptionChain, series: str, value: float, expected: float, deviation: float, strike: float) -> str:
    """Return the sentence of a value that the minutes before did not lead to.

    NIFTY this_week atm_iv 18.2 % is 9.1 deviations above 13.4 %. A strike that is not the ATM any more is named.
    """
    said = UNITS[series]
    where = f" at {strike:g}" if math.isfinite(strike) and strike != chain.atm else ""
    return f"{_subject(chain)} {series} {said(value)}{where} is {_deviations(deviation)} {said(expected)}"


def of_level(chain: OptionChain, minute: datetime, value: float, expected: float, deviation: float) -> str:
    """Return the sentence of a premium that is not what its weekday is used to."""
    said, local = UNITS["premium"], minute.astimezone(IST)
    habit = f"usual on a {local:%A} at {local:%H:%M}"
    return f"{_subject(chain)} premium {said(value)} is {_deviations(deviation)} {said(expected)}, {habit}"


def _subject(chain: OptionChain) -> str:
    return f"{chain.index} {chain.codes[0] if chain.codes else chain.expiry.isoformat()}"


def _deviations(deviation: float) -> str:
    size = abs(deviation)
    counted = f"{size:.1f}" if size <= LARGEST else "over 99"
    return f"{counted} deviations {'above' if deviation > 0 else 'below'}"
