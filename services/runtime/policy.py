"""What a policy file says: parameters that nobody computes, each with its source, its status and its months. Pure.

An entry is a table with ``source`` and ``status``. Its value is ``value``, or all else that stands in it. An entry that
holds only for some months says so by ``from`` and ``through`` (``YYYY-MM``, both included; ``from`` may be the first day of
a month); several dated entries of one
name stand in an array of tables. Tables around entries only name them. A table of bare values is a parameter that lacks
its source, unless it names what the file is about (``about``, ``pack``, ``programme``).
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pydantic import TypeAdapter, ValidationError

from contracts.months import Month

STATUSES = frozenset({"confirmed", "unconfirmed"})
_OWN_WORDS = frozenset({"source", "status", "from", "through"})
_NAMING = frozenset({"about", "pack", "programme"})
_MONTH: TypeAdapter[str] = TypeAdapter(Month)
_MONTH_LENGTH = len("2022-01")
# An array of tables is told apart by the first of these that its tables have.
_LABELS = ("entity_id", "version", "name", "arrangement", "state")


class PolicyError(ValueError):
    """A policy file lacks something or says it in the wrong form."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that nobody computes: where it comes from, whether that confirms it, and in which months it holds.

    ``None`` for a month: without a beginning, without an end.
    """

    name: str
    value: Any
    source: str
    status: str
    first_month: str | None = None
    last_month: str | None = None

    def holds_in(self, month: str) -> bool:
        """Whether it is in force in a month."""
        return (self.first_month or "") <= month and (self.last_month is None or month <= self.last_month)


def parameters_of(text: str) -> list[Parameter]:
    """Every parameter of a file, in its order, checked. Raises :class:`PolicyError` with all that is wrong."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"not TOML: {error}") from None
    problems: list[str] = []
    found = list(_walk("", said, problems))
    problems += _overlaps(found)
    if problems:
        raise PolicyError("; ".join(problems))
    return found


def in_force(parameters: Iterable[Parameter], month: str | None) -> dict[str, Parameter]:
    """The parameter of each name that holds in a month; of no month, the one that holds last."""
    return {one.name: one for one in parameters if month is None or one.holds_in(month)}


def _walk(name: str, said: Mapping[str, Any], problems: list[str]) -> Iterator[Parameter]:
    if "source" in said or "status" in said:
        parameter = _parameter(name or str(said.get("name", "file")), said, problems)
        if parameter is not None:
            yield parameter
        return
    tables = {key: value for key, value in said.items() if isinstance(value, dict) or _is_array(value)}
    if not tables and name not in _NAMING:
        problems.append(f"{name or 'the file'} has no source and no status")
    for key, value in tables.items():
        for label, table in _labelled(_joined(name, key), value):
            yield from _walk(label, table, problems)


def _is_array(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _joined(name: str, key: str) -> str:
    # What a file's parts are called is no part of a parameter's name.
    return key if not name or name in {"parameters", "entities"} else f"{name}.{key}"


def _labelled(name: str, value: dict[str, Any] | list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        yield name, value
        return
    for table in value:
        label = None if "from" in table else next((table[key] for key in _LABELS if key in table), None)
        yield (name if label is None else f"{'' if name == 'entities' else name + '.'}{label}"), table


def _parameter(name: str, said: Mapping[str, Any], problems: list[str]) -> Parameter | None:
    own = list(_faults_of(said))
    if own:
        problems += [f"{name} {fault}" for fault in own]
        return None
    rest = {key: value for key, value in said.items() if key not in _OWN_WORDS}
    value = rest["value"] if set(rest) == {"value"} else rest
    return Parameter(name, value, said["source"], said["status"], _month(said.get("from")), said.get("through"))


def _month(first: str | None) -> str | None:
    return None if first is None else first.removesuffix("-01") if len(first) > _MONTH_LENGTH else first


def _faults_of(said: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(said.get("source"), str) or not said["source"].strip():
        yield "has no source"
    if said.get("status") not in STATUSES:
        yield "has no status of confirmed or unconfirmed"
    if not said.keys() - _OWN_WORDS:
        yield "has no value"
    for word, text in (("from", said.get("from")), ("through", said.get("through"))):
        if word in said and not _is_month(_month(text) if word == "from" and isinstance(text, str) else text):
            yield f"{word} is no month (YYYY-MM)"
    if "through" in said and "from" not in said:
        yield "ends and never begins"


def _is_month(value: object) -> bool:
    try:
        _MONTH.validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


def _overlaps(found: Sequence[Parameter]) -> Iterator[str]:
    by_name: dict[str, list[Parameter]] = {}
    for parameter in found:
        by_name.setdefault(parameter.name, []).append(parameter)
    for name, several in by_name.items():
        for one in several:
            if one.last_month is not None and one.last_month < (one.first_month or ""):
                yield f"{name} ends before it begins"
        for earlier, later in pairwise(sorted(several, key=lambda one: one.first_month or "")):
            if earlier.last_month is None or earlier.last_month >= (later.first_month or ""):
                yield f"{name} holds twice from {later.first_month or 'the beginning'}"
