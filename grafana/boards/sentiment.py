"""Market sentiment: what positions, volatility and breadth say."""

from boards.board import Board, Panel, Query, Row, graph, stat

IX = '{index="$index"}'
EX = '{index="$index",expiry_code="$expiry_code"}'
DT = '{index="$index",expiry="$expiry"}'
FILES = "only where the exchange's files of participants are fetched or imported"
DAYS = "needs the closes of the days before"

BOARD = Board(
    "g6-sentiment",
    "G6 / Market sentiment",
    "Put-call ratios, volatility against India VIX, where open interest lies, and the breadth of the market.",
    (
        Row("Now", (
            stat("India VIX", "percent", "Volatility that the market expects of thirty days.",
                 "g6_market_india_vix_percent", decimals=2, height=5),
            stat("Mood", "percentunit", "Score of the stated rules, -1 (fear) to 1 (greed).",
                 "g6_market_mood_score_ratio", height=5),
            stat("Breadth", "percentunit", "Advances less declines of the broad index, over those of known direction.",
                 "g6_market_breadth_ratio", height=5),
            stat("Put-call ratio", "none", "By open interest. Beyond 1.8 or below 0.5 it is extreme.",
                 f"g6_chain_pcr_oi_ratio{EX}", decimals=2, alerts=("G6PcrExtreme",), height=5),
            stat("ATM volatility", "percentunit", "Of the chosen expiry.", f"g6_chain_atm_iv_ratio{EX}", decimals=2,
                 height=5),
        )),
        Row("Put-call ratios", (
            graph("By open interest", "none", "Whole chain and window around the money.",
                  Query(f"g6_chain_pcr_oi_ratio{IX}", "{{expiry_code}}"),
                  Query(f"g6_chain_pcr_oi_window_ratio{IX}", "{{expiry_code}} window"),
                  Query(f"g6_index_pcr_oi_ratio{IX}", "index"), alerts=("G6PcrExtreme",)),
            graph("By volume", "none", "Of today's trading.",
                  Query(f"g6_chain_pcr_volume_ratio{IX}", "{{expiry_code}}"),
                  Query(f"g6_index_pcr_volume_ratio{IX}", "index")),
            graph("Share of calls in the volume", "percentunit", "Beyond 75 % trading is nearly all in one side.",
                  Query(f"expiry:g6_option_volume_units:call_share{IX}", "{{expiry}}"), alerts=("G6VolumeSkew",)),
        )),
        Row("Volatility", (
            graph("ATM volatility and India VIX", "percentunit", "Seven, fourteen and thirty days, and the VIX.",
                  Query(f"g6_index_atm_iv_7d_ratio{IX}", "7 days"), Query(f"g6_index_atm_iv_14d_ratio{IX}", "14 days"),
                  Query(f"g6_index_atm_iv_30d_ratio{IX}", "30 days"),
                  Query("g6_market_india_vix_percent / 100", "India VIX"), decimals=2),
            graph("Out of its hour's range", "none", "Standard deviations from the mean of an hour; beyond 4 it is "
                  "told.", Query(f"pair:g6_chain_atm_iv_ratio:zscore1h{IX}", "{{expiry_code}}"),
                  alerts=("G6AtmIvZScore",)),
            graph("An hour's mean and spread", "percentunit", "What the range is made of.",
                  Query(f"pair:g6_chain_atm_iv_ratio:avg1h{IX}", "{{expiry_code}} mean"),
                  Query(f"pair:g6_chain_atm_iv_ratio:stddev1h{IX}", "{{expiry_code}} spread"), decimals=2),
            graph("Correlation with India VIX", "none", "Near 1 on most days; below 0 they move apart.",
                  Query(f"g6_index_iv_vix_correlation_ratio{IX}", "correlation"),
                  alerts=("G6IvVixCorrelationShift",)),
            graph("Against what happened", "percentunit", "Implied less realised, and realised volatility of today.",
                  Query(f"g6_index_iv_less_realised_ratio{IX}", "implied less realised", quiet=DAYS),
                  Query(f"g6_index_realised_volatility_today_ratio{IX}", "realised today"),
                  decimals=2),
        )),
        Row("Who holds what", (
            graph("Long over short, index futures", "none", "By class of participant, at the end of the last stored "
                  "day. Foreign investors far below 1 are nearly all short.",
                  Query('g6_participants_long_short_ratio{instrument="future_index",participant!="TOTAL"}',
                        "{{participant}}", quiet=FILES)),
            graph("Net contracts of index options", "short", "Long less short; calls held and puts sold lean upwards.",
                  Query('g6_participants_net_contracts{instrument=~"option_index_.+",participant!="TOTAL"}',
                        "{{participant}} {{instrument}}", quiet=FILES)),
            graph("Cash market, bought less sold", "currencyINR", "By institutions, provisional.",
                  Query("g6_participants_cash_net_rupees", "{{participant}}", quiet=FILES)),
        )),
        Row("Where open interest lies", (
            Panel("Open interest by strike, over time", "heat", "short", "A row a strike, its colour the stronger the "
                  "more open interest both sides hold: the wall that does not move is the level that matters.",
                  (Query(f"sum by (strike) (g6_option_oi_units{DT})", "{{strike}}"),), height=14),
        )),
        Row("The market around", (
            graph("Levels", "percentunit", "India VIX, sectors and indices: change over their previous close.",
                  Query("g6_market_level_change_ratio", "{{name}}")),
            graph("Advances and declines", "short", "Shares of the broad index. Many unknown: quotes are missing.",
                  Query("g6_market_advances_shares", "advances"), Query("g6_market_declines_shares", "declines"),
                  Query("g6_market_unknown_shares", "unknown")),
            graph("Breadth by group", "percentunit", "Advances less declines of each index and industry.",
                  Query("g6_market_group_breadth_ratio", "{{group}}")),
            Panel("Levels now", "table", "none", "The last minute's.", (Query("g6_market_level_points"),)),
            Panel("Groups now", "table", "short", "Advancing and declining shares of each group.",
                  (Query("g6_market_group_advances_shares"), Query("g6_market_group_declines_shares"))),
        )),
    ),
    ("index", "expiry_code", "expiry"),
)  # fmt: skip
