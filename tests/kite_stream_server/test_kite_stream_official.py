"""The official client, in a process of its own, connects, subscribes and reads what the tape says."""

import asyncio
import json
import os
import sys
from pathlib import Path

import numpy as np

CLIENT = Path(__file__).parent / "official_ticker.py"
NIFTY = 256265


async def run_client(*arguments: object) -> tuple[int, dict]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(CLIENT), *map(str, arguments),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env={**os.environ, "TZ": "UTC"},
    )  # fmt: skip
    async with asyncio.timeout(60):
        printed, complaints = await process.communicate()
    assert printed, complaints.decode()
    return process.returncode, json.loads(printed)


def test_the_official_client_reads_full_ticks_of_contracts_and_indices(stream, table):
    async def scenario(stand):
        wanted = table.take(np.arange(0, len(table), 400))
        ticks = stand.tape.ticks(wanted, stand.at)
        ticks = ticks.take(ticks.answered)
        code, report = await run_client(stand.url, "simulated", stand.token, NIFTY, *ticks.token.tolist())
        assert code == 0, report["errors"]
        assert set(report["first_modes"]) == {"quote", "full"}, "the cached tick first"
        read = {tick["instrument_token"]: tick for tick in report["full"]}
        assert read[NIFTY]["last_price"] == stand.tape.index_ticks(["NIFTY"], stand.at).last[0] / 100
        assert read[NIFTY]["exchange_timestamp"] == "2026-11-20 05:53:45"
        for row, token in enumerate(ticks.token.tolist()):
            tick = read[token]
            assert tick["last_price"] == ticks.last[row] / 100
            assert tick["oi"] == ticks.oi[row]
            levels = [*tick["depth"]["buy"], *tick["depth"]["sell"]]
            assert [level["price"] for level in levels] == (ticks.depth_price[row] / 100).tolist()

    stream(scenario)


def test_the_official_client_meets_a_403_with_a_bad_token(stream):
    async def scenario(stand):
        code, report = await run_client(stand.url, "simulated", "wrong", NIFTY)
        assert code == 1
        assert any("403" in reason for _, reason in report["errors"])

    stream(scenario)
