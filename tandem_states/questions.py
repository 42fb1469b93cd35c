"""What can be asked, as conversations: which route, which page comes next."""

from collections.abc import Mapping
from typing import Any, TypeVar

from tandem_states.conversation import Conversation, Parameters, Speaker
from tandem_states.figures import Change, Page, row_of

Row = TypeVar("Row")


def page_of_rows(
    speaker: Speaker, name: str, kind: type[Row], parameters: Parameters, offset: int | None
) -> Conversation[tuple[list[Row], int | None, int]]:
    """One page of a list: its rows, where the next begins, and its revision."""
    path = f"/v1/{name}"
    asked = {**parameters, **({} if offset is None else {"offset": offset})}
    document = yield from speaker.ask(path, asked)
    rows = [row_of(kind, row) for row in document[name.replace("-", "_")]]
    return rows, document.get("next_offset"), document.get("revision", 0)


def page_of_changes(speaker: Speaker, cursor: str | None, wait: float, parameters: Parameters) -> Conversation[Page]:
    """One page of the feed, as soon as there is one or the wait is over."""
    document: Mapping[str, Any] = yield from speaker.ask("/v1/changes", {**parameters, "cursor": cursor, "wait": wait})
    changes = tuple(row_of(Change, row) for row in document["changes"])
    return Page(changes=changes, cursor=document["next_cursor"], more=document["more"])
