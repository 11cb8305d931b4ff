"""Premium overlay: today's premium over what this weekday usually has at this minute. From the stored data."""

from boards.board import Board, Query, Row, graph
from boards.flux import stored

TAGS = {"index": "${index}", "expiry_code": "${expiry_code}", "offset": "${offset}"}
LEG = {key: TAGS[key] for key in ("index", "expiry_code", "offset")}
PAIR = {key: TAGS[key] for key in ("index", "expiry_code")}

BOARD = Board(
    "g6-overlay",
    "G6 / Premium overlay",
    "Today's total premium over the profile of its weekday. It needs InfluxDB 2 (storage.influx.enabled).",
    (
        Row("Premium", (
            graph("Today over its weekday", "currencyINR", "Today's total premium, and the mean, the recent mean and "
                  "the extremes of this weekday's minute. Outside the extremes is a day unlike any before.",
                  Query(stored("weekday_master_updates",
                               ("total_premium", "mean", "exponential_mean", "min", "max"), TAGS)),
                  flux=True, height=14),
        )),
        Row("Legs", (
            graph("Call and put", "currencyINR", "The two legs of the offset, as stored.",
                  Query(stored("option_data", ("last",), LEG)), flux=True),
            graph("Their volatility", "percentunit", "Implied volatility of the two legs.",
                  Query(stored("option_data", ("iv",), LEG)), flux=True),
        )),
        Row("Overview", (
            graph("Straddle, as stored", "currencyINR", "The same as on /metrics, without a gap when Prometheus was "
                  "away.", Query(stored("options_overview", ("straddle",), PAIR)), flux=True),
            graph("ATM volatility, as stored", "percentunit", "Of the same expiry.",
                  Query(stored("options_overview", ("atm_iv",), PAIR)), flux=True, decimals=2),
            graph("Spot, as stored", "none", "Level of the index.",
                  Query(stored("index_overview", ("spot",), {"index": TAGS["index"]})), flux=True),
        )),
    ),
    ("index", "expiry_code", "offset"),
)  # fmt: skip
