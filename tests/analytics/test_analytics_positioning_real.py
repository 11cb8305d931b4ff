"""Positioning and levels of published chains against the exchange's own numbers and an independent recomputation."""

import csv
import gzip
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from vollib.black_scholes.greeks import analytical as textbook

from g6.analytics import aggregate, enrich, survey
from g6.analytics.conventions import Conventions
from g6.analytics.probability import closing_above, slice_of
from g6.model.background import IndexView
from g6.model.chain import NO_AGGREGATES

CLOSE, OPEN = "NIFTY_20251205_153000.json.gz", "NIFTY_20251205_093314.json.gz"
DEFAULT, WHOLE = Conventions(), Conventions(window_strikes=500)


def valued(chain, conventions=DEFAULT):
    return aggregate(enrich(chain, conventions), conventions)


@pytest.fixture(scope="module")
def references(market_data):
    with (market_data / "nse_option_chain" / "reference_values.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def published(market_data):
    """File name → the exchange's own legs of the nearest expiry: (side, fields)."""

    def read(name):
        with gzip.open(market_data / "nse_option_chain" / name) as file:
            records = json.load(file)["records"]
        nearest = records["expiryDates"][0]
        return [
            (s, row[s]) for row in records["data"] if row["expiryDate"] == nearest for s in ("CE", "PE") if s in row
        ]

    return read


def test_levels_and_ratios_are_those_of_the_reference(nse_chains, references):
    for row in references:
        chain = valued(next(nse_chains(row["file"])), WHOLE)
        told, spot = chain.aggregates, float(row["spot"])
        assert told["pcr_oi_window"] == pytest.approx(float(row["pcr_oi"]), abs=6e-5), row["file"]
        assert told["pcr_volume_window"] == pytest.approx(float(row["pcr_vol"]), abs=6e-5), row["file"]
        assert told["expected_move_straddle"] == pytest.approx(float(row["straddle"]), abs=0.006), row["file"]
        for name, most, beyond in (
            ("resistance_oi", float(row["max_ce_oi"]), float(row["max_ce_oi"]) >= spot),
            ("support_oi", float(row["max_pe_oi"]), float(row["max_pe_oi"]) <= spot),
        ):
            assert not beyond or told[name] == most, (row["file"], name)


def test_max_pain_drifts_as_the_references_do(nse_chains, references):
    day = [row for row in references if row["file"].startswith("NIFTY_20251205")]
    opening = valued(next(nse_chains(day[0]["file"]))).aggregates
    for row in day:
        chain = valued(replace(next(nse_chains(row["file"])), opening=opening))
        assert chain.aggregates["max_pain_drift"] == float(row["max_pain"]) - float(day[0]["max_pain"])


@pytest.mark.parametrize("name", [OPEN, CLOSE])
def test_changes_of_open_interest_are_the_exchanges_own(nse_chains, published, name):
    told = valued(next(nse_chains(name))).aggregates
    legs = published(name)
    calls, puts = (sum(leg["changeinOpenInterest"] for side, leg in legs if side == s) for s in ("CE", "PE"))
    assert told["call_oi_change"] == pytest.approx(calls)
    assert told["put_oi_change"] == pytest.approx(puts)
    if calls > 0 and puts >= 0:
        assert told["pcr_oi_change"] == pytest.approx(puts / calls)
    else:
        assert math.isnan(told["pcr_oi_change"])


@pytest.mark.parametrize("name", [OPEN, CLOSE])
def test_build_ups_are_those_of_the_exchanges_own_changes(nse_chains, published, name):
    told = valued(next(nse_chains(name))).aggregates
    counted = {"long_build_ups": 0, "short_build_ups": 0, "short_coverings": 0, "long_unwindings": 0}
    words = {(True, True): "long_build_ups", (False, True): "short_build_ups",
             (True, False): "short_coverings", (False, False): "long_unwindings"}  # fmt: skip
    for _, leg in published(name):
        price, interest = leg["change"], leg["changeinOpenInterest"]
        close, before = leg["lastPrice"] - price, leg["openInterest"] - interest
        if leg["lastPrice"] and abs(price) > 0.0101 * close and abs(interest) > 0.0101 * before:
            counted[words[price > 0, interest > 0]] += 1
    for word, count in counted.items():
        assert abs(told[word] - count) <= 2, word  # of those within a hundredth of the thresholds
    assert sum(counted.values()) > 50


def test_gamma_exposure_is_a_librarys_gamma_summed_leg_by_leg_and_over_expiries(nse_chains):
    chains = [valued(chain) for chain in list(nse_chains(CLOSE))[:3]]
    totals = {"call": 0.0, "put": 0.0}
    for chain in chains:
        spot, own = chain.forward * math.exp(-chain.rate * chain.years), {"call": 0.0, "put": 0.0}
        for strike, is_call, oi, vol in zip(chain.strike, chain.is_call, chain.oi, chain.iv, strict=True):
            if oi > 0 and math.isfinite(vol):
                gamma = textbook.gamma("c", spot, strike, chain.years, chain.rate, vol)
                own["call" if is_call else "put"] += gamma * oi * chain.forward**2 * 0.01
        for side, expected in own.items():
            assert chain.aggregates[f"{side}_gex"] == pytest.approx(expected, rel=1e-9)
            totals[side] += expected
    told = survey(IndexView("NIFTY", chains[0].spot, spot_frozen=False, chains=tuple(chains)), DEFAULT)
    assert told["index_call_gex"] == pytest.approx(totals["call"], rel=1e-9)
    assert told["index_net_gex"] == pytest.approx(totals["call"] - totals["put"], rel=1e-9)


@pytest.mark.parametrize(("fitted", "usual", "most"), [(False, 0.004, 0.01), (True, 0.018, 0.03)])
def test_the_probability_is_what_a_spread_costs(nse_chains, references, fitted, usual, most):
    # A spread of two out-of-the-money options 100 points apart pays about 100 if the expiry settles beyond it; its
    # price over 100 is that probability, without a model.
    gaps = []
    for row in references:
        chain = enrich(next(nse_chains(row["file"])), DEFAULT)
        chain = chain if fitted else replace(chain, smile=NO_AGGREGATES)
        call, put = (dict(zip(chain.strike[s], chain.price[s], strict=True)) for s in (chain.is_call, ~chain.is_call))
        for strike in chain.strike[chain.is_call & (np.abs(chain.offset) <= 6)]:
            above = strike > chain.forward
            low, high = ((call if above else put).get(strike + step, math.nan) for step in (-50.0, 50.0))
            cost = abs(low - high) / 100.0 * math.exp(chain.rate * chain.years)
            found = closing_above(slice_of(chain), math.log(strike / chain.forward))
            gaps.append((cost if above else 1.0 - cost) - found)
    known = np.array(gaps)[np.isfinite(gaps)]
    assert len(known) > 200
    assert abs(np.mean(known)) < 0.002
    assert np.median(np.abs(known)) < usual
    assert np.percentile(np.abs(known), 95) < most


def test_higher_levels_are_never_much_likelier_to_be_exceeded(nse_chains):
    for chain in map(valued, list(nse_chains(CLOSE))[:2]):
        deviation = chain.aggregates["expected_move_iv"] / chain.forward
        above = [closing_above(slice_of(chain), k) for k in np.linspace(-1.5, 1.5, 61) * deviation]
        assert np.diff(above).max() < 0.005
