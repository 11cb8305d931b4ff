"""The state file over an agent's life: there from the start, and the last thing that is written."""

from collections.abc import Iterator
from contextlib import contextmanager

from g6.health.state_file import StateFile
from g6.health.status import Health


@contextmanager
def last_words(health: Health, file: StateFile) -> Iterator[None]:
    """Write the state before the block, and after it how it ended. Inside, whoever wants writes as often as they like.

    An end that `health.ending` was told of is that one; an exception that nobody told of is no clean end.
    """
    file.write(health.document())
    try:
        yield
    except KeyboardInterrupt:
        health.ending("interrupted")
        raise
    except BaseException as error:
        health.ending(" ".join(f"{type(error).__name__}: {error}".split()), clean=False)
        raise
    finally:
        file.write(health.last_words())
