"""`g6 login`: a person logs in to Kite once a day; what runs takes the new token over by itself."""

import argparse
import sys
import webbrowser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from g6.cli.arguments import Parser
from g6.cli.surroundings import Surroundings
from g6.clock import SystemClock
from g6.errors import ConfigError
from g6.providers.kite.credentials import MAIN, find_account, token_path
from g6.providers.kite.login import LoginFlow
from g6.providers.kite.options import KiteOptions, options_for
from g6.providers.kite.redirect import REDIRECT, WAIT_SECONDS, Listener
from g6.providers.kite.token_file import TokenFile
from g6.settings import load

MUST_LOG_IN = 4
STDIN = "-"
LONGEST_WAIT_SECONDS = 86_400.0

DESCRIPTION = """\
Logs in to Kite: opens the broker's page in a browser, waits for it to come back, and keeps the access token, which is
valid until 06:00 IST of the next day. A running g6 takes it over within seconds."""

EPILOG = """\
examples:
  g6 login                                    every morning, at a machine with a browser
  g6 login --no-browser --request-token -     at one without: paste the address the browser ends at
  g6 login --status                           exit 0 when the token is good, 4 when a person must log in
  g6 login --root http://127.0.0.1:8765       at a simulator (g6 simulate)

The app's redirect URL, set at https://developers.kite.trade, must be the --redirect address. Its key and secret come
from KITE_API_KEY and KITE_API_SECRET (KITE_SECOND_API_KEY ... for --account second), or from a file of mode 600."""


@dataclass(frozen=True, slots=True)
class LoginOrder:
    """Which account at which server, where its token is kept (None: the account's own place), and how to get one."""

    account: str = MAIN
    options: KiteOptions = field(default_factory=KiteOptions)
    token_file: Path | None = None
    redirect: str = REDIRECT
    browser: bool = True
    request_token: str | None = None  # "-": read it from standard input
    wait_seconds: float = WAIT_SECONDS


def main(argv: Sequence[str], around: Surroundings) -> int:
    """Log in, out, or say how it stands; return the exit code."""
    namespace = _parser().parse_strictly(argv)
    # The running g6 is configured by the same file, and looks for the token where this puts it.
    kite = load({}, around.environ, around.cwd, namespace.config).providers.kite
    options = options_for(namespace.root or kite.root)
    order = LoginOrder(
        account=namespace.account,
        options=options,
        token_file=_token_file(namespace, around, kite.state_dir, options),
        redirect=namespace.redirect,
        browser=not namespace.no_browser,
        request_token=namespace.request_token,
        wait_seconds=namespace.wait,
    )
    if namespace.status:
        return status(order, around.environ)
    return logout(order, around.environ) if namespace.logout else login(order, around.environ)


def _token_file(
    namespace: argparse.Namespace, around: Surroundings, folder: Path | None, options: KiteOptions
) -> Path | None:
    if namespace.token_file is not None:
        return around.cwd / Path(namespace.token_file)
    return folder and folder / token_path(namespace.account, around.environ, options).name


Browse = Callable[[str], bool]


def login(order: LoginOrder, environ: Mapping[str, str], browse: Browse = webbrowser.open) -> int:
    """Get a request token by way of a person, exchange it, keep the access token; raise AuthError when refused."""
    flow = flow_of(order, environ)
    token = flow.exchange(_handed_in(order, flow) if order.request_token else _fetched(order, flow, environ, browse))
    _say(f"logged in as {token.user_id}, valid until {token.expires_at:%a %d %b %H:%M} IST")
    return 0


def status(order: LoginOrder, environ: Mapping[str, str]) -> int:
    """Say how the login stands; return 0 when its token is good, 4 when a person must log in."""
    standing = flow_of(order, environ).status()
    _say(standing.sentence)
    return 0 if standing.usable else MUST_LOG_IN


def logout(order: LoginOrder, environ: Mapping[str, str]) -> int:
    """End the session and delete the token."""
    _say(flow_of(order, environ).logout().sentence)
    return 0


def flow_of(order: LoginOrder, environ: Mapping[str, str]) -> LoginFlow:
    """Return the flow for this account, with the credentials of the environment. Raises ConfigError."""
    account = find_account(order.account, environ, order.options)
    path = order.token_file or token_path(order.account, environ, order.options)
    return LoginFlow(account, order.options, TokenFile(path), SystemClock())


def _handed_in(order: LoginOrder, flow: LoginFlow) -> str:
    if order.request_token not in {None, STDIN}:
        return str(order.request_token)
    if sys.stdin is None:  # it was closed before the start
        raise ConfigError("--request-token -: there is no standard input to read it from")
    if sys.stdin.isatty():
        _say(f"log in at {flow.login_url}\nand paste the address that the browser is sent to:")
    return sys.stdin.readline()


def _fetched(order: LoginOrder, flow: LoginFlow, environ: Mapping[str, str], browse: Browse) -> str:
    with Listener(order.redirect) as listener:
        opened = order.browser and _has_display(environ) and _opened(flow.login_url, browse)
        _say(f"{'your browser shows' if opened else 'log in at'} {flow.login_url}")
        _say(f"waiting for it to come back to {listener.address} ...")
        return listener.wait(order.wait_seconds)


def _has_display(environ: Mapping[str, str]) -> bool:
    """Tell whether a browser would have a window; one in the terminal would take it over."""
    return sys.platform == "darwin" or bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))


def _opened(url: str, browse: Browse) -> bool:
    try:
        return browse(url)
    except (webbrowser.Error, OSError):
        return False


def _parser() -> Parser:
    parser = Parser(
        prog="g6 login",
        description=DESCRIPTION,
        epilog=EPILOG,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--status", action="store_true", help="say how the login stands; exit 0 or 4")
    action.add_argument("--logout", action="store_true", help="end the session and delete the token")
    action.add_argument(
        "--request-token", metavar="T|-", help="exchange this one; - reads it, or its address, from stdin"
    )
    parser.add_argument("--account", default=MAIN, metavar="NAME", help="which account (default: main)")
    parser.add_argument("--root", metavar="URL", help="another server, such as a simulator (providers.kite.root)")
    parser.add_argument("--config", metavar="FILE", help="YAML or JSON file (default: $G6_CONFIG, or config/g6.yaml)")
    parser.add_argument(
        "--token-file", type=Path, metavar="FILE", help="keep the token here (default: ~/.local/state/g6)"
    )
    parser.add_argument(
        "--redirect", default=REDIRECT, metavar="URL", help=f"where to wait for the browser ({REDIRECT})"
    )
    parser.add_argument("--no-browser", action="store_true", help="print the address only")
    parser.add_argument(
        "--wait", type=_seconds, default=WAIT_SECONDS, metavar="S", help="for how long (default: 300 s)"
    )
    return parser


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= LONGEST_WAIT_SECONDS:
        raise ValueError(text)
    return seconds


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
