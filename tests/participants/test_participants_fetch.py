"""The exchange is asked politely, and whatever it answers ends in a stored day or in a stated absence."""

import math
from datetime import date, datetime

import pytest
from participant_files import cash_json, contracts_text

from g6 import __version__
from g6.clock import IST, VirtualClock
from g6.participants.site import NseSite, SiteOptions
from g6.participants.store import ParticipantStore
from g6.participants.taking import Ask, fetch, import_files

DAY, NEXT = date(2026, 10, 8), date(2026, 10, 9)
PAGE = "<html><head><title>Access Denied</title></head><body>Reference #18</body></html>"
FLOWS = ("10", "4", "6"), ("1", "3", "-2")
BOTH = [Ask("oi", DAY), Ask("volume", DAY)]


def published(path, _number=0):
    """The exchange on a good day."""
    if path == "/reports/fii-dii":
        return 200, "<html>figures</html>", None
    if path == "/api/fiidiiTradeReact":
        return 200, cash_json(DAY, *FLOWS), None
    for word in ("oi", "vol"):
        for day in (DAY, NEXT):
            if path == f"/content/nsccl/fao_participant_{word}_{day:%d%m%Y}.csv":
                return 200, contracts_text(day, word), None
    return 404, PAGE, None


def site_at(server, clock=None, **options):
    clock = clock or VirtualClock(datetime(2026, 10, 9, 19, tzinfo=IST), math.inf)
    return NseSite(SiteOptions(server.url, server.url, **options), clock)


def states(report):
    return [outcome.state for outcome in report.outcomes]


def test_what_is_published_is_stored_under_its_own_day(serve, tmp_path):
    server, store = serve(published), ParticipantStore(tmp_path)
    report = fetch([*BOTH, Ask("cash", DAY)], site_at(server), store)
    assert report.complete
    assert states(report) == ["stored"] * 3
    assert (list(store.contracts("oi")), list(store.contracts("volume")), list(store.cash())) == ([DAY], [DAY], [DAY])
    assert server.paths == [
        "/content/nsccl/fao_participant_oi_08102026.csv",
        "/content/nsccl/fao_participant_vol_08102026.csv",
        "/reports/fii-dii",
        "/api/fiidiiTradeReact",
    ]


def test_who_asks_is_said_and_cookies_come_back_as_from_a_browser(serve, tmp_path):
    server = serve(published)
    fetch([Ask("cash", DAY)], site_at(server), ParticipantStore(tmp_path))
    first, second = (headers for _, headers in server.requests)
    assert f"G6/{__version__}" in first["User-Agent"]
    assert first["User-Agent"].startswith("Mozilla/5.0")
    assert second["Cookie"] == "nsit=given"


def test_one_request_at_a_time_with_a_pause_between(serve, tmp_path):
    server = serve(published)
    clock = VirtualClock(datetime(2026, 10, 9, 19, tzinfo=IST), math.inf)
    fetch([*BOTH, Ask("cash", DAY)], site_at(server, clock, pause_seconds=3), ParticipantStore(tmp_path))
    assert server.most_at_once == 1
    assert clock.elapsed() == pytest.approx(9, abs=0.01)


def test_what_is_stored_is_not_asked_for_unless_told_to(serve, tmp_path):
    server, store = serve(published), ParticipantStore(tmp_path)
    fetch(BOTH, site_at(server), store)
    asked = len(server.requests)
    assert states(fetch(BOTH, site_at(server), store)) == ["unchanged"] * 2
    assert len(server.requests) == asked
    assert states(fetch(BOTH, site_at(server), store, again=True)) == ["unchanged"] * 2
    assert len(server.requests) == asked + 2


def test_a_machine_that_is_refused_is_told_what_to_do_and_asks_no_more(serve, tmp_path):
    server = serve(lambda _path, _number: (403, PAGE, None))
    report = fetch([*BOTH, Ask("cash", DAY)], site_at(server), ParticipantStore(tmp_path))
    assert (report.complete, report.barred, states(report)) == (False, True, ["absent"] * 3)
    assert "not served to this machine (403); download it with a browser and run `g6 participants import FILE`" in str(
        report.outcomes[0]
    )
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "state", "said", "requests"),
    [
        ((404, PAGE, None), "absent", "not published yet, or no day of trade", 1),
        ((200, PAGE, None), "refused", 'a web page ("Access Denied")', 1),
        ((200, contracts_text(NEXT), None), "refused", "has the oi of 2026-10-09 in the place of the oi of", 1),
        ((200, contracts_text(DAY, "vol"), None), "refused", "has the volume of 2026-10-08", 1),
        ((200, contracts_text(DAY)[:-30], None), "refused", "not whole", 1),
        ((200, "", None), "refused", "empty", 1),
        ((200, contracts_text(DAY), 2000), "absent", "ended after", 2),
        ((503, PAGE, None), "absent", "fails (503)", 2),
        ((429, PAGE, None), "absent", "asks for a pause", 2),
        ((400, PAGE, None), "refused", "answers 400", 1),
    ],
)
def test_every_failure_is_a_stated_absence(serve, tmp_path, answer, state, said, requests):
    server = serve(lambda _path, _number: answer)
    report = fetch([Ask("oi", DAY)], site_at(server, attempts=2), ParticipantStore(tmp_path))
    assert states(report) == [state]
    assert said in str(report)
    assert len(server.requests) == requests
    assert not list(tmp_path.glob("participants/*.csv"))


def test_a_server_that_hangs_is_given_up(serve, tmp_path):
    server = serve(lambda _path, _number: (0, "", None))
    report = fetch([Ask("oi", DAY)], site_at(server, attempts=2, timeout_seconds=0.2), ParticipantStore(tmp_path))
    assert states(report) == ["absent"]
    assert len(server.requests) == 2


def test_a_server_that_recovers_is_asked_again_after_the_pause_it_wants(serve, tmp_path):
    server = serve(lambda path, number: (429, "", None) if number == 1 else published(path))
    clock = VirtualClock(datetime(2026, 10, 9, 19, tzinfo=IST), math.inf)
    report = fetch([Ask("oi", DAY)], site_at(server, clock, attempts=2, pause_seconds=0), ParticipantStore(tmp_path))
    assert states(report) == ["stored"]
    assert clock.elapsed() >= 7


def test_nothing_there_is_unreachable(tmp_path):
    site = NseSite(
        SiteOptions("http://127.0.0.1:9", "http://127.0.0.1:9", attempts=1),
        VirtualClock(datetime(2026, 10, 9, 19, tzinfo=IST), math.inf),
    )
    report = fetch(BOTH, site, ParticipantStore(tmp_path))
    assert states(report) == ["absent"] * 2
    assert "cannot be reached" in str(report)


def test_cash_flows_of_another_day_are_kept_and_the_wanted_ones_absent(serve, tmp_path):
    store = ParticipantStore(tmp_path)
    report = fetch([Ask("cash", NEXT)], site_at(serve(published)), store)
    assert str(report) == "cash of 2026-10-09: absent, the site has cash of 2026-10-08, which is stored"
    assert list(store.cash()) == [DAY]


def test_files_are_taken_whatever_they_are_called_and_useless_ones_named(tmp_path):
    folder = tmp_path / "downloads" / "october"
    folder.mkdir(parents=True)
    (folder / "download (1).csv").write_text(contracts_text(DAY))
    (folder / "b.CSV").write_text(contracts_text(NEXT, "vol"))
    (folder / "c.json").write_text(cash_json(DAY, *FLOWS))
    (folder / "page.csv").write_text(PAGE)
    (folder / "notes.txt").write_text("mine")
    store = ParticipantStore(tmp_path / "data")
    report = import_files([tmp_path / "downloads"], store)
    assert sorted(map(str, report.outcomes)) == [
        f'{folder / "page.csv"}: refused, it is a web page ("Access Denied") in the place of a file',
        "cash of 2026-10-08: stored",
        "oi of 2026-10-08: stored",
        "volume of 2026-10-09: stored",
    ]
    assert not report.complete
    assert states(import_files([folder / "download (1).csv"], store)) == ["unchanged"]
    assert states(import_files([folder / "notes.txt"], store)) == ["refused"]
