"""What each enricher and each measure took is told, chain after chain, under its own name."""

from time import perf_counter

from g6.analytics import AGGREGATES, ENRICHERS, Enricher, aggregate, enrich
from g6.analytics.conventions import Conventions
from g6.model.chain import OptionChain

SPUN_SECONDS = 0.004
DEFAULT = Conventions()


def spin(chain: OptionChain, _: Conventions) -> OptionChain:
    until = perf_counter() + SPUN_SECONDS
    while perf_counter() < until:
        pass
    return chain


def test_a_step_has_the_time_of_all_its_chains_and_none_of_another_s(make_chain) -> None:
    steps = (*ENRICHERS[:1], Enricher("spin", spin, may_be_shed=True), *ENRICHERS[1:3])
    spent: dict[str, float] = {}
    begun = perf_counter()
    for _ in range(3):
        enrich(make_chain([23950.0, 24000.0, 24050.0]), DEFAULT, steps, spent)
    taken = perf_counter() - begun
    assert spent["spin"] >= 3 * SPUN_SECONDS
    assert sum(spent.values()) <= taken
    assert list(spent) == ["price", "spin", "forward", "atm"]


def test_every_enricher_and_every_measure_is_told(make_chain) -> None:
    spent: dict[str, float] = {}
    chain = enrich(make_chain([23950.0, 24000.0, 24050.0]), DEFAULT, spent=spent)
    aggregate(chain, DEFAULT, spent=spent)
    assert set(spent) == {step.name for step in ENRICHERS} | {measure.name for measure, _ in AGGREGATES}
    assert min(spent.values()) >= 0
