"""The person's own word: channels, validity, deadlines, withdrawals, and the newest valid one."""

from dataclasses import replace
from datetime import date
from itertools import count, permutations
from typing import Any

import pytest

from contracts.months import month_at, month_index
from services.alignment.paths_policy import paths_policy
from services.alignment.rules.claims_based import Participation
from services.alignment.rules.voluntary import Designated, first_addition, voluntary
from services.alignment.statements import month_number

PACK = paths_policy().pack("2022-01") or pytest.fail("no pack")
OURS, LEFT, THEIRS = "1999900016", "1999900024", "1999900032"
PARTICIPANTS = {
    OURS: [Participation("D9001", month_index("2021-01"), None)],
    LEFT: [Participation("D9001", month_index("2021-01"), month_index("2022-04"))],
}
ROSTERED = frozenset({"D9001"})
numbers = count(1)


def signed(on: str, npi: str | None = OURS, **more: Any) -> Designated:
    day = date.fromisoformat(on).toordinal()
    values: dict[str, Any] = {"channel": "signed_form", "withdrawn": False, "response": None, "entity": "D9001"} | more
    why = "NOT_ON_LIST" if values["response"] == "rejected" else None
    return Designated(
        values["entity"], values["channel"], day, month_number(day), npi, values["withdrawn"], values["response"], why,
        values.get("sequence", next(numbers)),
    )  # fmt: skip


def judged(*designations: Designated, month: str = "2022-02", **more: Any) -> tuple[str, str | None, str | None]:
    found = voluntary(
        designations, PARTICIPANTS, more.get("rostered", ROSTERED), more.get("pack", PACK), month_index(month)
    )
    return found.outcome.value, found.reason, found.entity_id


VALID = ("pass", None, "D9001")
CASES = {
    "nothing was said": ((), "2022-02", ("fail", "NO_DESIGNATION", None)),
    "a form signed in time for the year": ((signed("2021-12-31"),), "2022-01", VALID),
    "one signed after the deadline waits for the quarter": (
        (signed("2022-01-01"),), "2022-03", ("fail", "AFTER_DEADLINE", None),
    ),
    "and counts in it": ((signed("2022-01-01"),), "2022-04", VALID),
    "on Medicare.gov the same holds": ((signed("2021-11-02", channel="medicare_gov"),), "2022-01", VALID),
    "a clinician who is not on the list": (
        (signed("2021-11-02", THEIRS),), "2022-02", ("fail", "CLINICIAN_NOT_ON_ROSTER", None),
    ),
    "a clinician who has left the list": (
        (signed("2021-11-02", LEFT),), "2022-05", ("fail", "CLINICIAN_NOT_ON_ROSTER", None),
    ),
    "the same while they were on it": ((signed("2021-11-02", LEFT),), "2022-04", VALID),
    "a form that CMS rejected": (
        (signed("2021-11-02", response="rejected"),), "2022-02", ("fail", "REJECTED_BY_CMS", None),
    ),
    "a form without a clinician": ((signed("2021-11-02", None),), "2022-02", ("unknown", "CLINICIAN_NOT_NAMED", None)),
    "the newest valid one stands over a newer invalid one": (
        (signed("2021-10-02"), signed("2021-11-02", THEIRS)), "2022-02", VALID,
    ),
    "a newer one of which nothing is known leaves it open": (
        (signed("2021-10-02"), signed("2021-11-02", None)), "2022-02", ("unknown", "CLINICIAN_NOT_NAMED", None),
    ),
    "a withdrawal ends it": (
        (signed("2021-10-02"), signed("2021-11-02", withdrawn=True)), "2022-02", ("fail", "WITHDRAWN", None),
    ),
    "a withdrawal after the deadline ends it with the next quarter only": (
        (signed("2021-10-02"), signed("2022-02-02", withdrawn=True)), "2022-03", VALID,
    ),
    "and then does": (
        (signed("2021-10-02"), signed("2022-02-02", withdrawn=True)), "2022-04", ("fail", "WITHDRAWN", None),
    ),
    "somebody who comes back": (
        (signed("2021-09-02", withdrawn=True), signed("2021-10-02")), "2022-02", VALID,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("designations", "month", "expected"), CASES.values(), ids=CASES)
def test_a_persons_own_word(
    designations: tuple[Designated, ...], month: str, expected: tuple[str, str | None, str | None]
) -> None:
    for order in permutations(designations):
        assert judged(*order, month=month) == expected


def test_a_clinician_of_an_entity_whose_list_nobody_knows_is_unknown() -> None:
    assert judged(signed("2021-11-02", THEIRS), rostered=frozenset()) == ("unknown", "NO_ROSTER", None)


def test_cms_answer_repeats_the_form_and_the_newest_answer_stands() -> None:
    form = signed("2021-11-02", sequence=1)
    rejected, accepted = (
        form._replace(response=said, sequence=number) for said, number in (("rejected", 2), ("accepted", 3))
    )
    for order in permutations((form, rejected, accepted)):
        assert judged(*order) == VALID
    assert judged(form, rejected) == ("fail", "REJECTED_BY_CMS", None)
    found = voluntary((form, rejected, accepted), PARTICIPANTS, ROSTERED, PACK, month_index("2022-02"))
    assert len(found.judged) == 1


def test_an_unanswered_form_waits_where_the_pack_says_so() -> None:
    waiting = replace(PACK, signed_form_needs_acceptance=True)
    assert judged(signed("2021-11-02"), pack=waiting) == ("unknown", "NOT_ANSWERED_BY_CMS", None)
    assert judged(signed("2021-11-02", channel="medicare_gov"), pack=waiting) == VALID
    assert judged(signed("2021-11-02", response="accepted"), pack=waiting) == VALID


@pytest.mark.parametrize(
    ("signed_in", "additions", "before", "counts_from"),
    [
        ("2021-12", (1, 4, 7, 10), 1, "2022-01"),
        ("2022-01", (1, 4, 7, 10), 1, "2022-04"),
        ("2022-03", (1, 4, 7, 10), 1, "2022-04"),
        ("2022-10", (1, 4, 7, 10), 1, "2023-01"),
        ("2022-01", (1,), 1, "2023-01"),
        ("2022-12", (1,), 2, "2024-01"),
        ("2022-01", (1,), 0, "2022-01"),
    ],
)
def test_when_a_designation_begins_to_count(
    signed_in: str, additions: tuple[int, ...], before: int, counts_from: str
) -> None:
    assert month_at(first_addition(month_index(signed_in), additions, before)) == counts_from
