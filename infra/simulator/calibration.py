"""Turns the chosen size of a shift into factors on what people cost already.

The size is an average per aligned person-month. It is spread in proportion to expected cost (inpatient and
skilled nursing on Medicare's side; nursing facility and home and community services on Medicaid's), and the
proportion comes from the expected cost of a fixed sample of people: so it depends neither on how many people
are simulated nor on the luck of their claims.
"""

from random import Random

from infra.simulator.medicaid import expected_long_term_care_cents
from infra.simulator.medicare import expected_acute_cents
from infra.simulator.period import Period
from infra.simulator.rates import trend
from infra.simulator.shift import MILLION, ShiftPlan
from infra.simulator.traits import draw_traits
from infra.simulator.unplanned import expected_unplanned_cents
from infra.simulator.world import Channel, Shift

SAMPLE = 1500
# Nobody's cost falls by more than this: a payer does not stop paying altogether.
LOWEST_PER_MILLION = 50_000


def _factor(change_cents: int, expected_cents: int) -> int:
    return max(LOWEST_PER_MILLION, MILLION + change_cents * MILLION // expected_cents)


def plan_shift(  # noqa: PLR0913 - the parts of one choice
    seed: int, period: Period, *, direction: Shift, month: int, medicare: int, medicaid: int, channel: Channel = "both"
) -> ShiftPlan:
    """Turn average cents per person-month into factors."""
    if direction == "none":
        return ShiftPlan(direction, month, 0, 0, channel=channel)
    sign = -1 if direction == "medicare-to-medicaid" else 1
    sample = [draw_traits(Random(f"{seed}:sample:{index}"), index, period.first_days[0]) for index in range(SAMPLE)]
    middle = trend((month + period.last_service) // 2)
    unplanned = sum(expected_unplanned_cents(traits, period.first_days[0]) for traits in sample)
    acute = round(middle * (sum(expected_acute_cents(traits) for traits in sample) + unplanned) / SAMPLE)
    long_term = round(middle * sum(expected_long_term_care_cents(traits, channel) for traits in sample) / SAMPLE)
    medicare_factor, medicaid_factor = _factor(sign * medicare, acute), _factor(-sign * medicaid, long_term)
    return ShiftPlan(direction, month, medicare, medicaid, medicare_factor, medicaid_factor, channel)
