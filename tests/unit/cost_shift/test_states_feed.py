"""A stream of changes ends with the token that it was opened with."""

from types import SimpleNamespace
from typing import Any

from services.cost_shift.cursors import Place
from services.cost_shift.states import feed
from services.cost_shift.states.shared_pages import Page
from services.runtime.access.principal import Principal, Tenant


class Quiet:
    """A feed in which nothing happens: waiting is all that passes time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.latest = self

    async def page(self, *_: Any) -> Page:
        return Page((), more=False)

    async def known(self) -> int:
        return 7

    async def after(self, _: int, seconds: float) -> bool:
        self.now += seconds
        return False


async def test_a_stream_ends_with_its_token() -> None:
    quiet = Quiet()
    principal = Principal("ohio", Tenant("OH"), frozenset({"measures.read"}), expires=40)
    door = SimpleNamespace(clock=lambda: quiet.now)
    request: Any = SimpleNamespace(
        state=SimpleNamespace(principal=principal), app=SimpleNamespace(state=SimpleNamespace(door=door))
    )
    opened: Any = (quiet, Place(0))
    beats = [event.comment async for event in feed.stream_changes(request, opened)]
    assert beats == ["nothing new"] * 3
    assert quiet.now == 40
