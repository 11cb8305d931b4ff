"""`g6 config`: show what is in force, check a file, write a first one."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from g6.cli.arguments import Parser, add_settings, settings_of
from g6.cli.surroundings import Surroundings
from g6.errors import ConfigError
from g6.settings import Settings, load
from g6.settings.checks import problems_of, unknown_key
from g6.settings.layers import layer_of
from g6.settings.loading import DEFAULT_FILE, read_configuration
from g6.settings.schema import find
from g6.settings.template import template
from g6.settings.wording import shown, written

SHOW = """\
examples:
  g6 config show                        every key
  g6 config show metrics                one section
  g6 config show storage.data_dir --json --provider replay"""


def main(argv: Sequence[str], around: Surroundings) -> int:
    """Run one of the actions; raise `ConfigError` for everything that a person must mend."""
    namespace = _parser().parse_strictly(argv)
    return ACTIONS[namespace.action](namespace, around)


def _show(namespace: argparse.Namespace, around: Surroundings) -> int:
    settings = load(settings_of(namespace), around.environ, around.cwd, namespace.config)
    wanted = _below(settings, namespace.key)
    if namespace.json:
        listed = {key: {"value": settings.values[key], "origin": settings.origins[key]} for key in wanted}
        _say(json.dumps(listed, indent=2))
        return 0
    if namespace.key is None:
        _say(f"configuration file: {settings.file}")
    rows = [(key, written(settings.values[key]), settings.origins[key]) for key in wanted]
    # A known section without a value is index_params with nothing in it.
    _say(_table(rows or [(namespace.key, "{}", "default")]))
    return 0


def _check(namespace: argparse.Namespace, around: Surroundings) -> int:
    document = read_configuration(around.cwd / namespace.file, around.cwd)
    if problems := problems_of(document):
        raise ConfigError("\n".join(problems))
    count = len(layer_of(document))
    _say(f"{namespace.file}: ok, {count} {'key' if count == 1 else 'keys'}")
    return 0


def _init(namespace: argparse.Namespace, around: Surroundings) -> int:
    path = around.cwd / namespace.path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w" if namespace.force else "x", encoding="utf-8") as file:
            file.write(template())
    except FileExistsError:
        raise ConfigError(f"{namespace.path}: exists already; --force overwrites it") from None
    except OSError as error:
        raise ConfigError(f"{namespace.path}: cannot be written: {error.strerror}") from error
    _say(f"{namespace.path}: written; every key is there with its default, commented out")
    return 0


ACTIONS: Mapping[str, Callable[[argparse.Namespace, Surroundings], int]] = {
    "show": _show,
    "check": _check,
    "init": _init,
}


def _parser() -> Parser:
    parser = Parser(prog="g6 config", description="Shows, checks and writes the configuration.", allow_abbrev=False)
    actions = parser.add_subparsers(dest="action", required=True, metavar="show|check|init")
    show = actions.add_parser(
        "show", help="what is in force, and where each value came from", allow_abbrev=False,
        epilog=SHOW, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    show.add_argument("key", nargs="?", metavar="KEY", help="a key or a section")
    show.add_argument("--json", action="store_true", help="one JSON object: key to value and origin")
    add_settings(show)
    check = actions.add_parser("check", help="check one file by itself", allow_abbrev=False)
    check.add_argument("file", metavar="FILE", type=Path)
    init = actions.add_parser("init", help="write a file with every key, commented out", allow_abbrev=False)
    init.add_argument("path", nargs="?", metavar="PATH", type=Path, default=DEFAULT_FILE)
    init.add_argument("--force", action="store_true", help="overwrite the file")
    return parser


def _below(settings: Settings, key: str | None) -> list[str]:
    """Return the keys to show: all, one, or those of a section; of index_params there may be none."""
    if key is None:
        return list(settings.values)
    if find(key) is None:
        raise ConfigError(f"{shown(key)}: {unknown_key(key)}")
    return [known for known in settings.values if known == key or known.startswith(f"{key}.")]


def _table(rows: Sequence[tuple[str, str, str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [f"{key:<{widths[0]}}  {value:<{widths[1]}}  {origin}".rstrip() for key, value, origin in rows]
    return "\n".join(lines)


def _say(text: str) -> None:
    # A path may hold what the terminal's encoding does not.
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
