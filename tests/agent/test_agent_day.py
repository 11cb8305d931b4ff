"""Whole sessions on the simulator: every expected row is there once, restarts and crashes or not."""

import os
import signal
import subprocess
import time
from collections import Counter

import pytest
from agent_process import command, environment, rows_of, tree_of

from g6 import unified_main

DAY = "2026-11-20"


def run(settings, cycles):
    assert unified_main.run(settings, cycles=cycles) == 0


def check_day(root, indices, minutes):
    """Every file has strictly ascending, unique minutes, and each expected place has each minute."""
    files = list((root / "csv").rglob(f"{DAY}.csv"))
    for file in files:
        stamps = [row["ts"] for row in rows_of(file)]
        assert stamps == sorted(set(stamps)), file
        assert all(stamp.endswith(":00+05:30") for stamp in stamps)
    for index in indices:
        assert len(rows_of(root / "csv" / index / "overview" / f"{DAY}.csv")) == minutes
        for code in ("this_month", "next_month"):
            for offset in ("atm", "p1", "m1", "p15", "m15"):
                assert len(rows_of(root / "csv" / index / code / offset / f"{DAY}.csv")) == minutes, (code, offset)


@pytest.mark.long
def test_a_trading_day_has_every_expected_row_once(settings_for, tmp_path):
    settings = settings_for(clock__at=f"{DAY}T09:00+05:30", collection__indices="NIFTY,BANKEX")
    run(settings, 385)
    check_day(tmp_path / "data", ("NIFTY", "BANKEX"), 385)
    overview = rows_of(tmp_path / "data" / "csv" / "NIFTY" / "overview" / f"{DAY}.csv")
    assert (overview[0]["ts"], overview[-1]["ts"]) == (f"{DAY}T09:15:00+05:30", f"{DAY}T15:39:00+05:30")
    # NIFTY has all four codes on that day, two of them on one expiry; the auction holds the index 15:15 to 15:35.
    assert {row["expected_mask"] for row in overview} == {row["collected_mask"] for row in overview} == {"15"}
    frozen = [row["ts"][11:16] for row in overview if row["spot_frozen"] == "1"]
    assert (frozen[0], frozen[-1], len(frozen)) == ("15:15", "15:34", 20)
    # While it stands still the strikes follow the forward.
    assert all(row["this_month_forward"] for row in overview)


@pytest.mark.long
def test_a_trading_day_of_all_six_indices(settings_for, tmp_path):
    settings = settings_for(clock__at=f"{DAY}T09:00+05:30")
    run(settings, 385)
    check_day(tmp_path / "data", ("NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "SENSEX", "BANKEX"), 385)


def test_one_expiry_with_two_codes_is_collected_once_and_stored_under_both(settings_for, tmp_path):
    run(settings_for(clock__at=f"{DAY}T10:00+05:30", collection__indices="NIFTY"), 2)
    files = tmp_path / "data" / "csv" / "NIFTY"
    this_week, this_month = (rows_of(files / code / "atm" / f"{DAY}.csv") for code in ("this_week", "this_month"))
    assert this_week == this_month
    assert {row["expiry"] for row in this_week} == {"2026-11-23"}


def test_a_restart_in_the_same_minute_neither_repeats_nor_loses_a_row(settings_for, tmp_path):
    def at(minute, data="data"):
        return settings_for(data, clock__at=f"{DAY}T{minute}+05:30", collection__indices="NIFTY")

    run(at("10:00"), 3)
    run(at("10:02"), 3)
    run(at("10:00", "clean"), 5)
    assert tree_of(tmp_path / "data") == tree_of(tmp_path / "clean")


def test_minutes_recorded_out_of_order_are_stored_in_order(settings_for, tmp_path):
    run(settings_for(clock__at=f"{DAY}T15:39+05:30", collection__indices="NIFTY"), 1)
    run(settings_for(clock__at=f"{DAY}T09:15+05:30", collection__indices="NIFTY"), 2)
    rows = rows_of(tmp_path / "data" / "csv" / "NIFTY" / "this_week" / "atm" / f"{DAY}.csv")
    assert [row["ts"][11:16] for row in rows] == ["09:15", "09:16", "15:39"]


@pytest.mark.long
def test_a_killed_day_ends_as_the_one_that_was_not(settings_for, tmp_path):
    arguments = ["--at", f"{DAY}T10:00+05:30", "--speed", "max", "--indices", "NIFTY", "--port", "0", "--concise"]
    minutes = 40
    for left in (3, 9, 17):
        patience = left
        process = subprocess.Popen(
            command(*arguments, "--cycles", str(minutes), "--data-dir", str(tmp_path / "data")),
            cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        with process:
            for line in process.stdout:
                patience -= " ok: " in line
                if not patience:
                    os.kill(process.pid, signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
    for data in ("data", "clean"):
        run(settings_for(data, clock__at=f"{DAY}T10:00+05:30", collection__indices="NIFTY"), minutes)
    assert tree_of(tmp_path / "data") == tree_of(tmp_path / "clean")


def test_a_torn_last_line_is_moved_aside_and_supplied_again(settings_for, tmp_path):
    def at(minute, data="data"):
        return settings_for(data, clock__at=f"{DAY}T{minute}+05:30", collection__indices="NIFTY")

    run(at("10:00"), 3)
    torn = tmp_path / "data" / "csv" / "NIFTY" / "this_week" / "atm" / f"{DAY}.csv"
    whole = torn.read_bytes()
    torn.write_bytes(whole + b"2026-11-20T10:03:00+05:30,2026-11-23,240")
    run(at("10:03"), 1)
    run(at("10:00", "clean"), 4)
    assert tree_of(tmp_path / "data") == tree_of(tmp_path / "clean")
    assert torn.with_name(torn.name + ".torn").read_bytes().endswith(b"2026-11-23,240\n")


def test_sigterm_finishes_the_minute_and_exits_0(tmp_path):
    process = subprocess.Popen(
        command("--at", f"{DAY}T10:00+05:30", "--speed", "60", "--indices", "NIFTY", "--port", "0", "--concise",
                "--data-dir", str(tmp_path / "data")),
        cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        told = [next(line for line in process.stdout if " ok: " in line) for _ in range(2)]
        process.send_signal(signal.SIGTERM)
        told += [line for line in process.stdout if " ok: " in line]
        assert process.wait(timeout=30) == 0
    rows = rows_of(tmp_path / "data" / "csv" / "NIFTY" / "overview" / f"{DAY}.csv")
    assert len(rows) == len(told)
    assert Counter(row["ts"] for row in rows).most_common(1)[0][1] == 1


def test_a_second_agent_on_the_same_data_exits_75_and_names_the_holder(g6, tmp_path):
    process = subprocess.Popen(
        command("--at", f"{DAY}T10:00+05:30", "--indices", "NIFTY", "--port", "0", "--data-dir", "data"),
        cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        next(line for line in process.stdout if " ok: " in line)
        second = g6("--run-once", "--port", "0", "--data-dir", "data")
        assert second.returncode == 75
        assert f"pid {process.pid}" in second.stderr
        assert len(second.stderr.strip().splitlines()) == 1
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0
        process.stdout.close()


def test_the_pages_answer_while_it_runs(tmp_path):
    import httpx

    process = subprocess.Popen(
        command("--at", f"{DAY}T10:00+05:30", "--speed", "60", "--indices", "NIFTY", "--port", "0",
                "--data-dir", str(tmp_path / "data")),
        cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        address = next(line for line in process.stdout if line.startswith("metrics")).split()[1]
        next(line for line in process.stdout if " ok: " in line)
        deadline = time.monotonic() + 20  # the report is printed just before or after it is published
        while "g6_cycles_succeeded_total 0" in httpx.get(address).text and time.monotonic() < deadline:
            continue
        page = httpx.get(address).text
        assert 'g6_index_spot_points{index="NIFTY"}' in page
        options = httpx.get(f"{address}/options").text
        assert 'side="CE"' in options
        assert httpx.get(address.replace("/metrics", "/readyz")).status_code == 200
        assert httpx.get(address.replace("/metrics", "/healthz")).status_code == 200
        assert "NIFTY" in httpx.get(address.replace("/metrics", "/")).text
    finally:
        process.terminate()
        process.communicate(timeout=30)
