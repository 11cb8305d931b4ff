"""The agent in a process of its own, among libraries and threads that are careless with its secrets.

`CANARY_PLAIN=1` takes the redaction away: what is careless must then be seen, or nobody looks.
"""

import os
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

from g6 import cli
from g6.logs import formatters, guard, outlets
from g6.providers.kite import transport
from g6.providers.kite.token_file import TokenFile


def main() -> int:
    if os.environ.get("CANARY_PLAIN"):
        for module in (cli, formatters, guard):
            module.redact = str  # type: ignore[assignment]
    _tell_requests()
    _be_careless_once_the_log_is_there()
    return cli.main()


def _tell_requests() -> None:
    """Have the vendor's client log its requests and answers, which its own switch for debugging does."""
    make = transport.KiteConnect.__init__

    def made(self: Any, *arguments: Any, **named: Any) -> None:
        make(self, *arguments, **named, debug=True)

    transport.KiteConnect.__init__ = made


def _be_careless_once_the_log_is_there() -> None:
    emit, done = outlets.RootHandler.emit, threading.Event()

    def first(self: Any, record: Any) -> None:
        emit(self, record)
        if "minute" in record.name and not done.is_set():
            done.set()
            threading.Thread(target=_fail, name="careless").start()
            warnings.warn(f"a key such as {os.environ['KITE_API_KEY']}", RuntimeWarning, stacklevel=1)

    outlets.RootHandler.emit = first  # type: ignore[method-assign]


def _fail() -> None:
    (path,) = (Path(os.environ["XDG_STATE_HOME"]) / "g6").glob("*.token")
    token = TokenFile(path).read()
    assert token is not None
    try:
        raise ConnectionError(f"Authorization: token {token.api_key}:{token.access_token}")
    except ConnectionError as error:
        raise ValueError(f"the database's is {os.environ['INFLUXDB_TOKEN']}") from error


if __name__ == "__main__":
    sys.exit(main())
