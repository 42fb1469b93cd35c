"""The list of jobs that BCDA keeps (Tasks in a Bundle): which of them that run are for the request that is ours.

Source: BCDA documentation, Request Jobs History; CMSgov/bcda-app, responseutils.
"""

from typing import Any, Final

import httpx

_RUNNING: Final = frozenset({"in-progress", "accepted"})
_VERB: Final = "GET "

Json = dict[str, Any]


def running_jobs(bundle: Json, url: str) -> list[str]:
    """Numbers of the jobs that have not ended and were asked for with the same path and the same parameters."""
    wanted = httpx.URL(url)
    tasks = (entry.get("resource") for entry in _objects(bundle.get("entry")))
    running = [task for task in tasks if isinstance(task, dict) and str(task.get("status")) in _RUNNING]
    ours = [task for task in running if any(_is_same(text, wanted) for text in _requests(task))]
    return [number for task in ours if (number := _number(task)) is not None]


def _objects(listed: object) -> list[Json]:
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _number(task: Json) -> str | None:
    values = (one.get("value") for one in _objects(task.get("identifier")))
    return next((value for value in values if isinstance(value, str) and value.isascii() and value.isdecimal()), None)


def _requests(task: Json) -> list[str]:
    """Texts like ``GET https://…/Group/all/$export?…``, whatever the name of the element."""
    texts = (text for one in _objects(task.get("input")) for text in one.values() if isinstance(text, str))
    return [text.removeprefix(_VERB) for text in texts if text.startswith(_VERB)]


def _is_same(text: str, wanted: httpx.URL) -> bool:
    try:
        found = httpx.URL(text)
    except httpx.InvalidURL:
        return False
    # The address behind a load balancer may be another one.
    return found.path == wanted.path and dict(found.params) == dict(wanted.params)
