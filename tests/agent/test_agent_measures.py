"""What every enricher and measure of a minute took is told wherever a person looks."""

import re
from urllib.request import urlopen

from bent_agent import DAY, agent_on
from prometheus_client.parser import text_string_to_metric_families

from g6.analytics import AGGREGATES, ENRICHERS, INDEX_AGGREGATES

OF_THE_MARKET = "market"  # its measures are timed together


def test_each_measure_s_own_time_is_in_the_report_on_the_page_in_the_document_and_on_the_terminal(
    settings_for, capsys
) -> None:
    settings = settings_for(
        clock__at=f"{DAY}T10:00+05:30", collection__indices="NIFTY", collection__expiries="this_week",
        console__concise="false",
    )  # fmt: skip
    with agent_on(settings) as (agent, parts):
        assert agent.loop(1) == 0
        told = parts.observation
        report = told.state.report
        with urlopen(f"{told.url}/metrics/options", timeout=30) as answer:
            page = {f.name: f for f in text_string_to_metric_families(answer.read().decode())}
        document = told.health.document()
    steps = {step.name for step in ENRICHERS}
    measures = {measure.name for measure, _ in (*AGGREGATES, *INDEX_AGGREGATES)}
    assert set(report.measure_seconds) == steps | measures | {OF_THE_MARKET}
    on_page = {sample.labels["measure"]: sample.value for sample in page["g6_measure_seconds"].samples}
    assert on_page == dict(report.measure_seconds)
    longest = sorted(report.measure_seconds.values(), reverse=True)
    assert [round(seconds, 6) for seconds in longest[:10]] == list(document.cycle.measures.values())
    (line,) = re.findall(r"^measures .*$", capsys.readouterr().out, re.MULTILINE)
    shown = dict(re.findall(r"(\w+) (\d+\.\d)", line.partition("of it ")[2]))
    assert shown == {name: f"{report.measure_seconds[name] * 1000:.1f}" for name in shown}
    assert sorted(map(float, shown.values())) == [float(f"{s * 1000:.1f}") for s in longest[2::-1]]
