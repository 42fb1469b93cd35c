"""How a state writes its eligibility spans: columns, codes, dates, precedence and horizon, as data.

Mappings that come with the program lie in ``policy/state_eligibility``; a state's own lie in the folder that
``TANDEM_STATE_MAPPINGS`` names and go first under an equal name. A mapping is used for deliveries from ``valid_from`` on;
of several of one name the newest that is valid.
"""

import csv
import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

from contracts.codes import DUAL_BENEFIT_LEVEL, BenefitLevel
from contracts.medicaid import EnrolmentBasis, LevelOfCare
from services.intake.readers.tables import CsvForm
from services.intake.reading import RefusedDelivery
from services.intake.recognition.dates import day_of
from services.intake.states import usps_state

FOLDER_VARIABLE = "TANDEM_STATE_MAPPINGS"
HorizonRule = Literal["file_name", "trailer", "delivery_month", "month_before_delivery", "latest_covered_month"]
_STATUS = frozenset({"confirmed", "unconfirmed"})
_NAME = re.compile(r"[a-z0-9_]{1,40}")
_REQUIRED_COLUMNS = ("medicaid_id", "programme", "first_day", "last_day")
_OPTIONAL_COLUMNS = (
    "mbi", "family_name", "given_name", "birth_date", "death_date", "sex", "state", "county", "plan_id", "plan_type",
    "aid_code", "dual_status", "benefit_level", "level_of_care", "safe_in_community", "enrolment_basis", "demonstration",
    "medicare_contract", "medicare_package",
)  # fmt: skip
_TABLES = frozenset({"programme", "sex", "benefit_level", "dual_status", "level_of_care", "enrolment_basis"})
# Columns whose codes the mapping must tell.
_CODED = ("sex", "benefit_level", "level_of_care", "enrolment_basis")
_PERCENT = 100
_LONGEST_HEADER = 4096
# A header with so many percent of a mapping's labels is meant to be that file.
_NEARLY = 70


class MappingError(ValueError):
    """A mapping file lacks something or says it in the wrong form. The message names the file and the place."""


@dataclass(frozen=True, slots=True)
class ProgrammeCode:
    """What one of the state's codes means: the programme, and the dual status that goes with it."""

    programme: str
    dual_status_code: str | None


@dataclass(frozen=True, slots=True)
class Horizon:
    """How the last month is found of which a file knows."""

    rule: HorizonRule
    least_percent: int


@dataclass(frozen=True, slots=True)
class StateMapping:
    """One mapping file. See ``policy/state_eligibility/generic.toml`` for what each part says."""

    name: str
    status: str
    source: str
    valid_from: date
    state: str | None
    file_name: re.Pattern[str] | None
    header: tuple[str, ...] | None
    form: CsvForm
    trailer: bool
    columns: Mapping[str, str]
    ignored: frozenset[str]
    date_formats: tuple[str, ...]
    open_end: frozenset[str]
    programmes: Mapping[str, ProgrammeCode]
    codes: Mapping[str, Mapping[str, str]]
    precedence: tuple[frozenset[str], ...]
    horizon: Horizon

    def labels(self) -> frozenset[str]:
        """Every label that the file must have, and no other."""
        return self.ignored | frozenset(self.columns.values())


def read_mapping(name: str, text: str) -> StateMapping:
    """Read a mapping file. Raises :class:`MappingError`."""
    try:
        said = tomllib.loads(text)
        mapping = _mapping(said)
    except KeyError as missing:
        raise MappingError(f"{name}: {missing.args[0]} is missing") from None
    except (tomllib.TOMLDecodeError, TypeError, AttributeError, ValueError, re.error) as error:
        raise MappingError(f"{name}: {error}") from None
    _check(name, said, mapping)
    return mapping


def _mapping(said: Mapping[str, Any]) -> StateMapping:
    recognised, file, dates = said["recognised_by"], said["file"], said["dates"]
    columns = dict(said["columns"])
    ignored = frozenset(columns.pop("ignored"))
    codes = dict(said["codes"])
    programmes = codes.pop("programme")
    pattern, header = recognised.get("file_name"), recognised.get("header")
    return StateMapping(
        name=said["name"],
        status=said["status"],
        source=said["source"],
        valid_from=said["valid_from"],
        state=said.get("state"),
        file_name=None if pattern is None else re.compile(pattern),
        header=None if header is None else tuple(header),
        form=CsvForm(file["encoding"], file["delimiter"], capitals=False),
        trailer=file["trailer"],
        columns=columns,
        ignored=ignored,
        date_formats=tuple(dates["formats"]),
        open_end=frozenset(dates["open_end"]),
        programmes={code: _programme(meaning) for code, meaning in programmes.items()},
        codes={table: dict(meanings) for table, meanings in codes.items()},
        precedence=tuple(frozenset(rank) for rank in said["precedence"]["programmes"]),
        horizon=Horizon(said["horizon"]["rule"], said["horizon"].get("least_percent", _PERCENT)),
    )


def _programme(meaning: Mapping[str, str]) -> ProgrammeCode:
    if not set(meaning) <= {"programme", "dual_status"}:
        raise ValueError("a programme's code has other parts than programme and dual_status")
    return ProgrammeCode(meaning["programme"], meaning.get("dual_status"))


def _check(name: str, said: Mapping[str, Any], mapping: StateMapping) -> None:
    fault = next(_faults(said, mapping), None)
    if fault is not None:
        raise MappingError(f"{name}: {fault}")


def _faults(said: Mapping[str, Any], mapping: StateMapping) -> Iterator[str]:
    known = {field.name for field in fields(StateMapping)} | {"recognised_by", "file", "dates"}
    if unknown := set(said) - known:
        yield f"{min(unknown)} is no part of a mapping"
    if not _NAME.fullmatch(mapping.name) or mapping.status not in _STATUS or not mapping.source:
        yield "name, source and status (confirmed or unconfirmed) must be given"
    if not isinstance(said["valid_from"], date):
        yield "valid_from is no day"
    if mapping.state is not None and usps_state(mapping.state) != mapping.state:
        yield "state is not in USPS letters"
    if (mapping.file_name is None) == (mapping.header is None):
        yield "recognised_by needs either file_name or header"
    yield from _column_faults(mapping)
    yield from _code_faults(mapping)
    yield from _horizon_faults(mapping)


def _column_faults(mapping: StateMapping) -> Iterator[str]:
    if missing := [field for field in _REQUIRED_COLUMNS if field not in mapping.columns]:
        yield f"columns.{missing[0]} is missing"
    if unknown := set(mapping.columns) - {*_REQUIRED_COLUMNS, *_OPTIONAL_COLUMNS}:
        yield f"columns.{min(unknown)} is not known"
    labels = [*mapping.columns.values(), *mapping.ignored]
    if len(set(labels)) != len(labels):
        yield "a label stands twice in columns"
    if mapping.header is not None and set(mapping.header) != set(labels):
        yield "recognised_by.header and columns name different labels"
    named = mapping.file_name.groupindex if mapping.file_name is not None else {}
    if mapping.state is None and "state" not in named and "state" not in mapping.columns:
        yield "nothing tells the state: give state, columns.state or a group named state in file_name"


def _code_faults(mapping: StateMapping) -> Iterator[str]:
    if unknown := set(mapping.codes) - _TABLES:
        yield f"codes.{min(unknown)} is not known"
    if untold := [field for field in _CODED if field in mapping.columns and field not in mapping.codes]:
        yield f"codes.{untold[0]} is missing"
    ranked = [programme for rank in mapping.precedence for programme in rank]
    if sorted(ranked) != sorted({code.programme for code in mapping.programmes.values()}):
        yield "precedence must rank every programme of codes.programme exactly once"
    if any(not _NAME.fullmatch(programme) for programme in ranked):
        yield "programmes are named in small letters, digits and underscores"
    stated = [code.dual_status_code for code in mapping.programmes.values() if code.dual_status_code is not None]
    if any(code not in DUAL_BENEFIT_LEVEL for code in [*stated, *mapping.codes.get("dual_status", {}).values()]):
        yield "a dual status is none that CMS defines"
    if set(mapping.codes.get("benefit_level", {}).values()) - set(BenefitLevel):
        yield "codes.benefit_level gives something else than full, partial, other, none or unknown"
    if set(mapping.codes.get("level_of_care", {}).values()) - set(get_args(LevelOfCare)):
        yield "codes.level_of_care gives a level that is not known"
    if set(mapping.codes.get("enrolment_basis", {}).values()) - set(get_args(EnrolmentBasis)):
        yield "codes.enrolment_basis gives something else than voluntary, passive or opted_out"
    if set(mapping.codes.get("sex", {}).values()) - {"0", "1", "2"}:
        yield "codes.sex gives something else than 0, 1 or 2"


def _horizon_faults(mapping: StateMapping) -> Iterator[str]:
    rule = mapping.horizon.rule
    if rule not in get_args(HorizonRule):
        yield "horizon.rule is not known"
    if rule == "trailer" and not mapping.trailer:
        yield "horizon.rule is trailer, but the file has none"
    if rule == "file_name" and (mapping.file_name is None or "through" not in mapping.file_name.groupindex):
        yield "horizon.rule is file_name, but file_name has no group named through"
    if not 0 < mapping.horizon.least_percent <= _PERCENT:
        yield "horizon.least_percent is no percentage"
    if not mapping.date_formats:
        yield "dates.formats is empty"


def mappings() -> tuple[StateMapping, ...]:
    """Every mapping there is. Raises :class:`MappingError` where one of them cannot be read."""
    shipped = files("services.intake.policy").joinpath("state_eligibility")
    found = {}
    for entry in sorted(shipped.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".toml"):
            mapping = read_mapping(entry.name, entry.read_text(encoding="utf-8"))
            found[mapping.name, mapping.valid_from] = mapping
    own = os.environ.get(FOLDER_VARIABLE)
    for path in sorted(Path(own).glob("*.toml")) if own else ():
        mapping = read_mapping(path.name, path.read_text(encoding="utf-8"))
        found[mapping.name, mapping.valid_from] = mapping
    return tuple(found.values())


def choose(name: str, header: Sequence[str], received_on: date) -> tuple[StateMapping, date] | None:
    """The one mapping for a file, and the day of which the file is; ``None`` where it is no state's file.

    Raises :class:`RefusedDelivery` where two mappings claim the file, none is valid yet, or it nearly fits one.
    """
    try:
        known = mappings()
    except MappingError as error:
        raise RefusedDelivery("unreadable_mapping", str(error)) from error
    candidates = [mapping for mapping in known if _claims(mapping, name, header)]
    if not candidates:
        _refuse_renamed(known, header)
        return None
    names = sorted({mapping.name for mapping in candidates})
    if len(names) > 1:
        raise RefusedDelivery("ambiguous_mapping", f"more than one mapping claims the file: {', '.join(names)}")
    dated = _dated(name, candidates[0], received_on)
    valid = [mapping for mapping in candidates if mapping.valid_from <= dated]
    if not valid:
        raise RefusedDelivery("mapping_not_in_force", f"{names[0]} is not valid yet on the day of the file")
    return max(valid, key=lambda mapping: mapping.valid_from), dated


def labels_of(start: bytes) -> list[str]:
    """The labels in the first line of a file, whatever stands between them; none where it is no line of text."""
    text = start[:_LONGEST_HEADER].removeprefix(b"\xef\xbb\xbf").decode("latin-1").partition("\n")[0].rstrip("\r")
    delimiter = next((sign for sign in (",", "|", ";", "\t") if sign in text), ",")
    try:
        return [label.strip() for label in next(csv.reader([text], delimiter=delimiter, strict=True), [])]
    except csv.Error:
        return []


def _claims(mapping: StateMapping, name: str, header: Sequence[str]) -> bool:
    if mapping.file_name is not None:
        return mapping.file_name.fullmatch(name) is not None
    return mapping.header == tuple(header)


def _refuse_renamed(known: Sequence[StateMapping], header: Sequence[str]) -> None:
    """A header that has most labels of a mapping, and not all, is that file with a column renamed: nobody guesses which."""
    for mapping in known:
        there = mapping.labels() & set(header)
        if mapping.header is not None and len(there) * _PERCENT >= len(mapping.header) * _NEARLY:
            missing = sorted(mapping.labels() - there)
            detail = f"has no column {missing[0]}" if missing else "has other columns, or in another order"
            raise RefusedDelivery(
                "missing_column" if missing else "unknown_column", f"a file of {mapping.name} {detail}"
            )


def named_groups(name: str, mapping: StateMapping) -> dict[str, str]:
    """What the file's name says by the mapping's pattern: state, day, through."""
    found = mapping.file_name.fullmatch(name) if mapping.file_name is not None else None
    return {} if found is None else {group: text for group, text in found.groupdict().items() if text is not None}


def _dated(name: str, mapping: StateMapping, received_on: date) -> date:
    day = named_groups(name, mapping).get("day")
    return received_on if day is None else day_of(day)
