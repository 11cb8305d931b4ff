"""The stream over real sockets, by the official ticker, against the server that speaks Kite's protocol.

All stories run in one process of their own (`stream_process.py`); here is what must be true of each.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEALING_SECONDS = 30.0  # what the stories wait for at most; −1 stands for in vain


@pytest.fixture(scope="module")
def ran() -> subprocess.CompletedProcess:
    script = Path(__file__).with_name("stream_process.py")
    return subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=240, check=False)


@pytest.fixture(scope="module")
def seen(ran) -> dict:
    assert ran.returncode == 0, ran.stderr[-4000:]
    return json.loads(ran.stdout)


def test_the_columns_of_the_stream_are_those_of_the_market(seen):
    assert seen["frozen"] == {"filled": 0, "answered": 40, "unequal": []}


def test_a_morning_begins_with_every_leg_from_the_stream(seen):
    assert 0 <= seen["morning"]["first_seconds"] <= HEALING_SECONDS
    for name, level in seen["morning"]["spots_of_the_market"].items():
        assert seen["morning"]["spots"][name] == pytest.approx(level, rel=1e-3)


def test_subscriptions_follow_what_is_wanted_by_difference(seen):
    assert seen["morning"]["unsubscribed"] == seen["morning"]["left_out"]
    assert seen["morning"]["subscribed"] == []
    assert seen["morning"]["instruments"] == [35 + 2]  # legs and spots


def test_a_dropped_connection_is_made_anew_and_fills_the_board_again(seen):
    assert seen["drop"]["losses"] == {"closed": 1}
    assert seen["drop"]["healed_seconds"] >= 0


def test_a_half_open_connection_is_found_out_and_made_anew(seen):
    assert seen["half_open"]["losses"] == {"stalled": 1}
    assert any("not even a heartbeat" in problem for problem in seen["half_open"]["problems"])
    assert seen["half_open"]["healed_seconds"] >= 0


def test_a_mute_exchange_is_named_and_its_legs_come_from_rest(seen):
    mute = seen["mute"]
    assert mute["seconds"] >= 0
    assert mute["filled"] == mute["bfo"] == 20
    assert mute["counted"] > 0
    assert mute["answered"] == 40
    assert [problem for problem in mute["problems"] if problem.startswith("BFO is mute")]
    assert not [problem for problem in mute["problems"] if "NFO" in problem]
    assert mute["healed_seconds"] >= 0


def test_garbage_is_counted_and_costs_neither_connection_nor_legs(seen):
    garbage = seen["garbage"]
    assert garbage["dropped"] > 3
    assert garbage["answered"] == 40
    assert garbage["losses"] == {}
    assert any("subscription limit" in problem for problem in garbage["problems"])
    assert garbage["healed_seconds"] >= 0


def test_a_refused_token_is_told_once_and_not_tried_again(seen):
    token = seen["token"]
    assert token["dead_seconds"] >= 0
    assert len(token["failures"]) == 1
    assert token["tries"] == 1
    assert token["error"].startswith("AuthError: ")
    assert "g6 login" in token["error"]


def test_a_new_token_is_taken_within_seconds(seen):
    assert 0 <= seen["token"]["healed_seconds"] <= HEALING_SECONDS
    assert 0 <= seen["token"]["again_seconds"] <= HEALING_SECONDS


def test_a_dead_server_is_an_error_with_a_reason_until_it_is_back(seen):
    dead = seen["dead_server"]
    assert dead["error"].startswith("TransientError: kite-stream: no connection")
    assert dead["problems"] == [], "the error says it"
    assert dead["healed_seconds"] >= 0


def test_providers_share_a_process_and_follow_one_another(seen):
    two = seen["two"]
    assert min(two["seconds"]) >= 0
    assert two["instruments"] == [15, 15]
    assert [p for p in two["problems"] if p.startswith("10 instruments are more")]
    assert two["keepers"] == [2, 0]


def test_a_server_that_nobody_vouches_for_never_sees_the_token(seen):
    certificates = seen["certificates"]
    assert certificates["asked"] == ["for-trusted"]
    assert "certificate verify failed" in certificates["outcomes"]["unknown"][0]
    assert certificates["outcomes"]["trusted"][0].startswith("Opened")


def test_no_log_carries_a_token(seen, ran):
    assert len(seen["secrets"]) >= 5
    assert not [secret for secret in seen["secrets"] if secret in ran.stderr]
