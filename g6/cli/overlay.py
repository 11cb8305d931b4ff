"""`g6 overlay`: a day's total premium over what the same weekday was before, as a page and a picture."""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from g6.cli.arguments import DIRECTORY, Parser, add_settings, day_of, settings_of
from g6.cli.surroundings import Surroundings
from g6.errors import ConfigError
from g6.model.chain import EXPIRY_CODES
from g6.settings import load
from g6.settings.wording import shown
from g6.storage.csv_layout import PREMIUM_COLUMNS

if TYPE_CHECKING:
    from g6.reports.overlay import Overlay

EPILOG = """\
The profile is made of the folded days of the same weekday before the day: their mean, their exponential mean, the
middle half of them at each minute, and their extremes. A pair such as p1m1 is the mean of the strikes above and below.

examples:
  g6 overlay --index NIFTY                              the last recorded day, this week's expiry, the ATM straddle
  g6 overlay --index SENSEX --expiry next_week --offset p1m1 --date 2026-11-19 --out pictures/

With --price-basis the totals are made again from the recorded legs, of every day that is still there, on the last
traded prices or on the day's average prices; `g6 basis` tells how noisy either is.

exit codes: 0 written; 2 bad configuration or arguments, or nothing is known; 3 a file cannot be read or written"""


def main(argv: Sequence[str], around: Surroundings) -> int:
    """Write the page and the picture, and say what they show."""
    namespace = _parser().parse_strictly(argv)
    settings = load(settings_of(namespace), around.environ, around.cwd, namespace.config)
    # What draws and what knows the data directory is heavy; the other commands do without it.
    from g6.checks.snapshot import source_of  # noqa: PLC0415
    from g6.reports.overlay import overlay_of  # noqa: PLC0415
    from g6.reports.overlay_page import overlay_page  # noqa: PLC0415
    from g6.reports.overlay_picture import overlay_picture  # noqa: PLC0415

    root = around.cwd / source_of(settings)
    if namespace.price_basis is None:
        overlay = overlay_of(root, namespace.index, namespace.expiry, namespace.offset, namespace.date)
    else:
        overlay = _made_again(root, namespace)
    basis = f"-{overlay.price_basis}" if overlay.price_basis else ""
    name = f"overlay-{overlay.index}-{overlay.expiry_code}-{overlay.offset}{basis}-{overlay.day.isoformat()}"
    folder = _made(around.cwd / namespace.out)
    page, picture = folder / f"{name}.html", folder / f"{name}.png"
    try:
        page.write_text(overlay_page(overlay), "utf-8")
    except OSError as error:
        raise ConfigError(f"--out: cannot write {page}: {error.strerror}") from error
    overlay_picture(overlay, picture)
    sys.stdout.write(f"{overlay}\n{page}\n{picture}\n")
    return 0


def _made_again(root: Path, namespace: argparse.Namespace) -> "Overlay":
    """Return the overlay of recorded days: the masters have one price basis alone."""
    from g6.history.masters_anew import remembered  # noqa: PLC0415
    from g6.history.premiums import recorded_totals  # noqa: PLC0415
    from g6.masters.totals import Group  # noqa: PLC0415
    from g6.reports.overlay import overlay_of_days  # noqa: PLC0415

    if not root.is_dir():
        raise ConfigError(f"{root} is not there; name a data directory with --data-dir")
    group, basis = Group(namespace.index, namespace.expiry), namespace.price_basis
    days = recorded_totals(root, *group, namespace.offset, basis)
    smoothing, shown_as = remembered(root, namespace.index)
    return overlay_of_days(
        days, group, namespace.offset, namespace.date, display_name=shown_as, smoothing=smoothing, price_basis=basis
    )


def _parser() -> Parser:
    parser = Parser(
        prog="g6 overlay",
        description="Draws a day's total premium over its weekday's profile.",
        epilog=EPILOG,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--index", required=True, metavar="NAME", help="index, as NIFTY")
    parser.add_argument("--expiry", default="this_week", choices=EXPIRY_CODES, help="expiry code (default: this_week)")
    parser.add_argument(
        "--offset", default="atm", type=_offset, metavar="O",
        help="strikes from the ATM: atm, p1, m2, or a pair, p1m1 (default: atm)",
    )  # fmt: skip
    parser.add_argument("--date", type=day_of, metavar="D", help="day, YYYY-MM-DD (default: the last recorded)")
    parser.add_argument(
        "--price-basis", choices=PREMIUM_COLUMNS,
        help="last or average traded prices, made again from the recorded days (default: the masters as they are)",
    )  # fmt: skip
    parser.add_argument("--out", default=".", metavar="DIR", help="folder for the files (default: this one)")
    add_settings(parser, DIRECTORY)
    return parser


def _offset(text: str) -> str:
    if re.fullmatch(r"atm|[pm][1-9][0-9]{0,3}|p([1-9][0-9]{0,3})m\1", text) is None:
        raise argparse.ArgumentTypeError(f"{shown(text)} is no offset such as atm, p1, m2 or p1m1")
    return text


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out: cannot make {folder}: {error.strerror}") from error
    return folder
