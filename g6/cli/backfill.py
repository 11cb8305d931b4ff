"""`g6 backfill`: fetch the minutes that a day's journal lacks, as candles, while the contracts live."""

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Self

from g6.cli.arguments import Parser, add_settings, day_of, settings_of
from g6.cli.surroundings import Surroundings
from g6.clock import IST
from g6.console.progress import Progress
from g6.settings import Argument, Settings, load

EPILOG = """\
Candles have closes, volumes and open interest: no bids, no asks, no depth. The rows say so (backfilled 1). A minute
that was collected is never touched. The broker allows three candle requests a second, so a whole day of six indices
takes about five minutes. Expired contracts have no candles: back-fill on the same day.

exit codes: 0 nothing is missing any more; 3 some minutes still are; 4 a person must log in; 75 a collector is running
on the data directory (stop it, or wait for the close)"""

# One line a minute is enough, nobody scrapes it, and what was not traded is not there to be demanded.
OWN_SETTINGS = {"metrics.enabled": "false", "console.concise": "true", "collection.minimum_leg_ratio": "0"}

FEW_INSTRUMENTS = 10  # are fetched in three seconds


def main(argv: Sequence[str], around: Surroundings) -> int:
    """Back-fill one day."""
    namespace = _parser().parse_strictly(argv)
    given = settings_of(namespace)
    own = {key: Argument(text, "g6 backfill") for key, text in OWN_SETTINGS.items() if key not in given}
    settings = load({**own, **given}, around.environ, around.cwd, namespace.config)
    from g6 import unified_main  # noqa: PLC0415  heavy, as what collects is
    from g6.wiring import data_dir_of  # noqa: PLC0415
    from g6.wiring.backfill import backfill_source, candle_broker, find_gap  # noqa: PLC0415
    from g6.wiring.sources import load_market  # noqa: PLC0415

    market = load_market(settings)
    broker = candle_broker(settings, market, around.environ)
    now = broker.clock.now()
    day = namespace.date or now.astimezone(IST).date()
    data_dir = data_dir_of(settings, broker.kind)
    gap = find_gap(settings, market, day, now, data_dir)
    _say(f"{day}: {len(gap.missing)} of {len(gap.minutes)} minutes are missing{_ranges(gap.missing)}")
    if not gap.missing or namespace.dry_run:
        return 0
    with _Fetching(settings) as fetching:
        source = backfill_source(broker, gap, data_dir, fetching)
        unified_main.run(settings, cycles=len(gap.missing), source=source)
    left = find_gap(settings, market, day, now, data_dir).missing
    _say(f"{day}: {len(gap.missing) - len(left)} minutes back-filled, {len(left)} still missing{_ranges(left)}")
    return 3 if left else 0


class _Fetching:
    """A bar for as long as instruments are fetched; between, the terminal is left to what the minutes say."""

    def __init__(self, settings: Settings) -> None:
        self._force_ascii = settings.console.force_ascii
        self._bar: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._end()

    def __call__(self, done: int, wanted: int) -> None:
        """Take note of how many instruments are fetched, and how many are known to be wanted."""
        if self._bar is None and wanted - done >= FEW_INSTRUMENTS:
            self._bar = Progress("fetching candles", "instruments", wanted, force_ascii=self._force_ascii).__enter__()
        if self._bar is not None:
            self._bar.update(done, wanted)
        if done == wanted:
            self._end()

    def _end(self) -> None:
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.__exit__(None, None, None)


def _parser() -> Parser:
    parser = Parser(
        prog="g6 backfill", description="Fetches minutes that were not recorded.", epilog=EPILOG, allow_abbrev=False
    )
    parser.add_argument("--date", type=day_of, metavar="D", help="day, YYYY-MM-DD (default: today)")
    parser.add_argument("--dry-run", action="store_true", help="say what is missing, and fetch nothing")
    add_settings(parser)
    return parser


def _ranges(minutes: Sequence[datetime]) -> str:
    """Return the minutes as spans, ": 09:15-09:20, 11:00"; the first few where there are many."""
    spans: list[list[datetime]] = []
    for minute in minutes:
        if spans and (minute - spans[-1][-1]).total_seconds() <= 60:
            spans[-1][1:] = [minute]
        else:
            spans.append([minute])
    words = ["-".join(f"{edge:%H:%M}" for edge in span) for span in spans]
    more = f" and {len(words) - 8} more spans" if len(words) > 8 else ""
    return (": " + ", ".join(words[:8]) + more) if words else ""


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
