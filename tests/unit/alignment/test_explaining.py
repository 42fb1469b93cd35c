"""A decision in plain words: hard histories, read as somebody who has to defend them would."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from test_alignment_history import OURS as OUR_ENROLMENT
from test_alignment_history import PROGRAMME, enrolment, report, snapshot
from test_claims_based import OURS, PARTICIPANTS, THEIRS, visit
from test_voluntary import ROSTERED, signed

from contracts.alignment import MonthDecision, Outcome, PredicateResult
from services.alignment.computing import Evidence, Lists, Standing, forecast, worked
from services.alignment.explaining import Decided, Known, Past, dollars_of, explanation
from services.alignment.history import decision_history
from services.alignment.statements import Fact

PERSON = f"p{1:032x}"
LISTS = Lists(PARTICIPANTS, ROSTERED)
IN_AREA = PredicateResult(name="IN_SERVICE_AREA", outcome=Outcome.PASS)


def decided_of(month: str, facts: Sequence[Fact]) -> tuple[Decided | None, list[Past]]:
    found = decision_history(facts, PROGRAMME)
    own = sorted((sequence, one) for (of, sequence), one in found.items() if of == month)
    past = [Past(sequence, date(2022, 1, sequence), one.aligned, one.basis, one.change.value) for sequence, one in own]
    return (_decided(*own[-1]) if own else None), past


def _decided(sequence: int, one: MonthDecision) -> Decided:
    predicates = (*one.predicates, IN_AREA)
    return Decided(one.aligned, one.basis, one.change.value, one.entity_id, one.reasons, sequence, predicates)


def told(month: str, *facts: Fact, **more: Any) -> list[str]:
    decided, past = decided_of(month, facts)
    evidence = Evidence("OH", more.get("visits", ()), tuple(more.get("forms", ())))
    done = None if decided is None else worked(month, decided.predicates, evidence, LISTS)
    reports = [fact for fact in facts if fact.kind == "report"]
    known = Known(PERSON, month, 9, decided, past, reports, evidence, LISTS, done, more.get("merged_into"))
    return explanation(known)


def test_somebody_whom_cms_reports() -> None:
    lines = told(
        "2022-01", snapshot(1, "2022-01"), enrolment(2, "2022-01-21", ("2022-01", None, *OUR_ENROLMENT)),
        report(3, "2022-01", ("2022-01", None, None)),
    )  # fmt: skip
    assert lines[:2] == [
        f"{PERSON} in 2022-01, as known at delivery 9.",
        "Counts for D9001, because CMS's alignment report says so (known since delivery 3).",
    ]
    assert "  D9001, report for 2022-01 of 2022-01-25 (delivery 3): aligned 2022-01 to on" in lines
    assert "  has full Medicaid benefits: yes (834 2022-01-21)" in lines
    assert "  Aligned to D9001, by roster." in lines
    assert lines[-3:] == [
        "  delivery 1, received 2022-01-01: does not count, eligibility changed",
        "  delivery 2, received 2022-01-02: does not count, eligibility changed",
        "  delivery 3, received 2022-01-03: counts (reported), aligned",
    ]


def test_somebody_whom_cms_aligns_and_we_would_not() -> None:
    lines = told("2022-01", snapshot(1, "2022-01", dual="01"), report(3, "2022-01", ("2022-01", None, None)))
    assert "Counts for D9001, because CMS's alignment report says so (known since delivery 3)." in lines
    assert "  Not aligned: DUAL_PARTIAL." in lines
    assert "  This is not what counts: CMS decides, and the difference is what to raise with it." in lines


def test_somebody_removed_and_why() -> None:
    lines = told("2022-02", snapshot(1, "2022-02"), report(3, "2022-02", ("2022-01", "2022-01", "DEATH")))
    assert lines[1] == "Does not count: CMS's report ended the alignment (DEATH) (known since delivery 3)."
    assert any("removed: DEATH" in line for line in lines)


def test_somebody_on_whose_visit_it_hangs() -> None:
    visits = [visit(on="2020-08-01", dollars=60), visit(on="2020-11-03", dollars=60), visit(THEIRS, dollars=100)]
    lines = told("2022-01", snapshot(1, "2022-01"), visits=visits)
    assert "  by claims of 2019-07-01 to 2020-06-30, 2020-07-01 to 2021-06-30: yes, primary care decides" in lines
    assert "    D9001: $80.00, latest visit 2020-11-03" in lines
    assert f"    {THEIRS}: $66.66, latest visit 2020-08-01" in lines
    assert f"    it hangs on the visit of 2020-11-03 to {OURS}: without it, it would be {THEIRS}" in lines


def test_somebody_who_signed_a_form_too_late() -> None:
    forms = [signed("2022-01-05", sequence=7)]
    lines = told("2022-03", snapshot(1, "2022-03"), forms=forms)
    assert "  by the person's own word: no, AFTER_DEADLINE" in lines
    assert (
        f"    2022-01-05 on a signed form, clinician {OURS}: AFTER_DEADLINE, counts from 2022-04-01 (delivery 7)"
        in lines
    )
    assert "  Aligned to D9001, by voluntary." in told("2022-04", snapshot(1, "2022-04"), forms=forms)


def test_nobody_is_told_a_tax_number() -> None:
    visits = [visit(THEIRS, practice="310000001"), visit(dollars=50)]
    lines = told("2022-01", snapshot(1, "2022-01"), visits=visits)
    assert "    another practice: $66.66, latest visit 2020-08-01" in lines
    assert not any("310000001" in line for line in lines)


def test_somebody_of_whom_nothing_was_known_and_somebody_who_is_another() -> None:
    assert told("2022-01")[1] == "No decision: by then nobody had said anything about the person in this month."
    other = f"p{2:032x}"
    assert (
        told("2022-01", snapshot(1, "2022-01"), merged_into=other)[1]
        == f"This turned out to be {other}: ask about them."
    )


def test_a_month_of_no_performance_year_is_not_computed() -> None:
    lines = told("2020-01", snapshot(1, "2020-01"))
    assert "  Nothing: no policy pack says how the month's performance year is aligned." in lines


@pytest.mark.parametrize(("thirds", "text"), [(0, "$0.00"), (2, "$0.00"), (3, "$0.01"), (30_000_000, "$100,000.00")])
def test_thirds_are_read_as_dollars_rounded_down(thirds: int, text: str) -> None:
    assert dollars_of(thirds) == text


STAYS = (snapshot(1, "2022-01"), enrolment(2, "2022-01-21", ("2022-01", None, *OUR_ENROLMENT)))
LEFT = (snapshot(1, "2022-01"), enrolment(2, "2022-01-21", ("2022-01", None, True, "MCO9002", "02", "none")))
UNHEARD = (snapshot(1, "2022-01", county=None),)


@pytest.mark.parametrize(
    ("case", "month", "now", "facts", "evidence", "kind", "path"),
    [
        ("stays by the roster", "2023-01", "D9001", STAYS, Evidence("OH"), "retained", "roster"),
        ("stays within the year", "2022-04", "D9001", STAYS, Evidence("OH"), "retained", None),
        ("left the plan", "2023-01", "D9001", LEFT, Evidence("OH"), "lost", None),
        ("left the plan within the year", "2022-04", "D9001", LEFT, Evidence("OH"), "lost", None),
        ("is added by a form", "2022-04", None, UNHEARD, Evidence("OH", designations=(signed("2022-02-01"),)), "gained",
         "voluntary"),
        ("claims add nobody within a year", "2022-04", None, UNHEARD, Evidence("OH", [visit()]), "not_ours", None),
        ("claims add somebody for a year", "2022-01", None, UNHEARD, Evidence("OH", [visit()]), "gained", "claims"),
        ("of whom too little is known", "2023-01", "D9001", UNHEARD, Evidence("OH"), "open", None),
    ],
)  # fmt: skip
def test_what_becomes_of_somebody(  # noqa: PLR0917 - a table
    case: str,
    month: str,
    now: str | None,
    facts: tuple[Fact, ...],
    evidence: Evidence,
    kind: str,
    path: str | None,
) -> None:
    decided, _ = decided_of("2022-01", facts)
    assert decided is not None, case
    same_year = month[:4] == "2022" and month != "2022-01"
    found = forecast(month, Standing(now, decided.predicates, same_year), evidence, LISTS)
    assert found is not None
    assert (found.kind, found.worked.computed.path) == (kind, path), case


def test_whoever_dies_in_between_is_lost() -> None:
    decided, _ = decided_of("2022-01", STAYS)
    assert decided is not None
    kinds = {}
    for death in (date(2022, 3, 31), date(2022, 4, 1)):
        found = forecast(
            "2022-04", Standing("D9001", decided.predicates, True, death.toordinal()), Evidence("OH"), LISTS
        )
        assert found is not None
        kinds[death.isoformat()] = (found.kind, found.worked.computed.reasons)
    assert kinds == {"2022-03-31": ("lost", ("DECEASED",)), "2022-04-01": ("retained", ())}
