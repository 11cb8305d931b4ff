"""Index detail: one index, from its level to its expiries."""

from boards.board import Board, Query, Row, graph, stat

IX = '{index="$index"}'

BOARD = Board(
    "g6-index",
    "G6 / Index detail",
    "One index: its level, what was asked of it, what came, and what its chains say.",
    (
        Row("Now", (
            stat("Level", "none", "Level of the index in the last minute. No number: it did not answer.",
                 f"g6_index_spot_points{IX}", decimals=2, alerts=("G6SpotStale",), height=5),
            stat("Since its last stored chain", "s", "Red beyond three minutes of an open market.",
                 f"time() - g6_index_last_snapshot_timestamp_seconds{IX}", bad_above=180, height=5,
                 alerts=("G6IndexMissing",)),
            stat("Expiries wanted and stored", "none", "Bits: this_week 1, next_week 2, this_month 4, next_month 8. "
                 "Where they differ from those wanted, an expiry is missing.", f"g6_index_collected_codes_mask{IX}",
                 height=5),
            stat("Expiries missing", "none", "Bits that were wanted and not stored. Zero is right.",
                 f"g6_index_expected_codes_mask{IX} - g6_index_collected_codes_mask{IX}", bad_above=1, height=5,
                 alerts=("G6ChainsRefused",)),
            stat("How it fares", "percentunit", "Quotes that came, times chains stored, times legs valued.",
                 f"index:g6_health:score{IX}", good_above=0.95, decimals=1, height=5),
        )),
        Row("Level", (
            graph("Spot and forwards", "none", "Level, and the forward that each expiry is valued on. They part by "
                  "interest and dividends, not by jumps.",
                  Query(f"g6_index_spot_points{IX}", "spot"), Query(f"g6_chain_forward_points{IX}", "{{expiry_code}}"),
                  Query(f"g6_chain_synthetic_future_points{IX}", "{{expiry_code}} synthetic"), decimals=2),
            graph("Standing still", "none", "1 while an auction holds the index and its options trade on. Outside the "
                  "closing auction it should be 0, and the level should move.",
                  Query(f"g6_index_spot_frozen{IX}", "held by the auction"),
                  Query(f"changes(g6_index_spot_points{IX}[10m])", "moves in ten minutes"), alerts=("G6SpotFrozen",)),
            graph("ATM strike", "none", "The strike with both legs nearest to the spot.",
                  Query(f"g6_chain_atm_strike_points{IX}", "{{expiry_code}}")),
        )),
        Row("What was asked and what came", (
            graph("Share of quotes that came", "percentunit", "Over five minutes and over an hour.",
                  Query(f"index:g6_legs_received:ratio_increase5m{IX}", "5m"),
                  Query(f"index:g6_legs_received:ratio_increase1h{IX}", "1h"), alerts=("G6IndexPartial",)),
            graph("Share of chains stored", "percentunit", "Chains stored of those asked for; on the right, how many "
                  "were refused in five minutes.",
                  Query(f"index:g6_chains_accepted:ratio_increase5m{IX}", "stored"),
                  Query(f"increase(g6_chains_refused_total{IX}[5m])", "refused", "short"), alerts=("G6ChainsRefused",)),
            graph("Coverage by expiry", "percentunit", "Share of a chain's legs that answered.",
                  Query(f"g6_chain_coverage_ratio{IX}", "{{expiry_code}}")),
            graph("Quotes refused by defect", "short", "Of five minutes: absent, crossed, zero, negative.",
                  Query(f"sum by (defect) (increase(g6_legs_refused_total{IX}[5m]))", "{{defect}}"),
                  alerts=("G6QuoteQuality",)),
        )),
        Row("Chains", (
            graph("Straddle", "currencyINR", "Call plus put at the ATM: it decays through the day and jumps with "
                  "volatility.", Query(f"g6_chain_straddle_rupees{IX}", "{{expiry_code}}")),
            graph("ATM volatility", "percentunit", "Implied volatility at the money.",
                  Query(f"g6_chain_atm_iv_ratio{IX}", "{{expiry_code}}"), decimals=2),
            graph("Put-call ratio by open interest", "none", "Beyond 1.8 or below 0.5 positions are extreme.",
                  Query(f"g6_chain_pcr_oi_ratio{IX}", "{{expiry_code}}"), alerts=("G6PcrExtreme",)),
            graph("Max pain", "none", "The level at which most option value expires worthless, and the spot.",
                  Query(f"g6_chain_max_pain_points{IX}", "{{expiry_code}}"),
                  Query(f"g6_index_spot_points{IX}", "spot")),
        )),
    ),
    ("index",),
)  # fmt: skip
