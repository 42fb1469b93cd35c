"""Which statement about sharing stands, and that no statement of that kind moves a decision."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.alignment import (
    AlignmentReported,
    AlignmentReportedData,
    DesignationRecorded,
    DesignationRecordedData,
    ProviderAlignmentReported,
    ProviderAlignmentReportedData,
    ReportedSpan,
    SharingPreferenceStated,
    SharingPreferenceStatedData,
)
from contracts.months import month_index
from services.alignment.history import decision_history, decisions_as_known
from services.alignment.programme import programme
from services.alignment.rules.sharing import Sharing, sharing
from services.alignment.saying import Said, said_again
from services.alignment.statements import AlignedSpan, CoverageSpan, Fact, fact_of, restored

PERSON = "p" + "5" * 32
PROGRAMME = programme()


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def fact(kind: Any, sequence: int, stated: str, said: Said, entity: str = "D9001", **more: Any) -> Fact:
    source = "alignment report" if kind == "report" else "1-800-MEDICARE"
    return Fact(
        str(uuid4()), sequence, kind, more.pop("state", "OH"), source, day(stated), entity_id=entity, said=said, **more
    )


def claims(sequence: int, since: str | None, *, shares: bool, stated: str = "2022-03-01", **more: Any) -> Fact:
    effective = () if since is None else (("shares_claims_from", since),)
    return fact("sharing", sequence, stated, (("shares_claims", shares), *effective), **more)


def report(sequence: int, month: str, *, opted_out: bool | None, stated: str | None = None) -> Fact:
    said = () if opted_out is None else (("data_sharing_opt_out", opted_out),)
    span = AlignedSpan(month_index("2022-01"), None, None)
    return fact(
        "report", sequence, stated or f"{month}-10", said, report_month=month_index(month), aligned=(span,)
    )  # fmt: skip


def stands(facts: list[Fact]) -> list[tuple[str, str, bool, str]]:
    return [(one.entity_id, one.about, one.shares, one.effective_from.isoformat()) for one in sharing(facts)]


@pytest.mark.parametrize(
    ("case", "facts", "expected"),
    [
        ("nothing stated", [report(1, "2022-01", opted_out=None)], []),
        ("an opt-out", [claims(1, "2022-02-01", shares=False)], [("D9001", "claims", False, "2022-02-01")]),
        (
            "a withdrawal of the opt-out",
            [claims(1, "2022-02-01", shares=False), claims(2, "2022-03-01", shares=True)],
            [("D9001", "claims", True, "2022-03-01")],
        ),
        (
            "the newest effective day, though stated and delivered earlier",
            [claims(1, "2022-04-01", shares=True), claims(2, "2022-02-01", shares=False, stated="2022-03-20")],
            [("D9001", "claims", True, "2022-04-01")],
        ),
        (
            "on one effective day the one stated last",
            [claims(2, "2022-02-01", shares=False), claims(1, "2022-02-01", shares=True, stated="2022-03-02")],
            [("D9001", "claims", True, "2022-02-01")],
        ),
        (
            "stated on one day, the one delivered last",
            [claims(2, "2022-02-01", shares=False), claims(1, "2022-02-01", shares=True)],
            [("D9001", "claims", False, "2022-02-01")],
        ),
        (
            "in one delivery, the one that shares less",
            [claims(1, "2022-02-01", shares=True), claims(1, "2022-02-01", shares=False)],
            [("D9001", "claims", False, "2022-02-01")],
        ),
        ("without an effective day: from the file's", [claims(1, None, shares=False)],
         [("D9001", "claims", False, "2022-03-01")]),
        ("a report speaks from its month on", [report(1, "2022-02", opted_out=True)],
         [("D9001", "claims", False, "2022-02-01")]),
        (
            "a report of the month before does not know of the opt-out yet",
            [claims(1, "2022-02-14", shares=False), report(2, "2022-02", opted_out=False, stated="2022-03-10")],
            [("D9001", "claims", False, "2022-02-14")],
        ),
        (
            "a report of the month after does",
            [claims(1, "2022-02-14", shares=False), report(2, "2022-03", opted_out=False)],
            [("D9001", "claims", True, "2022-03-01")],
        ),
        (
            "entities apart",
            [claims(1, "2022-02-01", shares=False), claims(1, "2022-03-01", shares=True, entity="A1234")],
            [("A1234", "claims", True, "2022-03-01"), ("D9001", "claims", False, "2022-02-01")],
        ),
        (
            "claims and substance use apart",
            [fact("sharing", 1, "2022-03-01", (
                ("shares_claims", True), ("shares_claims_from", "2022-02-01"),
                ("shares_substance_use", False), ("shares_substance_use_from", "2022-02-20"),
            ))],
            [("D9001", "claims", True, "2022-02-01"), ("D9001", "substance_use", False, "2022-02-20")],
        ),
    ],
)  # fmt: skip
def test_what_stands(case: str, facts: list[Fact], expected: list[tuple[str, str, bool, str]]) -> None:
    assert stands(facts) == expected, case
    assert stands(facts[::-1]) == expected, case


days = st.dates(date(2021, 1, 1), date(2023, 12, 28))
preferences = st.builds(
    lambda sequence, since, stated, shares, entity, state: claims(
        sequence, since and since.isoformat(), shares=shares, stated=stated.isoformat(), entity=entity, state=state
    ),
    st.integers(1, 12), st.none() | days, days, st.booleans(), st.sampled_from(["D9001", "D9002"]),
    st.sampled_from(["OH", "KY"]),
)  # fmt: skip


@given(st.lists(preferences, max_size=8).flatmap(lambda facts: st.tuples(st.just(facts), st.permutations(facts))))
def test_the_order_of_arrival_never_matters(orders: tuple[list[Fact], list[Fact]]) -> None:
    facts, shuffled = orders
    assert sharing(facts) == sharing(shuffled)
    assert {one.entity_id for one in sharing(facts)} == {fact.entity_id for fact in facts}
    for one in sharing(facts):
        assert not any(
            _effective(fact) > one.effective_from for fact in facts if fact.entity_id == one.entity_id
        )  # fmt: skip


def _effective(fact: Fact) -> date:
    said = dict(fact.said)
    return date.fromisoformat(said.get("shares_claims_from", date.fromordinal(fact.stated_on).isoformat()))


def history() -> list[Fact]:
    span = CoverageSpan(
        month_index("2022-01"), month_index("2022-01"), "C", "02", "none", None, "39049", True
    )  # fmt: skip
    coverage = Fact(
        str(uuid4()), 1, "coverage", "OH", "cclf8", day("2022-01-20"), part_a_began=day("2015-01-01"),
        part_b_began=day("2015-01-01"), coverage=(span,),
    )  # fmt: skip
    return [coverage, report(2, "2022-01", opted_out=False), report(5, "2022-03", opted_out=False)]


@given(st.lists(preferences, min_size=1, max_size=6))
def test_no_decision_ever_sees_a_preference(evidence: list[Fact]) -> None:
    facts = history()
    assert decision_history(facts + evidence, PROGRAMME) == decision_history(facts, PROGRAMME)
    keys = [("2022-02", 6)]
    assert list(decisions_as_known(facts + evidence, keys, PROGRAMME)) == list(
        decisions_as_known(facts, keys, PROGRAMME)
    )


ABOUT: dict[str, Any] = {"person_id": PERSON, "state": "OH", "entity_id": "D9001"}


@pytest.mark.parametrize(
    ("event", "data", "kind", "said"),
    [
        (
            SharingPreferenceStated,
            SharingPreferenceStatedData(
                **ABOUT, stated_on=date(2022, 3, 1), shares_claims=False, shares_claims_from=date(2022, 2, 1)
            ),
            "sharing",
            {"shares_claims": False, "shares_claims_from": "2022-02-01"},
        ),
        (
            ProviderAlignmentReported,
            ProviderAlignmentReportedData(
                **ABOUT, stated_on=date(2022, 3, 1), period="2022-Q1", npis=("1999900016", "1999900024")
            ),
            "provider_alignment",
            {"period": "2022-Q1", "npis": ("1999900016", "1999900024")},
        ),
        (
            DesignationRecorded,
            DesignationRecordedData(**ABOUT, channel="medicare_gov", signed_on=date(2022, 3, 1), withdrawn=True),
            "designation",
            {"channel": "medicare_gov", "withdrawn": True},
        ),
        (
            AlignmentReported,
            AlignmentReportedData(
                **ABOUT, stated_on=date(2022, 3, 1), report_month="2022-02", part_d_covered=False, alignment_year=2022,
                high_needs_criteria=("A", "B"), spans=(ReportedSpan(first_month="2022-01"),),
            ),
            "report",
            {"alignment_year": 2022, "part_d_covered": False, "high_needs_criteria": ("A", "B")},
        ),
    ],
)  # fmt: skip
def test_a_fact_says_what_the_statement_said_and_is_stored_whole(
    event: Any, data: Any, kind: str, said: dict[str, Any]
) -> None:
    made = event.of(
        service="intake", key=PERSON, version="1", time=datetime(2022, 3, 1, tzinfo=UTC), delivery_id="d" + "0" * 32,
        sequence=3, data=data,
    )  # fmt: skip
    found = fact_of(made)
    assert (found.kind, dict(found.said), found.entity_id) == (kind, said, "D9001")
    again = restored(
        found.event_id, found.sequence, found.kind, found.state, found.source, found.stated_on, found.entity_id,
        found.body(),
    )  # fmt: skip
    assert again == found


def test_a_fact_written_before_statements_said_more_is_still_read() -> None:
    body = "[null,null,null,[],[],24265,[[24264,null,null]],null]"
    found = restored("e", 1, "report", "OH", "alignment report", 738000, "D9001", body)
    assert (found.said, found.report_month, len(found.aligned)) == ((), 24265, 1)
    assert found.body() == body
    assert said_again({}) == ()


def test_what_stands_names_its_source() -> None:
    (one,) = sharing([claims(7, "2022-02-01", shares=False)])
    assert one == Sharing("D9001", "claims", False, date(2022, 2, 1), "1-800-MEDICARE", date(2022, 3, 1), 7)
