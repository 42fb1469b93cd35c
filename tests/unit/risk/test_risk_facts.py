"""From events to the rows that risk keeps, and what stands of them whatever the order in which they arrive."""

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.claims import (
    Adjustment,
    MedicaidClaim,
    MedicaidClaimsDelivered,
    MedicaidClaimsDeliveredData,
    MedicareClaim,
    MedicareClaimLine,
    MedicareClaimsDelivered,
    MedicareClaimsDeliveredData,
)
from contracts.coverage import (
    CoverageSource,
    MedicareCoverageSpan,
    MedicareCoverageStated,
    MedicareCoverageStatedData,
)
from contracts.medicaid import MedicaidEnrolmentSpan, MedicaidEnrolmentStated, MedicaidEnrolmentStatedData
from services.risk.fact_rows import (
    claim_key,
    claim_records,
    facility_stays,
    medicaid_statements,
    medicare_statements,
    supported_diagnoses,
)
from services.risk.facts import ClaimRecord, FacilityStay, PersonFacts, Statement
from services.risk.prediction_pack import coefficient_pack
from services.risk.risk_policy import risk_policy
from services.risk.rules.coverage_at import (
    dual_status_in,
    is_institutional_level,
    last_known_month,
    portrait,
    spoken_of,
)
from services.risk.rules.hcc_score import Demographics
from services.risk.rules.institutional_stay import newest_stays
from services.risk.rules.person_use import PersonUse
from services.risk.rules.scoring_input import scoring_inputs
from services.risk.rules.standing_claims import standing_claims
from services.risk.scoring_file import ScoringFileError, score_rows
from services.risk.tiering import Ranked, ended, tier_changes

PERSON = "p" + "ab" * 16
POLICY = risk_policy()
ENVELOPE: dict[str, Any] = {
    "service": "intake",
    "key": PERSON,
    "version": "1",
    "time": datetime(2024, 6, 1, tzinfo=UTC),
    "delivery_id": "d" + "cd" * 16,
    "sequence": 7,
}
DAY = date(2024, 5, 1)


def claim(**changes: Any) -> MedicareClaim:
    line = MedicareClaimLine(line_number=1, service_from=DAY, service_through=DAY, procedure_code="99213")
    values: dict[str, Any] = {
        "record_id": "r",
        "version": 3,
        "claim_type_code": "71",
        "adjustment": Adjustment.ORIGINAL,
        "service_from": DAY,
        "service_through": DAY,
        "paid_cents": 1,
        "diagnosis_codes": ("I509", "Z0000"),
        "lines": (line,),
    }
    return MedicareClaim(**(values | changes))


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({}, "r"),
        ({"claim_control_number": "c"}, "71:c"),
        ({"claim_control_number": "c", "facility_number": "360001"}, "71:c"),
        ({"claim_type_code": "60", "facility_number": "360001"}, "60:360001:2024-05-01:2024-05-01"),
        ({"claim_type_code": "60", "facility_number": "360001", "claim_control_number": "c"},
         "60:360001:2024-05-01:2024-05-01"),
        ({"claim_type_code": "60", "claim_control_number": "c"}, "60:c"),
        ({"claim_type_code": "60"}, "r"),
    ],
)  # fmt: skip
def test_what_related_records_share(changes: dict[str, Any], key: str) -> None:
    assert claim_key(claim(**changes)) == key


def test_a_claim_and_its_cancellation_share_their_key_and_no_other_stay_does() -> None:
    first = claim(claim_type_code="60", facility_number="360001")
    taken_back = first.model_copy(update={"record_id": "x", "adjustment": Adjustment.CANCELLATION})
    other_stay = first.model_copy(update={"service_through": date(2024, 5, 2)})
    assert claim_key(first) == claim_key(taken_back) != claim_key(other_stay)


def test_only_codes_that_a_model_knows_are_kept() -> None:
    assert supported_diagnoses(claim(), DAY, POLICY) == (("I509",), (), None)
    assert supported_diagnoses(claim(lines=()), DAY, POLICY) == ((), ("I509",), "no_listed_procedure")
    assert supported_diagnoses(claim(diagnosis_codes=("Z0000",), lines=()), DAY, POLICY) == ((), (), None)


WHY_NOT: list[tuple[dict[str, Any], str | None]] = [
    ({}, None),
    ({"denied": True}, "denied_claim"),
    ({"claim_type_code": "40"}, "bill_type"),
    ({"claim_type_code": "40", "facility_type_code": "1", "classification_code": "3"}, None),
    (
        {"claim_type_code": "40", "facility_type_code": "1", "classification_code": "3", "lines": ()},
        "no_listed_procedure",
    ),
    ({"claim_type_code": "60", "facility_type_code": "2", "classification_code": "1"}, "bill_type"),
    ({"claim_type_code": "20"}, "claim_kind"),
    ({"claim_type_code": "50"}, "claim_kind"),
    ({"claim_type_code": "82"}, "claim_kind"),
    ({"service_through": date(2024, 6, 2)}, "service_after_delivery"),
]


@pytest.mark.parametrize(("changes", "reason"), WHY_NOT)
def test_what_does_not_count_says_why(changes: dict[str, Any], reason: str | None) -> None:
    counting, ignored, why = supported_diagnoses(claim(**changes), date(2024, 6, 1), POLICY)
    assert why == reason
    assert (counting, ignored) == ((("I509",), ()) if reason is None else ((), ("I509",)))


def test_a_retired_code_is_kept_and_nonsense_is_not() -> None:
    codes = ("G20", "G20A1", "Q9999", "A000")
    assert supported_diagnoses(claim(diagnosis_codes=codes), DAY, POLICY)[0] == ("G20", "G20A1")


def claim_rows(*claims: MedicareClaim) -> list[tuple[Any, ...]]:
    data = MedicareClaimsDeliveredData(person_id=PERSON, state="OH", claims=claims)
    return list(claim_records(MedicareClaimsDelivered.of(**ENVELOPE, data=data), POLICY))


@pytest.mark.parametrize(
    ("changes", "cancellation", "admission", "codes"),
    [
        ({}, False, False, "I509"),
        ({"adjustment": Adjustment.CANCELLATION}, True, False, "I509"),
        ({"adjustment": Adjustment.ADJUSTMENT}, False, False, "I509"),
        ({"denied": True}, False, False, ""),
        ({"claim_type_code": "60", "facility_type_code": "1", "classification_code": "1"}, False, True, "I509"),
        ({"claim_type_code": "61"}, False, True, ""),
        ({"claim_type_code": "60", "denied": True}, False, False, ""),
        ({"claim_type_code": "40"}, False, False, ""),
    ],
)
def test_a_claim_becomes_a_row(
    changes: dict[str, Any],
    cancellation: bool,  # noqa: FBT001 - a column of the table
    admission: bool,  # noqa: FBT001 - as above
    codes: str,
) -> None:
    (row,) = claim_rows(claim(**changes))
    assert row[:5] == (PERSON, "r", 3, 7, "OH")
    assert row[6:11] == (cancellation, admission, DAY, DAY, codes)
    assert row[11] == ("" if codes else "I509")


def test_every_claim_is_kept_with_its_kind_and_cost() -> None:
    kinds = ("10", "20", "30", "40", "50", "60", "61", "71", "72", "81", "82")
    kept = claim_rows(*(claim(record_id=kind, claim_type_code=kind) for kind in kinds))
    assert [row[13] for row in kept] == list(kinds)
    # Institutional claims cost their payment, others the sum of their lines.
    assert [row[14] for row in kept] == [1] * 7 + [0] * 4


@pytest.mark.parametrize(
    ("file_type", "changes", "counts"),
    [
        ("LT", {}, [True]),
        ("LT", {"voided": True}, [False]),
        ("LT", {"denied": True}, [False]),
        ("IP", {}, []),
        ("OT", {}, []),
        ("RX", {}, []),
    ],
)
def test_only_long_term_care_is_a_stay(file_type: Any, changes: dict[str, Any], counts: list[bool]) -> None:
    stay = MedicaidClaim(
        record_id="OH:C1",
        version=202405010,
        file_type=file_type,
        claim_type_code="1",
        service_from=DAY,
        service_through=date(2024, 5, 31),
        paid_cents=1,
        **changes,
    )
    data = MedicaidClaimsDeliveredData(person_id=PERSON, state="OH", claims=(stay,))
    rows = list(facility_stays(MedicaidClaimsDelivered.of(**ENVELOPE, data=data)))
    assert [row[-1] for row in rows] == counts
    assert all(row[1:7] == ("OH:C1", 202405010, 7, "OH", DAY, date(2024, 5, 31)) for row in rows)


def test_every_span_of_a_statement_is_a_row_and_none_is_one_too() -> None:
    spans = (
        MedicareCoverageSpan(first_month="2024-01", last_month="2024-02", dual_status_code="02"),
        MedicareCoverageSpan(first_month="2024-03"),
    )
    about: dict[str, Any] = {"person_id": PERSON, "state": "OH", "stated_on": DAY, "birth_date": date(1950, 1, 2)}
    for given_spans, months in (
        (spans, [("2024-01", "2024-02", "02"), ("2024-03", None, None)]),
        ((), [(None, None, None)]),
    ):
        data = MedicareCoverageStatedData(**about, source=CoverageSource.CCLF8, spans=given_spans)
        rows = list(medicare_statements(MedicareCoverageStated.of(**ENVELOPE, data=data)))
        assert [row[12:15] for row in rows] == months
        assert [row[2] for row in rows] == list(range(len(months)))
        assert {(row[3], row[5], row[7]) for row in rows} == {(7, "medicare", date(1950, 1, 2))}


def test_the_states_spans_carry_the_level_of_care_and_no_entitlement() -> None:
    span = MedicaidEnrolmentSpan(first_month="2024-01", dual_status_code="08")
    data = MedicaidEnrolmentStatedData(person_id=PERSON, state="OH", stated_on=DAY, spans=(span,))
    (row,) = medicaid_statements(MedicaidEnrolmentStated.of(**ENVELOPE, data=data))
    assert row[5:7] == ("medicaid", DAY)
    assert (row[9], row[11]) == (None, None)
    assert row[12:] == ("2024-01", None, "08", span.long_term_care_level, None, None)


# One row a record and version, as the table's key has it.
CLAIM_RECORDS = st.lists(
    st.builds(
        ClaimRecord,
        sequence=st.integers(1, 4),
        state=st.just("OH"),
        record_id=st.sampled_from("abcdef"),
        version=st.integers(1, 3),
        claim_key=st.sampled_from("kl"),
        cancellation=st.booleans(),
        service_from=st.just(DAY),
        service_through=st.just(DAY),
    ),
    unique_by=lambda record: (record.record_id, record.version),
    max_size=12,
)


@given(CLAIM_RECORDS, st.randoms(use_true_random=False))
def test_what_stands_does_not_depend_on_the_order_of_arrival(records: list[ClaimRecord], random: Any) -> None:
    shuffled = list(records)
    random.shuffle(shuffled)
    assert standing_claims(shuffled) == standing_claims(records)


@given(CLAIM_RECORDS)
def test_each_cancellation_takes_exactly_one_claim_while_there_are_any(records: list[ClaimRecord]) -> None:
    newest = {one.record_id: one for one in sorted(records, key=lambda one: one.version)}.values()
    claims = Counter(one.claim_key for one in newest if not one.cancellation)
    cancellations = Counter(one.claim_key for one in newest if one.cancellation)
    standing = Counter(one.claim_key for one in standing_claims(records))
    assert standing == claims - cancellations


@given(st.permutations([1, 2, 3]))
def test_the_newest_stay_of_a_claim_counts_in_any_order(versions: list[int]) -> None:
    stays = [FacilityStay(1, "OH", "s", version, DAY, DAY, counts=version == 2) for version in versions]
    assert [stay.version for stay in newest_stays(stays)] == [3]


def said(payer: Any, day: str, sequence: int = 1, **more: Any) -> Statement:
    return Statement(sequence, "OH", payer, date.fromisoformat(day), **more)


@pytest.mark.parametrize(
    ("statements", "sex"),
    [
        ([said("medicare", "2022-01-01", sex_code="1"), said("medicaid", "2023-01-01", sex_code="2")], "1"),
        ([said("medicare", "2022-01-01", sex_code="0"), said("medicaid", "2023-01-01", sex_code="2")], "2"),
        ([said("medicare", "2022-01-01", sex_code="1"), said("medicare", "2022-02-01", sex_code="2")], "2"),
        ([said("medicare", "2022-01-01", 1, sex_code="1"), said("medicare", "2022-01-01", 2, sex_code="2")], "2"),
        ([said("medicare", "2022-02-01", sex_code="1"), said("medicare", "2022-03-01")], "1"),
        ([], None),
    ],
)
def test_whose_word_on_the_person_holds(statements: list[Statement], sex: str | None) -> None:
    assert portrait(statements, 120).sex_code == sex
    assert portrait(reversed(statements), 120).sex_code == sex


def span(payer: Any, day: str, code: str | None, first: str, last: str | None = None, **more: Any) -> Statement:
    return said(payer, day, dual_status_code=code, first_month=first, last_month=last, **more)


@pytest.mark.parametrize(
    ("statements", "code"),
    [
        ([span("medicaid", "2022-01-05", "02", "2022-01")], "02"),
        ([span("medicaid", "2022-01-05", "02", "2022-01"), span("medicare", "2022-09-01", "03", "2022-06")], "02"),
        ([span("medicaid", "2022-01-05", None, "2022-01"), span("medicare", "2022-01-01", "03", "2022-06")], "03"),
        ([span("medicaid", "2022-01-05", "02", "2022-01", "2022-05")], None),
        ([span("medicaid", "2022-01-05", "02", "2022-07")], None),
        ([span("medicaid", "2022-01-05", "02", "2022-01"), span("medicaid", "2022-05-05", "04", "2022-01")], "04"),
        ([span("medicaid", "2022-01-05", "02", "2022-01", sequence=2), span("medicaid", "2022-01-05", "04", "2022-01")],
         "02"),
        ([span("medicare", "2022-08-01", "03", "2022-08", "2022-08"),
          span("medicare", "2022-10-01", "04", "2022-10", "2022-10")], "03"),
        ([span("medicare", "2022-02-01", "03", "2022-02", "2022-02"),
          span("medicare", "2022-04-01", "04", "2022-04", "2022-04")], "04"),
    ],
)  # fmt: skip
def test_whose_word_on_a_months_dual_status_holds(statements: list[Statement], code: str | None) -> None:
    assert dual_status_in(statements, "2022-06") == code
    assert dual_status_in(statements[::-1], "2022-06") == code


def test_a_later_level_of_care_replaces_an_institutional_one_only_in_its_own_months() -> None:
    statements = [
        said("medicaid", "2022-01-05", first_month="2022-01", long_term_care_level="institutional"),
        said("medicaid", "2022-03-05", first_month="2022-03", long_term_care_level="community"),
        said("medicaid", "2022-04-05", first_month="2022-01"),
    ]
    assert [is_institutional_level(statements, month) for month in ("2021-12", "2022-02", "2022-03")] == [
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("spans", "month"),
    [
        ([], "2022-01"),
        ([("2021-01", "2021-06")], "2021-06"),
        ([("2021-01", "2023-06")], "2022-12"),
        ([("2023-01", "2023-06")], "2022-01"),
        ([("2021-01", "2021-06"), ("2022-02", "2022-03")], "2022-03"),
    ],
)
def test_the_month_whose_status_counts(spans: list[tuple[str, str]], month: str) -> None:
    assert last_known_month(spans, 2022) == month


def test_an_open_span_speaks_until_its_statement_and_at_least_of_its_first_month() -> None:
    assert spoken_of(
        [
            said("medicaid", "2022-03-05", first_month="2022-01"),
            said("medicaid", "2022-03-05", first_month="2022-05"),
            said("medicaid", "2022-03-05"),
        ]
    ) == [("2022-01", "2022-03"), ("2022-05", "2022-05")]


def test_a_new_enrollee_in_a_facility_is_institutional_and_the_state_is_the_last_one_stated() -> None:
    facts = PersonFacts(
        (
            said("medicare", "2022-03-20", 3, birth_date=date(1950, 1, 1), sex_code="2", part_b_began=date(2021, 9, 1)),
            said("medicaid", "2022-04-20", 4, first_month="2022-04", long_term_care_level="institutional"),
        ),
        (ClaimRecord(9, "KY", "a", 1, "k", cancellation=False, service_from=DAY, service_through=DAY),),
    )
    (only,) = scoring_inputs(facts, POLICY)
    assert (only.segment, only.state) == ("INS", "OH")
    assert only.demographics == Demographics(72, "2", "0", medicaid=False)


def ranked(name: str, categories: tuple[int, ...] = (), use: PersonUse = PersonUse()) -> Ranked:  # noqa: B008 - frozen
    return Ranked(name, "OH", 2022, Decimal("1.000"), "CNA", categories, 70, use)


def test_only_changed_tiers_are_told_and_why() -> None:
    lifted = PersonUse(admissions_quarter=2, primary_care_year=1)
    visited = PersonUse(primary_care_year=1)
    people = [ranked("a", use=visited), ranked("b", (38, 221), lifted), ranked("c", (38, 221), visited)]
    told = list(tier_changes(people, {"a": 1, "b": 1, "c": 4}, coefficient_pack(), POLICY))
    assert [(one.person_id, one.tier, one.previous) for one in told] == [("b", 4, 1), ("c", 2, 4)]
    assert told[0].reasons[0] == "2 hospital admissions within 90 days"
    assert [reason.split()[0] for reason in told[1].reasons[-2:]] == ["Heart", "Diabetes"], "the heaviest goes first"


def test_whoever_is_ranked_no_more_is_in_no_tier() -> None:
    told = list(ended([ranked("a")], {"a": 2, "b": 3, "c": None}, {"a": "OH", "b": "OH", "c": "OH"}))
    assert [(one.person_id, one.tier, one.previous) for one in told] == [("b", None, 3)]


@pytest.mark.parametrize("age", ["9" * 5_000, "131", "-1", "\u0667\u0660", "7.5", "", " "])
def test_an_age_that_is_none_is_named_by_row_and_never_repeated(age: str) -> None:
    good = {"age": "70", "sex": "1", "orec": "0", "medicaid": "0", "segment": "CNA", "icd10": ""}
    with pytest.raises(ScoringFileError) as refused:
        list(score_rows([good, good | {"age": age}], "V28"))
    assert str(refused.value) == "row 2: column age: not a number of years up to 130"
