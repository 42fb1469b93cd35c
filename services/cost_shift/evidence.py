"""A signal and the cells from which anybody can work it out again, read as of the revision that it stands on."""

from typing import Annotated, cast

from pydantic import BaseModel, Field

from services.cost_shift.completion import completion
from services.cost_shift.rules.county_panel import Series
from services.cost_shift.signal_answers import SignalShown, StudyShown
from services.cost_shift.signals import prepared_study, study_of
from services.cost_shift.study_cells import NEVER, TRAITS
from services.cost_shift.study_reading import months_counted
from services.cost_shift.studying import Study, series_of
from services.runtime.database import Connection

METHOD = (
    "People who were ever aligned are followed against people never aligned, by county, group of entry and month. Every group and quarter "
    "behind its entry has an effect of its own; the effect is their average, weighted by person-months, held constant for what people cost "
    "in the baseline and for their risk score. Errors are clustered by county; tests and intervals are those of the wild cluster bootstrap "
    "with the null imposed."
)
_ONE = """
    SELECT signal::text AS signal, study::text AS study, cells_digest FROM signal JOIN signal_study USING (entity, revision)
    WHERE signal_id = $1
"""


class NoSuchSignalError(LookupError):
    """No signal has this name."""


class EvidenceCell(BaseModel):
    """County, group and month. ``start``: from when on these people count as treated; null: never aligned."""

    county_fips: str
    start: str | None
    month: str
    person_months: int
    traits: dict[str, float]
    cents: Annotated[list[int], Field(description="as received, in the order of series")]
    shares: Annotated[list[float | None], Field(description="how much of each has come in; null: nobody can tell")]


class EvidenceAnswer(BaseModel):
    """All that is needed to work a signal out again."""

    method: str = METHOD
    signal: SignalShown
    study: StudyShown
    series: list[tuple[str, str]]
    cells: list[EvidenceCell]
    covariates: list[str]
    bootstrap_draws: int
    bootstrap_seed: int
    power: Annotated[float, Field(description="with which the detectable effect would have been seen")]
    months_a_group: int
    as_kept: Annotated[bool, Field(description="whether the cells are still those of which the signal was worked out")]


async def evidence(connection: Connection, signal_id: str) -> EvidenceAnswer:
    """Inside a transaction. Raises :class:`NoSuchSignalError`."""
    signal, shown, digest = await kept(connection, signal_id)
    history = await completion(connection, shown.revision, shown.states)
    counted = await months_counted(connection, shown.revision, shown.states)
    prepared = await prepared_study(connection, shown.revision, shown.entity_id, shown.states, counted, history)
    if prepared is None:
        # What was counted once is counted for ever: only a damaged read model comes here.
        raise NoSuchSignalError(signal_id)
    again, study = prepared
    series = list(series_of_signal(study, signal))
    return EvidenceAnswer(
        signal=signal,
        study=shown,
        series=series,
        cells=cells_shown(study, series),
        covariates=[name for name, _ in study.covariate_columns] if shown.not_estimated is None else [],
        bootstrap_draws=study.estimating.bootstrap_draws,
        bootstrap_seed=study.estimating.bootstrap_seed,
        power=study.estimating.power,
        months_a_group=study.policy.months_a_group,
        as_kept=again.cells_digest == digest,
    )


def series_of_signal(study: Study, signal: SignalShown) -> tuple[Series, ...]:
    """The series of the channel; of all services every category, because each is completed by itself."""
    pair = next(one for one in study.pairs if one.channel == signal.channel)
    if pair.medicare:
        return series_of(pair)
    return tuple(sorted({series for costs in study.cells.cents.values() for series in costs}))


def cells_shown(study: Study, series: list[Series]) -> list[EvidenceCell]:
    """Every cell in the order of the panel."""
    shown, cells = [], study.cells
    for key in cells.ordered():
        costs = cells.cents.get(key, {})
        shares = [study.completion.of(one, key.month, study.entity_of(key)) for one in series]
        shown.append(
            EvidenceCell(
                county_fips=key.county,
                start=None if key.start == NEVER else key.start,
                month=key.month,
                person_months=cells.people[key],
                traits={name: cells.traits[key][name] for name in TRAITS},
                cents=[costs.get(one, 0) for one in series],
                shares=[None if share is None else share.share for share in shares],
            )
        )
    return shown


async def kept(connection: Connection, signal_id: str) -> tuple[SignalShown, StudyShown, str]:
    """A signal, its study and the digest of its cells. Raises :class:`NoSuchSignalError`."""
    row = await connection.fetchrow(_ONE, signal_id)
    if row is None:
        raise NoSuchSignalError(signal_id)
    return SignalShown.model_validate_json(row["signal"]), study_of(row["study"]), cast("str", row["cells_digest"])
