"""A server that has the exchange's files, or fails as it does."""

from collections.abc import Callable, Iterator

import pytest
from participant_files import FileServer


@pytest.fixture
def serve() -> Iterator[Callable[..., FileServer]]:
    """Starts servers that answer as they are told."""
    started: list[FileServer] = []

    def start(answer: Callable[[str, int], tuple[int, str, int | None]]) -> FileServer:
        started.append(FileServer(answer))
        return started[-1]

    yield start
    for server in started:
        server.close()
