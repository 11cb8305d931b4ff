"""`g6 restore`: a backup put back as a data directory, checked, its files completed from its journals."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from g6.cli.arguments import Parser
from g6.cli.surroundings import Surroundings
from g6.errors import ConfigError, G6Error, SinkError
from g6.settings import Argument, Settings, load

if TYPE_CHECKING:
    from g6.verification.result import Verification

EPILOG = """\
Every file is checked against the backup's list, before it is copied and after. Then the daily files are completed from
the journals, as after a crash, and every day that has a journal is verified as `g6 verify` does it, but for a database.
A day that was whole is as whole as before, or told. Run G6 on it with --data-dir DIR.

exit codes: 0 done; 2 SOURCE is no backup, or DIR holds something; 3 the backup is damaged, a file could not be
completed, or a day is worth less than its report in the backup says"""


class _Judged(NamedTuple):
    """A day that was put back: what to say of it, and whether it is as good as it was."""

    said: str
    well: bool


def main(argv: Sequence[str], around: Surroundings) -> int:
    """Restore and say what is there."""
    namespace = _parser().parse_strictly(argv)
    target = around.cwd / namespace.target
    own = {"storage.data_dir": Argument(str(target), "DIR")}
    settings = load(own, around.environ, around.cwd, namespace.config)
    from g6.maintenance.restore import restore  # noqa: PLC0415  heavy
    from g6.maintenance.supply import supply  # noqa: PLC0415
    from g6.storage.data_directory import DataDirectory  # noqa: PLC0415
    from g6.wiring import local_sinks  # noqa: PLC0415
    from g6.wiring.sources import load_market  # noqa: PLC0415

    manifest = restore(around.cwd / namespace.source, target)
    directory = DataDirectory(target)
    with directory.hold():
        sinks = local_sinks(settings, directory, load_market(settings))
        supplied = supply(directory.root, sinks, settings.storage.journal.max_bytes)
        judged = () if namespace.no_verify else tuple(_judged(directory.root, settings))
    minutes = sum(journal.minutes for journal in manifest.journals.values())
    _say(f"{target}: {len(manifest.files)} files of {manifest.made_at}, every checksum right, {minutes} minutes")
    _say(f"  {supplied.rows} rows of {supplied.days} days supplied from the journals")
    for day in judged:
        _say(f"  {day.said}")
    troubles = (*manifest.troubles, *supplied.errors)
    for trouble in troubles:
        _say(f"  {trouble}")
    return 3 if troubles or not all(day.well for day in judged) else 0


def _judged(root: Path, settings: Settings) -> Iterator[_Judged]:
    """Verify the days that have a journal; the others are archived, and their files' checksums say it all."""
    from g6.storage.data_directory import JOURNAL  # noqa: PLC0415  heavy
    from g6.storage.journal_set import days_in  # noqa: PLC0415

    for day in days_in(root / JOURNAL):
        try:
            yield _day_judged(root, day, settings)
        except ConfigError as error:  # nothing was due on it
            yield _Judged(f"{day}: not verified: {error}", well=True)
        except G6Error as error:
            yield _Judged(f"{day}: cannot be verified: {error}", well=False)


def _day_judged(root: Path, day: date, settings: Settings) -> _Judged:
    from g6.cli.verify import verified  # noqa: PLC0415  heavy
    from g6.verification import report_file  # noqa: PLC0415

    found, before = verified(root, settings, day, database=False), _report(root, day)
    said = f"{day}: verified, {found.score:.2f} of 100"
    worse = before is not None and before.until is None and found.score < before.score
    if before is None or before.until is not None or worse:
        report_file.store(root, found)
    return _Judged(f"{said}; its report said {before.score:.2f}" if before and worse else said, well=not worse)


def _report(root: Path, day: date) -> "Verification | None":
    """Return the report on a day that came with the copy; None where there is none that can be read."""
    from g6.verification import report_file  # noqa: PLC0415  heavy

    try:
        return report_file.load(root, day)
    except SinkError:
        return None


def _parser() -> Parser:
    parser = Parser(
        prog="g6 restore", description="Puts a backup into a new data directory.", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    parser.add_argument("source", type=Path, metavar="SOURCE", help="a folder made by g6 backup")
    parser.add_argument("target", type=Path, metavar="DIR", help="a new or empty folder")
    parser.add_argument("--no-verify", action="store_true", help="leave out that the days are verified")
    parser.add_argument("--config", metavar="FILE", help="YAML or JSON file (default: $G6_CONFIG, or config/g6.yaml)")
    return parser


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
