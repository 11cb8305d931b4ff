"""The other end of /health: asks a running agent how it is, and reads what it left where none answers."""

import http.client
import socket
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from g6.clock import IST
from g6.health.document import NotAStatus, StatusDocument, decode
from g6.health.seen import Seen
from g6.health.state_file import LARGEST_BYTES, read_state
from g6.health.wording import DAY, duration

PATH = "/health"
TIMEOUT_SECONDS = 3.0
# A process is older than what it says of its start, but not by more than the start takes.
START_TAKES = timedelta(minutes=2)
# Names that are listened on, and whom to ask then.
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing listens here


def address_of(host: str, port: int) -> str:
    """Return where an agent that listens on this host and port is asked."""
    host = EVERYWHERE.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def ask(addresses: Iterable[str], folder: Path, *, strict: bool = False) -> Seen:
    """Ask the agent at these addresses, then at the one that the folder's state file names; else tell what that says.

    One that records into another folder is the second choice; with `strict` it is none.
    """
    refusals: list[str] = []
    other: StatusDocument | None = None
    try:
        left = read_state(folder)
    except NotAStatus as error:
        left, refusals = None, [str(error)]
    own = [left.agent.url] if left and left.agent.url and not left.ended else []
    for address in dict.fromkeys((*addresses, *own)):
        try:
            document = _fetch(address)
        except (OSError, http.client.HTTPException, NotAStatus) as error:
            refusals.append(_why(address, error))
            continue
        if Path(document.agent.data_directory).resolve() == folder.resolve():
            return Seen(document, running=True, source="agent")
        other = other or document
        refusals.append(f"the g6 at {address} records into {document.agent.data_directory}")
    if other and not strict:
        return Seen(other, running=True, source="agent")
    return _from_file(left, folder, "; ".join(refusals))


def _fetch(address: str) -> StatusDocument:
    parts = urlsplit(address)
    if parts.scheme != "http" or not parts.hostname:
        raise NotAStatus("only http is spoken")
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", PATH)
        answer = connection.getresponse()
        body = answer.read(LARGEST_BYTES)
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise NotAStatus(f"it answers {PATH} with {answer.status}")
    return decode(body)


def _why(address: str, error: Exception) -> str:
    if isinstance(error, NotAStatus):
        return f"what answers at {address} is no g6 of this kind: {error}"
    if isinstance(error, ConnectionRefusedError):
        return f"nothing listens at {address}"
    return f"no answer from {address}: {error or type(error).__name__}"


def _from_file(left: StatusDocument | None, folder: Path, asked: str) -> Seen:
    if left is None:
        why = f" ({asked})" if asked else ""
        return Seen(
            None,
            running=False,
            source="nothing",
            note=f"not running: nothing answers, and {folder} holds no state of a g6{why}",
        )
    if left.ended is not None:
        how = "stopped" if left.ended.clean else "ended badly"
        return Seen(
            left, running=False, source="file", note=f"not running: {how} {_since(left.ended.at)}; {left.ended.reason}"
        )
    if not lives(left):
        return Seen(
            left,
            running=False,
            source="file",
            note=f"not running: it ended without a word; last heard {_since(left.written_at)}",
        )
    if not left.agent.url:  # its server is off: the file is all there is, and as it should be
        return Seen(left, running=True, source="file")
    note = (
        f"process {left.agent.pid} runs and does not answer ({asked}); this is its state of {_since(left.written_at)}"
    )
    return Seen(left, running=True, source="file", note=note)


def lives(document: StatusDocument) -> bool:
    """Return whether the process that wrote this still runs on this machine."""
    about = document.agent
    if about.host not in {"", socket.gethostname()}:
        return False
    try:
        created = datetime.fromtimestamp(psutil.Process(about.pid).create_time(), UTC)
    except (psutil.Error, ValueError, OverflowError):
        return False
    # Another process may have been given the number since.
    return abs(created - about.started_at) < START_TAKES


def _since(at: datetime) -> str:
    ago = duration((datetime.now(UTC) - at).total_seconds())
    return f"{at.astimezone(IST):{DAY}}, {ago} ago"
