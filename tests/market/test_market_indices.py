"""Index definitions agree with the real contract file; an entry needs little, and a wrong one is named."""

from itertools import pairwise

import pytest

from g6.errors import ConfigError
from g6.market.indices import load_indices

SMALL = """
{name}:
  display_name: NIFTY IT
  exchange: NSE
  expiry_rules: [{{from_day: 2024-01-01, {rule}}}]
  lot_sizes: [{{expiries_from: 2024-01-01, lot: {lot}}}]
  simulation: {{level: {level}{more}}}
"""
FINE = {"name": "NIFTYIT", "rule": "monthly: tuesday", "lot": 50, "level": 38000, "more": ""}


@pytest.fixture
def load(tmp_path):
    def write(text):
        path = tmp_path / "indices.yaml"
        path.write_text(text)
        return load_indices(path)

    return write


def test_names_exchanges_and_ticks_are_those_of_the_real_contract_file(dump, definitions):
    for name, definition in definitions.items():
        own = dump.of_index(name)
        assert set(own.exchange.tolist()) == {definition.derivative_exchange}
        assert set(own.tick[own.kind == "FUT"].tolist()) == {definition.future_tick}
        assert set(own.tick[own.kind != "FUT"].tolist()) == {definition.option_tick}
        assert definition.spot_symbol.split(":")[0] == definition.exchange


def test_fine_strike_steps_are_the_commonest_near_the_money(dump, definitions):
    for name, definition in definitions.items():
        own = dump.of_index(name)
        near = own.take((own.kind != "FUT") & (own.expiry == own.future_expiries()[0]))
        strikes = sorted(set(near.strike.tolist()))
        middle = strikes[len(strikes) // 2]
        steps = [b - a for a, b in pairwise(strikes) if abs(a / middle - 1) < 0.03]
        assert max(set(steps), key=steps.count) == definition.simulation.strike_step


def test_spot_symbols_that_differ_from_the_contract_name(definitions):
    known = {
        "NIFTY": "NSE:NIFTY 50", "BANKNIFTY": "NSE:NIFTY BANK", "FINNIFTY": "NSE:NIFTY FIN SERVICE",
        "MIDCPNIFTY": "NSE:NIFTY MID SELECT", "NIFTYNXT50": "NSE:NIFTY NEXT 50", "SENSEX": "BSE:SENSEX",
        "BANKEX": "BSE:BANKEX", "SENSEX50": "BSE:SNSX50",
    }  # fmt: skip
    assert {name: definition.spot_symbol for name, definition in definitions.items()} == known


def test_an_index_needs_only_a_few_lines(load):
    index = load(SMALL.format(**FINE))["NIFTYIT"]
    assert (index.derivative_exchange, index.spot_symbol) == ("NFO", "NSE:NIFTY IT")
    assert (index.future_tick, index.option_tick) == (0.05, 0.05)
    market = index.simulation
    assert (market.strike_step, market.wing_step, market.far_step) == (100.0, 500.0, 1000.0)
    assert (market.weeklies, market.monthlies, market.quarterlies) == (0, 3, 0)


def test_an_index_with_a_weekly_rule_lists_four_weeklies(load):
    rule = "monthly: tuesday, weekly: tuesday"
    assert load(SMALL.format(**{**FINE, "rule": rule}))["NIFTYIT"].simulation.weeklies == 4


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": "nifty it"}, "'nifty it' does not match"),
        ({"name": "../NIFTY"}, "'../NIFTY' does not match"),
        ({"name": "N" * 33}, "does not match"),
        ({"rule": "monthly: sunday"}, "NIFTYIT.expiry_rules.0.monthly: 'sunday' is not one of"),
        ({"rule": "weekly: tuesday"}, "NIFTYIT.expiry_rules.0: 'monthly' is a required property"),
        ({"lot": 0}, "NIFTYIT.lot_sizes.0.lot: 0 is less than the minimum of 1"),
        ({"lot": "many"}, "NIFTYIT.lot_sizes.0.lot: 'many' is not of type 'integer'"),
        ({"level": -5}, "NIFTYIT.simulation.level: -5"),
        ({"level": ".nan"}, "nan is not a number"),
        ({"more": ", strike_stp: 50"}, "unknown key 'strike_stp', did you mean 'strike_step'"),
        ({"more": ", market_loading: 1.5"}, "NIFTYIT.simulation.market_loading: 1.5 is greater than"),
    ],
)
def test_a_wrong_entry_is_refused_in_one_line_with_key_and_value(load, change, told):
    with pytest.raises(ConfigError, match=told) as refused:
        load(SMALL.format(**{**FINE, **change}))
    assert "\n" not in str(refused.value)


def test_dated_rows_must_ascend(load):
    rule = "monthly: tuesday}, {from_day: 2023-01-01, monthly: thursday"
    with pytest.raises(ConfigError, match=r"NIFTYIT\.expiry_rules: 2023-01-01 after 2024-01-01: rows must ascend"):
        load(SMALL.format(**{**FINE, "rule": rule}))
