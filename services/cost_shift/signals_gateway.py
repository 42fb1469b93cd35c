"""The routes of signals: what deserves attention, why, and the cells from which anybody can work it out again."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from contracts.identifiers import EntityId
from services.cost_shift.evidence import METHOD, EvidenceAnswer, NoSuchSignalError, evidence, kept
from services.cost_shift.questions import revision_of
from services.cost_shift.signal_answers import SignalLevel, SignalShown, StudyShown
from services.runtime.gateway import ReadConnection
from services.runtime.problems import not_found

router = APIRouter()

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
    try:
        return (await kept(connection, signal_id))[0]
    except NoSuchSignalError as error:
        raise not_found("signal of this name") from error


@router.get("/signals/{signal_id}/evidence", summary="The cells from which a signal can be worked out again")
async def evidence_of(connection: ReadConnection, signal_id: SignalId) -> EvidenceAnswer:
    """Read again as of the signal's revision, and compared with what it was worked out of."""
    try:
        return await evidence(connection, signal_id)
    except NoSuchSignalError as error:
        raise not_found("signal of this name") from error
