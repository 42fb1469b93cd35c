"""The dated parameters of care actions, read once from ``policy/care.toml``."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

_CODE_LENGTH = 5
# The lengths of the beginnings by which diagnoses are named.
_BEGINNINGS = (3, 4, 5)


class CarePolicyError(ValueError):
    """An entry lacks source or status, or a range of codes is none."""


@dataclass(frozen=True)
class CarePolicy:
    """Every parameter by its name in the file."""

    procedures: Mapping[str, tuple[str, ...]]
    inpatient_procedures: Mapping[str, tuple[str, ...]]
    diagnoses: Mapping[str, tuple[str, ...]]
    primary_care_specialties: tuple[str, ...]
    due_days: Mapping[str, int]
    lapse_days: Mapping[str, int]
    look_back_days: int
    fall_look_back_days: int
    frailty_least_markers: int
    screening_ages: Mapping[str, tuple[Mapping[str, Any], ...]]
    screening_look_back_days: Mapping[str, Mapping[str, int]]
    screening_known_days: Mapping[str, int]
    screening_exclusions: Mapping[str, int]
    flu_season_opens: str
    flu_season_closes: str
    coordination_tier: int
    series_sessions: int
    series_longest_interval_days: Mapping[str, int]
    series_gap_intervals: int
    series_least_gap_days: Mapping[str, int]
    series_lag_days: Mapping[str, int]
    series_forgotten_days: int
    claims_lag_days: int
    alignment_holds_months: int
    most_clinicians: int
    largest_panel: int
    facility_window_days: int
    facility_least_resident_days: int
    facility_interval_percent: int

    @cached_property
    def signals_of_procedure(self) -> dict[str, tuple[str, ...]]:
        """What each procedure code shows."""
        return _inverted((name, codes_of(ranges)) for name, ranges in self.procedures.items())

    @cached_property
    def signals_of_inpatient_procedure(self) -> dict[str, tuple[str, ...]]:
        """What each ICD-10-PCS code shows."""
        return _inverted(self.inpatient_procedures.items())

    @cached_property
    def signals_of_diagnosis(self) -> dict[str, tuple[str, ...]]:
        """What each beginning of a diagnosis code shows."""
        return _inverted(self.diagnoses.items())

    @cached_property
    def _shown_by(self) -> dict[str, tuple[str, ...]]:
        return {}

    def shown_by(self, diagnosis_code: str) -> tuple[str, ...]:
        """What a diagnosis code shows; remembered, since claims say few codes often."""
        found = self._shown_by.get(diagnosis_code)
        if found is None:
            beginnings = (diagnosis_code[:length] for length in _BEGINNINGS)
            found = tuple(name for beginning in beginnings for name in self.signals_of_diagnosis.get(beginning, ()))
            self._shown_by[diagnosis_code] = found
        return found


def _inverted(named: Iterable[tuple[str, Iterable[str]]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, codes in named:
        for code in codes:
            found[code] = (*found.get(code, ()), name)
    return found


def codes_of(ranges: Iterable[str]) -> Iterator[str]:
    """Every code of a list in which ``99202-99205``, ``G0245-G0247`` and ``2022F-2026F`` stand for all codes between.

    Raises :class:`CarePolicyError`.
    """
    for written in ranges:
        first, _, last = written.partition("-")
        yield from (_between(first, last) if last else (first,))


def _between(first: str, last: str) -> Iterator[str]:
    head, tail = first[: -len(first.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))], first[len(first.rstrip("FTU")) :]
    digits = slice(len(head), _CODE_LENGTH - len(tail))
    same = first[: digits.start] == last[: digits.start] and first[digits.stop :] == last[digits.stop :]
    if not (same and len(first) == len(last) == _CODE_LENGTH and first[digits] <= last[digits]):
        raise CarePolicyError(f"{first}-{last} is no range of codes")
    for number in range(int(first[digits]), int(last[digits]) + 1):
        yield f"{head}{number:0{digits.stop - digits.start}d}{tail}"


@cache
def care_policy_entries() -> dict[str, dict[str, Any]]:
    """Each parameter with its value, source and status, as the gateway shows it. Raises :class:`CarePolicyError`."""
    entries = tomllib.loads(files("services.risk.policy").joinpath("care.toml").read_text(encoding="utf-8"))
    for name, entry in entries.items():
        if not entry.get("source") or entry.get("status") not in {"confirmed", "unconfirmed"}:
            raise CarePolicyError(f"{name}: a policy entry needs a source and a status")
    return entries


def _frozen(value: Any) -> Any:  # noqa: ANN401 - a value of TOML
    if isinstance(value, dict):
        return {name: _frozen(one) for name, one in value.items()}
    return tuple(value) if isinstance(value, list) else value


@cache
def care_policy() -> CarePolicy:
    """The policy in force."""
    return CarePolicy(**{name: _frozen(entry["value"]) for name, entry in care_policy_entries().items()})
