"""Every scripted fault of the stream and of its data, as a client sees it."""

import asyncio

import numpy as np
import pytest
from aiohttp import WSMsgType, WSServerHandshakeError

from g6.model.contracts import PUT

NIFTY, SENSEX = 256265, 265


@pytest.fixture(scope="module")
def tokens(table) -> list[int]:
    return table.token[::31].tolist()


async def status_of(stand) -> int:
    with pytest.raises(WSServerHandshakeError) as refused:
        await stand.connect()
    return refused.value.status


def test_an_upgrade_is_refused_with_the_scripted_status(stream):
    async def scenario(stand):
        assert await status_of(stand) == 502
        await stand.connect()

    stream(scenario, faults=[{"name": "bad gateway", "on": "connect", "do": "refuse", "status": 502, "times": 1,
                              "from": "09:00", "until": "16:00"}])  # fmt: skip


def test_no_market_data_refuses_the_upgrade(stream):
    async def scenario(stand):
        assert await status_of(stand) == 403

    stream(scenario, faults=[{"name": "a free app", "do": "no_market_data"}])


@pytest.mark.parametrize(("code", "seen"), [(1001, 1001), (4000, 4000), (1006, 1006)])
def test_a_drop_closes_with_its_code_once_in_its_window(stream, tokens, code: int, seen: int):
    async def scenario(stand):
        socket = await stand.subscribed(tokens)
        assert await stand.closed(socket) == seen
        again = await stand.subscribed(tokens)
        assert await stand.ticks(again)
        await stand.heartbeat(again)

    stream(scenario, faults=[{"name": "dropped", "do": "drop", "code": code, "times": 1, "from": "11:00",
                              "until": "12:00"}])  # fmt: skip


def test_a_mute_connection_has_heartbeats_and_no_ticks(stream, tokens):
    async def scenario(stand):
        socket = await stand.subscribed(tokens, "full")
        await stand.heartbeat(socket)
        stand.clock.pause(10.0)
        await stand.heartbeat(socket)
        stand.clock.pause(60.0)
        assert await stand.ticks(socket)

    stream(scenario, faults=[{"name": "mute", "do": "mute", "from": "11:23", "until": "11:24"}])


def test_one_exchange_may_be_mute_while_the_other_ticks(stream, table):
    async def scenario(stand):
        both = [*table.token[table.exchange == "NFO"][::40].tolist(), *table.token[table.exchange == "BFO"][::40]]
        read = await stand.ticks(await stand.subscribed([*both, NIFTY, SENSEX]))
        assert {token & 0xFF for token in read} == {2, 9}
        assert {NIFTY, SENSEX} <= set(read)

    stream(scenario, faults=[{"name": "BFO is mute", "do": "mute", "match": {"exchange": "BFO"}}])


def test_a_half_open_connection_says_nothing_answers_nothing_and_stays(stream, tokens):
    async def scenario(stand):
        socket = await stand.subscribed(tokens)
        await socket.ping()
        with pytest.raises(asyncio.TimeoutError):
            await socket.receive(timeout=2.5)  # more than two heartbeats
        stand.sessions.end("simulated", "logout")
        with pytest.raises(asyncio.TimeoutError):
            await socket.receive(timeout=0.5)
        assert stand.service.connections == 1

    stream(scenario, faults=[{"name": "half open", "do": "half_open"}])


def test_a_text_error_comes_once_and_ticks_go_on(stream, tokens):
    async def scenario(stand):
        socket = await stand.subscribed(tokens)
        assert '"Too bad"' in await stand.text(socket, "error")
        stand.clock.pause(30.0)
        assert await stand.ticks(socket)
        await socket.send_str("[]")
        assert "not an object" in await stand.text(socket, "error")

    stream(scenario, faults=[{"name": "an error", "do": "text_error", "message": "Too bad"}])


def test_noise_is_text_that_is_not_json_among_ticks(stream, tokens):
    async def scenario(stand):
        socket = await stand.subscribed(tokens)
        await stand.text(socket, "instruments_meta")
        assert (await stand.text(socket)).startswith("<html>")
        stand.clock.pause(2.0)
        assert (await stand.text(socket)).startswith("<html>")

    stream(scenario, faults=[{"name": "noise", "do": "text_noise"}])


def test_garbage_comes_beside_good_messages_every_second(stream, tokens):
    async def scenario(stand):
        socket = await stand.subscribed(tokens)
        good, bad = 0, 0
        while good < 3 or bad < 6:
            message = await socket.receive(timeout=20)
            if message.type is WSMsgType.BINARY and len(message.data) > 1:
                whole = well_formed(message.data)
                good, bad = good + whole, bad + (not whole)
            stand.clock.pause(1.0)

    stream(scenario, faults=[{"name": "garbage", "do": "garbage"}])


def well_formed(message: bytes) -> bool:
    """Whether it is what its count and lengths say, in packets of known kinds."""
    count, place = int.from_bytes(message[:2], "big"), 2
    for _ in range(count):
        length = int.from_bytes(message[place : place + 2], "big")
        place += 2 + length
        if length not in {8, 28, 32, 44, 184} or place > len(message):
            return False
    return place == len(message)


def test_missing_instruments_and_puts_of_calls_only_never_tick(stream, table):
    async def scenario(stand):
        wanted = table.take(np.arange(0, len(table), 31))
        read = await stand.ticks(await stand.subscribed(wanted.token))
        gone = (wanted.index == "BANKNIFTY") | ((wanted.index == "NIFTY") & (wanted.kind == PUT))
        answered = stand.tape.ticks(wanted, stand.at).answered
        assert set(read) == set(wanted.token[answered & ~gone].tolist())

    stream(scenario, faults=[
        {"name": "no BANKNIFTY", "do": "missing", "match": {"index": "BANKNIFTY"}},
        {"name": "no puts", "do": "calls_only", "match": {"index": "NIFTY"}},
    ])  # fmt: skip


def test_frozen_instruments_stand_at_the_windows_beginning_and_tick_no_more(stream, tokens):
    async def scenario(stand):
        contracts = stand.tape.contracts(stand.at.date())
        contracts = contracts.take(np.isin(contracts.token, tokens))
        then = stand.tape.ticks(contracts, stand.at.replace(minute=20, second=0))
        socket = await stand.subscribed(tokens, "full")
        read = await stand.full_ticks(socket, np.count_nonzero(then.answered))
        for row in np.flatnonzero(then.answered).tolist():
            tick = read[int(then.token[row])]
            assert tick["last_price"] == then.last[row] / 100
            assert tick["exchange_timestamp"].timestamp() == then.quoted_at[row]
        stand.clock.pause(30.0)
        await stand.heartbeat(socket)

    stream(scenario, faults=[{"name": "frozen", "do": "frozen", "from": "11:20", "until": "11:30"}])


def test_a_spot_may_be_zero_while_options_go_on(stream, tokens):
    async def scenario(stand):
        read = await stand.ticks(await stand.subscribed([NIFTY, SENSEX, *tokens]))
        assert read[NIFTY]["last_price"] == 0
        assert read[SENSEX]["last_price"] > 0
        assert len(read) > 100

    stream(scenario, faults=[{"name": "no spot", "do": "zero_spot", "match": {"index": "NIFTY"}}])


def test_crossed_books_have_the_bid_above_the_ask(stream, tokens):
    async def scenario(stand):
        socket = await stand.subscribed(tokens, "full")
        crossed = 0
        for tick in (await stand.full_ticks(socket, 100)).values():
            bid, ask = tick["depth"]["buy"][0]["price"], tick["depth"]["sell"][0]["price"]
            assert not 0 < bid <= ask or ask == 0
            crossed += bid > ask > 0
        assert crossed > 50

    stream(scenario, faults=[{"name": "crossed", "do": "crossed"}])


def test_negative_prices_come_as_the_wire_has_them(stream, tokens):
    async def scenario(stand):
        token = tokens[0]
        at = stand.tape.contracts(stand.at.date())
        last = int(stand.tape.ticks(at.take(at.token == token), stand.at).last[0])
        read = await stand.ticks(await stand.subscribed([token]))
        assert read[token]["last_price"] == (2**32 - last) / 100

    stream(scenario, faults=[{"name": "negative", "do": "negative"}])


def test_a_killed_token_closes_and_another_login_heals(stream):
    async def scenario(stand):
        socket = await stand.connect()
        await stand.heartbeat(socket)
        stand.clock.pause(60.0)
        assert await stand.closed(socket) == 1008
        assert await status_of(stand) == 403
        stand.token = stand.sessions.issue("simulated", stand.at)
        await stand.heartbeat(await stand.connect())

    stream(scenario, faults=[{"name": "logout elsewhere", "do": "kill_token", "from": "11:24"}])
