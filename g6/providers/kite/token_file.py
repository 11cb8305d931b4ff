"""The access token on disk: one small file that only its owner can read, replaced as a whole."""

import json
import os
import stat
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from g6.clock import IST
from g6.errors import ConfigError
from g6.logs import register_secret

# Zerodha ends every session at this time of the next day.
END_OF_TOKENS = time(6, 0)
LARGEST_BYTES = 16_384

Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Token:
    """What a login gave. Instants are aware, IST; the token itself and its app's key are in no repr."""

    api_key: str = field(repr=False)
    access_token: str = field(repr=False)
    user_id: str
    login_at: datetime
    expires_at: datetime


def expiry_of(login_at: datetime) -> datetime:
    """Return the instant at which a token of this login dies: the next 06:00 IST."""
    login_at = login_at.astimezone(IST)
    morning = datetime.combine(login_at.date(), END_OF_TOKENS, IST)
    return morning if login_at < morning else morning + timedelta(days=1)


class TokenFile:
    """A token at `path`. A file that others can read, or could have put there, is refused, as ssh refuses such keys."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def stamp(self) -> Stamp | None:
        """Return what changes whenever the file is written anew; None where there is none. Costs one `stat`."""
        try:
            found = self.path.lstat()
        except OSError:
            return None
        return found.st_ctime_ns, found.st_ino, found.st_size

    def read(self) -> Token | None:
        """Return the token, None where there is no file; raise ConfigError for one that must not be trusted."""
        try:
            text = read_private(self.path, folder_too=True)
        except FileNotFoundError:
            return None
        try:
            token = _token(json.loads(text))
        except (ValueError, KeyError, TypeError):
            raise ConfigError(f"{self.path}: no token that g6 wrote; run `g6 login`") from None
        register_secret(token.access_token)
        return token

    def write(self, token: Token) -> None:
        """Replace the file by this token, durably, readable by its owner alone. Raises ConfigError."""
        register_secret(token.access_token)
        folder = self.path.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _refuse_open(folder, folder.stat())
            beside = self.path.with_name(f".{self.path.name}.{os.getpid()}")
            beside.unlink(missing_ok=True)
            try:
                _write_new(beside, _text(token))
                beside.replace(self.path)
            finally:
                beside.unlink(missing_ok=True)
            _sync_folder(folder)
        except OSError as error:
            raise ConfigError(f"{self.path}: the token cannot be kept: {error.strerror}") from error

    def delete(self) -> None:
        """Remove the file, if it is there. Raises ConfigError."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise ConfigError(f"{self.path}: cannot be removed: {error.strerror}") from error


def read_private(path: Path, *, folder_too: bool = False) -> str:
    """Return the text of a file that is its owner's alone.

    Raises FileNotFoundError, and ConfigError for anything that is not a plain file of this user (or of root) that
    nobody else can read; with `folder_too` nobody else may write in its folder either.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(path) from None
    except OSError as error:  # a symbolic link answers ELOOP
        raise ConfigError(f"{path}: cannot be read as a private file: {error.strerror}") from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise ConfigError(f"{path}: no plain file")
        _refuse_open(path, found)
        if folder_too:
            _refuse_open(path.parent, path.parent.stat())
        return os.read(descriptor, LARGEST_BYTES).decode("utf-8", "replace")
    finally:
        os.close(descriptor)


def _refuse_open(path: Path, found: os.stat_result) -> None:
    """Refuse a file that others can read, and a folder in which others can put one."""
    if found.st_uid not in {os.geteuid(), 0}:
        raise ConfigError(f"{path}: belongs to another user, so it is not trusted with a token")
    is_folder = stat.S_ISDIR(found.st_mode)
    if found.st_mode & (0o022 if is_folder else 0o077):
        mode = stat.S_IMODE(found.st_mode)
        raise ConfigError(f"{path}: open to others (mode {mode:03o}); run `chmod {700 if is_folder else 600} {path}`")


def _write_new(path: Path, text: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _text(token: Token) -> str:
    document = {
        "api_key": token.api_key,
        "access_token": token.access_token,
        "user_id": token.user_id,
        "login_at": token.login_at.isoformat(),
        "expires_at": token.expires_at.isoformat(),
    }
    return json.dumps(document, indent=1) + "\n"


def _token(document: Any) -> Token:
    return Token(
        api_key=_word(document["api_key"]),
        access_token=_word(document["access_token"]),
        user_id=_word(document["user_id"]),
        login_at=_instant(document["login_at"]),
        expires_at=_instant(document["expires_at"]),
    )


def _word(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("not a word")
    return value


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("an instant without its offset")
    return instant.astimezone(IST)
