"""The derived measures of one recorded day of NIFTY beside references that are not the project's.

    .venv/bin/python scripts/bench/real_day.py ../shared/data/nse_option_chain [--day 20251205]

The chains are the exchange's, as its site publishes them; open interest is in lots there, and gamma exposure is given
for units. References: a table of values recomputed by an independent script (`reference_values.csv` beside the chains);
the exchange's own volatility at the ATM; gammas by vollib, summed leg by leg; and the 30-day volatility of the Cboe
VIX white paper's formula on the same quotes, which, unlike that at the money, has the skew in it.
"""

import argparse
import csv
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "support"))

from published_chains import published_chains
from vollib.black_scholes.greeks.analytical import gamma

from g6.analytics import aggregate, enrich, survey
from g6.analytics.conventions import Conventions
from g6.model.background import IndexView
from g6.model.chain import SMILE_STATUSES, OptionChain

DEFAULT, NSE = Conventions(), Conventions(model="nse")
CRORE, VIX_DAYS = 1e7, 30.0
# Ours, theirs, decimals.
TABLE = (("atm_strike", "atm", 0), ("straddle", "straddle", 2), ("synthetic_future", "syn_fut", 2),
         ("pcr_oi", "pcr_oi", 4), ("pcr_volume", "pcr_vol", 4), ("max_pain", "max_pain", 0),
         ("max_call_oi_strike", "max_ce_oi", 0), ("max_put_oi_strike", "max_pe_oi", 0))  # fmt: skip


class Row(NamedTuple):
    """A measure, ours and the reference's; NaN for a measure without one."""

    name: str
    ours: float
    reference: float
    decimals: int


def valued(chain: OptionChain, conventions: Conventions = DEFAULT) -> OptionChain:
    return aggregate(enrich(chain, conventions), conventions)


def at_the_money(chain: OptionChain) -> tuple[float, float]:
    """Return the volatility of the ATM's out-of-the-money leg by the exchange's conventions, and the exchange's, %."""
    leg = (chain.strike == chain.atm) & (chain.is_call == (chain.atm >= chain.spot))
    return 100.0 * float(valued(chain, NSE).leg_iv[leg][0]), 100.0 * float(chain.broker_iv[leg][0])


def net_gamma(chain: OptionChain) -> float:
    """Return the calls' less the puts' gamma exposure, in lots, per 1 % move, by vollib."""
    spot = chain.forward * math.exp(-chain.rate * chain.years)
    legs = zip(chain.strike, chain.is_call, chain.oi, chain.iv, strict=True)
    each = [
        (1 if is_call else -1) * oi * gamma("c", spot, strike, chain.years, chain.rate, vol)
        for strike, is_call, oi, vol in legs
        if oi > 0 and math.isfinite(vol)
    ]
    return sum(each) * chain.forward**2 * 0.01


def cboe_variance(chain: OptionChain) -> float:
    """Return 2/T Σ ΔK/K² e^(rT) Q(K) − (F/K₀ − 1)²/T: Cboe Volatility Index white paper, over two-sided quotes."""
    mids = [
        dict(zip(chain.strike[s], (0.5 * (chain.bid + chain.ask))[s], strict=True))
        for s in (chain.is_call, ~chain.is_call)
    ]
    strikes = np.array(sorted(k for k in mids[0].keys() & mids[1].keys() if math.isfinite(chain.forward)))
    base = strikes[strikes <= chain.forward].max()
    price = [0.5 * (mids[0][k] + mids[1][k]) if k == base else mids[0 if k > base else 1][k] for k in strikes]
    known = np.isfinite(price)
    strikes, price = strikes[known], np.array(price)[known]
    growth = math.exp(chain.rate * chain.years)
    total = 2.0 / chain.years * float(np.sum(np.gradient(strikes) / strikes**2 * growth * price))
    return total - (chain.forward / base - 1.0) ** 2 / chain.years


def vix_like(chains: Sequence[OptionChain]) -> float:
    """Return 100 √ of the variance of 30 days, straight in total variance between the two expiries around them."""
    years, found = VIX_DAYS / 365, [(chain.years, cboe_variance(chain) * chain.years) for chain in chains]
    return 100.0 * math.sqrt(float(np.interp(years, *zip(*found, strict=True))) / years)


def rows(file: Path, reference: dict[str, str]) -> Iterator[Row]:
    """Yield the measures of one recorded answer."""
    chains = [valued(chain) for chain in published_chains(file)]
    liquid = [chain for chain in chains if SMILE_STATUSES[int(chain.smile["status"])] == "fitted"]
    nearest, lot = chains[0], chains[0].lot
    told = nearest.aggregates
    index = survey(IndexView("NIFTY", nearest.spot, spot_frozen=False, chains=tuple(chains)), DEFAULT)
    for ours, theirs, decimals in TABLE:
        yield Row(ours, told[ours], float(reference[theirs]), decimals)
    yield Row("volatility at the ATM, NSE mode, %", *at_the_money(nearest), 2)
    yield Row("net_gex, crore rupees", told["net_gex"] * lot / CRORE, net_gamma(nearest) * lot / CRORE, 1)
    yield Row("30-day volatility, % (VIX formula)", 100 * index["atm_iv_30d"], vix_like(liquid), 2)
    for name, scale, decimals in (
        ("atm_iv", 100, 2), ("atm_forward_iv", 100, 2), ("risk_reversal_25", 100, 2), ("butterfly_25", 100, 2),
        ("smile_rmse", 1, 3), ("smile_quality", 1, 2), ("gex_flip", 1, 0), ("support_oi", 1, 0),
        ("resistance_oi", 1, 0), ("expected_move_straddle", 1, 1), ("expected_move_iv", 1, 1),
        ("resistance_close_probability", 1, 3), ("pcr_oi_change", 1, 3), ("dominant_build_up", 1, 0),
    ):  # fmt: skip
        yield Row(name, told[name] * scale, math.nan, decimals)
    for name, scale, decimals in (
        ("atm_iv_7d", 100, 2), ("atm_iv_14d", 100, 2), ("term_slope", 100, 2), ("index_pcr_oi", 1, 3),
        ("calendar_violations", 1, 0), ("surface_quality", 1, 2),
    ):  # fmt: skip
        yield Row(name, index[name] * scale, math.nan, decimals)


def main() -> None:
    """Print the day's first, middle and last recorded answers."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("folder", type=Path)
    asked.add_argument("--day", default="20251205")
    given = asked.parse_args()
    with (given.folder / "reference_values.csv").open() as file:
        references = [row for row in csv.DictReader(file) if given.day in row["file"]]
    chosen = [references[0], references[len(references) // 2], references[-1]]
    tables = [list(rows(given.folder / row["file"], row)) for row in chosen]
    print(f"{'NIFTY ' + given.day:36}", *(f"{row['file'][15:19]:>12} {'reference':>11}" for row in chosen))
    for cells in zip(*tables, strict=True):
        print(
            f"{cells[0].name:36}", *(f"{told(cell.ours, cell):>12} {told(cell.reference, cell):>11}" for cell in cells)
        )


def told(value: float, of: Row) -> str:
    """Return a value with its measure's decimals; nothing for NaN."""
    return "-" if math.isnan(value) else f"{value:.{of.decimals}f}"


if __name__ == "__main__":
    main()
