"""Small rules of the simulator, case by case: what is known when, what a shift changes, what a report states."""

import random
from datetime import date
from pathlib import Path

import people_of_simulation as of
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.codes import ServiceCategory
from contracts.money import dollars_text
from infra.simulator import spool as spool_module
from infra.simulator.adjudication import LAGS
from infra.simulator.alignment import draw_alignment
from infra.simulator.calibration import LOWEST_PER_MILLION, plan_shift
from infra.simulator.layouts import layout, template
from infra.simulator.life import AlignedSpan, Change, Enrolment
from infra.simulator.period import Period, compact, dashed
from infra.simulator.rates import Rate, amount, count, recurring, season, trend
from infra.simulator.reports import alignment_file_name, alignment_rows, roster_file_name, roster_text, trailer
from infra.simulator.shift import MILLION, ShiftPlan
from infra.simulator.spool import Spool
from infra.simulator.world import ENTITY, OUR_PLAN, Participant


def test_a_period_counts_services_then_news() -> None:
    period = Period("2021-11", 4, 2)
    assert (period.last_service, period.last_delivery) == (3, 5)
    assert period.texts == ("2021-11", "2021-12", "2022-01", "2022-02", "2022-03", "2022-04", "2022-05")
    assert period.last_days[3] == date(2022, 2, 28)


@pytest.mark.parametrize("number", range(-14, 30))
def test_the_number_of_a_day_is_that_of_its_month_over_the_years(number: int) -> None:
    period = Period("2021-11", 4, 2)
    year, month = divmod(2021 * 12 + 10 + number, 12)
    assert period.number(date(year, month + 1, 1)) == period.number(date(year, month + 1, 28)) == number


def test_days_are_written_as_the_formats_want_them() -> None:
    assert (compact(date(2022, 3, 4)), dashed(date(2022, 3, 4))) == ("20220304", "2022-03-04")


@pytest.mark.parametrize(
    ("direction", "month", "applies"),
    [
        ("none", 9, False),
        ("medicare-to-medicaid", 4, False),
        ("medicare-to-medicaid", 5, True),
        ("medicare-to-medicaid", 6, True),
        ("medicaid-to-medicare", 5, True),
    ],
)
def test_a_shift_begins_in_its_month_and_never_without_a_direction(
    direction: str, month: int, *, applies: bool
) -> None:
    assert ShiftPlan(direction, 5, 0, 0).applies(month) is applies  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("channel", "moved"),
    [
        ("nursing-facility", {"nursing_facility"}),
        ("home-and-community", {"home_and_community"}),
        ("both", {"nursing_facility", "home_and_community"}),
    ],
)
def test_a_shift_moves_the_categories_of_its_channel_and_says_so(channel: str, moved: set[str]) -> None:
    plan = ShiftPlan("medicare-to-medicaid", 0, 0, 0, 900_000, 1_200_000, channel)  # type: ignore[arg-type]
    assert {one.value for one in ServiceCategory if plan.medicaid_factor(one) != MILLION} == moved
    assert set(plan.categories()["medicaid"]) == moved
    assert plan.categories()["medicare"] == ["inpatient", "skilled_nursing_facility"]
    assert ShiftPlan("none", 0, 0, 0).categories() == {"medicare": [], "medicaid": []}


def test_a_larger_shift_changes_more_and_never_takes_a_payer_below_the_least() -> None:
    period = Period("2022-01", 6, 2)
    factors = [
        plan_shift(1, period, direction="medicare-to-medicaid", month=2, medicare=size, medicaid=size)
        for size in (1_000, 5_000, 10**9)
    ]
    medicare = [plan.medicare_per_million for plan in factors]
    assert MILLION > medicare[0] > medicare[1] > medicare[2] == LOWEST_PER_MILLION
    assert MILLION < factors[0].medicaid_per_million < factors[1].medicaid_per_million
    assert [plan.medicare_pbpm_cents for plan in factors] == [1_000, 5_000, 10**9]


def test_season_and_trend_are_as_stated() -> None:
    assert season(1) == pytest.approx(1.08)
    assert season(7) == pytest.approx(0.92)
    assert sum(season(month) for month in range(1, 13)) == pytest.approx(12)
    assert trend(0) == 1
    assert trend(12) == pytest.approx(1.035, abs=0.001)


def test_a_rate_is_that_of_its_setting() -> None:
    rate = Rate(1, 2, 3, 4, 5)
    assert [rate.of(one) for one in ("community", "home_and_community", "nursing_facility")] == [1, 2, 3]


@given(st.floats(0, 0.999), st.floats(0, 5), st.integers(0, 40), st.integers(1, 60))
def test_recurring_events_never_stray_from_their_mean_by_one(
    phase: float, monthly: float, first: int, months: int
) -> None:
    happened = sum(recurring(phase, monthly, month) for month in range(first, first + months))
    assert abs(happened - monthly * months) < 1 + 1e-9


@pytest.mark.parametrize("mean", [0, -1])
def test_what_never_happens_is_never_counted(mean: float) -> None:
    assert {count(random.Random(seed), mean) for seed in range(50)} == {0}


@given(st.integers(0, 10_000), st.floats(0.01, 500), st.floats(0.1, 2))
def test_no_claim_is_below_a_dollar(seed: int, mean: float, sigma: float) -> None:
    cents = amount(random.Random(seed), mean, sigma)
    assert cents >= 100
    assert dollars_text(cents).partition(".")[2] == f"{cents % 100:02d}"


def test_most_claims_arrive_in_the_next_month_and_none_waits_longer_than_five() -> None:
    assert min(LAGS) == 0
    assert max(LAGS) == 4
    assert LAGS.count(0) > len(LAGS) / 3


OPEN = AlignedSpan(1, 1, None, None)
ENDED = AlignedSpan(1, 2, 3, 5, "LEFT_MCO")


@pytest.mark.parametrize(("month", "covers"), [(0, False), (1, True), (3, True), (4, False)])
def test_a_span_covers_its_last_month(month: int, *, covers: bool) -> None:
    assert ENDED.covers(month) is covers
    assert OPEN.covers(month) is (month >= 1)


@pytest.mark.parametrize(
    ("report", "stated"),
    [(1, []), (2, [("", "")]), (4, [("", "")]), (5, [("LEFT_MCO", "last")]), (6, [("LEFT_MCO", "last")])],
)
def test_a_report_states_an_end_only_once_it_is_known(report: int, stated: list[tuple[str, str]]) -> None:
    person = of.person(spans=(ENDED,))
    rows = [row.rstrip("\n").split(",") for row in alignment_rows(person, report)]
    last = f"{person.period.last_days[3]:%Y%m%d}"
    assert [(row[5], "last" if row[4] == last else row[4]) for row in rows] == stated
    assert all(row[1] == ENTITY and row[3] == f"{person.period.first_days[1]:%Y%m%d}" for row in rows)


def test_alignment_of_the_dead_ends_on_the_day_of_death() -> None:
    death = of.PERIOD.first_days[3].replace(day=9)
    person = of.person(of.life(death=death), spans=(AlignedSpan(0, 0, 3, 4, "DEATH"),))
    (row,) = alignment_rows(person, 4)
    assert row.split(",")[4:6] == [f"{death:%Y%m%d}", "DEATH"]


def test_who_refuses_data_sharing_is_reported_as_such() -> None:
    shared, refused = (of.person(of.life(opted_out=one), spans=(OPEN,)) for one in (False, True))
    assert [next(alignment_rows(one, 2)).rstrip("\n")[-1] for one in (shared, refused)] == ["N", "Y"]


def test_a_roster_ends_with_the_number_of_its_rows() -> None:
    began, ended = date(2020, 1, 1), date(2021, 6, 30)
    rows = (
        Participant(npi="1", specialty="11", county="39001", began=began, ended=None),
        Participant(npi="2", specialty="50", county="39003", began=began, ended=ended),
    )
    lines = roster_text(rows).splitlines()
    assert lines[-1] + "\n" == trailer(2) == "TRL,2\n"
    assert lines[1] == f"{ENTITY},1,11,39001,20200101,"
    assert lines[2].endswith(",20200101,20210630")
    assert roster_text(()).splitlines()[1:] == ["TRL,0"]


def test_reports_are_named_after_their_month_and_day() -> None:
    assert alignment_file_name(Period("2022-03", 2, 1), 1) == f"ALIGNMENT_REPORT.{ENTITY}.202204.D220410.csv"
    assert roster_file_name(date(2022, 1, 3)).endswith(".D220103.csv")


def _aligned(life: of.Life) -> list[tuple[AlignedSpan, ...]]:
    return [draw_alignment(random.Random(seed), life, of.PERIOD) for seed in range(80)]


@pytest.mark.parametrize(
    "life",
    [
        of.life(start=Enrolment("01", OUR_PLAN, None)),
        of.life(start=Enrolment("02", "another plan", None)),
        of.life(start=Enrolment("02", OUR_PLAN, "H1234")),
        of.life(start=Enrolment(None, None, None)),
        of.life(buy_ins=["1"] * (of.PERIOD.last_delivery + 1)),
        of.life(counties=["39999"] * (of.PERIOD.last_delivery + 1)),
    ],
    ids=["partial benefits", "another plan", "Medicare Advantage", "no Medicaid", "Part A alone", "another county"],
)
def test_nobody_is_aligned_who_lacks_one_condition(life: of.Life) -> None:
    assert set(_aligned(life)) == {()}


def test_who_has_every_condition_is_aligned_but_for_some_of_another_entity() -> None:
    spans = _aligned(of.life())
    assert 0 < spans.count(()) < len(spans) / 4
    assert {span.first for one in spans for span in one} == {0}
    assert {span.last for one in spans for span in one} == {None}


def test_alignment_ends_with_its_cause_when_the_plan_is_left() -> None:
    leaves = of.life([Change("plan", "another plan", 3, of.PERIOD.last_delivery, 3)])
    spans = [one[0] for one in _aligned(leaves) if one]
    assert {span.reason for span in spans} == {"LEFT_MCO"}
    assert {span.last for span in spans} == {2, 3}
    assert all(span.known_last is not None and span.last is not None and span.known_last > span.last for span in spans)


def test_what_is_spooled_comes_back_once_in_order_whether_or_not_it_went_to_disk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def spooled(most: int, folder: Path) -> dict[str, str]:
        monkeypatch.setattr(spool_module, "MOST_BUFFERED_CHARACTERS", most)
        spool = Spool(folder)
        for number in range(60):
            spool.append("ab"[number % 2], f"{number}\n", records=2)
        found = {key: "".join(spool.take(key)) for key in "ab"}
        assert (spool.count("a"), spool.count("b"), spool.count("c")) == (60, 60, 0)
        assert "".join(spool.take("a")) == ""
        spool.close()
        assert not folder.exists()
        return found

    in_memory = spooled(10**6, tmp_path / "memory")
    assert in_memory == spooled(7, tmp_path / "disk") == spooled(0, tmp_path / "all")
    assert in_memory["a"].split() == [str(number) for number in range(0, 60, 2)]


@pytest.mark.parametrize("file", ["CCLF1", "CCLF5", "CCLF6", "CCLF7", "CCLF8", "CCLF9"])
def test_a_field_stands_in_its_columns_whatever_stands_around_it(file: str) -> None:
    start = 0
    for name, width in layout(file):
        left = template(file, [name], {}, frozenset()) % ("x",)
        right = template(file, [name], {}, frozenset({name})) % ("x",)
        assert left.index("x") == start
        assert right.index("x") == start + width - 1
        start += width
        assert len(left) == len(right)
    assert len(left) == start + 1
