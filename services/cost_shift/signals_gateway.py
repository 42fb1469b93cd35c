"""The routes of signals: what deserves attention, why, and the cells from which anybody can work it out again."""

from typing import Annotated, Literal, cast

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from contracts.identifiers import EntityId
from services.cost_shift.completion import Completion, completion
from services.cost_shift.questions import revision_of
from services.cost_shift.rules.county_panel import Series
from services.cost_shift.signal_answers import SignalLevel, SignalShown, StudyShown
from services.cost_shift.signals import prepared_study, study_of
from services.cost_shift.study_cells import NEVER, TRAITS, StudyCells
from services.cost_shift.study_reading import months_counted
from services.cost_shift.studying import Study, series_of
from services.runtime.database import Connection
from services.runtime.gateway import ReadConnection
from services.runtime.problems import not_found

router = APIRouter()

METHOD = (
    "People who were ever aligned are followed against people never aligned, by county, group of entry and month. Every group and quarter "
    "behind its entry has an effect of its own; the effect is their average, weighted by person-months, held constant for what people cost "
    "in the baseline and for their risk score. Errors are clustered by county; tests and intervals are those of the wild cluster bootstrap "
    "with the null imposed."
)
SignalId = Annotated[
    str,
    Path(
        pattern=r"^D[0-9]{4}\.[a-z_]{1,60}\.[0-9]{1,18}$",
        description="entity, channel and revision",
        examples=["D9001.home_health.57"],
    ),
]
_SIGNALS = """
    SELECT signal::text FROM (
        SELECT DISTINCT ON (entity, channel) entity, channel, level, revision, signal FROM signal
        WHERE revision <= $1 AND ($2::text IS NULL OR entity = $2) AND ($3::text IS NULL OR channel = $3)
        ORDER BY entity, channel, revision DESC
    ) AS latest WHERE $4::text[] IS NULL OR level = ANY($4) ORDER BY entity, channel
"""
_HISTORY = """
    SELECT signal::text FROM signal
    WHERE revision <= $1 AND ($2::text IS NULL OR entity = $2) AND ($3::text IS NULL OR channel = $3)
        AND ($4::text[] IS NULL OR level = ANY($4)) AND ($5 OR told)
    ORDER BY entity, channel, revision
"""
_STUDIES = """
    SELECT DISTINCT ON (entity) study::text FROM signal_study WHERE revision <= $1 AND ($2::text IS NULL OR entity = $2)
    ORDER BY entity, revision DESC
"""
_ONE = """
    SELECT signal::text AS signal, study::text AS study, cells_digest FROM signal JOIN signal_study USING (entity, revision)
    WHERE signal_id = $1
"""


class SignalQuery(BaseModel):
    """Which signals, as of which revision."""

    model_config = ConfigDict(extra="forbid")

    entity: Annotated[EntityId | None, Field(description="only this entity")] = None
    channel: Annotated[str | None, Field(pattern=r"^[a-z_]{1,60}$", description="only this channel")] = None
    level: Annotated[list[SignalLevel], Field(max_length=5, description="only these levels; all where absent")] = []
    history: Annotated[
        Literal["latest", "told", "all"],
        Field(
            description="latest: the standing level of each channel; told: every change of it; all: every month that closed"
        ),
    ] = "latest"
    as_of: Annotated[int | None, Field(ge=1, lt=2**63, description="revision; the latest where absent")] = None


class SignalsAnswer(BaseModel):
    """Signals as of one revision, and the study of each entity that the latest of them stand on."""

    method: str = METHOD
    revision: int
    signals: list[SignalShown]
    studies: list[StudyShown]


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
    bootstrap_draws: int
    bootstrap_seed: int
    months_a_group: int
    as_kept: Annotated[bool, Field(description="whether the cells are still those of which the signal was worked out")]


@router.get("/signals", summary="What deserves attention, and why")
async def list_signals(connection: ReadConnection, query: Annotated[SignalQuery, Query()]) -> SignalsAnswer:
    """Levels of each channel: watch, review, notify, cleared, none. Worked out whenever a reporting month closes."""
    revision = await revision_of(connection, query.as_of)
    filters = (revision, query.entity, query.channel, query.level or None)
    if query.history == "latest":
        rows = await connection.fetch(_SIGNALS, *filters)
    else:
        rows = await connection.fetch(_HISTORY, *filters, query.history == "all")
    studies = await connection.fetch(_STUDIES, revision, query.entity)
    return SignalsAnswer(
        revision=revision,
        signals=[SignalShown.model_validate_json(row["signal"]) for row in rows],
        studies=[StudyShown.model_validate_json(row["study"]) for row in studies],
    )


@router.get("/signals/{signal_id}", summary="One signal")
async def one_signal(connection: ReadConnection, signal_id: SignalId) -> SignalShown:
    """As it was kept with its revision."""
    return (await _kept(connection, signal_id))[0]


@router.get("/signals/{signal_id}/evidence", summary="The cells from which a signal can be worked out again")
async def evidence_of(connection: ReadConnection, signal_id: SignalId) -> EvidenceAnswer:
    """Read again as of the signal's revision, and compared with what it was worked out of."""
    signal, shown, digest = await _kept(connection, signal_id)
    history = await completion(connection, shown.revision, shown.states)
    counted = await months_counted(connection, shown.revision, shown.states)
    prepared = await prepared_study(connection, shown.revision, shown.entity_id, shown.states, counted, history)
    if prepared is None:
        raise not_found("evidence of this signal any more")
    again, study = prepared
    series = list(series_of_signal(study, signal))
    return EvidenceAnswer(
        signal=signal,
        study=shown,
        series=series,
        cells=_cells(study.cells, series, history),
        bootstrap_draws=study.estimating.bootstrap_draws,
        bootstrap_seed=study.estimating.bootstrap_seed,
        months_a_group=study.policy.months_a_group,
        as_kept=again.cells_digest == digest,
    )


def series_of_signal(study: Study, signal: SignalShown) -> tuple[Series, ...]:
    """The series of the channel; of all services every category, because each is completed by itself."""
    pair = next(one for one in study.pairs if one.channel == signal.channel)
    if pair.medicare:
        return series_of(pair)
    return tuple(sorted({series for costs in study.cells.cents.values() for series in costs}))


def _cells(cells: StudyCells, series: list[Series], history: Completion) -> list[EvidenceCell]:
    shown = []
    for key in cells.ordered():
        costs, shares = cells.cents.get(key, {}), [history.of(one, key.month) for one in series]
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


async def _kept(connection: Connection, signal_id: str) -> tuple[SignalShown, StudyShown, str]:
    row = await connection.fetchrow(_ONE, signal_id)
    if row is None:
        raise not_found("signal of this name")
    return SignalShown.model_validate_json(row["signal"]), study_of(row["study"]), cast("str", row["cells_digest"])
