"""Which statement speaks for a month: tables for each source, and what the sources say together."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from contracts.months import month_index
from services.alignment.programme import PolicyError, programme, read_programme
from services.alignment.rules.coverage_resolution import VALUES, CoverageStatements
from services.alignment.rules.enrolment_resolution import EnrolmentStatements
from services.alignment.rules.knowledge import Knowledge
from services.alignment.rules.known_month import Reach
from services.alignment.rules.report_resolution import Reports
from services.alignment.statements import AlignedSpan, CoverageSpan, Designation, EnrolmentSpan, Fact, restored


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def number(month: str | None) -> int:
    return month_index(month or "")


def coverage(sequence: int, stated: str, first: str, last: str | None, **said: Any) -> Fact:
    values = dict.fromkeys(VALUES) | said
    span = CoverageSpan(number(first), number(last) if last else None, **values)  # type: ignore[arg-type]
    return Fact(f"c{sequence}", sequence, "coverage", "OH", "cclf8", day(stated), coverage=(span,))


def enrolment(sequence: int, stated: str, *spans: EnrolmentSpan) -> Fact:
    return Fact(f"e{sequence}", sequence, "enrolment", "OH", "834", day(stated), enrolment=spans)


def span(
    first: str, last: str | None, plan: str | None = "P", dual: str | None = None, *, on: bool = True
) -> EnrolmentSpan:
    return EnrolmentSpan(number(first), number(last) if last else None, on, plan, dual, None, None)


def report(sequence: int, month: str, *spans: tuple[str, str | None], entity: str = "D9001") -> Fact:
    aligned = tuple(AlignedSpan(number(first), number(last) if last else None, "WHY") for first, last in spans)
    return Fact(
        f"r{sequence}", sequence, "report", "OH", "alignment report", day(f"{month}-25"),
        entity_id=entity, report_month=number(month), aligned=aligned,
    )  # fmt: skip


JANUARY = coverage(1, "2022-01-20", "2022-01", "2022-01", dual_status_code="02", county_fips="39001")
MARCH = coverage(2, "2022-03-20", "2022-03", "2022-03", dual_status_code="08")
MARCH_AGAIN = coverage(3, "2022-03-28", "2022-03", "2022-03", dual_status_code="04", county_fips="39003")


@pytest.mark.parametrize(
    ("facts", "month", "dual", "reach"),
    [
        ([JANUARY, MARCH], "2022-01", "02", Reach.EXACT),
        ([JANUARY, MARCH], "2022-02", "02", Reach.CARRIED_FORWARD),
        ([JANUARY, MARCH], "2022-03", "08", Reach.EXACT),
        ([JANUARY, MARCH], "2022-09", "08", Reach.CARRIED_FORWARD),
        ([JANUARY, MARCH], "2021-11", "02", Reach.FROM_LATER),
        ([JANUARY, MARCH_AGAIN, MARCH], "2022-03", "04", Reach.EXACT),
    ],
)
def test_a_snapshot_speaks_for_its_month_then_on_then_back(
    facts: list[Fact], month: str, dual: str, reach: Reach
) -> None:
    statements = CoverageStatements(0)
    for fact in facts:
        statements.add(fact)
    found = statements.resolve(number(month))[VALUES.index("dual_status_code")]
    assert found is not None
    assert (found.value, found.reach) == (dual, reach)


def test_a_value_left_out_is_taken_from_the_next_statement() -> None:
    statements = CoverageStatements(0)
    statements.add(JANUARY)
    statements.add(MARCH)
    county = statements.resolve(number("2022-03"))[VALUES.index("county_fips")]
    assert county is not None
    assert (county.value, county.reach, county.stated_on) == ("39001", Reach.CARRIED_FORWARD, day("2022-01-20"))


def test_an_open_span_speaks_up_to_the_month_of_its_statement_and_is_then_carried() -> None:
    statements = CoverageStatements(0)
    statements.add(coverage(1, "2022-02-20", "2021-12", None, dual_status_code="02"))
    found = [statements.resolve(number(month))[1] for month in ("2021-12", "2022-02", "2022-03")]
    assert [stated and stated.reach for stated in found] == [Reach.EXACT, Reach.EXACT, Reach.CARRIED_FORWARD]


@pytest.mark.parametrize(
    ("case", "facts", "plans", "dual"),
    [
        ("nothing", [], None, None),
        ("another month", [enrolment(1, "2022-01-05", span("2022-02", None))], None, None),
        ("covered", [enrolment(1, "2022-01-05", span("2021-01", None, "P", "02"))], ("P",), "02"),
        (
            "stated last wins, though delivered first",
            [
                enrolment(1, "2022-03-05", span("2022-01", None, "NEW", "08")),
                enrolment(2, "2022-02-05", span("2022-01", None, "OLD", "02")),
            ],
            ("NEW",),
            "08",
        ),
        (
            "stated on one day, delivered last wins",
            [
                enrolment(1, "2022-02-05", span("2022-01", None, "OLD")),
                enrolment(2, "2022-02-05", span("2022-01", None, "NEW")),
            ],
            ("NEW",),
            None,
        ),
        (
            "no code is no information",
            [
                enrolment(1, "2022-02-05", span("2022-01", None, "P", "02")),
                enrolment(2, "2022-03-05", span("2022-01", None, "P")),
            ],
            ("P",),
            "02",
        ),
        (
            "a void takes back what was said before",
            [
                enrolment(1, "2022-02-05", span("2022-01", None, "P", "02")),
                enrolment(2, "2022-03-05", span("2022-01", "2022-01", None, on=False)),
            ],
            (),
            None,
        ),
        (
            "and is itself corrected",
            [
                enrolment(1, "2022-02-05", span("2022-01", None, "P", "02")),
                enrolment(2, "2022-03-05", span("2022-01", "2022-01", None, on=False)),
                enrolment(3, "2022-04-05", span("2022-01", "2022-01", "P")),
            ],
            ("P",),
            None,
        ),
        (
            "enrolled goes before not enrolled in one statement",
            [enrolment(1, "2022-02-05", span("2022-01", None, None, on=False), span("2022-01", None, "P", "02"))],
            ("P",),
            "02",
        ),
        (
            "two plans of one statement",
            [enrolment(1, "2022-02-05", span("2022-01", None, "P", "02"), span("2021-01", None, "A"))],
            ("A", "P"),
            "02",
        ),
        ("a plan without a name", [enrolment(1, "2022-02-05", span("2022-01", None, None))], ("",), None),
    ],
)
def test_the_states_statements(case: str, facts: list[Fact], plans: tuple[str, ...] | None, dual: str | None) -> None:
    statements = EnrolmentStatements()
    for fact in facts:
        statements.add(fact)
    found = statements.resolve(number("2022-01"))
    assert (found.plans and found.plans.value) == plans, case
    assert (found.dual_status_code and found.dual_status_code.value) == dual, case


@pytest.mark.parametrize(
    ("facts", "month", "kind", "entity"),
    [
        ([], "2022-01", "unreported", None),
        ([report(1, "2022-03", ("2022-02", None))], "2022-01", "before", "D9001"),
        ([report(1, "2022-03", ("2022-02", None))], "2022-03", "aligned", "D9001"),
        ([report(1, "2022-03", ("2022-02", None))], "2022-04", "ongoing", "D9001"),
        ([report(1, "2022-03", ("2022-02", "2022-02"))], "2022-02", "aligned", "D9001"),
        ([report(1, "2022-03", ("2022-02", "2022-02"))], "2022-03", "removed", "D9001"),
        ([report(1, "2022-03", ("2022-02", "2022-02"))], "2022-05", "removed", "D9001"),
        ([report(2, "2022-03", ("2022-02", None)), report(1, "2022-04", ("2022-02", "2022-02"))], "2022-03", "removed", "D9001"),
        ([report(1, "2022-03", ("2022-01", "2022-01"), ("2022-03", None))], "2022-02", "removed", "D9001"),
        ([report(1, "2022-03", ("2022-02", None)), report(2, "2022-04", ("2022-04", None), entity="D9002")], "2022-03", "aligned", "D9001"),
    ],
)  # fmt: skip
def test_reports(facts: list[Fact], month: str, kind: str, entity: str | None) -> None:
    reports = Reports()
    for fact in facts:
        reports.add(fact)
    verdict = reports.verdict(number(month))
    assert (verdict.kind, verdict.entity_id) == (kind, entity)


def test_a_month_that_two_entities_claim_overlaps() -> None:
    reports = Reports()
    reports.add(report(1, "2022-03", ("2022-02", None)))
    assert not reports.verdict(number("2022-03")).claimed_by_others
    reports.add(report(2, "2022-03", ("2022-02", None), entity="D9002"))
    assert reports.verdict(number("2022-03")).claimed_by_others


@pytest.mark.parametrize(
    ("one", "other", "aligned"),
    [
        ([("2022-01", "2022-01")], [("2022-03", None)], ["2022-01", "2022-03", "2022-04"]),
        ([("2022-01", "2022-02")], [("2022-01", None)], ["2022-01", "2022-02", "2022-03", "2022-04"]),
        ([("2022-02", None)], [("2022-02", None)], ["2022-02", "2022-03", "2022-04"]),
        ([("2022-01", "2022-01"), ("2022-04", None)], [("2022-02", "2022-02")], ["2022-01", "2022-02", "2022-04"]),
    ],
)
def test_parts_of_one_report_about_two_who_are_one_are_one_statement(
    one: list[tuple[str, str | None]], other: list[tuple[str, str | None]], aligned: list[str]
) -> None:
    """In whichever order they come; a newer report takes the place of all of it."""
    parts = [report(1, "2022-04", *one), replace(report(1, "2022-04", *other), event_id="r1 by another number")]
    months = ["2021-12", "2022-01", "2022-02", "2022-03", "2022-04"]
    for facts in (parts, parts[::-1]):
        reports = Reports()
        for fact in facts:
            reached = {
                month for month in months if reports.with_one_more(fact).verdict(number(month)).kind == "aligned"
            }
            touched = reports.reach_of(fact, range(number(months[0]), number(months[-1]) + 1))
            known = {month for month in months if reports.verdict(number(month)).kind == "aligned"}
            assert {number(month) for month in reached ^ known} <= touched
            reports.add(fact)
        assert [month for month in months if reports.verdict(number(month)).kind == "aligned"] == aligned
        reports.add(report(2, "2022-05", ("2022-05", None)))
        assert not [month for month in months if reports.verdict(number(month)).kind == "aligned"]


def test_leaving_and_returning_are_marked_in_their_first_month_only() -> None:
    reports = Reports()
    reports.add(report(1, "2022-06", ("2022-01", "2022-02"), ("2022-05", None)))
    verdicts = {month: reports.verdict(number(month)) for month in ("2022-03", "2022-04", "2022-05", "2022-06")}
    assert [month for month, verdict in verdicts.items() if verdict.leaves] == ["2022-03"]
    assert [month for month, verdict in verdicts.items() if verdict.returns] == ["2022-05"]


def test_the_state_goes_before_cclf8_for_dual_status_and_after_it_for_residence() -> None:
    knowledge = Knowledge(programme())
    knowledge.add(JANUARY)
    theirs = EnrolmentSpan(number("2022-01"), None, True, "P", "08", "pace", "39999")
    knowledge.add(enrolment(2, "2022-01-21", theirs))
    month = knowledge.about(number("2022-01"))
    found = (month.dual_status_code, month.health_plan, month.county_fips)
    assert [stated and (stated.value, stated.source) for stated in found] == [
        ("08", "834"), ("pace", "834"), ("39001", "CCLF8")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("death", "month", "dead"),
    [("2022-01-31", "2022-01", False), ("2022-02-01", "2022-02", False), ("2022-01-31", "2022-02", True)],
)
def test_a_month_counts_while_death_is_not_before_its_first_day(death: str, month: str, *, dead: bool) -> None:
    knowledge = Knowledge(programme())
    knowledge.add(Fact("d", 1, "enrolment", "OH", "834", day("2022-03-01"), death=day(death)))
    stated = knowledge.about(number(month)).dead
    assert stated is not None
    assert stated.value is dead


def test_a_fact_comes_back_from_the_store_as_it_was() -> None:
    facts = [
        JANUARY,
        enrolment(1, "2022-01-05", span("2022-01", None), span("2022-01", "2022-02", on=False)),
        report(3, "2022-01", ("2022-01", None)),
        Fact("x", 4, "designation", "OH", "designation", 738000, entity_id="D9001", designation=Designation("signed_form", withdrawn=False)),
    ]  # fmt: skip
    for fact in facts:
        columns = (fact.event_id, fact.sequence, fact.kind, fact.state, fact.source, fact.stated_on, fact.entity_id)
        assert restored(*columns, fact.body()) == fact


def test_the_policy_names_source_and_status_of_every_value() -> None:
    own = programme()
    assert all(parameter.source and parameter.status in {"confirmed", "unconfirmed"} for parameter in own.parameters)
    assert [own.performance_year(month) for month in ("2021-03", "2021-04", "2022-12", "2027-01")] == [
        None, "PY2021", "PY2022", None
    ]  # fmt: skip
    assert [entity and entity.entity_id for entity in (own.entity_for(None, "OH"), own.entity_for(None, "CA"))] == [
        "D9001", None
    ]  # fmt: skip


@pytest.mark.parametrize("status", ['status = "guessed"', ""])
def test_a_policy_value_without_a_status_is_refused(tmp_path: Path, status: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(f'[parameters.first_decided_month]\nvalue = "2017-01"\nsource = "somewhere"\n{status}\n')
    with pytest.raises(PolicyError, match="first_decided_month"):
        read_programme(path)
