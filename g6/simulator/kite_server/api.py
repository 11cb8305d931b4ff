"""The HTTP endpoints: what each answers to whoever may ask."""

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from aiohttp import web

from g6.clock import IST, Clock
from g6.model.columns import Ints
from g6.simulator.kite_server import login_page, quote_json
from g6.simulator.kite_server.candles import INTERVALS, Candles
from g6.simulator.kite_server.data_faults import faulty_index_ticks, faulty_ticks
from g6.simulator.kite_server.dump import EXCHANGES, Dump
from g6.simulator.kite_server.faults import Fault
from g6.simulator.kite_server.listed_keys import ListedKeys
from g6.simulator.kite_server.replies import KiteError, html_error, success
from g6.simulator.kite_server.sessions import App, Refusal, Sessions
from g6.simulator.kite_server.tape import Tape
from g6.simulator.kite_server.ticks import IndexTicks, Ticks

# Endpoint → how many instruments one call may ask for.
MOST_INSTRUMENTS: Mapping[str, int] = {"quote": 500, "ohlc": 1000, "ltp": 1000}

_DATE_TEXT = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?)?\Z")

Shape = tuple[Callable[[Ticks], list[Any]], Callable[[IndexTicks], list[Any]]]
SHAPES: Mapping[str, Shape] = {
    "quote": (quote_json.full_quotes, quote_json.full_index_quotes),
    "ohlc": (quote_json.ohlc_quotes, quote_json.ohlc_quotes),
    "ltp": (quote_json.last_prices, quote_json.last_prices),
}


class Api:
    """The endpoints on one market; who may ask was settled before, see `front_end.py`."""

    def __init__(self, tape: Tape, clock: Clock, sessions: Sessions, *, auto_login: bool, redirect_url: str) -> None:
        self._tape = tape
        self._clock = clock
        self._sessions = sessions
        self._auto_login = auto_login
        self._redirect_url = redirect_url
        self._keys = ListedKeys(tape)
        self._dump = Dump(tape)
        self._candles = Candles(tape)

    def quotes(self, endpoint: str, keys: Sequence[str], faults: Sequence[Fault], at: datetime) -> web.Response:
        """Answer `/quote`, `/quote/ohlc` and `/quote/ltp`: what is unknown or has no data is absent."""
        if not keys:
            raise KiteError(400, "InputException", "Missing or empty field `i`.")
        if len(keys) > MOST_INSTRUMENTS[endpoint]:
            raise KiteError(400, "InputException", f"Maximum of {MOST_INSTRUMENTS[endpoint]} instruments allowed.")
        contracts, indices = SHAPES[endpoint]
        asked = self._keys.of(at.date()).find(keys)
        found: dict[str, Any] = {}
        if asked.indices:
            ticks = faulty_index_ticks(self._tape, asked.indices, faults, at)
            found |= zip(ticks.symbol[ticks.answered].tolist(), indices(ticks.take(ticks.answered)), strict=True)
        if len(asked.rows):
            table = self._tape.contracts(at.date()).take(asked.rows)
            of_contracts = faulty_ticks(self._tape, table, faults, at)
            there: Ints = of_contracts.answered.nonzero()[0]
            symbols = [asked.keys[place] for place in there.tolist()]
            found |= zip(symbols, contracts(of_contracts.take(there)), strict=True)
        return success(found)

    def instruments(self, exchange: str | None, faults: Sequence[Fault], at: datetime) -> web.Response:
        """Answer `/instruments[/EXCHANGE]` by a gzipped CSV."""
        if exchange is not None and exchange not in EXCHANGES:
            raise KiteError(400, "InputException", "Invalid `exchange`.")
        if any(fault.do == "dump_html" for fault in faults):
            response = html_error(502)
            response.set_status(200)
            return response
        body = self._dump.gzipped(exchange, at, faults)
        return web.Response(body=body, content_type="text/csv", headers={"Content-Encoding": "gzip"})

    def historical(self, token: str, interval: str, query: Mapping[str, str], at: datetime) -> web.Response:
        """Answer `/instruments/historical/TOKEN/INTERVAL`; an expired contract's token is unknown."""
        if interval not in INTERVALS:
            raise KiteError(400, "InputException", "invalid interval")
        begin, until = (_instant(query, key) for key in ("from", "to"))
        most_days = INTERVALS[interval][1]
        if until < begin:
            raise KiteError(400, "InputException", "invalid from date, it is after the to date")
        if until - begin > timedelta(days=most_days):
            raise KiteError(400, "InputException", f"interval exceeds max limit: {most_days} days")
        known = token.isdecimal() and len(token) <= 10
        with_oi = query.get("oi") == "1"
        candles = self._candles.of(int(token), interval, begin, until, at, with_oi=with_oi) if known else None
        if candles is None:
            raise KiteError(400, "InputException", "invalid token")
        return success({"candles": candles})

    def login(self, query: Mapping[str, str], *, pressed: bool, at: datetime) -> web.Response:
        """Answer the login page, and its button by the redirect back to the app."""
        app = self._sessions.app(query.get("api_key", ""))
        if app is None:
            return login_page.unknown_app()
        if not (pressed or self._auto_login):
            return login_page.page(app)
        token = self._sessions.login(app.api_key, at)
        return login_page.back_to_app(self._redirect_url, token, query.get("redirect_params", ""))

    def exchange(self, form: Mapping[str, str], at: datetime) -> web.Response:
        """Answer POST `/session/token`: a request token and its checksum for an access token."""
        fields = [form.get(name, "") for name in ("api_key", "request_token", "checksum")]
        if not all(fields):
            raise KiteError(400, "InputException", "Missing `api_key`, `request_token` or `checksum`.")
        api_key, request_token, checksum = fields
        token = self._sessions.exchange(api_key, request_token, checksum, at)
        if isinstance(token, Refusal):
            raise KiteError(token.status, token.error_type, token.message)
        app = self._sessions.app(api_key)
        return success({
            **(_profile(app) if app else {}),
            "api_key": api_key,
            "access_token": token,
            "public_token": secrets.token_urlsafe(8),
            "enctoken": "",
            "refresh_token": "",
            "login_time": f"{at.astimezone(IST):%Y-%m-%d %H:%M:%S}",
        })  # fmt: skip

    def log_out(self, query: Mapping[str, str], at: datetime) -> web.Response:
        """Answer DELETE `/session/token`: the token in the query dies."""
        api_key, token = query.get("api_key", ""), query.get("access_token", "")
        refusal = self._sessions.refusal(api_key, token, at)
        if refusal:
            raise KiteError(refusal.status, refusal.error_type, refusal.message)
        self._sessions.end(api_key, "logout")
        return success(data=True)

    def profile(self, app: App) -> web.Response:
        """Answer `/user/profile`."""
        return success(_profile(app))

    def clock(self) -> web.Response:
        """Answer what is not Kite's: the instant here, for a collector that keeps the same time."""
        speed = self._clock.speed
        return web.json_response({
            "now": self._clock.now().astimezone(IST).isoformat(),
            "speed": "max" if speed == float("inf") else speed,
        })  # fmt: skip

    def prepare(self, day: date) -> None:
        """Find out what is listed on a day, so that the first request need not."""
        self._keys.of(day)


def _profile(app: App) -> dict[str, Any]:
    return {
        "user_id": app.user_id,
        "user_type": "individual",
        "email": "",
        "user_name": app.user_name,
        "user_shortname": app.user_name.split()[0],
        "broker": "ZERODHA",
        "exchanges": list(EXCHANGES),
        "products": ["NRML", "MIS"],
        "order_types": ["MARKET", "LIMIT"],
        "avatar_url": None,
        "meta": {"demat_consent": "physical"},
    }


def _instant(query: Mapping[str, str], key: str) -> datetime:
    text = query.get(key, "")
    try:
        if not _DATE_TEXT.match(text):
            raise ValueError(text)
        return datetime.fromisoformat(text).replace(tzinfo=IST)
    except ValueError:
        raise KiteError(400, "InputException", f"invalid {key} date") from None
