"""The page needs nothing but itself, and what is drawn stands where the numbers say."""

import re
from datetime import date, timedelta
from html.parser import HTMLParser
from itertools import pairwise
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from g6.reports.axes import Scale, ticks
from g6.reports.overlay import overlay_of
from g6.reports.overlay_page import overlay_page

FRIDAY = date(2026, 11, 20)
MINUTES = range(555, 675)


@pytest.fixture
def page(recorded):
    history = {FRIDAY - timedelta(weeks=w): {m: 200.0 + 10 * w - (m - 555) / 10 for m in MINUTES} for w in range(1, 6)}
    today = {m: 150.0 + m for m in MINUTES if not 600 <= m < 620}
    return overlay_page(overlay_of(recorded(folded=history, today=today), "NIFTY", "this_week", "atm"))


def drawing(page):
    return ET.fromstring(re.search(r"<svg.*</svg>", page, re.DOTALL)[0])


def points(text):
    return [tuple(map(float, point.split(","))) for point in text.replace("M", " ").split()]


def test_page_is_whole_and_refers_to_nothing_outside(page):
    open_tags, found = [], []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            found.append((tag, dict(attrs)))
            if tag not in {"meta", "line", "path", "polygon", "circle"}:
                open_tags.append(tag)

        def handle_startendtag(self, tag, attrs):
            found.append((tag, dict(attrs)))

        def handle_endtag(self, tag):
            assert open_tags.pop() == tag

    Reader().feed(page)
    assert open_tags == []
    assert {"script", "link", "img", "iframe"}.isdisjoint(tag for tag, _ in found)
    assert not [attrs for _, attrs in found if {"href", "src"} & attrs.keys()]
    assert "url(" not in page
    assert "://" not in page


def test_line_of_the_day_breaks_where_minutes_are_missing(page):
    (path,) = [p for p in drawing(page).iter("path") if p.get("class") == "line day"]
    assert [len(points(stroke)) for stroke in path.get("d").split(" M")] == [45, 55]


def test_higher_premium_stands_higher_and_later_minutes_further_right(page):
    svg = drawing(page)
    (path,) = [p for p in svg.iter("path") if p.get("class") == "line day"]
    places = points(path.get("d"))
    assert [x for x, _ in places] == sorted(x for x, _ in places)
    assert [y for _, y in places] == sorted((y for _, y in places), reverse=True)
    width, height = map(float, svg.get("viewBox").split()[2:])
    polygons = [points(p.get("points")) for p in svg.iter("polygon")]
    for x, y in [*places, *(point for polygon in polygons for point in polygon)]:
        assert 0 <= x <= width
        assert 0 <= y <= height


def test_each_minute_tells_its_numbers(page):
    told = [rect.find("title").text for rect in drawing(page).iter("rect")]
    assert len(told) == len(MINUTES)
    assert told[0] == "09:15: 705.00\nmean 230.00\nmiddle half 220.00 to 240.00\nlowest 210.00, highest 250.00"
    assert told[50].startswith("10:05: –\n")


def test_names_are_text_and_never_markup(recorded):
    root = recorded(folded={}, today={555: 1.0}, index_shown="<b>A&B</b>")
    page = overlay_page(overlay_of(root, "NIFTY", "this_week", "atm"))
    assert "<b>" not in page
    assert "&lt;b&gt;A&amp;B" in page
    assert drawing(page).get("aria-label").startswith("<b>A&B</b>")


@pytest.mark.parametrize(("low", "high"), [(160.0, 290.0), (0.0, 1.0), (-3.2, 4.1), (23000.0, 24150.0), (1e-3, 2e-3)])
def test_ticks_are_round_ascending_and_within(low, high):
    values = ticks(low, high)
    assert 3 <= len(values) <= 8
    assert low <= values[0] < values[-1] <= high
    steps = {f"{b - a:.6g}" for a, b in pairwise(values)}
    assert len(steps) == 1
    assert steps.pop().strip("0.").replace(".", "")[:2].rstrip("0") in {"1", "2", "25", "5"}


def test_scale_of_equal_values_puts_them_in_the_middle():
    assert Scale.around(np.array([7.0, 7.0]), 100.0, 0.0)(7.0) == pytest.approx(50.0)
    assert Scale.around(np.array([0.0]), 100.0, 0.0)(0.0) == pytest.approx(50.0)
