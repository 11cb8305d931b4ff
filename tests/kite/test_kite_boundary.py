"""Whatever the official client raises, over a real socket, becomes one of G6's errors by what to do next."""

import json
import logging
import re
import socket
import threading
from dataclasses import dataclass, field

import pytest
import requests
from kiteconnect import exceptions
from scripted_broker import JSON, Reply, ScriptedBroker

from g6.errors import AuthError, BadResponse, G6Error, RateLimited, TransientError
from g6.model.provider_report import FAILURE_KINDS
from g6.providers.kite.boundary import Answer, clean, translate
from g6.providers.kite.options import KiteOptions, options_for
from g6.providers.kite.transport import KiteClient

TOKEN = "Qm7xK2pL9vRtY4wZ1nB8cD5fG3hJ6sA0"
HTML = {"Content-Type": "text/html"}


def body(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def error(status: int, error_type: str, message: str = "Said so.", **headers: str) -> Reply:
    document = body(status="error", message=message, data=None, error_type=error_type)
    return Reply(status, document, {"Content-Type": JSON, **headers})


@dataclass(frozen=True)
class Case:
    reply: Reply
    becomes: type[G6Error]
    says: str
    kind: str = ""
    retry_after: float | None = None
    headers: dict[str, str] = field(default_factory=dict)


AUTH = r"the access token is refused.*run `g6 login"
NO_SENSE = "the answer makes no sense"

# Each row of what a server sends and the client makes of it; the last word is what a person reads.
CASES = {
    "403 TokenException": Case(error(403, "TokenException", "Incorrect `access_token`."), AuthError, AUTH),
    "403 PermissionException": Case(error(403, "PermissionException"), AuthError, "no market data.*Connect plan"),
    "400 InputException on the token": Case(
        error(400, "InputException", "Invalid `api_key` or `access_token`."), AuthError, AUTH
    ),
    "400 InputException on anything else": Case(error(400, "InputException"), BadResponse, "refused the request.*400"),
    "401 without a word": Case(Reply(401, b"no", HTML), AuthError, AUTH),
    "403 on the token without a type": Case(
        Reply(403, body(status="error", message="Incorrect `access_token`.")), AuthError, AUTH
    ),
    "403 as HTML": Case(Reply(403, b"<h1>no</h1>", HTML), TransientError, "refuses this machine", "server_error"),
    "429": Case(error(429, "NetworkException"), RateLimited, "too many requests"),
    "429 with Retry-After": Case(
        error(429, "NetworkException", **{"Retry-After": "7"}), RateLimited, "too many", retry_after=7.0
    ),
    "429 as HTML": Case(
        Reply(429, b"<h1>slow down</h1>", HTML | {"Retry-After": "2.5"}), RateLimited, "too many", retry_after=2.5
    ),
    "429 with a broken Retry-After": Case(
        error(429, "NetworkException", **{"Retry-After": "soon"}), RateLimited, "too many"
    ),
    "503": Case(error(503, "NetworkException"), TransientError, "HTTP 503", "server_error"),
    "500 GeneralException": Case(error(500, "GeneralException"), TransientError, "HTTP 500", "server_error"),
    "500 of an unknown type": Case(error(500, "WeatherException"), TransientError, "HTTP 500", "server_error"),
    "504 DataException as JSON": Case(error(504, "DataException"), TransientError, "HTTP 504", "server_error"),
    "502 as HTML": Case(Reply(502, b"<h1>bad gateway</h1>", HTML), TransientError, "HTTP 502", "server_error"),
    "504 as HTML": Case(Reply(504, b"<h1>time-out</h1>", HTML), TransientError, "HTTP 504", "server_error"),
    "503 without Content-Type": Case(Reply(503, b"", {}), TransientError, "HTTP 503", "server_error"),
    "503 with Retry-After": Case(
        error(503, "NetworkException", **{"Retry-After": "3"}), TransientError, "HTTP 503", "server_error", 3.0
    ),
    "414 as HTML": Case(Reply(414, b"<h1>long</h1>", HTML), BadResponse, "HTTP 414.*lower providers.kite.batch_bytes"),
    "400 as HTML": Case(Reply(400, b"<h1>bad</h1>", HTML), BadResponse, "HTTP 400.*lower providers.kite.batch_bytes"),
    "404": Case(error(404, "GeneralException", "Route not found"), BadResponse, "HTTP 404.*Route not found"),
    "broken JSON": Case(Reply(200, b'{"status": "succ'), BadResponse, f"{NO_SENSE}: broken JSON"),
    "empty JSON": Case(Reply(200, b""), BadResponse, f"{NO_SENSE}: broken JSON"),
    "HTML with 200": Case(Reply(200, b"<h1>hello</h1>", HTML), BadResponse, f"{NO_SENSE}: text/html where data"),
    "no Content-Type": Case(Reply(200, b"{}", {}), BadResponse, f"{NO_SENSE}: it has no Content-Type"),
    "error without message": Case(
        Reply(500, body(status="error", error_type="GeneralException")), TransientError, "HTTP 500", "server_error"
    ),
    "token error without message": Case(Reply(403, body(status="error", error_type="TokenException")), AuthError, AUTH),
    "error without error_type": Case(
        Reply(500, body(status="error", message="Oops")), TransientError, "HTTP 500.*Oops", "server_error"
    ),
    "error with 200": Case(error(200, "DataException", "Nothing"), BadResponse, f"{NO_SENSE}.*DataException Nothing"),
    "success without data": Case(Reply(200, body(status="success")), BadResponse, f"{NO_SENSE}.*unknown shape"),
    "JSON list": Case(Reply(200, b"[]"), BadResponse, f"{NO_SENSE}.*unknown shape"),
    "data null": Case(Reply(200, body(status="success", data=None)), BadResponse, f"{NO_SENSE}.*unknown shape"),
    "data a list": Case(Reply(200, body(status="success", data=[1])), BadResponse, f"{NO_SENSE}.*unknown shape"),
    "reset": Case(Reply(reset=True), TransientError, "cannot be reached", "unreachable"),
    "truncated": Case(Reply(200, b'{"status":', cut=True), TransientError, "broke off", "unreachable"),
    "bad gzip": Case(
        Reply(200, b"not gzip", {"Content-Type": JSON, "Content-Encoding": "gzip"}), TransientError, "broke off",
        "unreachable",
    ),
}  # fmt: skip


@pytest.fixture
def broker():
    with ScriptedBroker(Reply()) as broker:
        yield broker


def client_of(broker: ScriptedBroker, **options: float) -> KiteClient:
    client = KiteClient("key", options_for(broker.url, KiteOptions(**options)))
    client.set_access_token(TOKEN)
    return client


def failure_of(client: KiteClient) -> Exception:
    """Ask by a call whose parsing the client does itself: candles, which stumble over every odd shape."""
    with pytest.raises(G6Error) as caught:
        client.ask(
            "kite.historical",
            lambda: client.historical_data(1, "2026-11-20 09:15:00", "2026-11-20 09:16:00", "minute"),
            secrets=[TOKEN],
        )
    return caught.value


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_answer_becomes_the_error_that_says_what_to_do(broker, case):
    broker.script = lambda _: case.reply
    error = failure_of(client_of(broker))
    assert type(error) is case.becomes
    assert re.search(case.says, str(error)), str(error)
    assert str(error).startswith("kite.historical: ")
    assert "\n" not in str(error)
    if isinstance(error, TransientError):
        assert error.retry_after == case.retry_after
    if case.kind:
        assert error.kind == case.kind
        assert case.kind in FAILURE_KINDS
    # A vendor's exception would come along in every traceback, with its addresses.
    assert error.__cause__ is None
    assert error.__context__ is None


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.reply.status != 200])
def test_a_quote_request_is_refused_in_the_same_words(broker, name):
    broker.script = lambda _: CASES[name].reply
    client = client_of(broker)
    with pytest.raises(CASES[name].becomes, match=CASES[name].says):
        client.ask("kite.quote", lambda: client.quote_body(["NSE:NIFTY 50"]), secrets=[TOKEN])


def test_a_quote_body_comes_as_it_was_sent(broker):
    sent = b'{"status": "success", "data": {"NFO:X": {"last_price": 1.10}}}'
    broker.script = lambda _: Reply(200, sent)
    client = client_of(broker)
    assert client.ask("q", lambda: client.quote_body(["NFO:X", "NSE:NIFTY 50", "NSE:M&M"])) == sent
    assert broker.asked[0].keys == ["NFO:X", "NSE:NIFTY 50", "NSE:M&M"]
    assert broker.asked[0].authorization == f"token key:{TOKEN}"


def test_the_clients_signature_is_sent_whatever_netrc_says(broker, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    client = client_of(broker)
    client.reqsession.trust_env = True  # as towards a server that is not on this machine
    client.ask("q", lambda: client.quote_body(["NFO:X"]))
    assert broker.asked[0].authorization == f"token key:{TOKEN}"


def test_an_error_that_came_as_success_is_the_error_that_it_names(broker):
    broker.script = lambda _: error(200, "TokenException")
    client = client_of(broker)
    with pytest.raises(AuthError):
        client.ask("q", lambda: client.quote_body(["NFO:X"]))


def test_silence_is_a_timeout(broker):
    release = threading.Event()
    broker.script = lambda _: Reply(hold=release)
    error = failure_of(client_of(broker, timeout_seconds=0.2))
    release.set()
    assert isinstance(error, TransientError)
    assert error.kind == "timeout"


def test_a_closed_port_is_unreachable_and_says_so():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        client = KiteClient("key", options_for(f"http://127.0.0.1:{taken.getsockname()[1]}"))
        error = failure_of(client)
    assert isinstance(error, TransientError)
    assert error.kind == "unreachable"
    assert "connection refused" in str(error)


@pytest.mark.parametrize(
    "raised",
    [
        KeyError("data"),
        TypeError("x"),
        AttributeError("y"),
        UnboundLocalError("z"),
        ValueError(TOKEN),
        OSError(5, "io"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_python_stumbled_over_is_judged_by_the_answer_before_it(raised):
    assert type(translate(raised, "q")) is BadResponse
    assert type(translate(raised, "q", Answer(200, json=True, content_type=JSON))) is BadResponse
    assert type(translate(raised, "q", Answer(502, json=True, content_type=JSON))) is TransientError
    assert type(translate(raised, "q", Answer(429))) is RateLimited
    assert TOKEN not in str(translate(raised, "q", Answer(200, json=True)))


@pytest.mark.parametrize(
    ("name", "becomes"),
    {
        "TokenException": AuthError, "PermissionException": AuthError, "NetworkException": TransientError,
        "DataException": TransientError, "GeneralException": TransientError, "OrderException": TransientError,
        "InputException": BadResponse,
    }.items(),
)  # fmt: skip
def test_every_exception_of_the_client_has_its_error(name, becomes):
    known = [n for n, v in vars(exceptions).items() if isinstance(v, type) and n != "KiteException"]
    assert name in known
    assert isinstance(translate(getattr(exceptions, name)("Said so."), "q"), becomes)


def test_the_proxy_and_the_certificate_are_named():
    assert "proxy" in str(translate(requests.exceptions.ProxyError(), "q"))
    assert "certificates" in str(translate(requests.exceptions.SSLError(), "q"))


@pytest.mark.parametrize(
    "text",
    [
        f"Token {TOKEN} is invalid",
        f"see https://api.kite.trade/session/token?api_key=k&access_token={TOKEN}",
        f"HTTPConnectionPool: Max retries exceeded with url: /session/token?access_token={TOKEN}",
        f"a\r\nb\x1b[31m {TOKEN}" + "x" * 1000,
    ],
)
def test_a_vendors_words_are_one_short_line_without_secrets(text):
    said = clean(text)
    assert TOKEN not in said
    assert said.isprintable()
    assert len(said) <= 160


def test_a_symbol_is_no_secret():
    assert (
        clean("no such instrument NFO:BANKNIFTY26NOV1234567.50CE")
        == "no such instrument NFO:BANKNIFTY26NOV1234567.50CE"
    )


def test_no_secret_is_in_any_error_record_or_repr(broker, caplog):
    caplog.set_level(logging.DEBUG)
    seen = []
    for case in CASES.values():
        broker.script = lambda _, reply=case.reply: reply
        client = client_of(broker)
        seen.append(failure_of(client))
        with pytest.raises(G6Error) as caught:
            client.ask("logout", lambda client=client: (client.invalidate_access_token(), 1 / 0))
        seen.append(caught.value)
    written = " ".join([*(f"{error} {error!r} {error.args}" for error in seen), caplog.text])
    written += " ".join(repr(vars(record)) for record in caplog.records)
    assert "session/token" in caplog.text  # the connection's own log lines are there, without their queries
    assert TOKEN not in written
