"""Turns a study and the charts into signals, channel by channel. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from contracts.codes import ServiceCategory
from contracts.months import add_months
from services.cost_shift.category_policy import CategoryPair
from services.cost_shift.chart_policy import ChartPolicy
from services.cost_shift.estimating import Effects, PairEstimate
from services.cost_shift.people_behind import behind, people_of_period
from services.cost_shift.rules.attention_level import Change, Thresholds, attention_level
from services.cost_shift.rules.clustered_regression import NotIdentifiedError
from services.cost_shift.rules.county_panel import Series
from services.cost_shift.rules.direction import Direction
from services.cost_shift.rules.enough_people import enough_people
from services.cost_shift.rules.false_discovery import adjusted_p_values
from services.cost_shift.rules.signal_level import Bars, Findings, beyond_chance, lacking, signal_level
from services.cost_shift.rules.signal_statement import Amounts, caveats, statement
from services.cost_shift.signal_answers import (
    CompositionShown,
    EffectShown,
    PairEvidence,
    PeriodShown,
    SignalLevel,
    SignalShown,
    StudyShown,
    shown_level,
)
from services.cost_shift.study_charts import Charted
from services.cost_shift.studying import (
    ALL_SERVICES,
    Study,
    earlier_months,
    pair_estimates,
    series_of,
    smaller,
    until,
)

OPPOSED: Final[frozenset[Direction]] = frozenset({"medicare_to_medicaid", "medicaid_to_medicare"})


@dataclass(frozen=True, slots=True)
class Estimated:
    """All that a study comes to."""

    found: list[PairEstimate]
    plain: list[PairEstimate]
    adjusted_p_values: list[float]
    earlier: dict[str, bool]
    periods: dict[int, Effects]
    composition: list[CompositionShown]

    def place(self, pair: CategoryPair) -> int:
        """Where a pair stands."""
        return next(number for number, one in enumerate(self.found) if one.pair == pair)


def bars_of(study: Study) -> Bars:
    """What must be passed."""
    return Bars(1 - study.estimating.confidence_level, study.policy.review_probability, study.policy.notify_probability)


def joint_p_values(found: Sequence[PairEstimate]) -> list[float]:
    """That not both effects of a pair are there: the larger of the two, allowing for all pairs."""
    return adjusted_p_values([max(one.medicare.p_value, one.medicaid.p_value) for one in found])


def estimated(study: Study) -> Estimated:
    """Every pair, with what could explain it away. Raises :class:`NotIdentifiedError`."""
    found = pair_estimates(study)
    return Estimated(
        found=found,
        plain=pair_estimates(study.with_covariates(holding=False)),
        adjusted_p_values=joint_p_values(found),
        earlier=_held_earlier(study),
        periods=_periods(study),
        composition=[
            CompositionShown.of(one, study.policy.least_known_share, bars_of(study).error)
            for one in study.composition()
        ],
    )


def _periods(study: Study) -> dict[int, Effects]:
    try:
        return study.by_period()
    except NotIdentifiedError:
        return {}


def _held_earlier(study: Study) -> dict[str, bool]:
    """By channel and direction: whether the effect was beyond chance with the months known a reported quarter before."""
    try:
        found = pair_estimates(until(study, earlier_months(study)))
    except NotIdentifiedError:
        return {}
    bars = bars_of(study)
    return {
        f"{one.pair.channel} {one.direction}": one.direction in OPPOSED
        and beyond_chance(_of_estimate(one, chance), bars)
        for one, chance in zip(found, joint_p_values(found), strict=True)
    }


def _of_estimate(one: PairEstimate, chance: float) -> Findings:
    """What the estimate alone says."""
    return Findings(
        attention="none", estimated=True, opposite=one.direction in OPPOSED,
        both_exclude_zero=one.medicare.excludes_zero and one.medicaid.excludes_zero,
        adjusted_p_value=chance, probability=one.opposite_signs, linked=one.pair != ALL_SERVICES,
    )  # fmt: skip


class Before(NamedTuple):
    """The level that a channel had, and whether enough people stood behind it."""

    level: SignalLevel
    enough_people: bool


@dataclass(frozen=True, slots=True)
class Situation:
    """An entity at a revision: its study, what that came to (``None``: nothing could be estimated), and what the charts tell.

    ``before``: what each channel had. ``smallest``: of so many people something may be told outside.
    """

    shown: StudyShown
    study: Study
    told: Estimated | None
    charted: Charted
    before: Mapping[str, Before]
    charts: ChartPolicy
    smallest: int


def signals(situation: Situation) -> list[SignalShown]:
    """One for each channel. Without an estimate the level is that of the charts."""
    return [_signal(situation, pair) for pair in situation.study.pairs]


def findings(situation: Situation, pair: CategoryPair) -> Findings:
    """All that is known of one channel."""
    both = series_of(pair)
    medicare, medicaid = (situation.charted.changes.get(series, _STILL) for series in both)
    baseline = sum(situation.charted.baseline_cents.get(series, 0.0) for series in both)
    charts, told = situation.charts, situation.told
    attention = attention_level(medicare, medicaid, baseline, Thresholds(charts.review_cents, charts.review_share))
    if told is None:
        return replace(_NOTHING, attention=attention)
    place = told.place(pair)
    one, verdicts = told.found[place], {trait.verdict for trait in told.composition}
    parted = _parted(situation.study, told, both)
    return replace(
        _of_estimate(one, told.adjusted_p_values[place]),
        attention=attention,
        people_changed="failed" in verdicts,
        people_told="not_told" not in verdicts,
        held_earlier=told.earlier.get(f"{pair.channel} {one.direction}", False),
        parted_before=parted is not None and parted < situation.study.policy.earlier_trend_level,
        large=one.shifted >= max(charts.review_cents, charts.review_share * baseline),
    )


_NOTHING: Final = Findings(
    attention="none", estimated=False, opposite=False, both_exclude_zero=False, adjusted_p_value=1.0, probability=0.0,
    linked=False,
)  # fmt: skip
_STILL: Final = Change(None, 0.0)


def _signal(situation: Situation, pair: CategoryPair) -> SignalShown:
    shown, bars = situation.shown, bars_of(situation.study)
    found, before = findings(situation, pair), situation.before.get(pair.channel)
    level, missing = signal_level(found, bars), lacking(found, bars)
    evidence = _evidence(situation.study, situation.told, pair, found) if situation.told else None
    movements = [situation.charted.changes.get(series, _STILL).movement for series in series_of(pair)]
    since = add_months(shown.baseline_last, 1)
    return SignalShown(
        signal_id=f"{shown.entity_id}.{pair.channel}.{shown.revision}",
        entity_id=shown.entity_id,
        channel=pair.channel,
        medicare_category=ServiceCategory(pair.medicare) if pair.medicare else None,
        medicaid_category=ServiceCategory(pair.medicaid) if pair.medicaid else None,
        revision=shown.revision,
        level=shown_level(level, None if before is None else before.level),
        previous_level=None if before is None else before.level,
        enough_people=enough_people(behind(situation.study, series_of(pair)), situation.smallest),
        previous_enough_people=before is None or before.enough_people,
        attention=found.attention,
        medicare_chart=movements[0],
        medicaid_chart=movements[1],
        lacking=list(missing),
        evidence=evidence,
        statement=statement(level, since, _names(pair), _amounts(evidence), shown.confidence_level),
        caveats=[*([pair.caveat] if pair.caveat else []), *caveats(missing)],
    )


def evidence_without_charts(study: Study, told: Estimated, pair: CategoryPair) -> PairEvidence:
    """Of one channel, for whoever asks for an effect and not for a level."""
    one = told.found[told.place(pair)]
    held = told.earlier.get(f"{pair.channel} {one.direction}", False)
    return _evidence(study, told, pair, replace(_NOTHING, held_earlier=held))


def _parted(study: Study, told: Estimated, both: Sequence[Series]) -> float | None:
    """The probability that what the earlier quarters of the two series show is chance; ``None`` without any."""
    if not any(period < -1 for period in told.periods):
        return None
    return min(1.0, len(both) * min(study.parted_before(series, told.periods) for series in both))


def _evidence(study: Study, told: Estimated, pair: CategoryPair, found: Findings) -> PairEvidence:
    place = told.place(pair)
    one, plain, parted = told.found[place], told.plain[place], _parted(study, told, series_of(pair))
    lower, upper = one.offset_limits or (None, None)
    ratio = smaller(one.medicare, plain.medicare)
    return PairEvidence(
        medicare=EffectShown.of(one.medicare),
        medicaid=EffectShown.of(one.medicaid),
        net=EffectShown.of(one.net),
        direction=one.direction,
        shifted_cents=round(one.shifted, 2),
        offset_ratio=None if one.offset_ratio is None else round(one.offset_ratio, 4),
        offset_lower=None if lower is None else round(lower, 4),
        offset_upper=None if upper is None else round(upper, 4),
        probability_of_opposite_signs=round(one.opposite_signs, 4),
        adjusted_p_value=round(told.adjusted_p_values[place], 4),
        held_a_quarter_earlier=found.held_earlier,
        chance_of_earlier_parting=None if parted is None else round(parted, 4),
        periods=_periods_shown(study, told, one.pair),
        detectable_without_covariates=round(plain.medicare.detectable, 2),
        detectable_ratio=None if ratio is None else round(ratio, 4),
    )


def _periods_shown(study: Study, told: Estimated, pair: CategoryPair) -> list[PeriodShown]:
    people = people_of_period(study) if told.periods else {}
    return [_period(number, effects, pair, people.get(number, 0)) for number, effects in told.periods.items()]


def _period(number: int, effects: Effects, pair: CategoryPair, people: int) -> PeriodShown:
    places = [effects.panel.series.index(series) for series in series_of(pair)]
    medicare, medicaid = (float(effects.found.coefficients()[place]) for place in places)
    return PeriodShown(
        period=number, people=people, medicare_cents=round(medicare, 2), medicaid_cents=round(medicaid, 2)
    )


def _names(pair: CategoryPair) -> tuple[str, str]:
    medicare, medicaid = (name.replace("_", " ") or "all services" for name in (pair.medicare, pair.medicaid))
    return medicare, medicaid


def _amounts(found: PairEvidence | None) -> Amounts | None:
    if found is None:
        return None
    return Amounts(
        found.medicare.effect_cents, _limits(found.medicare), found.medicaid.effect_cents, _limits(found.medicaid),
        found.offset_ratio,
    )  # fmt: skip


def _limits(shown: EffectShown) -> tuple[float, float] | None:
    if shown.lower_cents is None or shown.upper_cents is None:
        return None
    return shown.lower_cents, shown.upper_cents
