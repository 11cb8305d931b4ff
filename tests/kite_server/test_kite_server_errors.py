"""Every way in which the official client can be made to fail, seen as it raises it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from kiteconnect import exceptions


def failing(serve, fault, call="quote", **options):
    """What the client raises when a call meets this fault."""
    kite = serve(faults=[{"name": "scripted", "on": "all", **fault}]).client(**options)
    calls = {
        "quote": lambda: kite.quote("NSE:NIFTY 50"),
        "profile": kite.profile,
        "instruments": lambda: kite.instruments("NSE"),
    }
    with pytest.raises(Exception) as raised:  # noqa: PT011  which one it is is what the tests look at
        calls[call]()
    return raised.value


@pytest.mark.parametrize(
    ("status", "error_type", "raised"),
    [
        (403, "TokenException", exceptions.TokenException),
        (403, "PermissionException", exceptions.PermissionException),
        (400, "InputException", exceptions.InputException),
        (429, "NetworkException", exceptions.NetworkException),
        (503, "NetworkException", exceptions.NetworkException),
        (500, "GeneralException", exceptions.GeneralException),
        (502, "DataException", exceptions.DataException),
        (500, "NobodyKnowsException", exceptions.GeneralException),
    ],
)
def test_an_error_body_becomes_its_own_exception_with_the_status_as_code(serve, status, error_type, raised):
    error = failing(serve, {"do": "status", "status": status, "error_type": error_type, "message": "said so"})
    assert type(error) is raised
    assert (error.code, str(error)) == (status, "said so")


@pytest.mark.parametrize(
    ("status", "raised"),
    [(403, "TokenException"), (400, "InputException"), (429, "NetworkException"), (503, "NetworkException")],
)
def test_a_status_alone_stands_for_kites_usual_error(serve, status, raised):
    error = failing(serve, {"do": "status", "status": status})
    assert (type(error).__name__, error.code) == (raised, status)


def test_only_a_token_exception_fires_the_session_hook(serve):
    faults = [
        {"name": "p", "on": "quote", "do": "status", "status": 403, "error_type": "PermissionException"},
        {"name": "t", "on": "profile", "do": "status", "status": 403, "error_type": "TokenException"},
    ]
    kite, hooked = serve(faults=faults).client(), []
    kite.set_session_expiry_hook(lambda: hooked.append(True))
    with pytest.raises(exceptions.PermissionException):
        kite.quote("NSE:NIFTY 50")
    assert hooked == []
    with pytest.raises(exceptions.TokenException):
        kite.profile()
    assert hooked == [True]


@pytest.mark.parametrize("status", [400, 414, 502, 503, 504])
def test_a_front_ends_page_is_a_data_exception_that_hides_the_status(serve, status):
    error = failing(serve, {"do": "status", "status": status, "body": "html"})
    assert type(error) is exceptions.DataException
    assert error.code == 502
    assert str(status) in str(error)


@pytest.mark.parametrize("body", ["text", "empty"])
def test_a_body_that_is_no_json_is_a_data_exception(serve, body):
    error = failing(serve, {"do": "status", "status": 503, "body": body})
    assert (type(error), error.code) == (exceptions.DataException, 502)


@pytest.mark.parametrize("shape", ["broken_json", "empty"])
def test_broken_or_empty_json_is_a_data_exception(serve, shape):
    error = failing(serve, {"do": "shape", "shape": shape})
    assert (type(error), error.code) == (exceptions.DataException, 502)


@pytest.mark.parametrize(
    ("shape", "raised"),
    [
        ("no_content_type", KeyError),
        ("error_without_message", KeyError),
        ("success_without_data", KeyError),
        ("error_without_type", TypeError),
        ("list", AttributeError),
        ("data_null", TypeError),
        ("item_null", (AttributeError, TypeError, UnboundLocalError)),
        ("wrong_type", TypeError),
    ],
)
def test_an_unforeseen_shape_is_whatever_python_stumbles_over(serve, shape, raised):
    assert isinstance(failing(serve, {"do": "shape", "shape": shape}), raised)


def test_a_null_item_leaves_the_other_items_whole(serve):
    served = serve(faults=[{"name": "x", "on": "ltp", "do": "shape", "shape": "item_null"}])
    answer = served.client().ltp("NSE:NIFTY 50", "BSE:SENSEX")
    assert sorted(item is None for item in answer.values()) == [False, True]


@pytest.mark.parametrize(
    ("fault", "raised"),
    [
        ({"do": "latency", "seconds": 1}, requests.ReadTimeout),
        ({"do": "hang"}, requests.ReadTimeout),
        ({"do": "reset"}, requests.ConnectionError),
        ({"do": "truncate"}, requests.exceptions.ChunkedEncodingError),
    ],
)
@pytest.mark.parametrize("call", ["profile", "instruments"])
def test_a_failing_transport_is_an_exception_of_requests(serve, fault, raised, call):
    assert isinstance(failing(serve, fault, call, timeout=0.3), raised)


def test_a_trickling_answer_takes_longer_than_the_clients_timeout_and_yet_arrives(serve):
    served = serve(faults=[{"name": "drops", "on": "profile", "do": "trickle", "seconds": 1}])
    kite, answers = served.client(timeout=0.3), []
    kite.reqsession.hooks["response"].append(lambda answer, **_: answers.append(answer))
    assert kite.profile()["user_id"] == "AB1234"
    assert answers[0].headers["Content-Length"]


def test_a_server_that_is_gone_is_a_connection_error(serve):
    served = serve()
    kite = served.client()
    assert kite.profile()
    served.server.stop()
    with pytest.raises(requests.ConnectionError):
        kite.profile()


def test_a_server_that_stops_cuts_off_who_still_waits(serve):
    served = serve(faults=[{"name": "x", "on": "profile", "do": "hang"}])
    kite = served.client()
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(kite.profile)
        with pytest.raises(requests.exceptions.RequestException):
            requests.get(f"{served.server.url}/user/profile", timeout=0.3)
        served.server.stop()
        with pytest.raises(requests.ConnectionError):
            waiting.result(timeout=10)


def test_retry_after_is_sent_where_the_plan_says_so(serve):
    served = serve(faults=[{"name": "x", "on": "quote", "do": "status", "status": 429, "retry_after": 3}])
    headers = {"Authorization": f"token simulated:{served.server.issue_token()}"}
    answer = requests.get(f"{served.server.url}/quote?i=NSE:NIFTY+50", headers=headers, timeout=5)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")


def test_a_fault_of_one_endpoint_leaves_the_others_alone(serve):
    kite = serve(faults=[{"name": "x", "on": "quote", "do": "status", "status": 503}]).client()
    with pytest.raises(exceptions.NetworkException):
        kite.quote("NSE:NIFTY 50")
    assert kite.ltp("NSE:NIFTY 50")
    assert kite.profile()
