"""Exposures, build-ups and put-call ratios against differentiation, other libraries and plain loops over the legs."""

import math
from dataclasses import replace
from datetime import timedelta

import iv_engine
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vollib.black_scholes.greeks import analytical as textbook

from g6.analytics import DERIVED, INDEX_AGGREGATES, aggregate, enrich, survey
from g6.analytics.build_up import BUILD_UP, add_build_up
from g6.analytics.conventions import Conventions
from g6.analytics.exposure import EXPOSURE, cross_greeks, gex_flip, index_gex_flip
from g6.analytics.positioning import POSITIONING
from g6.analytics.volatility import greeks, price
from g6.model.background import IndexView
from g6.model.chain import BUILD_UPS, DEALER_POSITIONS, OptionChain

DEFAULT = Conventions()
FORWARD, VOL, RATE = 24030.0, 0.12, DEFAULT.rate
STRIKES = [23700.0 + 50.0 * step for step in range(15)]


@pytest.fixture
def quoted(make_chain):
    """A chain quoted around Black-76 prices on a skewed smile, with open interest; keywords replace columns."""

    def make(strikes=tuple(STRIKES), days=3.2, forward=FORWARD, **changes):
        chain = make_chain(list(strikes))
        chain = replace(chain, expires_at=chain.at + timedelta(days=days))
        years = days / 365
        vol = np.maximum(VOL - 0.5 * np.log(chain.strike / forward), 0.05)
        fair = price(forward, chain.strike, years, RATE, vol, chain.is_call)
        random = np.random.default_rng(6)
        lean = np.exp(np.where(chain.is_call, 1, -1) * (chain.strike / forward - 1) * 60)  # calls above, puts below
        columns = {
            "bid": fair - 0.001, "ask": fair + 0.001, "last": fair, "trade_age_seconds": np.ones(len(chain)),
            "oi": 65.0 * np.round(lean * random.integers(1, 9999, len(chain))),
            "volume": 65.0 * random.integers(1, 9999, len(chain)),
            "previous_oi": 65.0 * random.integers(1, 9999, len(chain)),
            "previous_close": fair * random.uniform(0.8, 1.2, len(chain)),
        }  # fmt: skip
        return replace(chain, **(columns | changes))

    return make


def valued(chain, conventions=DEFAULT):
    return aggregate(enrich(chain, conventions), conventions)


def view_of(*chains):
    return IndexView("NIFTY", 24000.0, spot_frozen=False, chains=chains)


def legs_of(chain):
    """The legs as rows of plain numbers."""
    names = ("strike", "is_call", "oi", "volume", "previous_oi", "delta", "gamma", "charm", "vanna", "offset")
    columns = (getattr(chain, name).tolist() for name in names)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def exact_delta(spot, strike, years, rate, vol, is_call):
    d1 = (mpmath.log(spot / strike) + (rate + vol * vol / 2) * years) / (vol * mpmath.sqrt(years))
    return mpmath.ncdf(d1) - (0 if is_call else 1)


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize("strike", [22500.0, 24000.0, 25100.0])
@pytest.mark.parametrize("years", [2 / 365, 0.25])
def test_charm_and_vanna_are_the_derivatives_of_delta_along_the_spot(strike, years, is_call):
    with mpmath.workdps(40):
        spot = mpmath.mpf(FORWARD) * mpmath.exp(-RATE * years)
        by_time = mpmath.diff(lambda t: exact_delta(spot, strike, t, RATE, 0.13, is_call), years)
        by_vol = mpmath.diff(lambda v: exact_delta(spot, strike, years, RATE, v, is_call), 0.13)
    found = cross_greeks(FORWARD, np.array([strike]), years, RATE, np.array([0.13]))
    assert found.charm[0] == pytest.approx(float(-by_time) / 365, rel=1e-10)
    assert found.vanna[0] == pytest.approx(float(by_vol) * 0.01, rel=1e-10)


@given(strike=st.floats(21000, 27000), vol=st.floats(0.05, 0.6), years=st.floats(0.002, 2.0))
def test_charm_and_vanna_are_finite_differences_of_our_own_delta(strike, vol, years):
    def delta(years=years, vol=vol):
        forward = FORWARD * math.exp(-RATE * base) * math.exp(RATE * years)  # the same spot
        return greeks(forward, np.array([strike]), years, RATE, np.array([vol]), np.array([True])).delta[0]

    base = years
    found = cross_greeks(FORWARD, np.array([strike]), years, RATE, np.array([vol]))
    step, point = 1e-4 * years, 1e-4 * vol
    by_time = -(delta(years=years + step) - delta(years=years - step)) / (2 * step) / 365
    by_vol = (delta(vol=vol + point) - delta(vol=vol - point)) / (2 * point) * 0.01
    assert found.charm[0] == pytest.approx(by_time, rel=1e-4, abs=1e-7 / years)
    assert found.vanna[0] == pytest.approx(by_vol, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("strike", [22500.0, 24000.0, 25100.0])
def test_vanna_agrees_with_an_independent_library(strike):
    # It prices on the spot, here without a dividend; its vanna is per 1.00 of volatility.
    years, vol = 0.1, 0.13
    spot = FORWARD * math.exp(-RATE * years)
    theirs = iv_engine.black_scholes_vanna(spot, strike, years, RATE, 0.0, vol)
    found = cross_greeks(FORWARD, np.array([strike]), years, RATE, np.array([vol]))
    assert found.vanna[0] == pytest.approx(theirs * 0.01, rel=1e-9)


def test_far_wings_have_no_charm_and_vanna_and_no_volatility_has_none_known():
    far = cross_greeks(FORWARD, np.array([1.0, 1e7]), 0.01, RATE, np.array([0.1, 0.1]))
    assert np.abs(np.concatenate(far)).max() < 1e-300
    assert np.isnan(np.concatenate(cross_greeks(FORWARD, np.array([24000.0]), 0.01, RATE, np.array([math.nan])))).all()


def test_gamma_exposure_by_strike_is_the_textbooks_gamma_on_the_open_interest(quoted):
    chain = valued(quoted())
    spot = chain.forward * math.exp(-chain.rate * chain.years)
    for row, strike in enumerate(chain.strike):
        gamma = textbook.gamma("c", spot, strike, chain.years, chain.rate, chain.iv[row])
        assert chain.gex[row] == pytest.approx(gamma * chain.oi[row] * chain.forward**2 * 0.01, rel=1e-9)


def test_gamma_exposure_is_what_one_percent_does_to_the_delta_in_rupees(quoted):
    conventions = Conventions(risk_free_rate=0.0)
    chain = valued(quoted(days=30.0), conventions)

    def delta_rupees(forward):
        now = greeks(forward, chain.strike, chain.years, 0.0, chain.iv, chain.is_call)
        return now.delta * chain.oi * chain.forward

    step = 1e-4
    change = (delta_rupees(chain.forward * (1 + step)) - delta_rupees(chain.forward * (1 - step))) / (2 * step) * 0.01
    assert chain.aggregates["call_gex"] == pytest.approx(change[chain.is_call].sum(), rel=1e-5)
    assert chain.aggregates["put_gex"] == pytest.approx(change[~chain.is_call].sum(), rel=1e-5)


def test_every_exposure_is_a_plain_sum_over_the_legs(quoted):
    chain = valued(quoted())
    told = chain.aggregates
    for side, call in (("call", True), ("put", False)):
        legs = [leg for leg in legs_of(chain) if leg["is_call"] == call]
        expected = {
            f"{side}_gex": sum(leg["gamma"] * leg["oi"] for leg in legs) * chain.forward**2 * 0.01,
            f"{side}_charm": sum(leg["charm"] * leg["oi"] for leg in legs) * chain.forward,
            f"{side}_vanna": sum(leg["vanna"] * leg["oi"] for leg in legs) * chain.forward,
            f"{side}_delta_oi": sum(leg["delta"] * leg["oi"] for leg in legs),
            f"{side}_oi_change": sum(leg["oi"] - leg["previous_oi"] for leg in legs),
        }
        assert {name: told[name] for name in expected} == pytest.approx(expected, rel=1e-12)
    assert told["net_delta_oi"] == pytest.approx(told["call_delta_oi"] + told["put_delta_oi"])
    assert told["put_delta_oi"] < 0 < told["call_delta_oi"]


@pytest.mark.parametrize(
    ("dealers", "signs"), [*zip(DEALER_POSITIONS, [(1, -1), (-1, 1), (1, 1), (-1, -1)], strict=True)]
)
def test_net_exposure_follows_the_assumption_and_says_which(quoted, dealers, signs):
    conventions = Conventions(dealers=dealers)
    told = valued(quoted(), conventions).aggregates
    for name in ("gex", "charm", "vanna"):
        net = signs[0] * told[f"call_{name}"] + signs[1] * told[f"put_{name}"]
        assert told[f"net_{name}"] == pytest.approx(net, rel=1e-12)
    assert DEALER_POSITIONS[int(told["dealers"])] == dealers


def net_gamma(chains, share, conventions=DEFAULT):
    """Net gamma exposure with all forwards at this share of today's, leg by leg, by the five Greeks' own function."""
    total = 0.0
    for chain in chains:
        forward = chain.forward * share
        gamma = greeks(forward, chain.strike, chain.years, chain.rate, chain.iv, chain.is_call).gamma
        sign = np.where(chain.is_call, *conventions.signs)
        total += np.nansum(sign * gamma * chain.oi) * forward**2 * 0.01
    return total


def nearest_change(chains, reach, conventions=DEFAULT, points=1600):
    """The middle of the nearest interval of a fine grid of shares in which the net changes its sign."""
    shares = np.linspace(1 - reach, 1 + reach, points)
    net = np.array([net_gamma(chains, share, conventions) for share in shares])
    changes = np.flatnonzero(np.sign(net[1:]) != np.sign(net[:-1]))
    middles = (shares[changes] + shares[changes + 1]) / 2
    return (middles[np.argmin(np.abs(middles - 1))] if len(middles) else math.nan), 2 * reach / points


@given(seed=st.integers(0, 10**6), days=st.sampled_from([1.5, 3.2, 20.0]))
@settings(max_examples=25, deadline=None)
def test_the_flip_level_is_the_nearest_level_at_which_the_revalued_exposure_changes_its_sign(seed, days):
    chain = made_chain(seed, days)
    reach = min(1 - chain.strike[0] / chain.forward, chain.strike[-1] / chain.forward - 1) - 1e-4
    expected, width = nearest_change([chain], reach)
    found = gex_flip(chain, DEFAULT)
    if math.isnan(expected):
        assert math.isnan(found) or abs(found / chain.forward - 1) > reach - width
    elif abs(found / chain.forward - expected) > 2 * width:
        # Two zeros as near to the money, one on either side, or two within one interval of the grid.
        assert abs(found / chain.forward - 1) <= abs(expected - 1) + 2 * width
        assert abs(net_gamma([chain], found / chain.forward)) < 1e-3 * np.nanmax(chain.gex)


def made_chain(seed, days, forward=FORWARD):
    from datetime import datetime

    from g6.clock import IST

    random, at = np.random.default_rng(seed), datetime(2026, 11, 20, 10, 0, tzinfo=IST)
    strike, is_call = np.repeat(np.array(STRIKES), 2), np.tile([True, False], len(STRIKES))
    vol = np.maximum(VOL - 0.5 * np.log(strike / forward), 0.05)
    fair = price(forward, strike, days / 365, RATE, vol, is_call)
    lean = np.where(is_call, 1.0, -1.0) * random.uniform(-1, 2)
    oi = np.round(65e4 * random.uniform(0, 1, len(strike)) * np.exp(lean * (strike / forward - 1) * 100))
    chain = OptionChain(
        index="NIFTY", expiry=at.date(), codes=(), at=at, expires_at=at + timedelta(days=days), spot=24000.0,
        spot_frozen=False, expected=len(strike), lot=65, strike=strike, is_call=is_call, bid=fair - 0.001,
        ask=fair + 0.001, last=fair, oi=oi,
    )  # fmt: skip
    return enrich(chain, DEFAULT)


def test_the_flip_level_does_not_depend_on_who_of_two_opposites_is_long(quoted):
    chain = enrich(quoted(), DEFAULT)
    usual, opposite = (gex_flip(chain, Conventions(dealers=word)) for word in DEALER_POSITIONS[:2])
    assert usual == opposite
    assert math.isfinite(usual)


def test_holders_of_one_kind_alone_never_flip(quoted):
    assert math.isnan(valued(quoted(), Conventions(dealers="long_both")).aggregates["gex_flip"])


def test_the_flip_between_two_strikes_is_where_their_bells_are_equal(quoted):
    # One call and one put of the same size and volatility, no rate: φ(d1) must be equal, so d1 is opposite.
    oi = np.zeros(4)
    oi[[0, 3]] = 650.0  # the call of 24000, the put of 24100
    chain = quoted(strikes=(24000.0, 24100.0), days=3.2, oi=oi)
    conventions = Conventions(risk_free_rate=0.0)
    chain = replace(enrich(chain, conventions), iv=np.full(4, VOL))
    half_variance = VOL * VOL * chain.years / 2
    expected = math.sqrt(24000.0 * 24100.0) * math.exp(-half_variance)
    assert gex_flip(chain, conventions) == pytest.approx(expected, abs=0.02)


def test_exposures_add_up_over_expiries(quoted):
    chains = [valued(quoted(days=days, forward=FORWARD + 4 * days)) for days in (3.2, 10.2, 38.2)]
    told = survey(view_of(*chains), DEFAULT)
    for whole, part in (("index_call_gex", "call_gex"), ("index_put_gex", "put_gex"), ("index_net_gex", "net_gex"),
                        ("index_net_charm", "net_charm"), ("index_net_vanna", "net_vanna"),
                        ("index_call_charm", "call_charm"), ("index_put_charm", "put_charm"),
                        ("index_call_vanna", "call_vanna"), ("index_put_vanna", "put_vanna"),
                        ("index_call_delta_oi", "call_delta_oi"), ("index_put_delta_oi", "put_delta_oi"),
                        ("index_net_delta_oi", "net_delta_oi"), ("index_call_oi_change", "call_oi_change"),
                        ("index_put_oi_change", "put_oi_change")):  # fmt: skip
        assert told[whole] == pytest.approx(sum(chain.aggregates[part] for chain in chains), rel=1e-12)


def test_the_indexs_flip_level_is_that_of_all_its_expiries_together(quoted):
    chains = [enrich(quoted(days=days, forward=FORWARD + 4 * days), DEFAULT) for days in (3.2, 10.2, 38.2)]
    expected, width = nearest_change(chains, 0.012)
    spot = chains[0].forward * math.exp(-chains[0].rate * chains[0].years)
    assert index_gex_flip(view_of(*chains), DEFAULT) / spot == pytest.approx(expected, abs=2 * width)
    assert index_gex_flip(view_of(chains[0]), DEFAULT) == pytest.approx(
        gex_flip(chains[0], DEFAULT) * spot / chains[0].forward
    )


@pytest.mark.parametrize("window", [0, 2, 10, 200])
def test_ratios_of_the_window_are_those_of_the_legs_near_the_money(quoted, window):
    conventions = Conventions(window_strikes=window)
    chain = valued(quoted(), conventions)
    near = [leg for leg in legs_of(chain) if abs(leg["offset"]) <= window]

    def ratio(of):
        call, put = (sum(of(leg) for leg in near if leg["is_call"] == side) for side in (True, False))
        return put / call if call > 0 and put >= 0 else math.nan

    expected = {
        "pcr_oi_window": ratio(lambda leg: leg["oi"]),
        "pcr_volume_window": ratio(lambda leg: leg["volume"]),
        "pcr_oi_change_window": ratio(lambda leg: leg["oi"] - leg["previous_oi"]),
        "window_strikes": window,
    }
    assert {name: chain.aggregates[name] for name in expected} == pytest.approx(expected, nan_ok=True)
    if window == 200:
        for name in ("pcr_oi", "pcr_volume", "pcr_oi_change"):
            assert chain.aggregates[f"{name}_window"] == pytest.approx(chain.aggregates[name], nan_ok=True)


def test_a_ratio_of_changes_in_opposite_directions_is_nan_and_the_changes_are_told(make_chain):
    oi, before = np.array([100.0, 300.0]), np.array([150.0, 200.0])
    told = valued(make_chain([24000.0], oi=oi, previous_oi=before)).aggregates
    assert (told["call_oi_change"], told["put_oi_change"]) == (-50.0, 100.0)
    assert math.isnan(told["pcr_oi_change"])
    told = valued(make_chain([24000.0], oi=oi, previous_oi=np.array([60.0, 200.0]))).aggregates
    assert told["pcr_oi_change"] == 2.5


def test_ratios_of_the_index_are_those_of_all_legs_together(quoted):
    chains = [valued(quoted(days=days)) for days in (3.2, 10.2)]
    told = survey(view_of(*chains), DEFAULT)
    legs = [leg for chain in chains for leg in legs_of(chain)]
    for name, chosen in (("", legs), ("_window", [leg for leg in legs if abs(leg["offset"]) <= 10])):
        for quantity in ("oi", "volume"):
            put, call = (sum(leg[quantity] for leg in chosen if leg["is_call"] == side) for side in (False, True))
            assert told[f"index_pcr_{quantity}{name}"] == pytest.approx(put / call)


@pytest.mark.parametrize(
    ("price_before", "price_now", "oi_before", "oi_now", "expected"),
    [
        (100.0, 110.0, 1000.0, 1200.0, "long_build_up"),
        (100.0, 90.0, 1000.0, 1200.0, "short_build_up"),
        (100.0, 110.0, 1000.0, 800.0, "short_covering"),
        (100.0, 90.0, 1000.0, 800.0, "long_unwinding"),
        (100.0, 100.95, 1000.0, 1200.0, "neutral"),  # less than 1 % of the price
        (100.0, 110.0, 1000.0, 1009.0, "neutral"),  # less than 1 % of the open interest
        (100.0, 101.0, 1000.0, 1010.0, "long_build_up"),  # the threshold itself counts
        (100.0, 100.0, 1000.0, 1200.0, "neutral"),
        (100.0, 110.0, 0.0, 65.0, "long_build_up"),  # nothing was open yesterday
        (100.0, 110.0, 0.0, 0.0, "neutral"),
        (math.nan, 110.0, 1000.0, 1200.0, None),
        (100.0, math.nan, 1000.0, 1200.0, None),
        (100.0, 110.0, math.nan, 1200.0, None),
        (100.0, 110.0, 1000.0, math.nan, None),
        (100.0, 100.0, math.nan, 1200.0, None),
    ],
)
def test_the_class_of_a_leg_is_by_its_own_price_and_open_interest(
    make_chain, price_before, price_now, oi_before, oi_now, expected
):
    columns = {"previous_close": price_before, "last": price_now, "previous_oi": oi_before, "oi": oi_now}
    chain = make_chain([24000.0], **{name: np.full(2, value) for name, value in columns.items()})
    found = add_build_up(chain, DEFAULT)
    assert np.array_equal(found.oi_change, np.full(2, oi_now - oi_before), equal_nan=True)
    assert [None if math.isnan(code) else BUILD_UPS[int(code)] for code in found.build_up] == [expected] * 2


def test_thresholds_of_zero_leave_only_what_stood_still_neutral(make_chain):
    conventions = Conventions(build_up_price_ratio=0.0, build_up_oi_ratio=0.0)
    chain = make_chain([24000.0], previous_close=np.array([100.0, 100.0]), last=np.array([100.05, 100.0]),
                       previous_oi=np.array([6500.0, 6500.0]), oi=np.array([6435.0, 6435.0]))  # fmt: skip
    found = add_build_up(chain, conventions)
    assert [BUILD_UPS[int(code)] for code in found.build_up] == ["short_covering", "neutral"]


moves = st.lists(
    st.tuples(*[st.sampled_from([math.nan, 0.0, 50.0, 100.0, 101.0, 150.0])] * 4), min_size=2, max_size=24
).filter(lambda rows: len(rows) % 2 == 0)


@given(rows=moves)
def test_counts_and_the_dominant_class_are_those_of_a_loop_over_the_legs(rows):
    chain = simple_chain(rows)
    found = aggregate(add_build_up(chain, DEFAULT), DEFAULT, BUILD_UP).aggregates
    words = {(1, 1): "long_build_up", (-1, 1): "short_build_up", (1, -1): "short_covering", (-1, -1): "long_unwinding"}
    classes = []
    for last, close, oi, before in rows:
        if any(map(math.isnan, (last, close, oi, before))):
            classes.append(None)
            continue
        price_moved = last != close and abs(last - close) >= 0.01 * close
        interest_moved = oi != before and abs(oi - before) >= 0.01 * before
        key = (1 if last > close else -1, 1 if oi > before else -1)
        classes.append(words[key] if price_moved and interest_moved else "neutral")
    known = [word for word in classes if word]
    for name, word in (("long_build_ups", "long_build_up"), ("short_build_ups", "short_build_up"),
                       ("short_coverings", "short_covering"), ("long_unwindings", "long_unwinding"),
                       ("neutral_legs", "neutral")):  # fmt: skip
        assert found[name] == pytest.approx(known.count(word) if known else math.nan, nan_ok=True)
    for name, sides in (("call_build_up", [True]), ("put_build_up", [False]), ("dominant_build_up", [True, False])):
        chosen = [i for i, word in enumerate(classes) if word and (i % 2 == 0) in sides]
        if not chosen:
            assert math.isnan(found[name])
            continue
        sizes = {
            word: sum(abs(rows[i][2] - rows[i][3]) for i in chosen if classes[i] == word) for word in BUILD_UPS[1:]
        }
        best = BUILD_UPS[int(found[name])]
        assert (best == "neutral" and not any(sizes.values())) or sizes[best] == max(sizes.values()) > 0


def simple_chain(rows):
    from datetime import datetime

    from g6.clock import IST

    at, n = datetime(2026, 11, 20, 10, 0, tzinfo=IST), len(rows)
    last, close, oi, before = np.array(rows).T
    return OptionChain(
        index="NIFTY", expiry=at.date(), codes=(), at=at, expires_at=at + timedelta(hours=5), spot=24000.0,
        spot_frozen=False, expected=n, lot=65, strike=np.repeat(24000.0 + 50.0 * np.arange(n // 2), 2),
        is_call=np.tile([True, False], n // 2), last=last, previous_close=close, oi=oi, previous_oi=before,
    )  # fmt: skip


def odd_chains(quoted, make_chain):
    """What a minute may bring at its worst."""
    usual = quoted()
    nothing = np.full(len(usual), np.nan)
    one = np.array([24000.0])
    yield "one leg", make_chain([], strike=one, is_call=np.array([True]), last=np.array([100.0]), oi=np.array([65.0]),
                                answered=np.ones(1))  # fmt: skip
    calls = usual.is_call
    columns = ("strike", "is_call", "answered", "bid", "ask", "last", "oi", "volume", "previous_oi", "previous_close",
               "trade_age_seconds")  # fmt: skip
    part = {name: getattr(usual, name)[calls] for name in columns}
    yield "no puts", make_chain([], future=FORWARD, **part)
    yield "no legs", make_chain([], strike=np.empty(0), is_call=np.empty(0, dtype=bool), answered=np.empty(0))
    yield "no quotes", make_chain(STRIKES)
    yield "no open interest", replace(usual, oi=nothing * 0 + 0.0)
    yield "unknown open interest", replace(usual, oi=nothing)
    yield "unknown yesterday", replace(usual, previous_oi=nothing, previous_close=nothing)
    yield "frozen", replace(usual, spot_frozen=True, spot=23650.0)
    yield "over", replace(usual, at=usual.expires_at)
    late = usual.expires_at - timedelta(minutes=12)
    yield "last half hour", replace(usual, at=late, settling=True)
    yield "no spot", replace(usual, spot=math.nan)


def test_every_measure_gives_a_number_or_nan_for_whatever_a_minute_brings(quoted, make_chain):
    names = {descriptor.name for descriptor, _ in (*POSITIONING, *EXPOSURE, *BUILD_UP)}
    for what, chain in odd_chains(quoted, make_chain):
        told = valued(chain).aggregates
        assert names <= set(told), what
        assert not any(math.isinf(told[name]) for name in names), what
        summed = survey(view_of(valued(chain)), DEFAULT)
        assert not any(map(math.isinf, summed.values())), what


def test_without_puts_nothing_is_netted_and_the_calls_are_told(quoted, make_chain):
    told = {what: valued(chain).aggregates for what, chain in odd_chains(quoted, make_chain)}["no puts"]
    assert told["call_gex"] > 0
    assert math.isnan(told["put_gex"])
    assert math.isnan(told["net_gex"])
    assert math.isnan(told["pcr_oi_window"])


def test_an_index_without_chains_has_only_unknowns():
    told = survey(view_of(), DEFAULT)
    assert set(told) == {descriptor.name for descriptor, _ in INDEX_AGGREGATES}
    assert all(map(math.isnan, told.values()))


def test_legs_in_any_order_give_the_same_measures(quoted):
    usual = quoted()
    order = np.random.default_rng(7).permutation(len(usual))
    columns = ("strike", "is_call", "answered", "bid", "ask", "last", "oi", "volume", "previous_oi", "previous_close",
               "trade_age_seconds")  # fmt: skip
    mixed = valued(replace(usual, **{name: getattr(usual, name)[order] for name in columns}))
    assert valued(usual).aggregates == pytest.approx(mixed.aggregates, nan_ok=True)


def test_names_are_unique_and_every_definition_says_something():
    table = (*DERIVED, *INDEX_AGGREGATES)
    names = [descriptor.name for descriptor, _ in table]
    assert len(set(names)) == len(names)
    assert all(len(descriptor.help) > 15 and descriptor.unit for descriptor, _ in table)
    assert {descriptor.scope for descriptor, _ in INDEX_AGGREGATES} <= {"index"}


def test_the_build_up_of_an_index_is_that_of_the_legs_of_all_its_expiries(quoted):
    """Brute force, leg by leg; by each expiry's own most it would be another class now and then."""
    told_otherwise = 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        chains = []
        for days in (3.2, 10.2, 38.2):
            chain = quoted(days=days)
            chain = replace(chain, previous_close=chain.last * random.uniform(0.9, 1.1, len(chain)),
                            previous_oi=chain.oi * random.uniform(0.5, 1.5, len(chain)))  # fmt: skip
            chains.append(aggregate(add_build_up(chain, DEFAULT), DEFAULT))
        told = survey(view_of(*chains), DEFAULT)
        for name, sides in (("call", {True}), ("put", {False}), ("dominant", {True, False})):
            moved = dict.fromkeys(range(1, len(BUILD_UPS)), 0.0)
            for chain in chains:
                for code, change, is_call in zip(chain.build_up, chain.oi_change, chain.is_call, strict=True):
                    if code > 0 and bool(is_call) in sides:
                        moved[int(code)] += abs(change)
            found = told[f"index_{name}_build_up"]
            assert found == max(moved, key=lambda code: moved[code])
            told_otherwise += found != chains[0].aggregates[f"{name}_build_up"]
    assert told_otherwise > 0
    assert math.isnan(survey(view_of(), DEFAULT)["index_dominant_build_up"])
