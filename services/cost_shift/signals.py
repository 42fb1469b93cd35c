"""Works out signals when a reporting month closes, keeps them with the revision, and tells of levels that changed.

A month closes with the first delivery that is dated in a later one; what is known as of that cut decides. Other cuts read one row and
do nothing. So signals are a function of the log, like every figure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Final

from pydantic import TypeAdapter

from contracts.cost_shift import CostShiftSignalData, CostShiftSignalled
from contracts.months import add_months, months_between
from services.cost_shift.category_policy import category_pairs
from services.cost_shift.chart_policy import chart_policy
from services.cost_shift.charting import Chart
from services.cost_shift.completion import Completion, completion
from services.cost_shift.county_cells import OF_NO_ENTITY
from services.cost_shift.disclosure_policy import disclosure_policy
from services.cost_shift.estimate_policy import estimate_policy
from services.cost_shift.rules.clustered_regression import NotIdentifiedError
from services.cost_shift.rules.county_panel import Series
from services.cost_shift.signal_answers import SignalShown, StudyShown
from services.cost_shift.signal_policy import signal_policy
from services.cost_shift.signalling import Before, Estimated, Situation, estimated, signals
from services.cost_shift.study_cells import NEVER, group_starts
from services.cost_shift.study_charts import Charted, charted
from services.cost_shift.study_reading import entities, months_counted, study_cells
from services.cost_shift.studying import PAYERS, Study, usable
from services.runtime.database import Connection
from services.runtime.service import Cut, Transaction

_CLOSES_A_MONTH: Final = """
    SELECT count(*) > 0 AND date_trunc('month', $2::date) > date_trunc('month', max(dated)) FROM revision WHERE sequence < $1
"""
_BEFORE: Final = (
    "SELECT DISTINCT ON (channel) channel, level, coalesce((signal->>'enough_people')::boolean, false) AS enough "
    "FROM signal WHERE entity = $1 ORDER BY channel, revision DESC"
)
_KEEP_STUDY: Final = (
    "INSERT INTO signal_study (entity, revision, cells_digest, study) VALUES ($1, $2, $3, $4::text::jsonb)"
)
_CHARTS: Final = "SELECT payer, category, chart::text AS chart FROM signal_chart WHERE entity = $1"
_KEEP_CHART: Final = """
    INSERT INTO signal_chart (entity, payer, category, chart) VALUES ($1, $2, $3, $4::text::jsonb)
    ON CONFLICT (entity, payer, category) DO UPDATE SET chart = EXCLUDED.chart
"""
_CHART: Final = TypeAdapter(Chart)
_KEEP: Final = """
    INSERT INTO signal (signal_id, entity, channel, revision, level, told, signal) VALUES ($1, $2, $3, $4, $5, $6, $7::text::jsonb)
"""


async def signal_at_cut(cut: Cut, transaction: Transaction) -> None:
    """Work out every entity's signals if the cut closes a month. The revision must be there already."""
    connection = transaction.connection
    if not await connection.fetchval(_CLOSES_A_MONTH, cut.sequence, cut.dated):
        return
    for entity, states in await entities(connection, cut.sequence):
        before = {
            row["channel"]: Before(row["level"], row["enough"]) for row in await connection.fetch(_BEFORE, entity)
        }
        kept = {
            (row["payer"], row["category"]): _CHART.validate_json(row["chart"])
            for row in await connection.fetch(_CHARTS, entity)
        }
        worked_out = await work_out(connection, cut.sequence, entity, states, before, kept)
        if worked_out is None:
            continue
        shown, found, charts = worked_out
        await connection.executemany(
            _KEEP_CHART, [(entity, *series, _CHART.dump_json(one).decode()) for series, one in charts.charts.items()]
        )
        await connection.execute(_KEEP_STUDY, entity, cut.sequence, shown.cells_digest, shown.model_dump_json())
        for one in found:
            told = one.level not in {one.previous_level or "none", "none"}
            await connection.execute(
                _KEEP, one.signal_id, entity, one.channel, cut.sequence, one.level, told, one.model_dump_json()
            )
            if told:
                transaction.publish(_event(one, cut, states[0]))


async def work_out(  # noqa: PLR0913, PLR0917 - whose signals, as of when, and what was kept
    connection: Connection,
    revision: int,
    entity: str,
    states: list[str],
    before: Mapping[str, Before],
    kept: Mapping[Series, Chart],
) -> tuple[StudyShown, list[SignalShown], Charted] | None:
    """Signals of one entity as known at a revision; ``None`` while the months are too few to have anything behind the baseline."""
    counted = await months_counted(connection, revision, states)
    history = await completion(connection, revision, states)
    prepared = await prepared_study(connection, revision, entity, states, counted, history)
    if prepared is None:
        return None
    shown, study = prepared
    told: Estimated | None = None
    try:
        told = estimated(study)
        described(shown, study, told)
    except NotIdentifiedError as reason:
        shown.not_estimated = str(reason)
    charts = charted(study, chart_policy(), kept)
    shown.chart_months_run, shown.chart_months = charts.months_run()
    smallest = disclosure_policy().smallest_shown
    return shown, signals(Situation(shown, study, told, charts, before, chart_policy(), smallest)), charts


async def prepared_study(  # noqa: PLR0913, PLR0917 - whose study, as of when, and what was read already
    connection: Connection,
    revision: int,
    entity: str,
    states: list[str],
    counted: list[str],
    history: Completion,
    winsorise: float | None = None,
) -> tuple[StudyShown, Study] | None:
    """The cells of one entity, laid out; ``None`` while there are too few usable months behind the baseline."""
    policy, estimating = signal_policy(), estimate_policy()
    calendar = study_calendar(counted, history, policy.longest_months)
    if not calendar:
        return None
    few, _ = history.incomplete(calendar, estimating.least_completeness, (entity, OF_NO_ENTITY))
    months = [month for month in calendar if month not in few and month in set(counted)]
    baseline_last = add_months(calendar[0], policy.baseline_months - 1)
    if sum(month > baseline_last for month in months) < policy.fewest_months_after:
        return None
    starts = group_starts(calendar, baseline_last, policy.months_a_group)
    cells = await study_cells(connection, revision, entity, states, calendar, starts, baseline_last, winsorise, months)
    shown = StudyShown(
        entity_id=entity,
        revision=revision,
        states=states,
        first_month=months[0],
        baseline_last=baseline_last,
        last_month=months[-1],
        months_left_out=few,
        person_months_unseen_in_baseline=cells.unseen,
        person_months_without_county=cells.nowhere,
        confidence_level=estimating.confidence_level,
        policy=asdict(policy),
        cells_digest=cells.digest(),
    )
    present = {series for costs in cells.cents.values() for series in costs}
    pairs = usable(category_pairs(), sorted(present))
    kept = cells.of_months(months)
    return shown, Study(kept, history, baseline_last, pairs, estimating, policy, months=tuple(months), entity=entity)


def study_calendar(counted: Sequence[str], history: Completion, longest: int) -> list[str]:
    """The months of which both payers have been heard, the latest so many of them; in between, whether anybody was counted or not.

    A month behind the last delivery of either payer is not cheap: nobody has said anything of it.
    """
    heard = [history.known[payer][-1] for payer in PAYERS if payer in history.known]
    if not counted or len(heard) < len(PAYERS):
        return []
    return list(months_between(counted[0], min(counted[-1], *heard)))[-longest:]


def described(shown: StudyShown, study: Study, told: Estimated) -> None:
    """Say what the estimates stand on."""
    shown.counties, shown.cells = len(study.panel.counties), len(study.panel.weight)
    shown.groups = len({key.start for key in study.cells.people} - {NEVER})
    shown.treated_person_months = sum(count for key, count in study.cells.people.items() if key.treated)
    shown.composition = told.composition


def _event(found: SignalShown, cut: Cut, state: str) -> CostShiftSignalled:
    evidence = found.evidence
    return CostShiftSignalled.of(
        service="cost-shift",
        key=found.entity_id,
        version=found.signal_id,
        time=cut.time,
        delivery_id=cut.delivery_id,
        sequence=cut.sequence,
        data=CostShiftSignalData(
            state=state,
            entity_id=found.entity_id,
            level="cleared" if found.level == "none" else found.level,
            direction=evidence.direction if evidence else "none",
            revision=cut.sequence,
            shifted_cents=round(evidence.shifted_cents) if evidence else 0,
            signal_id=found.signal_id,
            channel=found.channel,
            previous_level=None if found.previous_level is None else found.previous_level,
            medicare_category=found.medicare_category,
            medicaid_category=found.medicaid_category,
            medicare_effect_cents=round(evidence.medicare.effect_cents) if evidence else None,
            medicaid_effect_cents=round(evidence.medicaid.effect_cents) if evidence else None,
            lacking=tuple(found.lacking),
            statement=found.statement,
            caveats=tuple(found.caveats),
        ),
    )


def study_of(text: str) -> StudyShown:
    """As it was kept."""
    return StudyShown.model_validate_json(text)
