"""`g6 report`: the story of a recorded day as one HTML page."""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from g6.cli.arguments import DIRECTORY, Parser, add_settings, day_of, settings_of
from g6.cli.surroundings import Surroundings
from g6.errors import ConfigError, G6Error, SinkError
from g6.settings import Settings, load
from g6.settings.wording import shown

if TYPE_CHECKING:
    from g6.reports.day_record import DayReading
    from g6.reports.day_source import DaySource
    from g6.verification.result import Verification

FOLDER = "reports"

EPILOG = """\
One page that needs nothing else, for a phone, a desktop or paper: what of the day is there and what is lacking, the
indices, implied volatility, the premium over its weekday's profile, positioning, anomalies, and how the recorder was.
A day that is no more in the journal is read from its archive. A day without a verification is verified on the way,
and nothing is kept of that; `g6 verify` keeps it.

examples:
  g6 report                                    the last recorded day, to reports/ in the data directory
  g6 report --date 2026-11-20 --index NIFTY --out friday.html

exit codes: 0 written; 2 bad configuration or arguments, or no such day; 3 a file cannot be read or written"""


def main(argv: Sequence[str], around: Surroundings) -> int:
    """Write the page and say where it is."""
    namespace = _parser().parse_strictly(argv)
    settings = load(settings_of(namespace), around.environ, around.cwd, namespace.config)
    # What reads and what draws is heavy; the other commands do without it.
    from g6.checks.snapshot import source_of  # noqa: PLC0415
    from g6.reports.day_page import day_page  # noqa: PLC0415
    from g6.reports.day_participants import participants_of  # noqa: PLC0415
    from g6.reports.day_source import DaySource  # noqa: PLC0415
    from g6.storage import judged_file  # noqa: PLC0415
    from g6.verification.day import market_of  # noqa: PLC0415

    root = around.cwd / source_of(settings)
    source = DaySource(root, namespace.date)
    path = _path(namespace, root, source.day, around.cwd)
    verification, reading, why = _read(source, settings, namespace.index)
    _check_indices(namespace.index, reading, source.day)
    record = reading.record(
        root, source.day, market=market_of(root), source=source.kind, lacking=source.lacking,
        judged=judged_file.load(root, source.day),
    )  # fmt: skip
    page = day_page(record, verification, why, participants_of(root, source.day))
    _write(path, page, asked_for=namespace.out is not None)
    sys.stdout.write(f"{path}\n")
    return 0


def _read(
    source: "DaySource", settings: Settings, indices: Sequence[str]
) -> "tuple[Verification | None, DayReading, str]":
    """Read the day once; where its verification is not kept, or was made too early, verify it in the same pass."""
    from g6.cli.verify import verified  # noqa: PLC0415
    from g6.console.progress import Progress  # noqa: PLC0415
    from g6.reports.day_record import DayReading  # noqa: PLC0415
    from g6.verification import report_file  # noqa: PLC0415

    why, kept = "", None
    try:
        kept = report_file.load(source.root, source.day)
    except SinkError as error:
        why = str(error)
    reading = DayReading(indices)
    if kept is None or kept.until is not None:
        try:
            return verified(source.root, settings, source.day, also=reading.take), reading, ""
        except G6Error as error:  # the minutes can be told of all the same
            why, kept, reading = why or str(error), None, DayReading(indices)
    with Progress("reading", "minutes", source.count(), force_ascii=settings.console.force_ascii) as bar:
        for snapshot in bar.over(source.snapshots()):
            reading.take(snapshot)
    return kept, reading, why


def _check_indices(wanted: Sequence[str], reading: "DayReading", day: date) -> None:
    unknown = [name for name in wanted if name not in reading.known]
    if unknown:
        there = ", ".join(reading.known) or "none"
        raise ConfigError(
            f"--index: nothing of {', '.join(map(shown, unknown))} is recorded on {day}; there is {there}"
        )


def _path(namespace: argparse.Namespace, root: Path, day: date, cwd: Path) -> Path:
    if namespace.out is not None:
        return cwd / str(namespace.out)
    return root / FOLDER / ("-".join([day.isoformat(), *namespace.index]) + ".html")


def _write(path: Path, page: str, *, asked_for: bool) -> None:
    """Put the page in its place, whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(page, "utf-8")
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        told = f"cannot write {path}: {error.strerror}"
        raise (ConfigError(f"--out: {told}") if asked_for else SinkError(told)) from error


def _parser() -> Parser:
    parser = Parser(
        prog="g6 report", description="Writes the story of a recorded day as one HTML page.", epilog=EPILOG,
        allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--date", type=day_of, metavar="D", help="day, YYYY-MM-DD (default: the last recorded)")
    parser.add_argument(
        "--index", type=_names, default=(), metavar="NAMES", help="indices alone, as NIFTY,SENSEX (default: all)"
    )
    parser.add_argument("--out", metavar="FILE", help="where to (default: reports/DAY.html in the data directory)")
    add_settings(parser, (*DIRECTORY, "--indices", "--interval", "--at", "--ascii"))
    return parser


def _names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    if not all(name.replace("_", "").replace("&", "").replace("-", "").isalnum() for name in names):
        raise argparse.ArgumentTypeError(f"{shown(text)} is no list of indices such as NIFTY,SENSEX")
    return names
