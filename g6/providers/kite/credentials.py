"""Whose app asks: the key and the secret of an account, from the environment or from private files."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from g6.errors import ConfigError
from g6.logs import register_secret
from g6.providers.kite.options import KiteOptions
from g6.providers.kite.token_file import read_private

MAIN = "main"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class Account:
    """One Kite Connect app. `api_secret` is needed for a login alone; `access_token` is one handed in ready-made."""

    name: str
    api_key: str = field(repr=False)
    api_secret: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)


def find_account(name: str, environ: Mapping[str, str], options: KiteOptions) -> Account:
    """Return the account called `name`; its key is KITE_API_KEY for the main one, KITE_SECOND_API_KEY for `second`.

    Looked for in this order: the environment; the file of `KEY=value` lines that KITE_CREDENTIALS_FILE names
    (default ~/.config/g6/credentials); systemd's $CREDENTIALS_DIRECTORY, one file each, named in lower case. A server
    on this machine that nobody gave a key for is a simulator, whose app everybody knows. Raises ConfigError.
    """
    prefix = _prefix(name)
    names = {word: f"{prefix}_{word}" for word in ("API_KEY", "API_SECRET", "ACCESS_TOKEN")}
    sources = (environ, _of_file(environ), _of_directory(environ, names.values()))
    found = {word: _first(sources, variable) for word, variable in names.items()}
    _keep_secret(name, found.values(), options)
    if found["API_KEY"] is None and options.loopback:
        return _simulated(name)
    if found["API_KEY"] is None:
        raise ConfigError(
            f"no API key for the Kite account {name}: set {names['API_KEY']} and {names['API_SECRET']} in the "
            f"environment or in {credentials_path(environ)} (mode 600); an app is made at https://developers.kite.trade"
        )
    return Account(name, found["API_KEY"], found["API_SECRET"], found["ACCESS_TOKEN"])


def credentials_path(environ: Mapping[str, str]) -> Path:
    """Return where the file of keys is looked for."""
    if named := environ.get("KITE_CREDENTIALS_FILE"):
        return Path(named)
    return _base(environ, "XDG_CONFIG_HOME", ".config") / "g6" / "credentials"


def token_path(name: str, environ: Mapping[str, str], options: KiteOptions) -> Path:
    """Return where this account's token for this server is kept: a token never meets a server it is not for."""
    _check(name)
    parts = urlsplit(options.root)
    server = "" if options.official else "@" + re.sub(r"[^a-z0-9.-]", "-", parts.netloc.lower())
    return _base(environ, "XDG_STATE_HOME", ".local/state") / "g6" / f"kite-{name}{server}.token"


def _prefix(name: str) -> str:
    _check(name)
    return "KITE" if name == MAIN else f"KITE_{name.upper().replace('-', '_')}"


def _check(name: str) -> None:
    if not NAME.fullmatch(name):
        raise ConfigError(f"account {name!r}: a name is small letters, digits, - and _, 32 at most")


def _base(environ: Mapping[str, str], variable: str, otherwise: str) -> Path:
    named = Path(environ.get(variable, ""))
    if named.is_absolute():  # the base-directory specification: a relative one is to be ignored
        return named
    return Path(environ.get("HOME") or Path.home()) / otherwise


def _of_file(environ: Mapping[str, str]) -> Mapping[str, str]:
    try:
        text = read_private(credentials_path(environ))
    except FileNotFoundError:
        if "KITE_CREDENTIALS_FILE" in environ:
            raise ConfigError(f"{credentials_path(environ)}: KITE_CREDENTIALS_FILE names no file") from None
        return {}
    lines = [line.strip().removeprefix("export ") for line in text.splitlines()]
    pairs = [line.partition("=") for line in lines if line and not line.startswith("#")]
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}


def _of_directory(environ: Mapping[str, str], names: Iterable[str]) -> Mapping[str, str]:
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        return {}
    found = {}
    for name in names:
        # Its privacy is systemd's own work, by access lists that modes do not show.
        with suppress(FileNotFoundError):
            found[name] = (Path(folder) / name.lower()).read_text("utf-8")
    return found


def _first(sources: tuple[Mapping[str, str], ...], name: str) -> str | None:
    return next((text.strip() for source in sources if (text := source.get(name, "")).strip()), None)


def _keep_secret(name: str, values: Iterable[str | None], options: KiteOptions) -> None:
    """Keep them out of the log, but for a simulator's own, which everybody knows and whose key is a word."""
    simulated = _simulated(name)
    public = {simulated.api_key, simulated.api_secret} if options.loopback else set()
    for value in values:
        if value not in public:
            register_secret(value)


def _simulated(name: str) -> Account:
    word = "simulated" if name == MAIN else f"simulated-{name}"
    return Account(name, word, f"{word}-secret")
