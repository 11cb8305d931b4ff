"""`g6 backup`: a consistent copy of the data directory, also while a collector runs on it."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from g6.cli.arguments import DIRECTORY, Parser, add_settings, settings_of
from g6.cli.surroundings import Surroundings
from g6.settings import load

EPILOG = """\
examples:
  g6 backup /backup/g6/2026-11-20
  g6 restore /backup/g6/2026-11-20 data/restored

The journals are copied as they are at one moment, and the files so that the journals can complete them. The copy
carries checksums; `g6 restore` checks them. What is in a database such as InfluxDB is not copied: `g6 rebuild` sends
it again.

exit codes: 0 done; 2 the target exists, or there is no space; 3 something could not be copied as it should"""


def main(argv: Sequence[str], around: Surroundings) -> int:
    """Copy and say what was copied."""
    namespace = _parser().parse_strictly(argv)
    settings = load(settings_of(namespace), around.environ, around.cwd, namespace.config)
    from g6.checks.snapshot import source_of  # noqa: PLC0415  heavy
    from g6.maintenance.backup import backup  # noqa: PLC0415

    root = source_of(settings)
    manifest = backup(root, around.cwd / namespace.target)
    minutes = sum(journal.minutes for journal in manifest.journals.values())
    size = f"{len(manifest.files)} files, {manifest.bytes / 1e6:.1f} MB"
    sys.stdout.write(f"{root}: {len(manifest.journals)} journals of {minutes} minutes, {size} -> {namespace.target}\n")
    for trouble in manifest.troubles:
        sys.stdout.write(f"  {trouble}\n")
    return 3 if manifest.troubles else 0


def _parser() -> Parser:
    parser = Parser(
        prog="g6 backup", description="Copies the data directory, also while a collector runs.", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    parser.add_argument("target", type=Path, metavar="TARGET", help="a folder that does not exist yet")
    add_settings(parser, DIRECTORY)
    return parser
