"""A cycle over the broker's protocol at one quote call a second: how much longer it takes than that limit demands.

    .venv/bin/python scripts/bench/kite_cycle.py [--cycles N]

Eight indices, four expiry codes, whole chains, from a server in a process of its own. What the limit demands is one
interval between any two calls; what the agent adds is planning, decoding, valuing and storing, most of which fits
between the calls.
"""

import argparse
import contextlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from datetime import datetime
from pathlib import Path

from g6.clock import VirtualClock
from g6.providers.kite.credentials import token_path
from g6.providers.kite.options import options_for
from g6.providers.kite.token_file import Token, TokenFile, expiry_of
from g6.settings import load
from g6.unified_main import Agent
from g6.wiring import wire
from g6.wiring.sources import Run

EIGHT = "NIFTY,BANKNIFTY,FINNIFTY,MIDCPNIFTY,NIFTYNXT50,SENSEX,BANKEX,SENSEX50"
AT = "2026-11-20T10:00+05:30"
LIMIT_SECONDS = 1.0


@contextlib.contextmanager
def simulator(folder: str):
    """`g6 simulate` on a free port; gives its root."""
    command = [sys.executable, "-m", "g6.unified_main", "simulate", "--port", "0", "--at", AT, "--auto-login"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder) as process:
        try:
            yield next(found[0] for line in process.stdout if (found := re.search(r"http://127[0-9.:]+", line)))
        finally:
            process.terminate()


def log_in(root: str) -> None:
    """Log in as a person at the page would."""
    from urllib.parse import parse_qs, urlsplit  # noqa: PLC0415

    import requests  # noqa: PLC0415
    from kiteconnect import KiteConnect  # noqa: PLC0415

    page = f"{root}/connect/login?api_key=simulated&v=3"
    back = requests.get(page, allow_redirects=False, timeout=10)
    while "request_token" not in back.headers["location"]:
        back = requests.get(root + back.headers["location"], allow_redirects=False, timeout=10)
    request_token = parse_qs(urlsplit(back.headers["location"]).query)["request_token"][0]
    session = KiteConnect("simulated", root=root).generate_session(request_token, "simulated-secret")
    now = VirtualClock(datetime.fromisoformat(AT)).now()
    token = Token("simulated", session["access_token"], session["user_id"], now, expiry_of(now))
    TokenFile(token_path("main", os.environ, options_for(root))).write(token)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=3)
    count = parser.parse_args().cycles
    with tempfile.TemporaryDirectory() as folder, simulator(folder) as root:
        os.environ["XDG_STATE_HOME"] = folder
        log_in(root)
        arguments = {
            "providers.order": "kite", "providers.kite.root": root, "collection.indices": EIGHT,
            "collection.strikes_itm": "all", "collection.strikes_otm": "all", "storage.data_dir": f"{folder}/data",
            "metrics.port": "0", "console.concise": "true", "logging.level": "ERROR",
        }  # fmt: skip
        settings = load(arguments, {}, Path(folder))
        with contextlib.redirect_stdout(io.StringIO()), wire(settings, Run(count, once=False)) as parts:
            reports = list(minutes(parts, count))
    for report in reports:
        (rest,) = report.market.providers
        calls = next(e.calls for e in rest.endpoints if e.name == "kite.quote")
        demanded = (calls - 1) * LIMIT_SECONDS
        print(json.dumps({
            "legs": report.expected, "received": report.received, "quote_calls": calls,
            "limit_demands_seconds": demanded, "cycle_seconds": round(report.seconds, 2),
            "ratio": round(report.seconds / demanded, 3),
        }))  # fmt: skip


def minutes(parts, count: int):
    agent, never = Agent(parts), threading.Event()
    due = parts.schedule.first(parts.clock.now())
    for _ in range(count):
        parts.clock.wait_until(due, never)
        yield agent.minute(due)[0]
        due, _ = parts.schedule.following(due, parts.clock.now())


if __name__ == "__main__":
    main()
