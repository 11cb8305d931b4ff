"""Rows of comma-separated bytes as columns, without a Python object per field.

A hundred thousand rows of twelve fields are a million texts to `csv`: half a second and a hundred megabytes. Here a
file stays one buffer; a field is a place in it, and a column is one gathering of windows at those places.
"""

import csv
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from g6.model.columns import Bools, Dates, Floats, Ints
from g6.providers.kite.stamps import days_of

Bytes = npt.NDArray[np.uint8]
Raw = npt.NDArray[np.bytes_]

# Longest field that can be read; windows at the buffer's ends reach this far beyond its content.
WIDTH_MAX = 64
COMMA, NEWLINE, POINT = (ord(character) for character in ",\n.")


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows of equally many fields: the field in row r, column c is `buffer[begin[r, c] : end[r, c]]`."""

    buffer: Bytes
    begin: Ints
    end: Ints

    def __len__(self) -> int:
        return len(self.begin)

    def take(self, mask: Bools) -> "Rows":
        """Return the rows where `mask` is true."""
        return self if mask.all() else Rows(self.buffer, self.begin[mask], self.end[mask])

    def text(self, column: int, width: int) -> Raw:
        """Return the column's fields, at most `width` bytes each; a longer one is given as an empty one."""
        lengths = self.end[:, column] - self.begin[:, column]
        lengths[lengths > width] = 0
        width = int(lengths.max(initial=1))  # most are far shorter than they may be
        windows = np.lib.stride_tricks.sliding_window_view(self.buffer, width)
        fields = windows[self.begin[:, column]]
        fields *= np.arange(width) < np.expand_dims(lengths, 1)
        return fields.view(f"S{width}")[:, 0]


def split(body: bytes, width: int) -> tuple[Rows, int]:
    """Return the lines that have `width` fields, and how many have another number; empty lines are none.

    Quotation marks are taken off; a comma or a line's end within them is replaced and does not divide.
    """
    margin = bytes(WIDTH_MAX)
    content = _plain(body)
    buffer = np.frombuffer(b"".join((margin, content, b"\n", margin)), dtype=np.uint8)
    # The place before the first field stands first, as if a line ended there.
    breaks = np.concatenate([[len(margin) - 1], np.flatnonzero((buffer == COMMA) | (buffer == NEWLINE))])
    last = np.flatnonzero(buffer[breaks] == NEWLINE)
    fields = np.diff(last, prepend=0)
    begin = breaks[last - fields] + 1
    empty = (fields == 1) & (begin == breaks[last])
    first = last[(fields == width) & ~empty] - width
    places = breaks[np.expand_dims(first, 1) + np.arange(width + 1)]
    wrong = int(((fields != width) & ~empty).sum())
    return Rows(buffer, places[:, :-1] + 1, places[:, 1:]), wrong


def _plain(body: bytes) -> bytes:
    """Return the body with bare line ends, no quotation marks, and no NUL: numpy takes one for a text's end."""
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n")
    body = body.replace(b"\0", b"?")
    if b'"' not in body:
        return body
    return b"\n".join(_unquoted(line) if b'"' in line else line for line in body.split(b"\n"))


def _unquoted(line: bytes) -> bytes:
    """Return a line without quotation marks; one that opens a quotation and does not close it has one field."""
    try:
        # Latin 1 takes any byte and gives it back.
        fields = next(csv.reader([line.decode("latin-1")], strict=True), [])
    except csv.Error:  # the loss of this row, not of what follows
        return b"?"
    return ",".join(field.replace(",", ";").replace("\n", ";") for field in fields).encode("latin-1")


def letters_of(characters: str) -> Bools:
    """Return a table of 256: whether a byte is one of these characters; NUL, the padding, is."""
    table = np.zeros(256, dtype=np.bool_)
    table[[0, *characters.encode("ascii")]] = True
    return table


def made_of(texts: Raw, letters: Bools, first: Bools) -> Bools:
    """Return which texts have only bytes of a table, and begin with one of another; an empty text does not."""
    grid = _grid(texts)
    allowed: Bools = np.all(letters[grid], axis=1) & first[grid[:, 0]] & (grid[:, 0] != 0)
    return allowed


def whole_numbers(texts: Raw) -> Ints:
    """Return decimal digits as numbers, −1 for what is none; the texts have at most 16 bytes."""
    values, digits, _ = _decimal(texts)
    return np.where((digits > 0) & (digits == np.char.str_len(texts)), values, -1)


def numbers(texts: Raw) -> Floats:
    """Return digits with at most one decimal point as numbers, NaN for what is none; they have at most 16 bytes.

    The quotient of two whole numbers that a float holds exactly is what `float(text)` gives, to the last bit.
    """
    values, digits, decimals = _decimal(texts)
    points = (_grid(texts) == POINT).sum(axis=1)
    sound = (digits > 0) & (points <= 1) & (digits + points == np.char.str_len(texts))
    return np.where(sound, values / 10.0**decimals, np.nan)


def _decimal(texts: Raw) -> tuple[Ints, Ints, Ints]:
    """Return what a text's digits make in a row, how many there are, and how many of them follow a point."""
    grid = _grid(texts)
    values, count, decimals = (np.zeros(len(texts), dtype=np.int64) for _ in range(3))
    behind = np.zeros(len(texts), dtype=np.bool_)
    for place in range(grid.shape[1]):
        digit = grid[:, place] - np.uint8(ord("0"))  # wraps: what is below "0" becomes large
        is_digit = digit <= 9
        values = np.where(is_digit, values * 10 + digit, values)
        count += is_digit
        decimals += is_digit & behind
        behind |= grid[:, place] == POINT
    return values, count, decimals


def days(texts: Raw) -> Dates:
    """Return YYYY-MM-DD texts as days, NaT for what is none; the texts have at most 10 bytes."""
    grid = _grid(texts.astype("S10"))
    digits = grid[:, [0, 1, 2, 3, 5, 6, 8, 9]] - np.uint8(ord("0"))
    sound: Bools = np.all(digits <= 9, axis=1) & np.all(grid[:, [4, 7]] == ord("-"), axis=1)
    d = np.where(np.expand_dims(sound, 1), digits, 1).astype(np.int64)
    year = d[:, 0] * 1000 + d[:, 1] * 100 + d[:, 2] * 10 + d[:, 3]
    number, exists = days_of(year, d[:, 4] * 10 + d[:, 5], d[:, 6] * 10 + d[:, 7])
    return np.where(sound & exists, number.astype("datetime64[D]"), np.datetime64("NaT", "D"))


def _grid(texts: Raw) -> Bytes:
    return np.ascontiguousarray(texts).view(np.uint8).reshape(len(texts), texts.dtype.itemsize)
