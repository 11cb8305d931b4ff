"""Points counted back from a database: by a real VictoriaMetrics in PromQL, and in Flux by the answers it documents."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from victoria_metrics import BINARY, VictoriaMetrics, free_port

from g6.analytics import MEASURES
from g6.errors import AuthError, BadResponse, TransientError
from g6.storage.influx_lines import lines
from g6.storage.influx_writer import InfluxOptions, InfluxWriter
from g6.verification.influx_counts import influx_compare
from g6.verification.result import StoredCounts

DESCRIPTORS = MEASURES
CODES = ("this_week", "next_week", "this_month", "next_month")


def options(url):
    return InfluxOptions(url, "org", "bucket", "token", timeout_seconds=5.0)


@pytest.fixture
def victoria(tmp_path):
    if BINARY is None:
        pytest.skip("victoria-metrics is not installed (Debian package victoria-metrics)")
    server = VictoriaMetrics(tmp_path)
    server.start()
    yield server
    server.kill()


def deliver(day, server, keep=lambda line: True):
    writer = InfluxWriter(options(server.url))
    for number in range(20):
        writer.write([line for line in lines(day.snapshot(number), DESCRIPTORS) if keep(line)])
    writer.close()
    server.flush()


def test_a_database_that_has_every_point_agrees(day, victoria):
    deliver(day, victoria)
    deliver(day, victoria)  # again: a point is a point
    verification = day.verify(stores={"influx": influx_compare(options(victoria.url))})
    assert (verification.score, verification.findings) == (100.0, ())
    influx = next(part for part in verification.parts if part.name == "influx")
    assert (influx.share, influx.checked) == (1.0, True)


def test_points_that_a_database_lost_are_counted_where_they_are_missing(day, victoria):
    lost = b"option_data,expiry_code=next_week,index=SENSEX,offset=p1,side=ce "
    deliver(day, victoria, lambda line: not line.startswith(lost))
    (finding,) = day.verify(stores={"influx": influx_compare(options(victoria.url))}).findings
    assert (finding.kind, finding.place) == ("store_differs", "influx")
    placed = sum(line.startswith(lost) for n in range(20) for line in lines(day.snapshot(n), DESCRIPTORS))
    assert finding.count == placed > 0
    assert finding.example == f"option_data SENSEX next_week: {280 - placed} of 280 points"


def test_a_minute_without_its_tick_is_counted(day, victoria):
    stamp = lines(day.snapshot(3), DESCRIPTORS)[0].rpartition(b" ")[2]
    deliver(day, victoria, lambda line: not (line.startswith(b"pipeline_tick ") and line.endswith(stamp)))
    (finding,) = day.verify(stores={"influx": influx_compare(options(victoria.url))}).findings
    assert (finding.count, finding.example) == (1, "pipeline_tick: 19 of 20 points")


def test_an_empty_database_costs_all_that_it_is_worth(day, victoria):
    verification = day.verify(stores={"influx": influx_compare(options(victoria.url))})
    assert verification.score == 90.0


def test_a_database_that_is_not_there_is_unknown(day):
    verification = day.verify(stores={"influx": influx_compare(options(f"http://127.0.0.1:{free_port()}"))})
    assert [finding.kind for finding in verification.findings] == ["store_unknown"]
    assert verification.score == 90.0


# InfluxDB 2, as its documentation shows its annotated CSV: several tables, each under its own header.

ANNOTATIONS = (
    "#group,false,false,true,true,false\r\n#datatype,string,long,string,string,long\r\n#default,_result,,,,\r\n"
)
LEGS = f"{ANNOTATIONS},result,table,expiry_code,index,_value\r\n" + "".join(
    f",,{n},{code},NIFTY,280\r\n" for n, code in enumerate(CODES)
)
CHAINS = "".join(
    f"{ANNOTATIONS},result,table,expiry_code,index,_value\r\n,,{n},{code},NIFTY,20\r\n\r\n"
    for n, code in enumerate(CODES)
)
INDICES = ",result,table,index,_value\r\n,_result,0,NIFTY,20\r\n"
TICKS = ",result,table,_value\r\n,_result,0,20\r\n"


class Flux(BaseHTTPRequestHandler):
    def do_POST(self):
        script = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.asked.append((self.path, dict(self.headers), script))
        answers = {"option_data": LEGS, "options_overview": CHAINS, "index_overview": INDICES, "pipeline_tick": TICKS}
        body = next(text for name, text in answers.items() if f'"{name}"' in script)
        self.answer(*self.server.answers.get("POST", (200, body)))

    def do_GET(self):
        self.answer(*self.server.answers.get("GET", (404, "not found")))

    def answer(self, status, body):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        return


@pytest.fixture
def influx():
    server = HTTPServer(("127.0.0.1", 0), Flux)
    server.asked, server.answers = [], {}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def compared(influx, day, legs=280):
    expected = StoredCounts(
        20,
        {("NIFTY", code): legs for code in CODES},
        {("NIFTY", code): 20 for code in CODES},
        {"NIFTY": 20},
    )
    return influx_compare(options(f"http://127.0.0.1:{influx.server_port}"))(day, expected)


def test_counts_are_read_from_every_table_of_a_flux_answer(influx, at):
    found = compared(influx, at(0).date())
    assert (found.compared, found.differing, found.error) == (4 * 280 + 4 * 20 + 20 + 20, 0, None)
    path, headers, script = influx.asked[0]
    assert (urlsplit(path).path, parse_qs(urlsplit(path).query)) == ("/api/v2/query", {"org": ["org"]})
    assert headers["Authorization"] == "Token token"
    # The whole IST day.
    assert "range(start: 2026-11-20T00:00:00+05:30, stop: 2026-11-21T00:00:00+05:30)" in script


def test_points_too_many_differ_as_well_as_points_too_few(influx, at):
    assert compared(influx, at(0).date(), legs=279).differing == 4
    assert compared(influx, at(0).date(), legs=281).examples[0] == "option_data NIFTY next_month: 280 of 281 points"


@pytest.mark.parametrize(
    ("answers", "error", "said"),
    [
        ({"POST": (401, "unauthorized access")}, AuthError, "may read the bucket"),
        ({"POST": (404, 'could not find bucket "bucket"')}, BadResponse, "could not find bucket"),
        ({"POST": (503, "starting")}, TransientError, "503"),
        ({"POST": (200, "a,b\r\n1,2\r\n")}, BadResponse, "not counts"),
        ({"POST": (400, "no such path"), "GET": (200, "<html>")}, BadResponse, "not an answer"),
    ],
)
def test_answers_that_are_no_counts_are_errors_that_say_what_to_do(influx, at, answers, error, said):
    influx.answers |= answers
    with pytest.raises(error, match=said):
        compared(influx, at(0).date())
