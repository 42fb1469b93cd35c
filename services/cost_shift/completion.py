"""How complete each month is, from the installation's own history of what came in when. As of any revision."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from contracts.codes import Payer, ServiceCategory
from contracts.months import month_index
from services.cost_shift.rules.chain_ladder import Completeness, Development, completeness, developments
from services.cost_shift.rules.county_panel import Series
from services.runtime.database import Connection

TOTAL = ""
Increments = Mapping[str, Mapping[str, int]]  # service month, then month known, to cents that came in

# Moves between cohorts and counties cancel out: what is left is what came in.
_RECEIVED = f"""
    SELECT payer, category, month, to_char(dated, 'YYYY-MM') AS known, sum(cents)::bigint AS cents
    FROM cell_delta JOIN revision USING (sequence)
    WHERE sequence <= $1 AND state = ANY($2) AND basis IN ('services', 'both')
        AND category <> '{ServiceCategory.CAPITATION.value}'
    GROUP BY payer, category, month, known
"""  # noqa: S608 - constants
_ARRIVED = """
    SELECT DISTINCT source AS payer, to_char(dated, 'YYYY-MM') AS known FROM arrival JOIN revision USING (sequence)
    WHERE sequence <= $1 AND source = ANY($2) AND received > 0
"""


@dataclass(slots=True)
class Completion:
    """Developments of every series; ``known`` are the months as of which each payer's claims came in, in order."""

    known: dict[str, list[str]] = field(default_factory=dict)
    found: dict[Series, tuple[Development, ...]] = field(default_factory=dict)

    def lag(self, payer: str, month: str) -> int | None:
        """Months between a service month and the last delivery of a payer's claims."""
        known = self.known.get(payer)
        return month_index(known[-1]) - month_index(month) if known else None

    def of(self, series: Series, month: str) -> Completeness | None:
        """Of a month of a series; the payer's whole where the series has too little history of its own."""
        lag = self.lag(series[0], month)
        if lag is None:
            return None
        own = completeness(self.found.get(series, ()), lag)
        return own or completeness(self.found.get((series[0], TOTAL), ()), lag)

    def incomplete(self, months: Iterable[str], least: float) -> tuple[list[str], list[str]]:
        """Months of which too little of either payer's cost has come in, and those of which nobody can tell."""
        few, unknown = [], []
        for month in months:
            shares = [self.of((payer.value, TOTAL), month) for payer in Payer]
            if any(one is not None and one.share < least for one in shares):
                few.append(month)
            elif None in shares:
                unknown.append(month)
        return few, unknown


def cumulated(increments: Increments, known: Iterable[str]) -> dict[str, dict[str, int]]:
    """What each service month had come to as of each month known, from its own month on."""
    triangle: dict[str, dict[str, int]] = {}
    months = sorted(known)
    for service, came_in in increments.items():
        so_far = sum(cents for month, cents in came_in.items() if month < service)
        triangle[service] = {}
        for month in months:
            if month >= service:
                so_far += came_in.get(month, 0)
                triangle[service][month] = so_far
    return triangle


async def completion(connection: Connection, revision: int, states: list[str]) -> Completion:
    """The history of receipts of some states."""
    result = Completion()
    for row in await connection.fetch(_ARRIVED, revision, [payer.value for payer in Payer]):
        result.known.setdefault(row["payer"], []).append(row["known"])
    for months in result.known.values():
        months.sort()
    increments: dict[Series, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    for row in await connection.fetch(_RECEIVED, revision, states):
        for category in (row["category"], TOTAL):
            increments[row["payer"], category][row["month"]][row["known"]] += row["cents"]
    for series, came_in in increments.items():
        result.found[series] = developments(cumulated(came_in, result.known.get(series[0], ())))
    return result
