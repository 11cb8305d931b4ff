"""What Prometheus computes beforehand: ratios and budgets, statistics, how an index fares."""

from g6.alerting.alert import Group, Recording
from g6.alerting.phrases import INSTANCE, increase_by

# The objective: of the quotes that were asked for while the market is open, so many come.
QUOTE_OBJECTIVE = 0.99
BUDGET = 1 - QUOTE_OBJECTIVE
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d")


def _missed(window: str) -> Recording:
    asked = increase_by("g6_legs_expected_total", "", window)
    came = increase_by("g6_legs_received_total", "", window)
    return Recording(
        f"instance:g6_legs_missed:ratio_increase{window}",
        # Not 1 - came / asked: that is a hair above the limit where the limit is met exactly.
        f"clamp_min(({asked} - {came}) / ({asked} > 0), 0)",
        f"Share of the quotes asked for that did not come, over {window}",
    )


def _received(window: str) -> Recording:
    asked = increase_by("g6_legs_expected_total", "index", window)
    came = increase_by("g6_legs_received_total", "index", window)
    return Recording(
        f"index:g6_legs_received:ratio_increase{window}",
        f"{came} / ({asked} > 0)",
        f"Share of an index's quotes that came, over {window}",
    )


OBJECTIVES = Group(
    "g6-objectives",
    "30s",
    (
        *map(_missed, WINDOWS),
        *map(_received, ("5m", "1h")),
        Recording(
            "instance:g6_legs_missed_budget:remaining_increase1d",
            f"1 - instance:g6_legs_missed:ratio_increase1d / {BUDGET:g}",
            "Share of the day's budget for missing quotes that is left; below 0 it is overspent",
        ),
        Recording(
            "instance:g6_cycles_succeeded:ratio_increase1h",
            f"{increase_by('g6_cycles_succeeded_total', '', '1h')}"
            f" / ({increase_by('g6_cycles_started_total', '', '1h')} > 0)",
            "Share of the cycles of an hour in which everything wanted was stored",
        ),
        Recording(
            "instance:g6_cycle_last_success:age_seconds",
            f"time() - max by ({INSTANCE}) (max_over_time(g6_cycle_last_success_timestamp_seconds[10m])"
            ' or max_over_time(process_start_time_seconds{job="g6"}[10m]))',
            "Time since a minute was last recorded, or since the agent started where it has recorded none",
        ),
        Recording(
            "instance:g6_cycle_duration_seconds:p90_rate5m",
            f"histogram_quantile(0.9, sum by ({INSTANCE}, le) (rate(g6_cycle_duration_seconds_bucket[5m])))",
            "Nine of ten cycles take no longer",
        ),
        Recording(
            "instance:g6_provider_request_seconds:p90_rate5m",
            f"histogram_quantile(0.9, sum by ({INSTANCE}, le) (rate(g6_provider_request_seconds_bucket[5m])))",
            "Nine of ten calls to the broker take no longer",
        ),
    ),
)  # fmt: skip

UNEXPLAINED = '{status=~"below_intrinsic|above_maximum|no_forward"}'

QUALITY = Group(
    "g6-quality",
    "30s",
    (
        Recording(
            "index:g6_iv_legs_unsolved:ratio_increase10m",
            f"{increase_by('g6_iv_legs_total', 'index', '10m', UNEXPLAINED)}"
            f" / ({increase_by('g6_iv_legs_total', 'index', '10m')} > 0)",
            "Share of an index's legs whose price no volatility explains",
        ),
        Recording(
            "index:g6_legs_refused:ratio_increase10m",
            f"""{increase_by("g6_legs_refused_total", "index", "10m", '{defect=~"crossed|zero_price|negative"}')}"""
            f" / ({increase_by('g6_legs_received_total', 'index', '10m')} > 0)",
            "Share of an index's quotes that make no sense: crossed, zero or negative",
        ),
        Recording(
            "index:g6_legs_stale:ratio_increase10m",
            f"{increase_by('g6_legs_stale_total', 'index', '10m')}"
            f" / ({increase_by('g6_legs_received_total', 'index', '10m')} > 0)",
            "Share of an index's quotes that are older than collection.stale_after_seconds",
        ),
        Recording(
            "index:g6_chains_accepted:ratio_increase5m",
            f"{increase_by('g6_chains_accepted_total', 'index', '5m')}"
            f" / (({increase_by('g6_chains_accepted_total', 'index', '5m')}"
            f" + {increase_by('g6_chains_refused_total', 'index', '5m')}) > 0)",
            "Share of an index's chains that were stored",
        ),
        Recording(
            "index:g6_health:score",
            "clamp(index:g6_legs_received:ratio_increase5m * index:g6_chains_accepted:ratio_increase5m"
            " * (1 - index:g6_iv_legs_unsolved:ratio_increase10m), 0, 1)",
            "How an index fares, 0 to 1: quotes that came, times chains stored, times legs valued",
        ),
    ),
)

MEMORY = Group(
    "g6-memory",
    "30s",
    (
        Recording(
            "instance:g6_governor_used:ratio",
            f"max by ({INSTANCE}) (g6_governor_rss_bytes) / max by ({INSTANCE}) (g6_governor_limit_bytes)",
            "Memory that the agent holds over what it may hold",
        ),
        Recording(
            "instance:g6_governor_level:max15m",
            f"max by ({INSTANCE}) (max_over_time(g6_governor_level[15m]))",
            "The worst memory level of a quarter of an hour",
        ),
        Recording(
            "instance:g6_governor_transitions:increase30m",
            increase_by("g6_governor_transitions_total", "", "30m"),
            "Steps between memory levels in half an hour",
        ),
    ),
)

# Of the nearest expiries: what a market normally does in an hour, as a mean and a spread.
MARKET = Group(
    "g6-market-statistics",
    "30s",
    (
        Recording(
            "pair:g6_chain_atm_iv_ratio:avg1h",
            "avg_over_time(g6_chain_atm_iv_ratio[1h])",
            "Mean at-the-money volatility of an hour",
        ),
        Recording(
            "pair:g6_chain_atm_iv_ratio:stddev1h",
            "stddev_over_time(g6_chain_atm_iv_ratio[1h])",
            "Its standard deviation",
        ),
        Recording(
            "pair:g6_chain_atm_iv_ratio:zscore1h",
            "(last_over_time(g6_chain_atm_iv_ratio[2m]) - pair:g6_chain_atm_iv_ratio:avg1h)"
            " / clamp_min(pair:g6_chain_atm_iv_ratio:stddev1h, 0.001)",
            "How many standard deviations it is away from the hour's mean; a spread below 0.1 point counts as that",
        ),
        Recording(
            "expiry:g6_option_volume_units:call_share",
            'sum by (job, instance, index, expiry) (last_over_time(g6_option_volume_units{side="CE"}[5m]))'
            " / (sum by (job, instance, index, expiry) (last_over_time(g6_option_volume_units[5m])) > 0)",
            "Share of the calls in the quantity traded today",
        ),
    ),
)

RECORDING = (OBJECTIVES, QUALITY, MEMORY, MARKET)
