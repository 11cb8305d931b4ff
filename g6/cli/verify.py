"""`g6 verify`: the end-of-day report. What a day should hold, what it holds, where its stores differ, and a score."""

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from g6.cli.arguments import DIRECTORY, Parser, add_settings, day_of, settings_of
from g6.cli.surroundings import Surroundings
from g6.clock import IST
from g6.errors import ConfigError, G6Error, SinkError
from g6.settings import Settings, load
from g6.settings.wording import shown

if TYPE_CHECKING:
    from g6.model.snapshot import Snapshot
    from g6.verification.result import Compare, Verification
    from g6.wiring.sources import Market

FINE, WRONG = 0, 3
# Their minutes lie where their clocks were, which is not the machine's.
CLOCKS_OF_THEIR_OWN = frozenset({"simulated", "replay", "kite-simulator"})

EPILOG = """\
The score is 100 only for a day without any fault: every minute of every index and expiry, every leg, no outlier, the
same values in every file and in the weekday masters, and as many points in a database (they are counted by index and
expiry code, not compared one by one). What costs points is named, with its reason where the journal knows it. A day
whose journal was removed is judged by its archive; what cannot be judged any more is named and costs nothing. The
report is kept as verify/<day>.json in the data directory; a backup is left as it is.

exit codes: 0 the score is at least the threshold; 2 bad configuration or arguments; 3 it is below"""


def main(argv: Sequence[str], around: Surroundings) -> int:
    """Verify one day, print the report and keep it."""
    namespace = _parser().parse_strictly(argv)
    settings = load(settings_of(namespace), around.environ, around.cwd, namespace.config)
    # What examines is heavy; the other commands do without it.
    from g6.checks.snapshot import source_of  # noqa: PLC0415
    from g6.maintenance.manifest import is_backup  # noqa: PLC0415
    from g6.verification import report_file  # noqa: PLC0415
    from g6.verification.text import as_text  # noqa: PLC0415

    root = source_of(settings)
    if not root.is_dir():
        raise ConfigError(f"{root} holds nothing to verify; name a data directory with --data-dir")
    found = verified(root, settings, namespace.date, quiet=namespace.json)
    sys.stdout.write(report_file.as_json(found).decode() if namespace.json else f"{as_text(found)}\n")
    try:
        if is_backup(root):
            sys.stderr.write(f"g6: {root} is a backup and left as it is: the report is not kept\n")
        else:
            report_file.store(root, found)
    except SinkError as error:  # it was shown all the same
        sys.stderr.write(f"g6: {error}\n")
    least = settings.storage.verify.minimum_score if namespace.threshold is None else namespace.threshold
    return FINE if found.score >= least else WRONG


def verified(
    root: Path,
    settings: Settings,
    day: date | None,
    *,
    quiet: bool = False,
    database: bool = True,
    also: "Callable[[Snapshot], object]" = lambda _snapshot: None,
) -> "Verification":
    """Return a day's verification, the last session's where none is named; `also` gets every minute that is read.

    Without `database` none is asked, for directories that none belongs to.
    """
    from g6.analytics import MEASURES  # noqa: PLC0415
    from g6.console.progress import Progress  # noqa: PLC0415
    from g6.storage.csv_layout import PREMIUM_COLUMNS  # noqa: PLC0415
    from g6.verification.csv_files import CsvLayout  # noqa: PLC0415
    from g6.verification.day import market_of, verify  # noqa: PLC0415
    from g6.verification.expected import MarketFacts  # noqa: PLC0415
    from g6.verification.masters_agreement import masters_compare  # noqa: PLC0415
    from g6.wiring.sources import load_market  # noqa: PLC0415

    market, now = load_market(settings), settings.clock.at or datetime.now(IST)
    exchanges = {name: definition.exchange for name, definition in market.indices.items()}
    asked_for = settings.enabled_indices if settings.origins.get("collection.indices", "") == "--indices" else ()
    own_clock = market_of(root) in CLOCKS_OF_THEIR_OWN
    layout = CsvLayout(MEASURES, PREMIUM_COLUMNS[settings.greeks.price_basis])
    day = day or _last_day(root, market, settings, now, own_clock=own_clock)
    recorded, forced = _recorded(root, day), settings.console.force_ascii
    with Progress("verifying", "minutes", recorded, quiet=quiet, force_ascii=forced) as bar:

        def counted(snapshot: "Snapshot") -> None:
            bar.advance()
            also(snapshot)

        return verify(
            root,
            day,
            MarketFacts(market.calendar, exchanges, settings.collection.interval_seconds, asked_for),
            now=now,
            csv=layout if settings.storage.csv.enabled else None,
            stores={**masters_compare(root), **(_database(settings) if database else {})},
            day_is_over=own_clock,
            on_minute=counted,
        )


def _recorded(root: Path, day: date) -> int | None:
    """Return how many minutes a day's journal has; None where it cannot say."""
    from g6.storage.archive_manifest import journal_path  # noqa: PLC0415
    from g6.storage.journal import Journal  # noqa: PLC0415

    try:
        with closing(Journal.open_read_only(journal_path(root, day))) as journal:
            return journal.count_after(0)
    except G6Error:  # told by the verification itself
        return None


def _database(settings: Settings) -> "Mapping[str, Compare]":
    """Return the database's comparison, where one is written to."""
    if not settings.storage.influx.enabled:
        return {}
    from g6.verification.influx_counts import influx_compare  # noqa: PLC0415
    from g6.wiring.influx import influx_options  # noqa: PLC0415

    return {"influx": influx_compare(influx_options(settings))}


def _last_day(root: Path, market: "Market", settings: Settings, now: datetime, *, own_clock: bool) -> date:
    """Return the day of the last session that has begun, recorded or not; of a market with its own clock the last."""
    from g6.storage.archive_manifest import archived_days  # noqa: PLC0415
    from g6.storage.data_directory import JOURNAL  # noqa: PLC0415
    from g6.storage.journal_set import days_in  # noqa: PLC0415
    from g6.wiring.sources import exchanges_of  # noqa: PLC0415

    if own_clock:
        recorded = {*days_in(root / JOURNAL), *archived_days(root)}
        if not recorded:
            raise ConfigError(f"{root} holds no recorded day; name a data directory with --data-dir, or a --date")
        return max(recorded)
    exchanges = exchanges_of(market, settings.enabled_indices)
    return max(market.calendar.last_minute(now, exchange).date() for exchange in exchanges)


def _parser() -> Parser:
    parser = Parser(
        prog="g6 verify", description="Says how whole a recorded day is.", epilog=EPILOG, allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--date", type=day_of, metavar="D", help="day, YYYY-MM-DD (default: the last session's)")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument(
        "--threshold", type=_score, metavar="N", help="lowest good score (default: storage.verify.minimum_score)"
    )
    add_settings(parser, (*DIRECTORY, "--indices", "--interval", "--at", "--ascii"))
    return parser


def _score(text: str) -> float:
    if re.fullmatch(r"\d{1,3}(\.\d{1,2})?", text) and float(text) <= 100:
        return float(text)
    raise argparse.ArgumentTypeError(f"{shown(text)} is no score from 0 to 100")
