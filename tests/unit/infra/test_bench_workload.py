"""The benchmark's messages are real events, the same in every run; its processes get readable names."""

import pytest

from contracts.decoding import check_key, decode
from contracts.topics import CLAIMS_MEDICARE
from infra.bench.end_to_end import Demonstration, name_of
from infra.bench.workload import CLAIMS_A_MESSAGE, FULL, QUICK, event


def test_messages_are_events_that_differ_and_repeat() -> None:
    first, second = event(7), event(8)
    assert decode(CLAIMS_MEDICARE.name, first.encode()) == first
    check_key(first, first.subject.encode())
    assert first.encode() == event(7).encode()
    assert {claim.record_id for claim in first.data.claims}.isdisjoint(claim.record_id for claim in second.data.claims)
    assert len(first.data.claims) == CLAIMS_A_MESSAGE


def test_claims_of_a_scale() -> None:
    assert (FULL.claims, QUICK.claims) == (400_000, 40_000)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["/x/python", "-m", "infra.command", "run", "worker", "alignment", "--slot", "1"], "worker alignment"),
        (["/x/bin/postgres", "-D", "/data"], "postgresql"),
        (["postgres: io worker 1"], "postgresql"),
        (["/usr/bin/java", "-Xmx512m"], "java"),
        (["/x/python", "-m", "infra.command", "demo"], "python"),
        ([], "ended"),
    ],
)
def test_processes_have_names(command: list[str], name: str) -> None:
    assert name_of(command) == name


def test_cost_of_a_claim() -> None:
    assert Demonstration({"claims_per_second": 2_000}, {}).microseconds_a_claim == 500
