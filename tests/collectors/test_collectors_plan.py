"""The plan asks for the right contracts, each once, whatever the strikes look like."""

from dataclasses import replace
from datetime import date, datetime

import numpy as np
import pytest

from g6.clock import IST
from g6.collectors.plan import Depth, IndexOrder, make_plan
from g6.model.contracts import CALL, FUTURE, PUT, ContractTable

AT = datetime(2026, 8, 18, 10, 0, tzinfo=IST)
FIVE = Depth(5, 5)
ALL_CODES = ("this_week", "next_week", "this_month", "next_month")


def order(definitions, name, depth=FIVE, codes=ALL_CODES):
    return IndexOrder(definitions[name], dict.fromkeys(codes, depth))


def planned(plan, index, expiry):
    return next(c for c in plan.chains if c.definition.name == index and c.expiry == expiry)


def test_an_expiry_with_two_codes_is_asked_for_once_under_both(dump, calendar, definitions):
    plan = make_plan([order(definitions, "NIFTY")], dump, {"NIFTY": 24350.0}, calendar, AT)
    assert [(c.expiry, c.codes) for c in plan.chains] == [
        (date(2026, 8, 18), ("this_week",)),
        (date(2026, 8, 25), ("next_week", "this_month")),
        (date(2026, 9, 29), ("next_month",)),
    ]
    symbols = list(zip(plan.contracts.exchange, plan.contracts.symbol, strict=True))
    assert len(symbols) == len(set(symbols))


def test_the_deeper_of_two_depths_serves_a_shared_expiry(dump, calendar, definitions):
    depths = {"next_week": Depth(2, 3), "this_month": Depth(4, 1)}
    plan = make_plan([IndexOrder(definitions["NIFTY"], depths)], dump, {"NIFTY": 24350.0}, calendar, AT)
    legs = plan.contracts.take(np.arange(plan.chains[0].legs.start, plan.chains[0].legs.stop))
    calls = legs.strike[legs.kind == CALL]
    assert calls.tolist() == [24150, 24200, 24250, 24300, 24350, 24400, 24450, 24500]


def test_depth_is_counted_in_listed_strikes_and_mirrored_for_puts(dump, calendar, definitions):
    plan = make_plan([order(definitions, "NIFTY", Depth(1, 3))], dump, {"NIFTY": 24362.0}, calendar, AT)
    chain = planned(plan, "NIFTY", date(2026, 8, 18))
    legs = plan.contracts.take(np.arange(chain.legs.start, chain.legs.stop))
    assert legs.strike[legs.kind == CALL].tolist() == [24300, 24350, 24400, 24450, 24500]
    assert legs.strike[legs.kind == PUT].tolist() == [24200, 24250, 24300, 24350, 24400]


def test_a_whole_chain_is_every_listed_leg_of_the_expiry(dump, calendar, definitions):
    plan = make_plan([order(definitions, "NIFTY", Depth(None, None))], dump, {"NIFTY": 24350.0}, calendar, AT)
    # 210, 242 and 246 legs are what a count over the published file gives.
    assert [c.legs.stop - c.legs.start for c in plan.chains] == [210, 242, 246]


def test_legs_lie_by_strike_and_call_before_put_and_the_future_after_them(dump, calendar, definitions):
    plan = make_plan([order(definitions, "BANKNIFTY")], dump, {"BANKNIFTY": 55000.0}, calendar, AT)
    for chain in plan.chains:
        legs = plan.contracts.take(np.arange(chain.legs.start, chain.legs.stop))
        keys = list(zip(legs.strike.tolist(), legs.kind.tolist(), strict=True))
        assert keys == sorted(keys)
        assert chain.future is not None
        future = plan.contracts.take(np.array([chain.future]))
        assert future.kind[0] == FUTURE
        assert future.expiry[0].item() == chain.expiry


def test_monthly_only_indices_expect_no_weekly(dump, calendar, definitions):
    plan = make_plan([order(definitions, "FINNIFTY")], dump, {"FINNIFTY": 26000.0}, calendar, AT)
    assert plan.expected_codes["FINNIFTY"] == ("this_month", "next_month")
    assert plan.refusals == ()


def test_an_index_that_the_provider_does_not_list_is_refused_and_the_others_are_planned(dump, calendar, definitions):
    listed = dump.take(dump.index != "BANKEX")
    orders = [order(definitions, "BANKEX"), order(definitions, "SENSEX")]
    plan = make_plan(orders, listed, {"BANKEX": 60000.0, "SENSEX": 80000.0}, calendar, AT)
    assert [(r.index, r.reason) for r in plan.refusals] == [("BANKEX", "unknown_index")]
    assert {c.definition.name for c in plan.chains} == {"SENSEX"}


def test_an_expiry_without_a_strike_that_has_both_legs_is_refused_alone(dump, calendar, definitions):
    lone = (dump.index == "FINNIFTY") & (dump.kind == PUT) & (dump.expiry == np.datetime64("2026-08-25"))
    plan = make_plan([order(definitions, "FINNIFTY")], dump.take(~lone), {"FINNIFTY": 26000.0}, calendar, AT)
    assert [(r.expiry, r.reason) for r in plan.refusals] == [("2026-08-25", "no_contracts")]
    assert [c.expiry for c in plan.chains] == [date(2026, 9, 29)]


def test_an_index_without_a_reference_is_left_to_who_refused_it(dump, calendar, definitions):
    plan = make_plan([order(definitions, "NIFTY")], dump, {}, calendar, AT)
    assert plan.chains == ()
    assert len(plan.contracts) == 0


@pytest.mark.parametrize("spot", [1e-9, 1.0, 1e7])
def test_a_spot_outside_every_listed_strike_is_refused_and_the_others_are_planned(dump, calendar, definitions, spot):
    orders = [order(definitions, "NIFTY"), order(definitions, "SENSEX")]
    plan = make_plan(orders, dump, {"NIFTY": spot, "SENSEX": 80000.0}, calendar, AT)
    assert [(r.index, r.reason) for r in plan.refusals] == [("NIFTY", "bad_spot")]
    assert {c.definition.name for c in plan.chains} == {"SENSEX"}
    assert plan.expected_codes["NIFTY"] == ALL_CODES


def test_bad_rows_of_a_dump_cost_themselves_only(dump, calendar, definitions):
    own = dump.of_index("NIFTY")
    bad = own.take(np.array([5, 6, 7, 8]))
    kind, expiry, strike = bad.kind.copy(), bad.expiry.copy(), bad.strike.copy()
    kind[0], expiry[1], strike[2] = "XX", np.datetime64("NaT"), np.nan  # the fourth row is a plain repetition
    bad = replace(bad, kind=kind, expiry=expiry, strike=strike)
    spoilt = ContractTable.concatenate([bad, own])
    plans = [make_plan([order(definitions, "NIFTY")], t, {"NIFTY": 24350.0}, calendar, AT) for t in (own, spoilt)]
    assert [c.legs for c in plans[0].chains] == [c.legs for c in plans[1].chains]
    assert plans[0].contracts.symbol.tolist() == plans[1].contracts.symbol.tolist()
