"""Signals for a state or an entity outside: as they are kept, without the cells that they were worked out of."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from services.cost_shift import signals_gateway
from services.cost_shift.evidence import METHOD
from services.cost_shift.freshness import CONDITIONAL
from services.cost_shift.signal_answers import SignalShown
from services.cost_shift.signals_gateway import SignalId, SignalQuery
from services.cost_shift.states.questions import asked_revision, own_alone
from services.runtime.access.guard import needs
from services.runtime.gateway import ReadConnection

router = APIRouter(dependencies=[Depends(needs("effects.read")), CONDITIONAL[0], Depends(own_alone), CONDITIONAL[1]])


class StateSignals(BaseModel):
    """Signals about entities with people in this state, as of one revision."""

    method: str = METHOD
    revision: int
    as_of: datetime
    signals: list[SignalShown]


@router.get("/signals", summary="What deserves attention, and why")
async def list_signals(connection: ReadConnection, query: Annotated[SignalQuery, Query()]) -> StateSignals:
    """Levels of each channel: watch, review, notify, cleared, none. Worked out whenever a reporting month closes."""
    asked = await asked_revision(connection, query.as_of)
    found = await signals_gateway.list_signals(connection, query)
    return StateSignals(revision=asked.revision, as_of=asked.as_of, signals=found.signals)


@router.get("/signals/{signal_id}", summary="One signal")
async def one_signal(connection: ReadConnection, signal_id: SignalId) -> SignalShown:
    """As it was kept with its revision."""
    return await signals_gateway.one_signal(connection, signal_id)
