"""Which columns a list has, and what they mean: layouts as dated data, because CMS publishes none of them.

A file's own header says which layout it has: each names the columns that tell it from the others. A header that fits
none, or more than one, is refused; nothing is guessed.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from importlib.resources import files
from typing import Any, Literal

from contracts.delivery import DeliveryKind
from contracts.identifiers import holds_an_mbi
from services.intake.readers import listed_fields as forms
from services.intake.readers.fields import Converter, npi, one_of, required, text, upper, whole_number
from services.intake.readers.records import Column
from services.intake.reading import RefusedDelivery

_LABEL = re.compile(r"[A-Z][A-Z0-9_ .#/()-]{0,39}")
_MOST_TOLD = 10


class ColumnMapError(ValueError):
    """A file of layouts lacks something or contradicts itself."""


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """``label`` (the source's) is ``field`` (ours). ``codes`` is what the source's codes mean, where it has any."""

    field: str
    label: str
    form: str
    required: bool = False
    may_be_absent: bool = False
    codes: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """One version of a list's columns. ``unknown_columns`` says what becomes of a file that has more of them."""

    version: str
    valid_from: date
    valid_to: date | None
    source: str
    status: str
    identified_by: frozenset[str]
    unknown_columns: Literal["refuse", "ignore"]
    day_format: str
    columns: tuple[MappedColumn, ...]

    def fits(self, labels: Iterable[str]) -> bool:
        """Whether a header has the columns that tell this layout from the others."""
        return self.identified_by <= set(labels)

    def columns_in(self, labels: Sequence[str], epoch: date | None) -> tuple[Column, ...]:
        """The columns of a file with this header. ``epoch``: what serial days count from, in a workbook."""
        there = [column for column in self.columns if column.label in labels]
        return tuple(Column(column.field, column.label, self._converter(column, epoch)) for column in there)

    def expected(self) -> dict[str, str]:
        """By label, what a field must hold, in a few words."""
        return {column.label: _expected(column, self.day_format) for column in self.columns}

    def _converter(self, column: MappedColumn, epoch: date | None) -> Converter:
        if column.codes is not None:
            convert: Converter = one_of(**column.codes)
        elif column.form == "day":
            convert = partial(forms.day, form=self.day_format, epoch=epoch)
        else:
            convert = _FORMS[column.form][0]
        return required(convert) if column.required else convert

    def require(self, labels: Sequence[str], dated: date) -> None:
        """Raises :class:`RefusedDelivery` for a header that is this layout's but not whole."""
        if not (self.valid_from <= dated and (self.valid_to is None or dated <= self.valid_to)):
            raise RefusedDelivery("layout_not_in_force", f"layout {self.version} was not in force on the file's day")
        named = [label for label in labels if label]
        if len(set(named)) != len(named):
            raise RefusedDelivery("duplicate_column", "the header names a column twice")
        missing = [c.label for c in self.columns if not c.may_be_absent and c.label not in named]
        if missing:
            raise RefusedDelivery("missing_column", f"layout {self.version} has more columns: {_told(missing)}")
        if self.unknown_columns == "refuse" and (unknown := self.unknown(labels)):
            raise RefusedDelivery("unknown_column", f"layout {self.version} has no such columns: {_told(unknown)}")

    def unknown(self, labels: Sequence[str]) -> list[str]:
        """The labels that the layout does not know, as they may be told."""
        known = {column.label for column in self.columns}
        return [tellable(label) for label in labels if label and label not in known]


_FORMS: dict[str, tuple[Converter, str]] = {
    "text": (text, "a text"),
    "capitals": (upper, "a text"),
    "mbi": (upper, "a Medicare Beneficiary Identifier"),
    "day": (text, "a day"),
    "month": (forms.month, "a month as YYYYMM, YYYY-MM or MM/YYYY"),
    "period": (forms.period, "a year as YYYY, or a quarter as YYYYQn"),
    "year": (whole_number, "a year as YYYY"),
    "npi": (npi, "a National Provider Identifier: 10 digits"),
    "npis": (forms.npis, "National Provider Identifiers of 10 digits, separated by ;"),
    "county": (forms.county, "a county as 5 digits (FIPS)"),
    "state": (forms.state, "a state as USPS letters or FIPS number"),
    "criteria": (forms.codes, "codes of letters and digits, separated by ;"),
    "code": (text, "a code"),
}


def _expected(column: MappedColumn, day_format: str) -> str:
    if column.codes is not None:
        return "one of " + ", ".join(code.removeprefix("_") for code in column.codes)
    if column.form == "day":
        return f"a day as {day_format}"
    return _FORMS[column.form][1]


def tellable(label: str) -> str:
    """A label as it may be shown: what does not look like one may be a person's data in a file without a header."""
    return label if _LABEL.fullmatch(label) and not holds_an_mbi(label) else "(not a label)"


def _told(labels: Sequence[str]) -> str:
    more = "" if len(labels) <= _MOST_TOLD else f" and {len(labels) - _MOST_TOLD} more"
    return ", ".join(labels[:_MOST_TOLD]) + more


def normal_label(label: str) -> str:
    """A label as layouts have it: in capitals, with single spaces."""
    return " ".join(label.upper().split())


def read_layouts(document: str) -> tuple[Layout, ...]:
    """The layouts of one kind. Raises :class:`ColumnMapError` for what contradicts itself."""
    layouts = tuple(_layout(said) for said in tomllib.loads(document)["layouts"])
    for layout in layouts:
        for other in layouts:
            if layout is not other and layout.fits(column.label for column in other.columns):
                raise ColumnMapError(f"layouts {layout.version} and {other.version} cannot be told apart")
    return layouts


def _layout(said: Mapping[str, Any]) -> Layout:
    codes = said.get("codes", {})
    columns = tuple(MappedColumn(**column, codes=codes.get(column["field"])) for column in said["columns"])
    layout = Layout(
        version=said["version"],
        valid_from=said["valid_from"],
        valid_to=said.get("valid_to"),
        source=said["source"],
        status=said["status"],
        identified_by=frozenset(said["identified_by"]),
        unknown_columns=said["unknown_columns"],
        day_format=said["day_format"],
        columns=columns,
    )
    _require_sound(layout, codes)
    return layout


def _require_sound(layout: Layout, codes: Mapping[str, Any]) -> None:
    always = {column.label for column in layout.columns if not column.may_be_absent}
    fields = [column.field for column in layout.columns]
    sound = (
        layout.status in {"confirmed", "unconfirmed"}
        and layout.unknown_columns in {"refuse", "ignore"}
        and layout.day_format in forms.DAY_FORMATS
        and layout.identified_by
        and layout.identified_by <= always
        and set(codes) <= set(fields)
        and len(set(fields)) == len(fields)
        and all(column.form in _FORMS and column.label == normal_label(column.label) for column in layout.columns)
    )
    if not sound:
        raise ColumnMapError(f"layout {layout.version} contradicts itself")


@cache
def layouts_of(kind: DeliveryKind) -> tuple[Layout, ...]:
    """Every layout of a kind of list."""
    policy = files("services.intake.policy").joinpath(f"report_columns_{kind.value}.toml")
    return read_layouts(policy.read_text(encoding="utf-8"))


def fitting(layouts: Sequence[Layout], labels: Sequence[str]) -> Layout | None:
    """The layout that a header has; ``None`` where it has none. Raises :class:`RefusedDelivery` where it has two."""
    found = [layout for layout in layouts if layout.fits(labels)]
    if len(found) > 1:
        versions = " and ".join(layout.version for layout in found)
        raise RefusedDelivery("ambiguous_layout", f"the header has the columns of layouts {versions}")
    return found[0] if found else None
