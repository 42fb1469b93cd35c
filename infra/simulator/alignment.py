"""Which months CMS aligns to the entity, and when its monthly reports come to say so."""

from random import Random

from infra.simulator.life import AlignedSpan, Life, alive, part_a_and_b
from infra.simulator.period import Period
from infra.simulator.world import OUR_PLAN, SERVICE_AREA


def _in_area(life: Life, month: int, period: Period) -> bool:
    """In the service area, or moved out of it since January: removal for a move waits for the year's end."""
    january = month - (period.first_days[month].month - 1)
    return any(life.counties[number] in SERVICE_AREA for number in (month, max(life.entry, january, 0)))


def _eligible(life: Life, month: int, period: Period) -> bool:
    enrolment = life.final[month]
    return (
        life.entry <= month <= life.last_stated
        and alive(life, month, period)
        and enrolment.full
        and enrolment.plan == OUR_PLAN
        and enrolment.health_plan is None
        and part_a_and_b(life, month)
        and _in_area(life, month, period)
    )


def _removal_reason(life: Life, month: int, period: Period) -> str:
    """Why the month after an aligned one is not aligned; the first cause that applies."""
    if not alive(life, month, period):
        return "DEATH"
    enrolment = life.final[month]
    causes = (
        (enrolment.health_plan is not None, "ENROLLED_MA"),
        (not part_a_and_b(life, month), "LOST_PART_B"),
        (not enrolment.full, "NOT_FULL_DUAL"),
        (enrolment.plan != OUR_PLAN, "LEFT_MCO"),
    )
    return next((reason for holds, reason in causes if holds), "OUT_OF_AREA")


def _runs(months: list[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for month in months:
        if runs and runs[-1][1] == month - 1:
            runs[-1] = (runs[-1][0], month)
        else:
            runs.append((month, month))
    return runs


def _span(random: Random, life: Life, run: tuple[int, int], period: Period) -> AlignedSpan | None:
    first, last = run
    lags = (0, 0, 0, 0, 0, 0, 0, 1, 2) if first == life.entry else (0, 0, 0, 1, 2, 3)
    known_first = min(first + random.choice(lags), period.last_delivery)
    lag, overrun = random.choice((0, 0, 1, 2, 3)), random.random() < 0.06  # noqa: PLR2004
    if known_first > life.last_stated:
        return None
    if last >= period.last_delivery:
        return AlignedSpan(first, known_first, None, None)
    reason = _removal_reason(life, last + 1, period)
    if reason == "DEATH":
        return AlignedSpan(first, known_first, last, life.last_stated, reason)
    # CMS's date and the state's do not always agree: some people stay aligned a month longer.
    late = overrun and alive(life, last + 1, period) and last + 1 < min(period.last_delivery, life.last_stated)
    last += late
    known_last = min(last + 1 + lag, life.last_stated, period.last_delivery)
    return AlignedSpan(first, known_first, last, known_last, reason)


def draw_alignment(random: Random, life: Life, period: Period) -> tuple[AlignedSpan, ...]:
    """The person's aligned spans; some who are eligible are never aligned (another entity has them)."""
    taken_elsewhere = random.random() < 0.10  # noqa: PLR2004
    months = [month for month in range(period.last_delivery + 1) if _eligible(life, month, period)]
    spans = (_span(random, life, run, period) for run in _runs(months))
    if taken_elsewhere:
        return ()
    kept = [span for span in spans if span is not None]
    return tuple(span for index, span in enumerate(kept) if not index or (kept[index - 1].last or 0) < span.first - 1)
