"""Technical levels: what the chain says of where the index may go, and where it may stop."""

from boards.board import Board, Query, Row, graph, stat

IX = '{index="$index"}'
EX = '{index="$index",expiry_code="$expiry_code"}'
DAY_BEFORE = "needs the day before"

BOARD = Board(
    "g6-levels",
    "G6 / Technical levels",
    "Max pain, support and resistance by open interest, the expected move, and how likely levels are reached.",
    (
        Row("Now", (
            stat("Spot", "none", "Level of the index.", f"g6_index_spot_points{IX}", decimals=2, height=5),
            stat("Max pain", "none", "Where most option value expires worthless.", f"g6_chain_max_pain_points{EX}",
                 height=5),
            stat("Expected move", "none", "Points until the expiry, by the straddle.",
                 f"g6_chain_expected_move_straddle_points{EX}", decimals=0, height=5),
            stat("Move over expected", "none", "Since the day's first minute; beyond 1 the day moves more than its "
                 "options expected.", f"abs(g6_chain_breakout_ratio{EX})", bad_above=1, decimals=2, height=5,
                 alerts=("G6ExpectedMoveBreached",)),
        )),
        Row("Levels", (
            graph("Support and resistance", "none", "By open interest: the strikes of most puts and most calls.",
                  Query(f"g6_chain_resistance_oi_points{EX}", "resistance"),
                  Query(f"g6_chain_support_oi_points{EX}", "support"),
                  Query(f"g6_chain_max_pain_points{EX}", "max pain"),
                  Query(f"g6_index_spot_points{IX}", "spot"),
                  Query(f"g6_chain_max_call_oi_strike_points{EX}", "most calls"),
                  Query(f"g6_chain_max_put_oi_strike_points{EX}", "most puts")),
            graph("Expected range", "none", "By the straddle and by volatility, and the spot.",
                  Query(f"g6_chain_expected_high_straddle_points{EX}", "high, straddle"),
                  Query(f"g6_chain_expected_low_straddle_points{EX}", "low, straddle"),
                  Query(f"g6_chain_expected_high_iv_points{EX}", "high, volatility"),
                  Query(f"g6_chain_expected_low_iv_points{EX}", "low, volatility"),
                  Query(f"g6_index_spot_points{IX}", "spot")),
            graph("Drift of max pain", "none", "Points since the day's first minute.",
                  Query(f"g6_chain_max_pain_drift_points{EX}", "drift")),
        )),
        Row("How likely", (
            graph("Of touching", "percentunit", "Until the expiry, from the surface.",
                  Query(f"g6_chain_resistance_touch_probability_ratio{EX}", "resistance"),
                  Query(f"g6_chain_support_touch_probability_ratio{EX}", "support")),
            graph("Of closing beyond", "percentunit", "At the expiry, from the surface.",
                  Query(f"g6_chain_resistance_close_probability_ratio{EX}", "resistance"),
                  Query(f"g6_chain_support_close_probability_ratio{EX}", "support")),
            graph("Breakout", "none", "The move over the expected one, and whether volume and open interest agree.",
                  Query(f"g6_chain_breakout_ratio{EX}", "move"),
                  Query(f"g6_chain_breakout_volume{EX}", "volume agrees"),
                  Query(f"g6_chain_breakout_oi{EX}", "open interest agrees", quiet=DAY_BEFORE),
                  alerts=("G6ExpectedMoveBreached",)),
        )),
    ),
    ("index", "expiry_code"),
)  # fmt: skip
