"""Run the official client against a stream until it has full ticks of all tokens; print them as JSON and leave.

Arguments: url, api key, access token, tokens. A process of its own, because the client's reactor runs only once.
"""

import json
import os
import sys

from kiteconnect import KiteTicker


def main() -> None:
    url, api_key, access_token, *words = sys.argv[1:]
    tokens = [int(word) for word in words]
    ticker = KiteTicker(api_key, access_token, root=url, reconnect_max_tries=0)
    full, quotes, errors = {}, [], []

    def leave(code: int) -> None:
        report = {"full": list(full.values()), "first_modes": quotes, "errors": errors}
        print(json.dumps(report, default=str), flush=True)
        os._exit(code)

    def on_connect(_ticker, _response) -> None:
        ticker.subscribe(tokens)
        ticker.set_mode(ticker.MODE_FULL, tokens)

    def on_ticks(_ticker, ticks) -> None:
        quotes.extend(tick["mode"] for tick in ticks if not full)
        full.update({tick["instrument_token"]: tick for tick in ticks if tick["mode"] == "full"})
        if len(full) == len(tokens):
            leave(0)

    def on_error(_ticker, code, reason) -> None:
        errors.append([code, str(reason)])

    ticker.on_connect, ticker.on_ticks, ticker.on_error = on_connect, on_ticks, on_error
    ticker.on_close = lambda *_: leave(1)
    ticker.connect()


if __name__ == "__main__":
    main()
