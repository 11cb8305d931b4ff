"""Alerts: what the market does that a person wants to be told of. None of them wakes anybody."""

from g6.alerting.alert import Alert
from g6.alerting.phrases import WHILE_OPEN

# The hour before the open says nothing about what is usual: one session must have lasted that long.
OPEN_FOR_AN_HOUR = "and on (instance) (max by (instance) (min_over_time(g6_market_open[1h])) == 1)"
SENTIMENT, POSITIONING, LEVELS = "g6-sentiment", "g6-positioning", "g6-levels"

MARKET = (
    Alert(
        "G6AtmIvZScore", "info",
        f"""abs(last_over_time(pair:g6_chain_atm_iv_ratio:zscore1h{{expiry_code="this_month"}}[2m])) > 4 """
        f"{OPEN_FOR_AN_HOUR}", "2m",
        "At-the-money volatility left its hour's range",
        "{{ $labels.index }} {{ $labels.expiry_code }}: {{ printf `%.2f` $value }} standard deviations from the hour's"
        " mean.",
        SENTIMENT, "volatility_jumps", keeps="2m",
    ),
    Alert(
        "G6IvVixCorrelationShift", "info",
        f"avg_over_time(g6_index_iv_vix_correlation_ratio[10m]) < 0 {WHILE_OPEN}", "5m",
        "At-the-money volatility and India VIX move apart",
        "The correlation of {{ $labels.index }}'s 30-day volatility with India VIX is {{ printf `%.2f` $value }}.",
        SENTIMENT, "vix_apart", keeps="5m",
    ),
    Alert(
        "G6PcrExtreme", "info",
        "(last_over_time(g6_chain_pcr_oi_ratio[2m]) > 1.8 or last_over_time(g6_chain_pcr_oi_ratio[2m]) < 0.5)"
        f" {WHILE_OPEN}", "5m",
        "Puts and calls are held in an extreme ratio",
        "{{ $labels.index }} {{ $labels.expiry_code }}: {{ printf `%.2f` $value }} puts for each call.",
        SENTIMENT, "puts_piled_up", keeps="5m",
    ),
    Alert(
        "G6VolumeSkew", "info",
        "(expiry:g6_option_volume_units:call_share > 0.75 or expiry:g6_option_volume_units:call_share < 0.25)"
        f" {WHILE_OPEN}", "5m",
        "Trading is nearly all in one side",
        "{{ $labels.index }} {{ $labels.expiry }}: {{ $value | humanizePercentage }} of the quantity is in calls.",
        SENTIMENT, "calls_traded", keeps="5m",
    ),
    Alert(
        "G6GexFlipCrossed", "info",
        "sum by (job, instance, index) (changes(((g6_index_net_gex_rupees > bool 0)"
        " and g6_index_net_gex_rupees == g6_index_net_gex_rupees)[30m:1m])) > 0", "30s",
        "Net gamma exposure changed its sign",
        "The net gamma exposure of {{ $labels.index }} crossed zero within half an hour, under the stated assumption"
        " on who holds what.",
        POSITIONING, "gamma_turns", keeps="5m",
    ),
    Alert(
        "G6ExpectedMoveBreached", "info",
        f"abs(last_over_time(g6_chain_breakout_ratio[5m])) > 1 {WHILE_OPEN}", "2m",
        "An index moved further than its options expected",
        "{{ $labels.index }} {{ $labels.expiry_code }}: the forward has moved {{ printf `%.2f` $value }} times as far"
        " since the open as one standard deviation of a day, by its at-the-money volatility.",
        LEVELS, "index_jumps", keeps="5m",
    ),
)  # fmt: skip
