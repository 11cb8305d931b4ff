"""`g6 overlay` writes a page and a picture, or says in one line why not."""

import struct
import zlib
from datetime import date, timedelta

import pytest

from g6.cli.overlay import main
from g6.cli.surroundings import Surroundings
from g6.errors import ConfigError

FRIDAY = date(2026, 11, 20)


@pytest.fixture
def root(recorded):
    history = {FRIDAY - timedelta(weeks=w): dict.fromkeys(range(555, 600), 200.0 + w) for w in (1, 2)}
    return recorded(folded=history, today=dict.fromkeys(range(555, 580), 210.0))


def overlay(root, *arguments):
    return main([*arguments, "--data-dir", str(root)], Surroundings({}, root.parent))


def pixels(data):
    """The size of a PNG picture and its distinct colours (8 bits a channel, every row filtered alike or not)."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    place, packed, size = 8, b"", (0, 0)
    while place < len(data):
        (length,), kind = struct.unpack(">I", data[place : place + 4]), data[place + 4 : place + 8]
        content = data[place + 8 : place + 8 + length]
        assert struct.unpack(">I", data[place + 8 + length : place + 12 + length])[0] == zlib.crc32(kind + content)
        size = struct.unpack(">II", content[:8]) if kind == b"IHDR" else size
        packed += content if kind == b"IDAT" else b""
        place += 12 + length
    return size, set(zlib.decompress(packed))


def test_page_and_picture_are_written_and_named_after_what_they_show(root, capsys):
    assert overlay(root, "--index", "NIFTY", "--out", "pictures") == 0
    name = "overlay-NIFTY-this_week-atm-2026-11-20"
    page, picture = (root.parent / "pictures" / f"{name}.{kind}" for kind in ("html", "png"))
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("NIFTY 50 this_week atm, Fri 20 Nov 2026: 210.00 at 09:39, +4.2% from the mean of 2")
    assert said[1:] == [str(page), str(picture)]
    assert page.read_text().startswith("<!doctype html>")
    size, values = pixels(picture.read_bytes())
    assert size == (1320, 696)
    assert len(values) > 20


def test_picture_can_be_drawn_of_a_day_alone_and_of_a_weekday_alone(recorded):
    alone = recorded(folded={}, today={555: 1.0}, name="alone")
    assert overlay(alone, "--index", "NIFTY") == 0
    past = recorded(folded={FRIDAY - timedelta(weeks=1): {555: 1.0, 556: 2.0}}, today={}, name="past")
    assert overlay(past, "--index", "NIFTY", "--date", "2026-11-20") == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--index"),
        (("--index", "NIFTY", "--offset", "../x"), "no offset such as"),
        (("--index", "NIFTY", "--offset", "p1m2"), "no offset such as"),
        (("--index", "NIFTY", "--expiry", "someday"), "someday"),
        (("--index", "NIFTY", "--date", "20/11"), "no day like"),
        (("--index", "BANKEX"), "nothing of BANKEX this_week atm is known"),
    ],
)
def test_wrong_arguments_are_told_in_one_line(root, arguments, said):
    with pytest.raises(ConfigError, match=said) as caught:
        overlay(root, *arguments)
    assert "\n" not in str(caught.value)
