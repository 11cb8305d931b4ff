"""Whether the report on a day names what the day lacks, all of it and nothing else."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from short_day import small
from torture_plan import Plan

from g6.analytics import AGGREGATES
from g6.storage.csv_layout import PREMIUM_COLUMNS
from g6.verification.csv_files import CsvLayout
from g6.verification.day import verify
from g6.verification.expected import MarketFacts
from g6.verification.masters_agreement import masters_compare
from g6.verification.result import NOT_RECORDED, Verification
from g6.wiring.sources import load_market

MINUTE = timedelta(minutes=1)
# What a market that answers badly does to the numbers; the rest would be the stores' doing.
OF_THE_MARKET = {"absent_legs", "crossed", "iv_jump", "oi_shrinks", "volume_shrinks"}


def misjudged(root: Path, plan: Plan, recorded: Collection[datetime]) -> list[str]:
    """Return what the report on a day says and is not so, or is so and it does not say."""
    report, open_minutes = _report(root, plan)
    wrong = [
        f"the report finds {f.kind} in {f.place}: {f.example}" for f in report.findings if f.kind not in OF_THE_MARKET
    ]
    for index, minutes in open_minutes.items():
        named = set(_named(report, index))
        if named != minutes - set(recorded):
            wrong.append(
                f"{index}: {len(minutes - set(recorded))} minutes are not recorded, the report names {len(named)}"
            )
    if report.score == 100.0 and report.gaps:
        wrong.append("a day with gaps scores 100")
    return wrong


def _report(root: Path, plan: Plan) -> tuple[Verification, dict[str, set[datetime]]]:
    settings = small(root, **plan.settings)
    market, names = load_market(settings), settings.enabled_indices
    exchanges = {name: market.indices[name].exchange for name in market.indices}
    facts = MarketFacts(market.calendar, exchanges, 60, names)
    layout = CsvLayout([aggregate for aggregate, _ in AGGREGATES], PREMIUM_COLUMNS[settings.greeks.price_basis])
    report = verify(root, plan.day, facts, now=plan.end, csv=layout, stores=masters_compare(root), day_is_over=True)
    windows = {name: market.calendar.windows(plan.day, exchanges[name]) for name in names}
    minutes = {
        name: {
            window.open + number * MINUTE
            for window in of_index
            for number in range(int((window.close - window.open) / MINUTE))
        }
        for name, of_index in windows.items()
    }
    return report, minutes


def _named(report: Verification, index: str) -> Iterator[datetime]:
    for gap in report.gaps:
        if gap.index == index and gap.reason == NOT_RECORDED:
            yield from (gap.first + number * MINUTE for number in range(gap.minutes))
