"""Alerts on market data: what says that what is recorded is not fresh or not sound."""

from g6.alerting.alert import Alert
from g6.alerting.phrases import WHILE_OPEN, problem

INDEX, QUALITY = "g6-index", "g6-quality"

MARKET_DATA = (
    Alert(
        "G6SpotStale", "warning", problem("spot_stale"), "2m",
        "The level of an index is missing or old",
        "An index has no usable level, so its strikes cannot be planned. `g6 status` names it and says why.",
        INDEX, "spot_missing", follows=("G6Down", "G6CollectionStalled", "G6TokenDead"),
    ),
    Alert(
        "G6SpotFrozen", "warning",
        "(changes(g6_index_spot_points[10m]) == 0 and on (job, instance, index)"
        " max_over_time(g6_index_spot_frozen[10m]) == 0 and on (job, instance, index)"
        " count_over_time(g6_index_spot_points[10m]) > 20 and on (job, instance, index)"
        f" max_over_time(g6_index_spot_points[10m]) > 0) {WHILE_OPEN}", "2m",
        "The level of an index stands still outside the auction",
        "{{ $labels.index }} has not moved for ten minutes of an open market. Its options are valued on a level that"
        " is not the market's.",
        INDEX, "spot_frozen", follows=("G6Down", "G6CollectionStalled", "G6LoopStalled", "G6TokenDead"),
    ),
    Alert(
        "G6QuotesStale", "warning", problem("quotes_stale"), "2m",
        "An exchange's quotes are old",
        "The freshest quote of an exchange is minutes old while its market is open. `g6 status` names the exchange.",
        QUALITY, "exchange_mute", follows=("G6Down", "G6CollectionStalled", "G6TokenDead"),
    ),
    Alert(
        "G6QuoteQuality", "warning",
        "index:g6_legs_refused:ratio_increase10m > 0.05", "5m",
        "Many quotes of an index make no sense",
        "{{ $value | humanizePercentage }} of the quotes of {{ $labels.index }} were crossed, zero or negative in the"
        " last ten minutes.",
        QUALITY, "quotes_crossed", keeps="5m",
    ),
    Alert(
        "G6LegsStale", "warning",
        f"index:g6_legs_stale:ratio_increase10m > 0.3 {WHILE_OPEN}", "5m",
        "Many quotes of an index are old",
        "{{ $value | humanizePercentage }} of the quotes of {{ $labels.index }} in the last ten minutes were older than"
        " collection.stale_after_seconds; others of it are fresh.",
        QUALITY, "legs_frozen", keeps="5m", follows=("G6Down", "G6QuotesStale"),
    ),
    Alert(
        "G6IvFailureSurge", "warning",
        "index:g6_iv_legs_unsolved:ratio_increase10m > 0.2", "5m",
        "The prices of many legs have no implied volatility",
        "No volatility explains the price of {{ $value | humanizePercentage }} of the legs of {{ $labels.index }}: the"
        " level, the clock or the quotes are wrong.",
        QUALITY, "spot_shifted", keeps="5m",
    ),
)  # fmt: skip
