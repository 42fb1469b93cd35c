"""Paths into FHIR resources: dotted names, each optionally narrowed by ``[path=value]``.

``item.adjudication[category.coding.code=BB:line_nch_pmt_amt].amount.value`` reads every element that matches, in
the order of the resource; lists are walked through. ``BB:`` stands for CMS's own variable names. The narrowing value
may list alternatives with ``|``. Paths are parsed once; they know nothing about claims.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from functools import lru_cache

Json = dict[str, "Json"] | list["Json"] | str | int | bool | Decimal | None
Condition = Callable[[Json], bool]
Step = tuple[str, Condition | None]

VARIABLES = "https://bluebutton.cms.gov/resources/variables/"
_STEP = re.compile(r"(?P<name>\w+)(?:\[(?P<path>[\w.]+)=(?P<value>[^\]]+)\])?(?:\.|$)")


class PathError(ValueError):
    """The text is not a path."""


def _expanded(value: str) -> frozenset[str]:
    return frozenset(one.replace("BB:", VARIABLES, 1) for one in value.split("|"))


def _condition(path: str, value: str) -> Condition:
    wanted = _expanded(value)
    return lambda element: any(found in wanted for found in texts(element, path))


@lru_cache(maxsize=256)
def parsed(path: str) -> tuple[Step, ...]:
    """Parse a path into its steps. Raises :class:`PathError`."""
    steps: list[Step] = []
    position = 0
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            raise PathError(f"not a path: {path}")
        steps.append((match["name"], _condition(match["path"], match["value"]) if match["path"] else None))
        position = match.end()
    return tuple(steps)


def _flat(value: Json) -> Iterable[Json]:
    return value if isinstance(value, list) else (value,)


def _step(elements: Iterable[Json], step: Step) -> Iterator[Json]:
    name, condition = step
    for element in elements:
        if isinstance(element, dict) and name in element:
            yield from (found for found in _flat(element[name]) if condition is None or condition(found))


def values(element: Json, path: str) -> list[Json]:
    """List everything that the path leads to, in order."""
    found: Iterable[Json] = (element,)
    for step in parsed(path):
        found = _step(found, step)
    return list(found)


def texts(element: Json, path: str) -> list[str]:
    """List the texts that the path leads to; anything else is passed over."""
    return [value for value in values(element, path) if isinstance(value, str)]


def first_text(element: Json, paths: Iterable[str]) -> str | None:
    """Find the first text that any of the paths leads to, the paths tried in order."""
    return next((text for path in paths for text in texts(element, path)), None)
