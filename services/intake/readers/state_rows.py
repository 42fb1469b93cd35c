"""One row of a state's eligibility file, read by its mapping."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, cast

from contracts.codes import DualStatusCode, benefit_level
from contracts.medicaid import EnrolmentBasis, LevelOfCare
from services.intake.readers.fields import Unreadable, digits, one_of, required, text
from services.intake.readers.medicaid_elements import dual_status, mbi, plain, published, state
from services.intake.readers.records import Column, FieldError, RecordParser
from services.intake.readers.state_mapping import ProgrammeCode, StateMapping
from services.intake.states import USPS_OF_FIPS

_FIRST_YEAR, _LAST_YEAR = 1900, 2099
_COUNTY_DIGITS, _LOCAL_COUNTY_DIGITS = 5, 3
_LONGEST_PLAN_ID, _LONGEST_AID_CODE = 20, 8
_CONTRACT = re.compile(r"[A-Z][0-9]{4}")
_YES_OR_NO = one_of(Y=True, N=False)
_FIPS_OF_USPS = {usps: fips for fips, usps in USPS_OF_FIPS.items()}


@dataclass(frozen=True, slots=True)
class StateRow:
    """What the row says. ``last_day`` is ``None`` where the span is open."""

    state: str
    medicaid_id: str
    programme_code: str
    programme: str
    dual_status_code: DualStatusCode | None
    first_day: date
    last_day: date | None
    mbi: str | None
    family_name: str | None
    given_name: str | None
    birth_date: date | None
    death_date: date | None
    sex: str | None
    county: str | None
    plan_id: str | None
    plan_type: str | None
    aid_code: str | None
    level_of_care: LevelOfCare | None
    safe_in_community: bool | None
    enrolment_basis: EnrolmentBasis | None
    demonstration: bool | None
    medicare_contract: str | None
    medicare_package: str | None


class StateRowParser:
    """Reads the rows of one file. ``default_state`` is what the mapping or the file's name says."""

    def __init__(
        self, mapping: StateMapping, header: Sequence[str], default_state: str | None, *, synthetic: bool
    ) -> None:
        self._mapping = mapping
        self._state = default_state
        converters = _converters(mapping, synthetic=synthetic)
        columns = [Column(field, label, converters[field]) for field, label in mapping.columns.items()]
        self._parser = RecordParser.delimited(header, columns)
        self.label_of = mapping.columns
        self._places = {label: place for place, label in enumerate(header)}
        self._dates = RecordParser.delimited(
            header, [column for column in columns if column.name in {"first_day", "last_day"}]
        )

    def __call__(self, cells: Sequence[str]) -> StateRow:
        """Read a row. Raises :class:`FieldError`, with the state's own label."""
        values: dict[str, Any] = self._parser(cells)
        programme: tuple[str, ProgrammeCode] = values.pop("programme")
        code, meaning = programme
        dual = self._dual(values.pop("dual_status", None), values.pop("benefit_level", None), meaning)
        self._check_days(values)
        where = values.pop("state", None) or self._state
        if where is None:
            raise FieldError(self.label_of.get("state"), "missing")
        county = values.pop("county", None)
        plain_values: dict[str, Any] = {name: values.get(name) for name in _PLAIN}
        return StateRow(
            state=where,
            programme_code=code,
            programme=meaning.programme,
            dual_status_code=dual,
            county=_county(county, where),
            **plain_values,
        )

    def days(self, cells: Sequence[str]) -> tuple[date, date | None] | None:
        """First and last day of a row, for a look at the whole file; ``None`` where they cannot be read."""
        try:
            values = self._dates(cells)
        except FieldError:
            return None
        return values["first_day"], values["last_day"]

    def text_of(self, cells: Sequence[str], label: str | None) -> str | None:
        """What stands in a field, to be told by its shape only."""
        place = self._places.get(label or "")
        return None if place is None or place >= len(cells) else cells[place]

    def _dual(self, stated: str | None, level: str | None, meaning: ProgrammeCode) -> DualStatusCode | None:
        implied = meaning.dual_status_code
        if stated is not None and implied is not None and stated != implied:
            raise FieldError(self.label_of["dual_status"], "contradicts_the_programme")
        code = stated if stated is not None else implied
        if level is not None and level != "unknown" and code is not None and benefit_level(code) != level:
            raise FieldError(self.label_of["benefit_level"], "contradicts_the_code")
        return cast("DualStatusCode | None", code)

    def _check_days(self, values: Mapping[str, Any]) -> None:
        first, last, death = values["first_day"], values["last_day"], values.get("death_date")
        if last is not None and last < first:
            raise FieldError(self.label_of["last_day"], "ends_before_it_begins")
        birth = values.get("birth_date")
        if birth is not None and death is not None and death < birth:
            raise FieldError(self.label_of["death_date"], "died_before_birth")


_PLAIN = (
    "medicaid_id", "first_day", "last_day", "mbi", "family_name", "given_name", "birth_date", "death_date", "sex",
    "plan_id", "plan_type", "aid_code", "level_of_care", "safe_in_community", "enrolment_basis", "demonstration",
    "medicare_contract", "medicare_package",
)  # fmt: skip


def _converters(mapping: StateMapping, *, synthetic: bool) -> dict[str, Callable[[str], Any]]:
    codes = mapping.codes
    day = _day(mapping)
    return {
        "medicaid_id": required(plain),
        "mbi": mbi(synthetic=synthetic),
        "family_name": plain,
        "given_name": plain,
        "birth_date": day,
        "death_date": day,
        "sex": _coded(codes.get("sex", {})),
        "state": required(state),
        "county": digits(_LOCAL_COUNTY_DIGITS, _COUNTY_DIGITS),
        "plan_id": published(_LONGEST_PLAN_ID),
        "plan_type": digits(2, 2),
        "aid_code": published(_LONGEST_AID_CODE),
        "level_of_care": _coded(codes.get("level_of_care", {})),
        "safe_in_community": _YES_OR_NO,
        "enrolment_basis": _coded(codes.get("enrolment_basis", {})),
        "demonstration": _YES_OR_NO,
        "medicare_contract": _contract,
        "medicare_package": digits(3, 3),
        "programme": _programme(mapping.programmes),
        "dual_status": _coded(codes["dual_status"]) if "dual_status" in codes else dual_status,
        "benefit_level": _coded(codes.get("benefit_level", {})),
        "first_day": required(day),
        "last_day": _open_day(mapping, day),
    }


def _contract(field: str) -> str | None:
    contract = text(field)
    if contract is not None and not _CONTRACT.fullmatch(contract):
        raise Unreadable("not_a_contract")
    return contract


def _day(mapping: StateMapping) -> Callable[[str], date | None]:
    @lru_cache(maxsize=1 << 14)
    def convert(field: str) -> date | None:
        trimmed = text(field)
        if trimmed is None:
            return None
        days = {found for form in mapping.date_formats if (found := _strictly(trimmed, form)) is not None}
        if len(days) != 1:
            raise Unreadable("ambiguous_date" if days else "not_a_date")
        day = days.pop()
        if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
            raise Unreadable("date_out_of_range")
        return day

    return convert


def _strictly(field: str, form: str) -> date | None:
    try:
        # A day of the calendar, without a time or a zone.
        day = datetime.strptime(field, form).date()  # noqa: DTZ007
    except ValueError:
        return None
    # One digit for two, which strptime admits, is another way to write it than the mapping says.
    return day if day.strftime(form) == field else None


def _open_day(mapping: StateMapping, day: Callable[[str], date | None]) -> Callable[[str], date | None]:
    def convert(field: str) -> date | None:
        if field.strip() in mapping.open_end:
            return None
        return required(day)(field)

    return convert


def _programme(meanings: Mapping[str, ProgrammeCode]) -> Callable[[str], tuple[str, ProgrammeCode]]:
    def convert(field: str) -> tuple[str, ProgrammeCode]:
        code = required(text)(field)
        if code not in meanings:
            raise Unreadable("not_in_code_list")
        return code, meanings[code]

    return convert


def _coded(meanings: Mapping[str, str]) -> Callable[[str], str | None]:
    """Letter by letter: a code that is nearly one of the list is none of it."""

    def convert(field: str) -> str | None:
        code = text(field)
        if code is None:
            return None
        if code not in meanings:
            raise Unreadable("not_in_code_list")
        return meanings[code]

    return convert


def _county(code: str | None, where: str) -> str | None:
    if code is None or len(code) == _COUNTY_DIGITS:
        return code
    return f"{_FIPS_OF_USPS[where]}{code}" if len(code) == _LOCAL_COUNTY_DIGITS else None
