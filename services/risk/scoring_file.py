"""Scores of a CSV file: columns ``age,sex,orec,medicaid,segment,icd10`` in, the same with ``raw_score,hccs,notes`` out.

Codes and notes are separated by ``|``; a note says which code adds nothing and why, or that the segment has no factor for
the person's age and sex. The segment is taken as asked for, whether or not it can apply to the person, as CMS's
own software scores every person in every segment.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final, Literal, TypeVar, get_args

from contracts.risk import Segment
from services.risk.hcc_tables import HccTables, Model, hcc_tables, is_known
from services.risk.risk_policy import risk_policy
from services.risk.rules.hcc_score import Demographics, HccScore, hcc_score
from services.risk.rules.scoring_input import EDITED, NOT_IN_TABLES

COLUMNS: Final = ("age", "sex", "orec", "medicaid", "segment", "icd10")
_SEXES: Final[dict[str, Literal["1", "2"]]] = {"1": "1", "M": "1", "2": "2", "F": "2"}
_SEGMENTS: Final[dict[str, Segment]] = {segment: segment for segment in get_args(Segment)}
_ENTITLEMENTS: Final[dict[str, Literal["0", "1", "2", "3"]]] = {"0": "0", "1": "1", "2": "2", "3": "3"}
_YES_NO: Final = {"0": False, "1": True}
_OLDEST = 130
_AGE: Final = re.compile(r"[0-9]{1,3}")


class ScoringFileError(ValueError):
    """A row cannot be scored. The message names row and column, never the value."""


Value = TypeVar("Value")


def _one_of(row: Mapping[str, str], column: str, allowed: Mapping[str, Value], number: int) -> Value:
    value = (row.get(column) or "").strip().upper()
    if value not in allowed:
        raise ScoringFileError(f"row {number}: column {column}: not one of {', '.join(allowed)}")
    return allowed[value]


def _age(row: Mapping[str, str], number: int) -> int:
    text = (row.get("age") or "").strip()
    if not (_AGE.fullmatch(text) and int(text) <= _OLDEST):
        raise ScoringFileError(f"row {number}: column age: not a number of years up to {_OLDEST}")
    return int(text)


def _person(row: Mapping[str, str], number: int) -> Demographics:
    return Demographics(
        _age(row, number),
        _one_of(row, "sex", _SEXES, number),
        _one_of(row, "orec", _ENTITLEMENTS, number),
        medicaid=_one_of(row, "medicaid", _YES_NO, number),
    )


def _notes(codes: AbstractSet[str], score: HccScore, model: Model, tables: HccTables) -> Iterator[str]:
    for code in sorted(codes):
        if code in score.edited:
            yield f"{code}:{EDITED}"
        elif code not in tables.categories[model]:
            yield f"{code}:{NOT_IN_TABLES if is_known(code, risk_policy()) else 'no_category'}"
    if not score.demographic_score:
        yield "no_demographic_factor"


def _scored(row: Mapping[str, str], model: Model, number: int, tables: HccTables) -> dict[str, str]:
    codes = frozenset(code.strip().upper().replace(".", "") for code in (row.get("icd10") or "").split("|"))
    segment = _one_of(row, "segment", _SEGMENTS, number)
    score = hcc_score(tables, model, segment, _person(row, number), codes - {""})
    hccs = "|".join(str(category.number) for category in score.categories)
    notes = "|".join(_notes(codes - {""}, score, model, tables))
    return {**row, "raw_score": str(score.raw_score), "hccs": hccs, "notes": notes}


def score_rows(rows: Iterable[Mapping[str, str]], model: Model) -> Iterator[dict[str, str]]:
    """Score rows one by one. Raises :class:`ScoringFileError` at the first that cannot be."""
    tables = hcc_tables(max(risk_policy().hcc_tables_years))
    return (_scored(row, model, number, tables) for number, row in enumerate(rows, 1))


def score_file(path: Path, model: Model) -> Iterator[dict[str, str]]:
    """Score a CSV file row by row; memory does not grow with it. Raises :class:`ScoringFileError`."""
    try:
        yield from _scored_file(path, model)
    except (UnicodeDecodeError, csv.Error):
        raise ScoringFileError("not a CSV file in UTF-8") from None


def _scored_file(path: Path, model: Model) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, restkey="surplus")
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise ScoringFileError(f"column missing: {', '.join(missing)}")
        yield from score_rows(_whole_rows(reader), model)


def _whole_rows(reader: Iterable[dict[str, str]]) -> Iterator[dict[str, str]]:
    for number, row in enumerate(reader, 1):
        if "surplus" in row or None in row.values():
            raise ScoringFileError(f"row {number}: not as many values as columns")
        yield row
