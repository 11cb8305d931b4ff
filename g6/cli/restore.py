"""`g6 restore`: a backup put back as a data directory, checked, its files completed from its journals."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from g6.cli.arguments import Parser
from g6.cli.surroundings import Surroundings
from g6.settings import Argument, load

EPILOG = """\
Every file is checked against the backup's list, before it is copied and after. Then the daily files are completed from
the journals, as after a crash. Run G6 on it with --data-dir DIR.

exit codes: 0 done; 2 SOURCE is no backup, or DIR holds something; 3 the backup is damaged, or a file could not be
completed"""


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
    minutes = sum(journal.minutes for journal in manifest.journals.values())
    _say(f"{target}: {len(manifest.files)} files of {manifest.made_at}, every checksum right, {minutes} minutes")
    _say(f"  {supplied.rows} rows of {supplied.days} days supplied from the journals")
    troubles = (*manifest.troubles, *supplied.errors)
    for trouble in troubles:
        _say(f"  {trouble}")
    return 3 if troubles else 0


def _parser() -> Parser:
    parser = Parser(
        prog="g6 restore", description="Puts a backup into a new data directory.", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    parser.add_argument("source", type=Path, metavar="SOURCE", help="a folder made by g6 backup")
    parser.add_argument("target", type=Path, metavar="DIR", help="a new or empty folder")
    parser.add_argument("--config", metavar="FILE", help="YAML or JSON file (default: $G6_CONFIG, or config/g6.yaml)")
    return parser


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
