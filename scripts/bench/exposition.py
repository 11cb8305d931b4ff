"""What a minute of /metrics/options costs: rendered once from the columns, against prometheus_client's gauges.

    python scripts/bench/exposition.py [--series 50000] [--repeat 5]

One minute is one update and the scrapes that follow it: 4 at every 15 s, or 1 at every 60 s. Compared, in processor
time of this process and in one run, for the same values and labels:

- gauges: `Gauge.labels(…).set(value)` for every series, then `generate_latest` per scrape, not compressed;
- page:   `OptionsPage.render` (text, and gzip level 1), then per scrape the finished bytes are handed out as they are.

Sending the bytes through a socket costs both the same per byte and is left out; the page sends a tenth of the bytes.
"""

import argparse
import math
import statistics
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta

import numpy as np
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from g6.clock import IST
from g6.metrics.catalogue import OPTION_COLUMNS, OPTION_LABELS, option_metric
from g6.metrics.instruments import Instruments, Known
from g6.metrics.options_page import OptionsPage
from g6.model.chain import OptionChain
from g6.model.snapshot import IndexSnapshot, Snapshot

MINUTE = datetime(2026, 11, 20, 10, 0, tzinfo=IST)
INDICES = ("NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "SENSEX", "BANKEX")
TARGET = 20.0


def chain_of(index: str, number: int, legs: int, rng: np.random.Generator) -> OptionChain:
    strikes = np.repeat(20000.0 + 50 * np.arange(legs // 2), 2)
    measured = {
        name: np.round(rng.uniform(0, 500, len(strikes)), 2) for name in ("last", "bid", "ask", "theta", "vega")
    }
    measured |= {name: rng.normal(0, 10.0**6, len(strikes)).round(4) for name in ("gex", "oi_change")}
    measured |= {
        name: np.round(rng.uniform(0, 1, len(strikes)), 6)
        for name in ("iv", "delta", "gamma", "charm", "vanna", "fitted_iv")
    }
    measured |= {name: rng.integers(0, 10**7, len(strikes)).astype(float) for name in ("oi", "volume")}
    return OptionChain(
        index=index, expiry=date(2026, 11, 24) + timedelta(weeks=number), codes=(), at=MINUTE,
        expires_at=MINUTE + timedelta(weeks=number + 1), spot=25000.0, spot_frozen=False, expected=len(strikes), lot=75,
        strike=strikes, is_call=np.arange(len(strikes)) % 2 == 0, answered=np.ones(len(strikes)), **measured,
    )  # fmt: skip


def minute_of(series: int, seed: int) -> Snapshot:
    rng = np.random.default_rng(seed)
    per_chain = 2 * math.ceil(series / len(OPTION_COLUMNS) / (len(INDICES) * 4) / 2)
    chains = {name: tuple(chain_of(name, number, per_chain, rng) for number in range(4)) for name in INDICES}
    return Snapshot(
        MINUTE,
        "bench",
        tuple(IndexSnapshot(n, 25000.0, spot_frozen=False, expected_codes=(), chains=c) for n, c in chains.items()),
    )


class Gauges:
    """The same page by the client library, as its documentation has it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        rows = {name: option_metric(name) for name in OPTION_COLUMNS}
        self.gauges = {n: Gauge(row.name, row.help, OPTION_LABELS, registry=self.registry) for n, row in rows.items()}

    def update(self, snapshot: Snapshot) -> None:
        for chain in snapshot.chains:
            expiry = chain.expiry.isoformat()
            strikes = [f"{strike:g}" for strike in chain.strike.tolist()]
            sides = ["CE" if is_call else "PE" for is_call in chain.is_call.tolist()]
            for name, gauge in self.gauges.items():
                for strike, side, value in zip(strikes, sides, getattr(chain, name).tolist(), strict=True):
                    gauge.labels(chain.index, expiry, strike, side).set(value)

    def scrape(self) -> bytes:
        return generate_latest(self.registry)


def cpu_seconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def values_of(page: bytes) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(page.decode())
    return {(s.name, frozenset(s.labels.items())): s.value for f in families for s in f.samples if s.labels}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=50_000)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    gauges, page = Gauges(), OptionsPage(Instruments(Known(codes={})))
    minutes = [minute_of(options.series, seed) for seed in range(options.repeat + 1)]
    gauges.update(minutes[0])
    page.render(minutes[0])
    same = values_of(gauges.scrape()) == values_of(page.current.plain)
    print(f"{page.current.series - 1} series, pages equal sample by sample: {same}")
    print(f"page {len(page.current.plain) / 1e6:.1f} MB, compressed {len(page.current.gzipped) / 1e6:.2f} MB")
    taken: dict[str, list[float]] = {"set": [], "scrape": [], "render": []}
    for minute in minutes[1:]:  # interleaved, so that a busy machine troubles both alike
        taken["set"].append(cpu_seconds(lambda minute=minute: gauges.update(minute)))
        taken["scrape"].append(cpu_seconds(gauges.scrape))
        taken["render"].append(cpu_seconds(lambda minute=minute: page.render(minute)))
    median = {name: statistics.median(times) for name, times in taken.items()}
    print(f"gauges: set {median['set']:.3f} s, generate_latest {median['scrape']:.3f} s a scrape")
    print(f"page:   render and gzip {median['render']:.3f} s, a scrape hands out what is there")
    print(f"update alone:                     {median['set'] / median['render']:6.1f} x cheaper")
    for scrapes in (1, 4):
        ratio = (median["set"] + scrapes * median["scrape"]) / median["render"]
        print(f"a minute with {scrapes} scrape{'s' if scrapes > 1 else ' '}:           {ratio:6.1f} x cheaper")
    reached = (median["set"] + median["scrape"]) / median["render"] >= TARGET
    print(f"target {TARGET:g} x a minute, at one scrape: {'reached' if reached else 'missed'}")


if __name__ == "__main__":
    main()
