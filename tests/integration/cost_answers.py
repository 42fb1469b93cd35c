"""What the gateway of cost shift has to answer, out of the oracle's tables: plain sums, and ratios by their definitions."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import sqrt
from typing import Any, NamedTuple

from cost_oracle import CostOracle

PEOPLE = ("cohort", "entity", "county", "month")
SERVICES = "basis IN ('services', 'both')"
CATEGORY_OF_USE = {
    "admissions": "inpatient", "emergency_visits": "outpatient", "skilled_nursing_days": "skilled_nursing_facility",
    "nursing_facility_days": "nursing_facility", "home_health_periods": "home_health", "personal_care_days": "home_and_community",
}  # fmt: skip
CHANNELS = {
    "all_services": ("", ""),
    "early_discharge_to_nursing_facility": ("skilled_nursing_facility", "nursing_facility"),
    "hospital_stay_of_nursing_facility_residents": ("inpatient", "nursing_facility"),
    "admission_avoided_by_community_services": ("inpatient", "home_and_community"),
    "home_health": ("home_health", "home_health"),
    "home_health_and_personal_care": ("home_health", "home_and_community"),
    "outpatient": ("outpatient", "outpatient"),
    "physician": ("physician", "physician"),
    "durable_medical_equipment": ("durable_medical_equipment", "durable_medical_equipment"),
    "behavioural_health": ("behavioural_health", "behavioural_health"),
    "drugs": ("drugs", "drugs"),
    "hospice": ("hospice", "hospice"),
}
STEPS = {
    "claims": "late_claims", "cancellations": "cancellations", "alignment": "retroactive_alignment",
    "dual_status": "dual_status_change", "residence": "change_of_residence",
}  # fmt: skip
Rows = dict[tuple[Any, ...], tuple[Any, ...]]


def index(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:7]) - 1


def person_months(oracle: CostOracle, revision: int, group_by: Sequence[str]) -> dict[tuple[Any, ...], int]:
    keys = [name for name in group_by if name in PEOPLE]
    named = "".join(f"{name}, " for name in keys)
    found = oracle.rows(f"SELECT {named}sum(person_months)::BIGINT FROM counted WHERE seq = ? GROUP BY ALL", revision)
    return {row[:-1]: row[-1] for row in found}


def measures(oracle: CostOracle, revision: int, basis: str, group_by: Sequence[str]) -> Rows:
    """Cents, claims, the same of crossover claims, person-months, and exact cents per person-month."""
    counted = [SERVICES] if basis == "services" else ["basis IN ('outlay', 'both', 'capitation')"]
    if basis == "services" and "category" in group_by:
        counted.append("basis = 'capitation'")
    people = "true" if "cohort" in group_by else "cohort <> 'unassigned'"
    found = oracle.rows(
        f"""SELECT {", ".join(group_by)}, sum(cents)::BIGINT, sum(claims)::BIGINT,
            coalesce(sum(cents) FILTER (crossover), 0)::BIGINT, coalesce(sum(claims) FILTER (crossover), 0)::BIGINT
        FROM cell WHERE seq = ? AND ({" OR ".join(counted)}) AND {people} GROUP BY ALL""",
        revision,
    )
    months, width, result = person_months(oracle, revision, group_by), len(group_by), {}
    for row in found:
        key, amounts = row[:width], row[width:]
        behind = months.get(tuple(value for name, value in zip(group_by, key, strict=True) if name in PEOPLE), 0)
        if any(amounts):
            result[key] = (*amounts, behind, Fraction(amounts[0], behind) if behind else None)
    return result


def use(oracle: CostOracle, revision: int, group_by: Sequence[str]) -> Rows:
    """Amount, crossover amount, person-months, exact rate per 1,000, and the share come in of the month's category."""
    people = "true" if "cohort" in group_by else "cohort <> 'unassigned'"
    found = oracle.rows(
        f"""SELECT {", ".join(group_by)}, payer, category, coalesce(sum(claims) FILTER (NOT crossover), 0)::BIGINT,
            coalesce(sum(claims) FILTER (crossover), 0)::BIGINT
        FROM cell WHERE seq = ? AND basis = 'use' AND {people} GROUP BY ALL""",
        revision,
    )
    months, width, result = person_months(oracle, revision, group_by), len(group_by), {}
    history = completeness(oracle, revision)
    for row in found:
        key, (payer, name, amount, crossover) = row[:width], row[width:]
        behind = months.get(key, 0)
        share = history.of(payer, CATEGORY_OF_USE[name], key[group_by.index("month")]) if "month" in group_by else None
        if amount or crossover:
            rate = Fraction(1000 * amount, behind) if behind else None
            result[*key, payer, name] = (amount, crossover, behind, rate, share and share[0])
    return result


class Completeness(NamedTuple):
    """Factors by series and lag (factor, months, Mack's variance of it), each payer's months of receipt, and the lags at which it had never paid yet."""

    factors: dict[tuple[str, str], dict[int, tuple[float, int, float]]]
    received: dict[str, list[str]]
    too_soon: dict[str, frozenset[int]]

    def share(self, series: tuple[str, str], lag: int) -> tuple[float, float] | None:
        """What has come in so long after the month, and its relative error; nothing where growth ahead was never seen."""
        found = self.factors.get(series, {})
        if not found or lag < 0:
            return None
        left, error = 1.0, 0.0
        for ahead in range(lag, max(found) + 1):
            factor, _, variance = found.get(ahead, (0.0, 0, 0.0))
            if factor <= 0:
                return None
            left, error = left / factor, error + variance / factor**2
        return left, sqrt(error)

    def of(self, payer: str, category: str, month: str) -> tuple[float, float] | None:
        if payer not in self.received:
            return None
        lag = index(self.received[payer][-1]) - index(month)
        return self.share((payer, category), lag) or self.share((payer, ""), lag)


def completeness(oracle: CostOracle, revision: int) -> Completeness:
    """The chain ladder with Mack's errors, over what came in by the date of the delivery that brought it."""
    received = oracle.rows(
        """SELECT payer, list(DISTINCT dated[1:7] ORDER BY dated[1:7]) FROM delivery JOIN (
            SELECT seq, 'medicare' AS payer FROM raw_line WHERE file IN ('1', '5') AND line <> ''
            UNION SELECT seq, 'medicaid' FROM header) USING (seq) WHERE seq <= ? GROUP BY payer""",
        revision,
    )
    grown = oracle.rows(
        f"""WITH came AS (
            SELECT payer, category, month, dated[1:7] AS known, cents FROM moved JOIN delivery USING (seq)
            WHERE seq <= $1 AND {SERVICES}
        ), series AS (SELECT * FROM came UNION ALL SELECT payer, '', month, known, cents FROM came),
        heard AS (
            SELECT DISTINCT series.payer, category, month, unnest(received.months) AS known
            FROM series JOIN (SELECT unnest($2) AS payer, unnest($3) AS months) AS received USING (payer)
        )
        SELECT payer, category, month, heard.known, (
            SELECT coalesce(sum(cents), 0)::BIGINT FROM series WHERE series.known <= heard.known
                AND (series.payer, series.category, series.month) = (heard.payer, heard.category, heard.month))
        FROM heard WHERE known >= month""",
        revision,
        [payer for payer, _ in received],
        [months for _, months in received],
    )
    reached: dict[tuple[str, str], dict[tuple[str, int], int]] = defaultdict(dict)
    for payer, category, month, known, cents in grown:
        reached[payer, category][month, index(known) - index(month)] = cents
    too_soon = {payer: _too_soon(cells) for (payer, category), cells in reached.items() if not category}
    return Completeness({series: _factors(cells) for series, cells in reached.items()}, dict(received), too_soon)


def _too_soon(reached: dict[tuple[str, int], int]) -> frozenset[int]:
    """So long after it no month has anything yet, and later on some have."""
    looked = {(month, lag) for month, lag in reached if (month, lag + 1) in reached}
    paid = [lag for month, lag in looked if reached[month, lag]]
    return frozenset(lag for _, lag in looked if paid and lag < min(paid))


def _factors(reached: dict[tuple[str, int], int]) -> dict[int, tuple[float, int, float]]:
    steps: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for (month, lag), cents in reached.items():
        if (month, lag + 1) in reached:
            steps[lag].append((cents, reached[month, lag + 1]))
    found: dict[int, tuple[float, int, float]] = {}
    spread: dict[int, float] = {}
    for lag in sorted(steps):
        volume = sum(before for before, _ in steps[lag])
        if volume <= 0:
            continue
        factor = sum(after for _, after in steps[lag]) / volume
        grown = [(before, after / before - factor) for before, after in steps[lag] if before > 0]
        if len(grown) > 1:
            spread[lag] = sum(before * off**2 for before, off in grown) / (len(grown) - 1)
        else:
            # Mack 1993: the last sigma squared is the least of the two before it and what goes on from them.
            two = spread.get(lag - 2), spread.get(lag - 1)
            spread[lag] = two[1] or 0.0 if None in two else min(two[1] ** 2 / two[0] if two[0] else 0.0, *two)  # type: ignore[operator, type-var, assignment]
        found[lag] = (factor, len(steps[lag]), spread[lag] / volume)
    return found


def waterfall(oracle: CostOracle, since: int, revision: int, where: str = "cohort <> 'unassigned'") -> Rows:
    """By payer: the figure as of both, and what each step adds; services alone."""
    counted = f"{SERVICES} AND {where}"
    figures = oracle.rows(
        f"""SELECT payer, coalesce(sum(cents) FILTER (seq = $1), 0)::BIGINT, coalesce(sum(claims) FILTER (seq = $1), 0)::BIGINT,
            coalesce(sum(cents) FILTER (seq = $2), 0)::BIGINT, coalesce(sum(claims) FILTER (seq = $2), 0)::BIGINT
        FROM cell WHERE {counted} GROUP BY payer""",
        since,
        revision,
    )
    causes: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for payer, cause, cents, claims in oracle.rows(
        f"""SELECT payer, cause, sum(cents)::BIGINT, sum(claims)::BIGINT FROM moved
        WHERE seq > $1 AND seq <= $2 AND {counted} GROUP BY ALL""",
        since,
        revision,
    ):
        if cents or claims:
            causes[payer][STEPS[cause]] = (cents, claims)
    return {(payer,): (*amounts, causes[payer]) for payer, *amounts in figures}


def restatements(oracle: CostOracle) -> Rows:
    """By revision, cause and figure: what the cause added."""
    found = oracle.rows(
        """SELECT seq, cause, cohort, entity, payer, category, month, sum(cents)::BIGINT, sum(claims)::BIGINT,
            coalesce(sum(cents) FILTER (crossover), 0)::BIGINT, coalesce(sum(claims) FILTER (crossover), 0)::BIGINT
        FROM moved WHERE basis IN ('services', 'both', 'capitation') GROUP BY ALL"""
    )
    return {row[:7]: row[7:] for row in found if any(row[7:])}


class Window(NamedTuple):
    """Cents of each series and the person-months of one cohort between two months."""

    cents: dict[tuple[str, str], int]
    people: int

    def mean(self, series: tuple[str, str]) -> Fraction | None:
        return Fraction(self.cents.get(series, 0), self.people) if self.people else None


def _window(oracle: CostOracle, revision: int, cohort: str, months: tuple[str, str]) -> Window:
    among = "seq = ? AND cohort = ? AND month BETWEEN ? AND ?"
    people = oracle.rows(
        f"SELECT coalesce(sum(person_months), 0) FROM counted WHERE {among}", revision, cohort, *months
    )
    cents: dict[tuple[str, str], int] = defaultdict(int)
    for payer, category, paid in oracle.rows(
        f"SELECT payer, category, cents FROM cell WHERE {SERVICES} AND {among}", revision, cohort, *months
    ):
        cents[payer, category] += paid
        cents[payer, ""] += paid
    return Window(dict(cents), int(people[0][0]))


def pairs(oracle: CostOracle, revision: int, before: tuple[str, str], after: tuple[str, str]) -> dict[str, Any]:
    """By channel: both effects, net, offset, direction, shifted, and the two in dollars of the aligned's later months."""
    windows = [_window(oracle, revision, cohort, of) for cohort in ("aligned", "comparison") for of in (before, after)]

    def effect(series: tuple[str, str]) -> Fraction | None:
        means = [window.mean(series) for window in windows]
        return None if None in means else (means[1] - means[0]) - (means[3] - means[2])  # type: ignore[operator]

    return {
        channel: _relation(effect(("medicare", medicare)), effect(("medicaid", medicaid)), windows[1].people)
        for channel, (medicare, medicaid) in CHANNELS.items()
    }


def _relation(medicare: Fraction | None, medicaid: Fraction | None, months: int) -> tuple[Any, ...]:
    if medicare is None or medicaid is None:
        return medicare, medicaid, None, None, None, None, None, None
    net = medicare + medicaid
    offset = -medicaid / medicare if medicare < 0 else -medicare / medicaid if medicaid < 0 else None
    opposite = medicare * medicaid < 0
    names = {(True, False): "medicare_to_medicaid", (False, True): "medicaid_to_medicare", (True, True): "both_down"}
    direction = names.get((medicare < 0, medicaid < 0), "both_up") if medicare and medicaid else "none"
    shifted = min(abs(medicare), abs(medicaid)) if opposite else Fraction(0)
    return medicare, medicaid, net, offset, direction, shifted, rounded(shifted * months), rounded(net * months)


def rounded(value: Fraction) -> int:
    """To a whole cent, half away from zero."""
    whole = (abs(value) * 2 + 1) // 2
    return int(whole if value >= 0 else -whole)


def differing(found: Rows, expected: Rows, most: int = 12) -> str:
    """A table of what differs: the key, what was found, what was expected. Empty where nothing does."""
    keys: Iterable[Any] = sorted(
        (key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key)), key=repr
    )
    listed = [f"{key!r:<100} {found.get(key)!r:>60} {expected.get(key)!r:>60}" for key in keys]
    head = f"{len(listed)} differ\n{'figure':<100} {'the service':>60} {'the files':>60}"
    return "\n".join([head, *listed[:most]]) if listed else ""
