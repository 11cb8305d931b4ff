"""Logins and tokens, as the official client meets them."""

from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from kiteconnect import KiteConnect
from kiteconnect.exceptions import InputException, PermissionException, TokenException

from g6.simulator.kite_server.sessions import App

SECRET = "simulated-secret"


def pressed(served, **query):
    """The redirect that a press on the login page answers."""
    url = f"{served.server.url}/connect/login"
    return requests.post(url, params={"api_key": "simulated", "v": "3", **query}, allow_redirects=False, timeout=5)


def request_token(answer):
    return parse_qs(urlsplit(answer.headers["Location"]).query)["request_token"][0]


def test_a_login_leads_back_to_the_app_whose_exchange_opens_the_api(serve):
    served = serve()
    kite = KiteConnect("simulated", root=served.server.url)
    page = requests.get(f"{served.server.url}/connect/login?api_key=simulated&v=3", timeout=5)
    assert page.status_code == 200
    assert "Log in" in page.text
    answer = pressed(served)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("http://127.0.0.1:5000/success?")
    assert parse_qs(urlsplit(answer.headers["Location"]).query)["status"] == ["success"]
    session = kite.generate_session(request_token(answer), SECRET)
    assert session["user_id"] == "AB1234"
    assert session["login_time"] == datetime(2026, 11, 20, 10)  # noqa: DTZ001  naive on Kite's wire
    assert kite.profile()["user_name"] == "Simulated User"


def test_the_redirect_keeps_the_apps_own_query(serve):
    answer = pressed(serve(redirect_url="http://127.0.0.1:9/back?x=1"), redirect_params="state=a%26b&y=2")
    parts = urlsplit(answer.headers["Location"])
    assert parts.netloc == "127.0.0.1:9"
    assert {"x": ["1"], "state": ["a&b"], "y": ["2"]}.items() <= parse_qs(parts.query).items()


def test_with_auto_login_the_page_leads_back_at_once(serve):
    served = serve(auto_login=True)
    answer = requests.get(f"{served.server.url}/connect/login?api_key=simulated", allow_redirects=False, timeout=5)
    assert KiteConnect("simulated", root=served.server.url).generate_session(request_token(answer), SECRET)


def test_an_unknown_app_gets_no_login_page(serve):
    answer = requests.get(f"{serve().server.url}/connect/login?api_key=%3Cb%3E", timeout=5)
    assert answer.status_code == 400
    assert "<b>" not in answer.text


def test_a_request_token_can_be_exchanged_once(serve):
    served = serve()
    token = request_token(pressed(served))
    kite = KiteConnect("simulated", root=served.server.url)
    kite.generate_session(token, SECRET)
    with pytest.raises(TokenException):
        kite.generate_session(token, SECRET)


def test_a_request_token_is_good_for_minutes(serve):
    served = serve()
    token = request_token(pressed(served))
    served.clock.pause(301)
    with pytest.raises(TokenException):
        KiteConnect("simulated", root=served.server.url).generate_session(token, SECRET)


def test_a_wrong_secret_opens_nothing(serve):
    served = serve()
    with pytest.raises(TokenException) as refused:
        KiteConnect("simulated", root=served.server.url).generate_session(request_token(pressed(served)), "guess")
    assert refused.value.code == 403


def test_a_second_login_of_the_app_kills_the_first_token(serve):
    served = serve()
    first, hooked = served.client(), []
    first.set_session_expiry_hook(lambda: hooked.append(True))
    second = served.client()
    assert second.profile()
    with pytest.raises(TokenException) as refused:
        first.profile()
    assert refused.value.code == 403
    assert hooked == [True]
    assert any("another login" in event for event in served.events)


def test_logins_of_different_apps_do_not_disturb_each_other(serve):
    served = serve(apps=[App(), App("second", "s2", "CD5678", "Second User")])
    first = served.client()
    other = KiteConnect("second", access_token=served.server.issue_token("second"), root=served.server.url)
    assert (first.profile()["user_id"], other.profile()["user_id"]) == ("AB1234", "CD5678")


def test_a_logout_kills_the_token(serve):
    kite = serve().client()
    kite.invalidate_access_token()
    with pytest.raises(TokenException):
        kite.profile()


@pytest.mark.parametrize(
    ("login", "alive", "dead"),
    [
        ("2026-11-20T08:00", "2026-11-21T05:59:59", "2026-11-21T06:00"),
        ("2026-11-20T06:00", "2026-11-21T05:59:59", "2026-11-21T06:00"),
        ("2026-11-20T05:30", "2026-11-20T05:59:59", "2026-11-20T06:00"),
    ],
)
def test_a_token_dies_at_six_in_the_morning(serve, login, alive, dead):
    served = serve(login)
    kite = served.client()
    served.go_to(alive)
    assert kite.profile()
    served.go_to(dead)
    with pytest.raises(TokenException):
        kite.profile()
    assert served.client().profile(), "a new login heals"


def test_a_killed_token_is_dead_until_the_next_login(serve):
    served = serve(faults=[{"name": "a logout on the phone", "do": "kill_token", "from": "10:30"}])
    kite = served.client()
    served.go_to("2026-11-20T10:29:59")
    assert kite.profile()
    served.go_to("2026-11-20T10:30")
    with pytest.raises(TokenException):
        kite.quote("NSE:NIFTY 50")
    healed = served.client()
    served.go_to("2026-11-20T15:00")
    assert healed.quote("NSE:NIFTY 50")
    assert any("a logout on the phone" in event for event in served.events)


def test_a_repeated_kill_strikes_every_login_in_turn(serve):
    served = serve(faults=[{"name": "x", "do": "second_login", "from": "10:10", "every_minutes": 30}])
    kite = served.client()
    served.go_to("2026-11-20T10:10")
    with pytest.raises(TokenException):
        kite.profile()
    kite = served.client()
    served.go_to("2026-11-20T10:39:59")
    assert kite.profile()
    served.go_to("2026-11-20T10:40")
    with pytest.raises(TokenException):
        kite.profile()


def test_an_unknown_key_or_no_header_is_an_input_exception(serve):
    served = serve()
    stranger = KiteConnect("nobody", access_token="x", root=served.server.url)
    for kite in (stranger, KiteConnect("simulated", root=served.server.url)):
        with pytest.raises(InputException, match="Invalid `api_key` or `access_token`") as refused:
            kite.profile()
        assert refused.value.code == 400


def test_an_app_without_market_data_is_refused_by_permission_and_no_hook_fires(serve):
    served = serve(apps=[App(market_data=False)])
    kite, hooked = served.client(), []
    kite.set_session_expiry_hook(lambda: hooked.append(True))
    assert kite.profile()
    assert kite.instruments("NSE")
    for call in (kite.quote, kite.ohlc, kite.ltp):
        with pytest.raises(PermissionException) as refused:
            call("NSE:NIFTY 50")
        assert refused.value.code == 403
    assert hooked == []


def test_tokens_and_secrets_are_in_no_event_and_no_repr(serve):
    served = serve()
    token = served.server.issue_token()
    served.server.kill_token()
    said = " ".join(served.events) + repr(App())
    assert token not in said
    assert SECRET not in said
