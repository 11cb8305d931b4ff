"""Numbers out of the kernel's small files. What is absent, refused or garbage is None, never an error."""

from pathlib import Path

LONGEST_NUMBER_DIGITS = 20  # of 64 bits


def text_of(path: Path) -> str:
    """Return the file's text; empty where it cannot be read."""
    try:
        with path.open("rb", buffering=0) as file:  # a third of what buffers and a decoder would cost
            return file.read().decode("ascii", "replace")
    except OSError:
        return ""


def whole_number(text: str) -> int | None:
    """Return a whole number of up to 64 bits; None for anything else, the kernel's word `max` among it."""
    text = text.strip()
    return int(text) if text.isdigit() and text.isascii() and len(text) <= LONGEST_NUMBER_DIGITS else None


def number_at(text: str, key: str) -> int | None:
    """Return the number behind `key` in lines like `high 12` and `MemTotal:  16384 kB`."""
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == key:
            return whole_number(words[1])
    return None
