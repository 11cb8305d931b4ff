"""A person's login, from the printed address to the kept token, against the simulated Kite and its login page."""

import io
import json
import socket
import threading
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest
from kite_accounts import NOON, SECRET, desk, jumping_clock, token
from scripted_broker import Reply, ScriptedBroker

from g6.cli import login as command
from g6.cli.login import LoginOrder, main
from g6.cli.surroundings import Surroundings
from g6.errors import AuthError, BadResponse, ConfigError, TransientError
from g6.market.indices import load_indices
from g6.market.sessions import SessionCalendar
from g6.providers.kite.credentials import Account, token_path
from g6.providers.kite.login import LoginFlow
from g6.providers.kite.options import KiteOptions, options_for
from g6.providers.kite.redirect import Listener, request_token_in
from g6.providers.kite.token_file import TokenFile, expiry_of
from g6.simulator.kite_server.server import KiteServer
from g6.simulator.market import SimulatedMarket

ANY_PORT = "http://127.0.0.1:0/success"
TOKEN = "Qm7xK2pL9vRtY4wZ1nB8cD5fG3hJ6sA0"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def visit(url: str) -> tuple[int, str]:
    """What a browser gets, redirects followed."""
    try:
        with urllib.request.urlopen(url, timeout=10) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.fixture(scope="module")
def market(project: Path) -> SimulatedMarket:
    indices = load_indices(project / "config" / "indices.yaml")
    return SimulatedMarket(1, indices, SessionCalendar.load(project / "config" / "calendar.yaml"))


@pytest.fixture
def redirect() -> str:
    return f"http://127.0.0.1:{free_port()}/success"


@pytest.fixture
def clock():
    return jumping_clock()


@pytest.fixture
def server(market, clock, redirect):
    with KiteServer(market, clock, auto_login=True, redirect_url=redirect) as server:
        yield server


@pytest.fixture
def file(tmp_path) -> TokenFile:
    return TokenFile(tmp_path / "state" / "token")


def flow_at(url: str, file: TokenFile, secret: str = SECRET) -> LoginFlow:
    return LoginFlow(Account("main", "simulated", secret), options_for(url), file, jumping_clock())


def a_request_token(server: KiteServer) -> str:
    return server.sessions.login("simulated", NOON)


# The whole way


def test_a_person_logs_in_with_a_browser_and_the_token_is_kept(server, clock, redirect, tmp_path, capsys):
    browsers: list[threading.Thread] = []
    pages: list[tuple[int, str]] = []

    def browse(url: str) -> bool:
        browsers.append(threading.Thread(target=lambda: pages.append(visit(url))))
        browsers[-1].start()
        return True

    environ = {"HOME": str(tmp_path), "DISPLAY": ":0"}
    order = LoginOrder(options=options_for(server.url), redirect=redirect, wait_seconds=20)
    assert command.login(order, environ, browse) == 0
    browsers[0].join()
    assert pages == [(200, pages[0][1])]
    assert "Logged in" in pages[0][1]
    kept = TokenFile(token_path("main", environ, order.options)).read()
    assert kept is not None
    assert server.sessions.valid("simulated", kept.access_token, clock.now())
    assert (kept.login_at, kept.expires_at) == (NOON, expiry_of(NOON))  # the broker's time, not this machine's
    said = capsys.readouterr().out
    assert "logged in as AB1234, valid until Sat 21 Nov 06:00 IST" in said
    assert kept.access_token not in said


@pytest.mark.parametrize("environ", [{}, {"DISPLAY": ""}], ids=["no display", "empty display"])
def test_without_a_display_the_address_is_printed_and_no_browser_started(server, redirect, tmp_path, capsys, environ):
    def browse(url: str) -> bool:
        raise AssertionError("a browser in the terminal would take it over")

    order = LoginOrder(options=options_for(server.url), redirect=redirect, wait_seconds=0.05)
    with pytest.raises(AuthError, match="nobody came back"):
        command.login(order, {"HOME": str(tmp_path), **environ}, browse)
    assert f"log in at {server.url}/connect/login?api_key=simulated&v=3" in capsys.readouterr().out


def test_the_command_logs_in_says_how_it_stands_and_logs_out(server, tmp_path, capsys, monkeypatch):
    around = Surroundings({"HOME": str(tmp_path)}, tmp_path)
    words = ["--root", server.url]
    assert main([*words, "--status"], around) == 4
    assert f"run `g6 login --root {server.url}`" in capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{a_request_token(server)}\n"))
    assert main([*words, "--request-token", "-"], around) == 0
    assert main([*words, "--status"], around) == 0
    assert "logged in as AB1234, valid until Sat 21 Nov 06:00 IST" in capsys.readouterr().out
    server.kill_token()
    assert main([*words, "--status"], around) == 4
    assert main([*words, f"--request-token={a_request_token(server)}"], around) == 0
    assert main([*words, "--logout"], around) == 0
    assert server.sessions.end("simulated", "?") is False  # the session is over at the broker too
    assert main([*words, "--status"], around) == 4
    assert list((tmp_path / ".local" / "state" / "g6").iterdir()) == []


def test_a_running_session_takes_the_new_token_at_its_next_call(server, clock, tmp_path):
    at_desk = desk(tmp_path, server.url, clock)
    flow = flow_at(server.url, at_desk.file)
    flow.exchange(a_request_token(server))
    assert at_desk.session.profile()["user_id"] == "AB1234"
    flow.exchange(a_request_token(server))  # kills the older token
    assert at_desk.session.profile()["user_id"] == "AB1234"
    flow.logout()
    with pytest.raises(AuthError):
        at_desk.session.profile()
    flow.exchange(a_request_token(server))
    assert at_desk.session.profile()["user_id"] == "AB1234"


# What a person can get wrong


def test_a_used_request_token_and_a_wrong_secret_are_told_from_each_other(server, file):
    flow = flow_at(server.url, file)
    used = a_request_token(server)
    flow.exchange(used)
    before = file.read()
    with pytest.raises(AuthError, match=r"Token is invalid or has expired.*g6 login"):
        flow.exchange(used)
    with pytest.raises(AuthError, match=r"checksum.*check the API secret"):
        flow_at(server.url, file, "not the secret").exchange(a_request_token(server))
    assert file.read() == before


def test_a_login_without_the_secret_says_so(server, file):
    with pytest.raises(ConfigError, match="no API secret"):
        flow_at(server.url, file, "").exchange("whatever")


@pytest.mark.parametrize(
    "pasted",
    [
        TOKEN,
        f"  {TOKEN}\n",
        f"http://127.0.0.1:5000/success?action=login&type=login&status=success&request_token={TOKEN}",
        f"https://example.com/?request_token={TOKEN}&status=success#x",
        f"request_token={TOKEN}&status=success",
    ],
)
def test_the_token_or_the_whole_address_may_be_pasted(pasted):
    assert request_token_in(pasted) == TOKEN


@pytest.mark.parametrize(
    "pasted",
    ["", "x", "http://127.0.0.1:5000/success", f"http://h/?status=cancelled&request_token={TOKEN}", "a b c d e f g",
     "http://h/?request_token=<script>", "request_token=", "x" * 200, "ein\u00e4token"],
)  # fmt: skip
def test_what_is_no_request_token_is_not_sent_anywhere(pasted):
    with pytest.raises(AuthError):
        request_token_in(pasted)


@pytest.mark.parametrize(
    "address",
    ["http://0.0.0.0:5000/", "https://127.0.0.1:5000/", "http://127.0.0.1/", "http://h:x/", "x", "http://[::"],
)
def test_the_redirect_is_on_this_machine(address):
    with pytest.raises(ConfigError, match="must be on this machine"):
        Listener(address)


def test_a_taken_port_is_named_with_the_way_around():
    with Listener(ANY_PORT) as listener, pytest.raises(ConfigError, match="--request-token -"):
        Listener(listener.address)


def test_the_listener_waits_on_through_visits_that_are_none():
    with Listener(ANY_PORT) as listener:
        base = listener.address.removesuffix("/success")
        assert visit(f"{base}/favicon.ico")[0] == 404
        assert visit(listener.address)[0] == 400
        assert visit(f"{listener.address}?request_token=no")[0] == 400
        status, page = visit(f"{listener.address}?status=success&request_token={TOKEN}")
        assert status == 200
        assert TOKEN not in page
        assert listener.wait(5) == TOKEN


def test_a_login_that_the_person_cancelled_ends_the_wait():
    with Listener(ANY_PORT) as listener:
        assert visit(f"{listener.address}?status=cancelled")[0] == 400
        with pytest.raises(AuthError, match="'cancelled' instead of success"):
            listener.wait(5)


def test_a_silent_client_does_not_keep_the_browser_out():
    with Listener(ANY_PORT) as listener:
        host, _, port = listener.address.removeprefix("http://").removesuffix("/success").partition(":")
        with socket.create_connection((host, int(port))):
            assert visit(f"{listener.address}?status=success&request_token={TOKEN}")[0] == 200
            assert listener.wait(5) == TOKEN


# What the broker can get wrong


def session_reply(**changes: object) -> Reply:
    data = {"access_token": TOKEN, "user_id": "AB1234", "login_time": "2026-11-20 08:00:00"} | changes
    return Reply(200, json.dumps({"status": "success", "data": data}).encode())


@pytest.mark.parametrize("login_time", [None, "", "soon"])
def test_without_a_time_of_its_own_the_login_is_now(file, login_time):
    with ScriptedBroker(session_reply(login_time=login_time)) as broker:
        kept = flow_at(broker.url, file).exchange("request-token")
    assert kept.login_at == NOON
    assert kept.expires_at == NOON.replace(hour=6) + timedelta(days=1)


@pytest.mark.parametrize("changes", [{"access_token": None}, {"access_token": ""}, {"user_id": 5}])
def test_an_answer_without_a_token_leaves_the_file_alone(file, changes):
    with ScriptedBroker(session_reply(**changes)) as broker, pytest.raises(BadResponse):
        flow_at(broker.url, file).exchange("request-token")
    assert file.read() is None


def test_when_the_broker_is_silent_the_date_decides_and_says_that_it_did(file):
    flow = flow_at(f"http://127.0.0.1:{free_port()}", file)
    file.write(token(TOKEN))
    standing = flow.status()
    assert standing.usable
    assert "unconfirmed" in standing.sentence
    file.write(token(TOKEN, NOON - timedelta(days=3)))
    assert not flow.status().usable


def test_a_logout_that_the_broker_did_not_hear_deletes_the_token_and_says_so(file):
    flow = flow_at(f"http://127.0.0.1:{free_port()}", file)
    file.write(token(TOKEN))
    with pytest.raises(TransientError, match="token file is deleted, but its token lives until Sat 21 Nov 06:00"):
        flow.logout()
    assert file.read() is None


def test_the_exchange_shows_no_secret_to_anyone_but_the_broker(file, caplog, capsys):
    caplog.set_level("DEBUG")
    with ScriptedBroker(session_reply()) as broker:
        flow = flow_at(broker.url, file, "the-api-secret-itself")
        flow.exchange(TOKEN)
        assert broker.asked[0].path == "/session/token"
        assert len(broker.asked[0].form["checksum"][0]) == 64
        assert "the-api-secret-itself" not in str(broker.asked)
        flow.status()
        flow.logout()
        broker.script = lambda _: Reply(403, json.dumps({"error_type": "TokenException", "message": TOKEN}).encode())
        with pytest.raises(AuthError) as caught:
            flow.exchange(TOKEN)
    written = caplog.text + str(caught.value) + "".join(capsys.readouterr())
    assert TOKEN not in written
    assert "the-api-secret-itself" not in written


def test_the_official_login_page_is_zerodhas(file):
    flow = LoginFlow(Account("main", "key", "secret"), KiteOptions(), file, jumping_clock())
    assert flow.login_url == "https://kite.zerodha.com/connect/login?api_key=key&v=3"
