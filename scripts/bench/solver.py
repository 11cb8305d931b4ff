"""Implied volatility and five Greeks of 9,000 legs: ours, three libraries, and the same algorithm as a loop in C.

    .venv/bin/python scripts/bench/solver.py [--rounds 60]

All run in one process in turn, round after round; the figures are medians. Libraries with threads of their own are run
in a second process too, with one thread. Accuracy is on out-of-the-money legs, whose price identifies the volatility.
"""

import argparse
import ctypes
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import iv_engine
import numpy as np
import pyvolr
from scipy.special import erfcx
from vollib.black import implied_volatility as vollib_iv
from vollib.black.greeks import analytical as vollib_greeks

from g6.analytics import volatility

FORWARD, YEARS, RATE, TICK = 24000.0, 20 / 365, 0.065, 0.05
LEGS, SMALL, SLOW = 9000, 62, 840  # a minute's legs, one expiry's window, and what a scalar loop is given
SOURCE = Path(__file__).with_name("solver_reference.c")
C_LOOP = "C loop, -O3 -march=native"
ALWAYS = ("ours", C_LOOP)  # in the second process too, where nobody's threads disturb the two
ERFCX_PIECES, ERFCX_DEGREE = 100, 6


class Legs:
    """Calls and puts in turn over the same strikes, in and out of the money; prices exact, and rounded to the tick."""

    def __init__(self, count: int, span: float = 0.08) -> None:
        self.strike = np.repeat(np.linspace(FORWARD * (1 - span), FORWARD * (1 + span), count // 2), 2)
        self.is_call = np.tile([True, False], count // 2)
        self.vol = 0.11 + 1.5 * np.abs(np.log(self.strike / FORWARD))
        self.exact = volatility.price(FORWARD, self.strike, YEARS, RATE, self.vol, self.is_call)
        self.ticks = np.round(self.exact / TICK) * TICK
        self.outside = self.is_call == (self.strike >= FORWARD)
        self.flags = np.where(self.is_call, "c", "p")
        self.signs = np.where(self.is_call, 1, -1).astype(np.int8)


Prices = np.ndarray
Solve = Callable[[Legs, Prices], np.ndarray]
Value = Callable[[Legs], object]


def ours_iv(legs: Legs, price: Prices) -> np.ndarray:
    return volatility.implied_volatility(price, FORWARD, legs.strike, YEARS, RATE, legs.is_call)[0]


def ours_greeks(legs: Legs) -> object:
    return volatility.greeks(FORWARD, legs.strike, YEARS, RATE, legs.vol, legs.is_call)


def pyvolr_iv(legs: Legs, price: Prices) -> np.ndarray:
    return pyvolr.black76.implied_vol(price, legs.signs, FORWARD, legs.strike, YEARS, RATE, on_error="ignore")


def pyvolr_greeks(legs: Legs) -> object:
    return pyvolr.black76.greeks(legs.signs, FORWARD, legs.strike, YEARS, RATE, legs.vol)


def iv_engine_iv(*, parallel: bool) -> Solve:
    def solve(legs: Legs, price: Prices) -> np.ndarray:
        # It takes one side at a time, and no rate.
        vol = np.empty(len(price))
        grown = price * math.exp(RATE * YEARS)
        for side in (True, False):
            rows = legs.is_call == side
            vol[rows] = iv_engine.implied_volatilities(grown[rows], FORWARD, legs.strike[rows], YEARS, side, parallel)
        return vol

    return solve


def vollib_iv_loop(legs: Legs, price: Prices) -> np.ndarray:
    solve = vollib_iv.implied_volatility
    rows = zip(price.tolist(), legs.strike.tolist(), legs.flags.tolist(), strict=True)
    return np.array([solve(value, FORWARD, strike, RATE, YEARS, flag) for value, strike, flag in rows])


def vollib_greeks_loop(legs: Legs) -> object:
    formulas = [getattr(vollib_greeks, name) for name in ("delta", "gamma", "theta", "vega", "rho")]
    rows = zip(legs.strike.tolist(), legs.vol.tolist(), legs.flags.tolist(), strict=True)
    return [[f(flag, FORWARD, strike, YEARS, RATE, vol) for f in formulas] for strike, vol, flag in rows]


def c_loop(folder: str) -> tuple[Solve, Value] | None:
    """Compile the reference with the system's compiler; None where there is none."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    library = Path(folder) / "solver_reference.so"
    subprocess.run(
        [compiler, "-O3", "-march=native", "-shared", "-fPIC", str(SOURCE), "-o", str(library), "-lm"], check=True
    )
    loop = ctypes.CDLL(str(library))
    # Its private table too, so that only the language differs.
    step, u, c = volatility._table()  # noqa: SLF001
    loop.prepare(pointer(erfcx_pieces()), pointer(u), pointer(c), ctypes.c_double(step))
    forward, years, rate = map(ctypes.c_double, (FORWARD, YEARS, RATE))

    def solve(legs: Legs, price: Prices) -> np.ndarray:
        vol = np.empty(len(price))
        loop.implied_volatility(len(price), pointer(price), forward, pointer(legs.strike), years, rate,
                                pointer(legs.is_call), pointer(vol))  # fmt: skip
        return vol

    def value(legs: Legs) -> object:
        columns = np.empty((5, len(legs.vol)))
        loop.greeks(len(legs.vol), forward, pointer(legs.strike), years, rate, pointer(legs.vol),
                    pointer(legs.is_call), pointer(columns))  # fmt: skip
        return columns

    return solve, value


def pointer(column: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(column.ctypes.data)


def erfcx_pieces() -> np.ndarray:
    """Return the polynomials of erfcx over 4/(4 + z) that the loop in C reads."""
    nodes = np.cos(np.pi * (np.arange(40) + 0.5) / 40)
    chebyshev = np.polynomial.chebyshev
    fits = [chebyshev.chebfit(nodes, erfcx(4 * ERFCX_PIECES / (piece + (nodes + 1) / 2) - 4), ERFCX_DEGREE)
            for piece in range(ERFCX_PIECES)]  # fmt: skip
    return np.ascontiguousarray([chebyshev.cheb2poly(fit) for fit in fits])


def contenders(folder: str) -> dict[str, tuple[Solve, Value | None, int]]:
    """Return by name how to solve, how to value, and the legs of a round."""
    threads = "one thread" if os.environ.get("RAYON_NUM_THREADS") == "1" else "its threads"
    found: dict[str, tuple[Solve, Value | None, int]] = {"ours": (ours_iv, ours_greeks, LEGS)}
    compiled = c_loop(folder)
    if compiled is None:
        print("no C compiler: the loop in C is left out")
    else:
        found[C_LOOP] = (*compiled, LEGS)
    found[f"pyvolr, {threads}"] = (pyvolr_iv, pyvolr_greeks, LEGS)
    found["iv-engine, serial"] = (iv_engine_iv(parallel=False), None, LEGS)
    found[f"iv-engine parallel, {threads}"] = (iv_engine_iv(parallel=True), None, LEGS)
    found["vollib, a loop, scaled"] = (vollib_iv_loop, vollib_greeks_loop, SLOW)
    return found


def seconds(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def measured(found: dict[str, tuple[Solve, Value | None, int]], rounds: int) -> dict[str, tuple[float, float]]:
    """Return the median seconds per 9,000 legs, of IV and of Greeks, by name."""
    legs = {count: Legs(count) for count in (LEGS, SLOW)}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in found}
    for number in range(rounds):
        for name, (solve, value, count) in found.items():
            if count == SLOW and number % 10:
                continue  # slow enough to need few rounds
            of, scale = legs[count], LEGS / count
            solving = seconds(lambda solve=solve, of=of: solve(of, of.ticks))
            valuing = seconds(lambda value=value, of=of: value(of)) if value else math.nan
            times[name].append((solving * scale, valuing * scale))
    return {name: tuple(map(statistics.median, zip(*pairs, strict=True))) for name, pairs in times.items()}


def worst_error(solve: Solve, count: int) -> tuple[float, float]:
    """Return the largest relative errors: of the volatility from exact prices, and of the price from rounded ones."""
    legs = Legs(count)
    known = legs.outside
    of_vol = np.abs(solve(legs, legs.exact) / legs.vol - 1)[known].max()
    again = volatility.price(FORWARD, legs.strike, YEARS, RATE, solve(legs, legs.ticks), legs.is_call)
    return float(of_vol), float(np.abs(again / legs.ticks - 1)[known].max())


def table(rounds: int, only: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = {name: row for name, row in contenders(folder).items() if name in ALWAYS or only in name}
        times = measured(found, rounds)
        own_iv, own_greeks = times["ours"]
        for name, (iv, greeks) in times.items():
            of_vol, of_price = worst_error(found[name][0], found[name][2])
            given = not math.isnan(greeks)
            both = f"{(iv + greeks) * 1e3:.2f}" if given else "-"
            ratio = f"{(iv + greeks) / (own_iv + own_greeks):.2f}" if given else "-"
            solved = f"{name:<34}{iv * 1e3:>9.2f}{iv / own_iv:>9.2f}"
            print(f"{solved}{both:>13}{ratio:>9}{of_vol:>13.1e}{of_price:>13.1e}")


def small_calls(rounds: int) -> None:
    legs = Legs(SMALL)
    iv = statistics.median(seconds(lambda: ours_iv(legs, legs.ticks)) for _ in range(rounds * 20))
    greeks = statistics.median(seconds(lambda: ours_greeks(legs)) for _ in range(rounds * 20))
    print(f"\n{SMALL} legs a call, ours: IV {iv * 1e6:.0f} us, Greeks {greeks * 1e6:.0f} us")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--only", default="", help="contenders whose name holds this, beside ours and the loop in C")
    arguments = parser.parse_args()
    again = [sys.executable, __file__, "--rounds", str(arguments.rounds), "--only", "one thread"]
    if arguments.only:
        return table(arguments.rounds, arguments.only)
    heads = f"{'IV':>9}{'ratio':>9}{'IV+Greeks':>13}{'ratio':>9}{'vol error':>13}{'price error':>13}"
    print(f"{LEGS} legs, times in ms, ratios to ours in the same process\n{'':<34}{heads}")
    table(arguments.rounds, "")
    print("with RAYON_NUM_THREADS=1", flush=True)
    subprocess.run(again, check=True, env=os.environ | {"RAYON_NUM_THREADS": "1"})
    return small_calls(arguments.rounds)


if __name__ == "__main__":
    main()
