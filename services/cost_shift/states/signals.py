"""Signals for a state or an entity outside: as they are kept, without the cells that they were worked out of."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from services.cost_shift import signals_gateway
from services.cost_shift.evidence import METHOD
from services.cost_shift.freshness import CONDITIONAL
from services.cost_shift.signals_gateway import SignalId, SignalQuery
from services.cost_shift.states.answers import SUPPRESSED
from services.cost_shift.states.questions import asked_revision, own_alone
from services.cost_shift.states.signal_answers import StateSignal
from services.runtime.access.guard import needs
from services.runtime.gateway import ReadConnection

router = APIRouter(dependencies=[Depends(needs("effects.read")), CONDITIONAL[0], Depends(own_alone), CONDITIONAL[1]])


class StateSignals(BaseModel):
    """Signals about entities with people in this state, as of one revision."""

    method: str = METHOD
    revision: int
    as_of: datetime
    signals: list[StateSignal]


@router.get("/signals", summary="What deserves attention, and why")
async def list_signals(connection: ReadConnection, query: Annotated[SignalQuery, Query()]) -> StateSignals:
    """Levels of each channel: watch, review, notify, cleared, none. Worked out whenever a reporting month closes."""
    asked = await asked_revision(connection, query.as_of)
    found = await signals_gateway.list_signals(connection, query.model_copy(update={"level": []}))
    told = [StateSignal.of(signal) for signal in found.signals]
    return StateSignals(
        revision=asked.revision, as_of=asked.as_of, signals=[one for one in told if is_asked_for(one, query)]
    )


def is_asked_for(signal: StateSignal, query: SignalQuery) -> bool:
    """By what is told alone: whether a level that is not told was asked for, or changed, must not be seen from it."""
    if query.history == "told" and SUPPRESSED in {signal.level, signal.previous_level}:
        return False
    return not query.level or signal.level in query.level


@router.get("/signals/{signal_id}", summary="One signal")
async def one_signal(connection: ReadConnection, signal_id: SignalId) -> StateSignal:
    """As it was kept with its revision."""
    return StateSignal.of(await signals_gateway.one_signal(connection, signal_id))
