"""The WebSocket over real sockets: who may connect, what ticks when, limits, and a slow client's end."""

import asyncio
import json
import socket as plain_socket
from datetime import datetime, timedelta

import numpy as np
import pytest
from aiohttp import WSMsgType, WSServerHandshakeError

from g6.clock import IST, VirtualClock
from g6.simulator.kite_server.sessions import App
from g6.simulator.kite_server.ticks import TICK_COLUMNS

MORNING = datetime(2026, 11, 20, 11, 23, 45, tzinfo=IST)
UNLISTED = 77
NIFTY = 256265


@pytest.fixture(scope="module")
def tokens(table) -> list[int]:
    """A few hundred contracts of both exchanges that answer and trade, brisk and quiet ones."""
    return table.token[::31].tolist()


async def status_of(stand, **connection) -> int:
    with pytest.raises(WSServerHandshakeError) as refused:
        await stand.connect(**connection)
    return refused.value.status


def test_who_has_no_live_token_is_refused_at_the_upgrade(stream):
    async def scenario(stand):
        assert await status_of(stand, token="wrong") == 403
        assert await status_of(stand, key="unknown") == 403
        old = stand.token
        stand.token = stand.sessions.issue("simulated", stand.at)
        assert await status_of(stand, token=old) == 403
        await stand.connect()

    stream(scenario)


def test_an_app_without_market_data_is_refused(stream):
    async def scenario(stand):
        assert await status_of(stand) == 403

    stream(scenario, apps=(App(market_data=False),))


def test_a_fourth_connection_of_a_key_is_refused_until_one_has_gone(stream):
    async def scenario(stand):
        sockets = [await stand.connect() for _ in range(3)]
        assert await status_of(stand) == 429
        await sockets[0].close()
        while stand.service.connections == 3:
            await asyncio.sleep(0.01)
        await stand.connect()

    stream(scenario)


def test_without_limits_there_may_be_any_number(stream):
    async def scenario(stand):
        for _ in range(5):
            await stand.connect()

    stream(scenario, enforce_limits=False)


def test_what_is_no_upgrade_gets_an_answer_all_the_same(stream):
    async def scenario(stand):
        url = stand.url.replace("ws://", "http://")
        async with stand.http.get(f"{url}/?api_key=simulated&access_token={stand.token}") as answer:
            assert answer.status == 400

    stream(scenario)


def test_the_first_tick_is_a_quote_without_open_interest_and_depth(stream, tokens):
    async def scenario(stand):
        read = await stand.ticks(await stand.subscribed([*tokens, NIFTY]))
        contracts = stand.tape.contracts(stand.at.date())
        contracts = contracts.take(np.isin(contracts.token, tokens))
        ticks = stand.tape.ticks(contracts, stand.at)
        assert set(read) == {*ticks.token[ticks.answered].tolist(), NIFTY}
        assert {tick["mode"] for tick in read.values()} == {"quote"}
        assert not any({"oi", "depth"} & set(tick) for tick in read.values())
        for row in np.flatnonzero(ticks.answered).tolist():
            tick = read[int(ticks.token[row])]
            assert tick["last_price"] == ticks.last[row] / 100
            assert tick["volume_traded"] == ticks.volume[row]

    stream(scenario)


def test_full_mode_brings_open_interest_and_depth_after_the_cached_tick(stream, tokens):
    async def scenario(stand):
        socket = await stand.subscribed([*tokens, NIFTY], "full")
        assert {tick["mode"] for tick in (await stand.ticks(socket)).values()} == {"quote"}
        contracts = stand.tape.contracts(stand.at.date())
        ticks = stand.tape.ticks(contracts.take(np.isin(contracts.token, tokens)), stand.at)
        read = await stand.full_ticks(socket, np.count_nonzero(ticks.answered) + 1)
        assert read[NIFTY]["ohlc"]["close"] == stand.tape.index_ticks(["NIFTY"], stand.at).close[0] / 100
        for row in np.flatnonzero(ticks.answered).tolist():
            tick = read[int(ticks.token[row])]
            assert tick["oi"] == ticks.oi[row]
            assert tick["depth"]["buy"][0]["price"] == ticks.depth_price[row, 0] / 100
            assert tick["depth"]["sell"][4]["quantity"] == ticks.depth_quantity[row, 9]

    stream(scenario)


def test_each_mode_has_its_own_packets(stream, tokens):
    async def scenario(stand):
        wanted = [*tokens[:20], NIFTY]
        socket = await stand.subscribed(wanted, "ltp")
        await stand.ticks(socket)
        for mode, lengths in (("ltp", {8}), ("full", {32, 184}), ("quote", {28, 44})):
            await socket.send_json({"a": "mode", "v": [mode, wanted]})
            while (message := await stand.binary(socket)) and {t["mode"] for t in stand.parse(message)} != {mode}:
                pass
            assert packet_lengths(message) == lengths

    stream(scenario)


def packet_lengths(message: bytes) -> set[int]:
    lengths, place = set(), 2
    while place < len(message):
        length = int.from_bytes(message[place : place + 2], "big")
        lengths.add(length)
        place += 2 + length
    assert place == len(message)
    return lengths


def test_while_the_market_stands_only_heartbeats_come(stream, tokens):
    async def scenario(stand):
        socket = await stand.subscribed(tokens)
        await stand.ticks(socket)
        await stand.heartbeat(socket)
        await stand.heartbeat(socket)

    stream(scenario)


def test_then_tick_those_alone_whose_quote_changed_and_has_a_later_stamp(stream, tokens):
    async def scenario(stand):
        contracts = stand.tape.contracts(stand.at.date())
        contracts = contracts.take(np.isin(contracts.token, tokens))
        before = stand.tape.ticks(contracts, stand.at)
        socket = await stand.subscribed(tokens, "full")
        await stand.full_ticks(socket, np.count_nonzero(before.answered))
        stand.clock.pause(3.0)
        after = stand.tape.ticks(contracts, stand.at)
        columns = set(TICK_COLUMNS) - {"answered", "token", "quoted_at"}
        changed = np.any([_differ(getattr(before, n), getattr(after, n)) for n in columns], axis=0)
        due = after.answered & changed & (after.quoted_at > before.quoted_at)
        assert 0 < np.count_nonzero(due) < np.count_nonzero(after.answered)
        assert set(await stand.ticks(socket)) == set(after.token[due].tolist())

    stream(scenario)


def _differ(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one != other).reshape(len(one), -1).any(axis=1)


def test_nothing_ticks_twice_within_a_second_of_the_clock(stream, tokens):
    async def scenario(stand):
        socket = await stand.subscribed(tokens, "full")
        await stand.full_ticks(socket, 10)
        stand.clock.pause(1.0)
        await stand.ticks(socket)
        stand.clock.pause(0.9)
        await stand.heartbeat(socket)
        stand.clock.pause(0.1)
        assert await stand.ticks(socket)

    stream(scenario)


def test_an_unsubscribed_instrument_falls_silent(stream, tokens):
    async def scenario(stand):
        socket = await stand.subscribed(tokens, "full")
        await stand.full_ticks(socket, 10)
        await socket.send_json({"a": "unsubscribe", "v": tokens[1:]})
        await socket.send_str("[]")
        await stand.text(socket, "error")  # so the server has read what was said before
        stand.clock.pause(60.0)
        assert set(await stand.ticks(socket)) <= {tokens[0]}

    stream(scenario)


def test_the_next_day_ticks_under_the_days_own_listing(stream, tokens):
    async def scenario(stand):
        socket = await stand.subscribed(tokens, "full")
        await stand.full_ticks(socket, 10)
        stand.token = stand.sessions.issue("simulated", stand.at)
        assert await stand.closed(socket) == 1008
        stand.clock.pause(timedelta(days=2, hours=20).total_seconds())  # to the Monday
        stand.token = stand.sessions.issue("simulated", stand.at)
        stand.clock.pause(timedelta(hours=2, minutes=30).total_seconds())
        listed = set(stand.tape.contracts(stand.at.date()).token.tolist())
        read = await stand.ticks(await stand.subscribed(tokens))
        assert set(read) <= listed
        assert len(read) > len(tokens) / 2

    stream(scenario)


@pytest.mark.parametrize(
    "wrong",
    ["not JSON", "[]", '{"a": "dance", "v": []}', '{"a": "subscribe", "v": "all"}', '{"a": "subscribe", "v": [1.5]}',
     '{"a": "subscribe", "v": [-1]}', '{"a": "mode", "v": ["loud", [1]]}', '{"a": "mode", "v": [["full"], 1]}',
     '{"a": ["subscribe"]}', '{"a": "unsubscribe"}'],
)  # fmt: skip
def test_a_wrong_message_is_answered_with_an_error_and_changes_nothing(stream, tokens, wrong):
    async def scenario(stand):
        socket = await stand.subscribed(tokens[:3])
        first = await stand.ticks(socket)
        await socket.send_str(wrong)
        assert json.loads(await stand.text(socket, "error"))["data"]
        stand.clock.pause(60.0)
        assert set(await stand.ticks(socket)) <= set(first)

    stream(scenario)


def test_more_instruments_than_a_connection_may_have_are_refused_together(stream, tokens):
    async def scenario(stand):
        socket = await stand.subscribed(tokens[:4])
        first = await stand.ticks(socket)
        await socket.send_json({"a": "subscribe", "v": tokens[4:6]})
        assert "5 instruments" in json.loads(await stand.text(socket, "error"))["data"]
        await socket.send_json({"a": "subscribe", "v": tokens[4:5]})
        assert set(await stand.ticks(socket)) == {tokens[4]}
        assert len(first) == 4

    stream(scenario, instruments_per_connection=5)


def test_a_token_that_nothing_is_listed_under_is_accepted_and_never_ticks(stream, tokens):
    async def scenario(stand):
        socket = await stand.subscribed([UNLISTED, tokens[0]], "full")
        assert set(await stand.ticks(socket)) == {tokens[0]}
        stand.clock.pause(60.0)
        assert set(await stand.ticks(socket)) == {tokens[0]}

    stream(scenario)


def test_another_login_closes_the_connections_of_the_older_token(stream, tokens):
    async def scenario(stand):
        socket = await stand.subscribed(tokens)
        await stand.ticks(socket)
        stand.sessions.issue("simulated", stand.at)
        assert await stand.closed(socket) == 1008
        assert await status_of(stand) == 403

    stream(scenario)


def test_tokens_die_in_open_connections_at_six_in_the_morning(stream):
    async def scenario(stand):
        socket = await stand.connect()
        await stand.heartbeat(socket)
        stand.clock.wait_until(datetime(2026, 11, 21, 6, 0, tzinfo=IST), asyncio.Event())
        assert await stand.closed(socket) == 1008

    stream(scenario)


def test_pings_are_answered_and_none_is_sent_unasked(stream, tokens):
    async def scenario(stand):
        socket = await stand.subscribed(tokens)
        kinds = [(await socket.receive(timeout=20)).type for _ in range(4)]
        assert not {WSMsgType.PING, WSMsgType.PONG} & set(kinds)
        await socket.ping(b"there?")
        while (message := await socket.receive(timeout=20)).type is not WSMsgType.PONG:
            assert message.type is not WSMsgType.PING
        assert message.data == b"there?"

    stream(scenario)


def test_a_client_that_does_not_read_is_cut_off(stream, table):
    async def scenario(stand):
        host, port = stand.url.removeprefix("ws://").split(":")
        deaf = plain_socket.socket()
        deaf.setsockopt(plain_socket.SOL_SOCKET, plain_socket.SO_RCVBUF, 4096)
        deaf.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(deaf, (host, int(port)))
        await loop.sock_sendall(deaf, upgrade(stand.token))
        message = json.dumps({"a": "subscribe", "v": table.token[:3000].tolist()}).encode()
        await loop.sock_sendall(deaf, masked(message))
        mode = json.dumps({"a": "mode", "v": ["full", table.token[:3000].tolist()]}).encode()
        await loop.sock_sendall(deaf, masked(mode))
        async with asyncio.timeout(30):
            while stand.service.connections == 0:
                await asyncio.sleep(0.01)
            while stand.service.connections == 1:
                await asyncio.sleep(0.01)
        deaf.close()

    stream(scenario, clock=VirtualClock(MORNING, 60.0), stall_seconds=0.2)


def upgrade(token: str) -> bytes:
    """A client's opening handshake (RFC 6455, section 1.3)."""
    lines = (
        f"GET /?api_key=simulated&access_token={token} HTTP/1.1", "Host: localhost", "Upgrade: websocket",
        "Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", "", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode()


def masked(text: bytes) -> bytes:
    """A client's text frame with the mask 0 (RFC 6455, section 5.2)."""
    return b"\x81" + bytes([0x80 | 126]) + len(text).to_bytes(2, "big") + bytes(4) + text


def test_the_service_goes_down_with_a_word(stream):
    async def scenario(stand):
        socket = await stand.connect()
        await stand.heartbeat(socket)
        closing = asyncio.create_task(stand.service.close())
        assert await stand.closed(socket) == 1001
        await closing

    stream(scenario)
