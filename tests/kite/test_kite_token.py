"""Whose token is used, where it is kept, and when it is no longer asked with."""

import os
import stat
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kite_accounts import API_KEY, NOON, jumping_clock, token

from g6.clock import IST, VirtualClock
from g6.errors import AuthError, ConfigError
from g6.providers.kite.credentials import Account, find_account, token_path
from g6.providers.kite.options import KiteOptions, options_for
from g6.providers.kite.token_file import TokenFile, expiry_of
from g6.providers.kite.token_state import TokenState

LIVE = KiteOptions()
LOCAL = options_for("http://127.0.0.1:8765")
SECRET = "Qm7xK2pL9vRtY4wZ1nB8cD5fG3hJ6sA0"


@pytest.fixture
def file(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "state" / "kite.token")


@given(st.timedeltas(timedelta(), timedelta(days=366)))
def test_a_token_dies_at_the_first_six_oclock_after_its_login(later):
    login_at = NOON + later
    died = expiry_of(login_at)
    assert (died.hour, died.minute, died.second) == (6, 0, 0)
    assert timedelta() < died - login_at <= timedelta(days=1)


def test_a_token_comes_back_from_its_file_as_it_was(file):
    written = token(SECRET)
    file.write(written)
    assert file.read() == written


def test_only_the_owner_can_read_the_file_whatever_the_umask(file):
    before = os.umask(0)
    try:
        file.write(token(SECRET))
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700
    assert [path.name for path in file.path.parent.iterdir()] == ["kite.token"]


def test_no_repr_shows_a_secret():
    account = Account("main", "thekey", SECRET, SECRET)
    assert SECRET not in repr(account)
    assert SECRET not in repr(token(SECRET))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666])
def test_a_file_that_others_can_read_is_refused_with_the_remedy(file, mode):
    file.write(token(SECRET))
    file.path.chmod(mode)
    with pytest.raises(ConfigError, match=f"mode {mode:o}.*chmod 600"):
        file.read()


def test_a_folder_that_others_can_write_in_is_refused(file):
    file.write(token(SECRET))
    file.path.parent.chmod(0o777)
    with pytest.raises(ConfigError, match="chmod 700"):
        file.read()
    with pytest.raises(ConfigError, match="chmod 700"):
        file.write(token(SECRET))


def test_a_link_is_not_followed(file, tmp_path):
    elsewhere = TokenFile(tmp_path / "other" / "kite.token")
    elsewhere.write(token(SECRET))
    file.path.parent.mkdir(mode=0o700)
    file.path.symlink_to(elsewhere.path)
    with pytest.raises(ConfigError):
        file.read()
    file.write(token("another"))  # the link is replaced, what it pointed at is not touched
    assert elsewhere.read() == token(SECRET)


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "no json", '{"api_key": 1}', '{"api_key": "", "x": 1}'])
def test_a_file_of_something_else_says_what_to_do(file, text):
    file.write(token(SECRET))
    file.path.write_text(text)
    with pytest.raises(ConfigError, match="g6 login") as caught:
        file.read()
    assert caught.value.__suppress_context__  # a parser's own words quote what they met


def test_a_folder_in_the_files_place_is_refused(file):
    file.path.mkdir(parents=True)
    with pytest.raises(ConfigError):
        file.read()


def test_every_write_shows_in_the_stamp(file):
    stamps = [file.stamp()]
    for number in range(5):
        file.write(token(f"token{number}"))
        stamps.append(file.stamp())
    file.delete()
    assert len(set(stamps)) == 6
    assert file.stamp() is None
    assert file.read() is None


# Whose key it is


def test_the_environment_is_asked_first_then_the_file_then_the_credentials_directory(tmp_path):
    directory, file = tmp_path / "systemd", tmp_path / "credentials"
    directory.mkdir()
    (directory / "kite_api_key").write_text("of-systemd\n")
    (directory / "kite_api_secret").write_text("secret-of-systemd\n")
    environ = {"HOME": str(tmp_path), "CREDENTIALS_DIRECTORY": str(directory)}
    assert find_account("main", environ, LIVE) == Account("main", "of-systemd", "secret-of-systemd")
    file.write_text("# keys\nexport KITE_API_KEY='of-file'\n\nKITE_API_SECRET = secret-of-file\n")
    file.chmod(0o600)
    environ["KITE_CREDENTIALS_FILE"] = str(file)
    assert find_account("main", environ, LIVE) == Account("main", "of-file", "secret-of-file")
    environ |= {"KITE_API_KEY": "of-environment", "KITE_ACCESS_TOKEN": "ready"}
    assert find_account("main", environ, LIVE) == Account("main", "of-environment", "secret-of-file", "ready")


def test_each_account_has_variables_of_its_own(tmp_path):
    environ = {"HOME": str(tmp_path), "KITE_API_KEY": "first", "KITE_SECOND_API_KEY": "other"}
    assert find_account("main", environ, LIVE).api_key == "first"
    assert find_account("second", environ, LIVE).api_key == "other"


def test_without_a_key_the_variables_are_named(tmp_path):
    with pytest.raises(ConfigError, match="KITE_SECOND_API_KEY and KITE_SECOND_API_SECRET") as caught:
        find_account("second", {"HOME": str(tmp_path)}, LIVE)
    assert "\n" not in str(caught.value)


def test_a_credentials_file_that_others_can_read_is_refused(tmp_path):
    file = tmp_path / ".config" / "g6" / "credentials"
    file.parent.mkdir(parents=True)
    file.write_text(f"KITE_API_KEY=key\nKITE_API_SECRET={SECRET}\n")
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600") as caught:
        find_account("main", {"HOME": str(tmp_path)}, LIVE)
    assert SECRET not in str(caught.value)


def test_a_simulators_key_is_known_and_stays_on_this_machine(tmp_path):
    environ = {"HOME": str(tmp_path)}
    assert find_account("main", environ, LOCAL) == Account("main", "simulated", "simulated-secret")
    assert find_account("main", environ | {"KITE_API_KEY": "mine"}, LOCAL).api_key == "mine"
    with pytest.raises(ConfigError):
        find_account("main", environ, options_for("https://kite.example"))


@pytest.mark.parametrize("name", ["", "../x", "a/b", "Main", "-x", "x" * 33, "a\n"])
def test_no_name_leaves_the_folder(name, tmp_path):
    with pytest.raises(ConfigError):
        token_path(name, {"HOME": str(tmp_path)}, LIVE)
    with pytest.raises(ConfigError):
        find_account(name, {}, LIVE)


def test_tokens_of_different_accounts_and_servers_lie_apart(tmp_path):
    environ = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    servers = [LIVE, LOCAL, options_for("http://127.0.0.1:8766"), options_for("http://[::1]:8765")]
    paths = {token_path(name, environ, server) for name in ("main", "second") for server in servers}
    assert len(paths) == 8
    assert {path.parent for path in paths} == {tmp_path / "state" / "g6"}
    del environ["XDG_STATE_HOME"]
    assert token_path("main", environ, LIVE).parent == tmp_path / ".local" / "state" / "g6"


@pytest.mark.parametrize(
    "root", ["ftp://x", "127.0.0.1:80", "http://127.0.0.1:x", "http://127.0.0.1/api", "http://u:p@127.0.0.1", "http://[::1"]
)  # fmt: skip
def test_a_root_is_an_address_without_a_path(root):
    with pytest.raises(ConfigError):
        options_for(root)


def test_no_token_travels_in_clear_text():
    with pytest.raises(ConfigError, match="clear text"):
        options_for("http://kite.example")


def test_the_stream_and_the_login_page_lie_beside_the_root():
    assert (LOCAL.stream_root, LOCAL.login_url) == ("ws://127.0.0.1:8765", "http://127.0.0.1:8765/connect/login")
    assert options_for("https://api.kite.trade/") == KiteOptions()


# Whether it may be used


def state(file: TokenFile, clock: VirtualClock | None = None, given: str | None = None) -> TokenState:
    return TokenState("kite", Account("main", API_KEY, None, given), file, clock or jumping_clock())


def test_a_day_of_a_token(file):
    clock = jumping_clock()
    tokens = state(file, clock)
    assert tokens.report().state == "absent"
    with pytest.raises(AuthError, match="g6 login"):
        tokens.require()
    file.write(token("first"))
    assert tokens.require().access_token == "first"
    assert tokens.report().state == "valid"
    clock.pause(17.5 * 3600)  # 05:30
    assert tokens.report().state == "expiring"
    assert tokens.require().access_token == "first"
    clock.pause(1800)  # 06:00
    assert tokens.report().state == "dead"
    assert tokens.token is None
    with pytest.raises(AuthError, match="expired on Sat 21 Nov at 06:00 IST; run `g6 login`"):
        tokens.require()
    file.write(token("second", clock.now()))
    assert tokens.require().access_token == "second"
    assert tokens.report().expires_at == datetime(2026, 11, 22, 6, 0, tzinfo=IST)


def test_a_refused_token_is_dead_until_another_takes_its_place(file):
    file.write(token("first"))
    tokens = state(file)
    tokens.refuse(tokens.require(), "the broker said so")
    report = tokens.report()
    assert (report.state, report.reason) == ("dead", "the broker said so")
    file.write(token("first"))  # the same one again changes nothing
    with pytest.raises(AuthError, match="the broker said so"):
        tokens.require()
    file.write(token("second"))
    assert tokens.require().access_token == "second"


def test_a_late_refusal_of_the_old_token_does_not_touch_the_new_one(file):
    file.write(token("first"))
    tokens = state(file)
    old = tokens.require()
    file.write(token("second"))
    tokens.refuse(old, "too late")
    assert tokens.require().access_token == "second"


def test_a_token_of_another_app_is_not_used(file):
    file.write(token("first", api_key="another"))
    assert state(file).report().reason.endswith("holds the token of another app")


def test_a_file_that_must_not_be_trusted_is_taken_as_soon_as_it_is_mended(file):
    file.write(token("first"))
    file.path.chmod(0o644)
    tokens = state(file)
    with pytest.raises(AuthError, match="chmod 600"):
        tokens.require()
    file.path.chmod(0o600)
    assert tokens.require().access_token == "first"
    file.path.parent.chmod(0o777)
    assert tokens.require().access_token == "first"  # it was read while it could be trusted


def test_a_token_handed_in_by_the_environment_serves_until_a_login_replaces_it(file):
    tokens = state(file, given="ready")
    assert tokens.require().access_token == "ready"
    tokens.refuse(None, "killed")
    assert tokens.report().state == "dead"
    file.write(token("of a login"))
    assert tokens.require().access_token == "of a login"


def test_a_logout_beside_the_running_program_is_noticed(file):
    file.write(token("first"))
    tokens = state(file)
    tokens.require()
    file.delete()
    with pytest.raises(AuthError, match="nobody has logged in"):
        tokens.require()


def test_the_log_tells_of_death_and_of_the_new_token_without_either(file, caplog):
    caplog.set_level("DEBUG")
    file.write(token(SECRET))
    tokens = state(file)
    tokens.require()
    tokens.refuse(None, "said the broker")
    tokens.refuse(None, "said the broker")
    file.write(token(SECRET[::-1], NOON))
    tokens.require()
    assert [record.getMessage() for record in caplog.records] == [
        "kite: the access token is dead: said the broker; run `g6 login`",
        "kite: a new access token is in use, valid until 21 Nov 06:00",
    ]
