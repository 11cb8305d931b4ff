"""The market's mood by the stated rules of `g6.model.mood`: a score from -1 to 1, and its word's code."""

import math
from collections.abc import Mapping

from g6.analytics.sectors import sectors_up_share
from g6.model.columns import Floats
from g6.model.market_snapshot import INDEX, MarketSnapshot
from g6.model.mood import MoodInput, MoodRules

NAN = float("nan")


def mood_inputs(market: MarketSnapshot, rules: MoodRules) -> Mapping[MoodInput, float]:
    """Return what the rules look at; NaN is what is not known. The breadth is the market's own, computed before."""
    index = (market.kind == INDEX) & (market.name == rules.index)
    moving = index & (market.defect == 0)  # a level that stands still tells of the past
    return {
        "index_change_ratio": _first(market.change_ratio[moving]),
        "breadth": market.breadth.get(f"{rules.index}.breadth", NAN),
        "vix_change_ratio": _first(market.change_ratio[market.vix_rows]),
        "sectors_up_share": sectors_up_share(market),
    }


def mood_score(market: MarketSnapshot, rules: MoodRules) -> float:
    """Return the points over the most that the inputs at hand could have given, -1 to 1.

    NaN where a required input is missing, or there is no rule at all.
    """
    inputs = mood_inputs(market, rules)
    points = [(rule, rule.points(inputs[rule.input])) for rule in rules.rules]
    if any(rule.required and math.isnan(given) for rule, given in points):
        return NAN
    known = [(rule.most, given) for rule, given in points if not math.isnan(given)]
    most = sum(of_rule for of_rule, _ in known)
    return sum(given for _, given in known) / most if most else NAN


def mood(market: MarketSnapshot, rules: MoodRules) -> float:
    """Return the mood's code, -2 (bearish) to 2 (bullish), see MOODS; NaN where the score is."""
    score = mood_score(market, rules)
    if math.isnan(score):
        return NAN
    size = 2 if abs(score) >= rules.strong else 1 if abs(score) >= rules.mild else 0
    return math.copysign(size, score) if size else 0.0


def _first(values: Floats) -> float:
    return float(values[0]) if len(values) else NAN
