"""NSE's files of participants as it writes them, with figures of one's own; and a server that has them, or fails."""

import json
import threading
from collections.abc import Callable
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HEADER = (
    "Client Type,Future Index Long,Future Index Short,Future Stock Long,Future Stock Short       ,"
    "Option Index Call Long,Option Index Put Long,Option Index Call Short,Option Index Put Short,"
    "Option Stock Call Long,Option Stock Put Long,Option Stock Call Short,Option Stock Put Short,"
    "Total Long Contracts      ,Total Short Contracts"
)
LONGS, SHORTS = (0, 2, 4, 5, 8, 9), (1, 3, 6, 7, 10, 11)  # where long and short stand among the first twelve
SUBJECTS = {"oi": "Open Interest", "vol": "Trading Volume"}


def contracts_rows(scale: int = 1) -> dict[str, list[int]]:
    """Participant → its fourteen numbers, which add up."""
    rows = {
        "Client": [90, 40, 500, 100, 800, 600, 700, 650, 300, 200, 250, 210],
        "DII": [10, 5, 40, 300, 20, 30, 5, 0, 10, 10, 60, 20],
        "FII": [20, 80, 300, 450, 200, 260, 250, 130, 60, 90, 80, 70],
        "Pro": [30, 25, 160, 150, 280, 210, 345, 320, 130, 100, 110, 100],
    }
    rows = {name: [scale * value for value in values] for name, values in rows.items()}
    total = [sum(column) for column in zip(*rows.values(), strict=True)]
    for long, short in zip(LONGS, SHORTS, strict=True):
        assert total[long] == total[short], (long, total[long], total[short])
    return {
        name: [*values, sum(values[i] for i in LONGS), sum(values[i] for i in SHORTS)]
        for name, values in {**rows, "TOTAL": total}.items()
    }


def contracts_text(day: date, word: str = "oi", rows: dict[str, list[int]] | None = None, said: str = "") -> str:
    """The file of a day; `said` stands in for the day in the title."""
    said = said or f"{day:%b %d, %Y}"
    title = f'""Participant wise {SUBJECTS[word]} (no. of contracts) in Equity Derivatives as on {said}""' + "," * 14
    lines = [",".join([name, *map(str, values)]) for name, values in (rows or contracts_rows()).items()]
    return "\r\n".join([title, HEADER, *lines]) + "\r\n"


def cash_json(day: date, dii: tuple[str, str, str], fii: tuple[str, str, str]) -> str:
    rows = [
        dict(zip(("category", "date", "buyValue", "sellValue", "netValue"), (who, f"{day:%d-%b-%Y}", *v), strict=True))
        for who, v in (("DII **", dii), ("FII/FPI *", fii))
    ]
    return json.dumps(rows)


class FileServer:
    """Answers as `answer(path, number of the request)` says: status (0: never), body, and the length that is told."""

    def __init__(self, answer: Callable[[str, int], tuple[int, str, int | None]]) -> None:
        server = self
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.most_at_once = self._at_once = 0
        self.released = threading.Event()  # what hangs, hangs until then
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with lock:
                    server.requests.append((self.path, dict(self.headers)))
                    number = len(server.requests)
                    server._at_once += 1
                    server.most_at_once = max(server.most_at_once, server._at_once)
                try:
                    status, body, length = answer(self.path, number)
                    if status == 0:  # nothing, for as long as one likes to wait
                        server.released.wait(30)
                        return
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(body.encode()) if length is None else length))
                    if status == 429:
                        self.send_header("Retry-After", "7")
                    self.send_header("Set-Cookie", "nsit=given; Path=/")
                    self.end_headers()
                    self.wfile.write(body.encode())
                finally:
                    with lock:
                        server._at_once -= 1

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
