"""CCLF claims read the plain way, one record after the other, all of it in memory: what reading at volume must equal."""

import re
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contracts.claims import InstitutionalProcedure, MedicareClaim, MedicareClaimLine, PartDEvent
from contracts.identifiers import MbiError, normalise_mbi
from contracts.money import LARGEST_CENTS
from services.intake.readers.cclf_columns import CLAIM_FILES, ICD_9, PHYSICIAN_DIAGNOSES
from services.intake.readers.cclf_control import checked_members, fixed_width_lines
from services.intake.readers.records import FieldError, RecordParser, layout, record_length
from services.intake.rules.claim_version import medicare_version
from services.intake.rules.denial import denial_policy, part_a_is_denied, part_b_claim_is_denied, part_b_line_is_denied
from services.intake.rules.substance_use import is_about_substance_use, substance_use_policy

Values = dict[str, Any]
Fault = tuple[str, int, str | None, str]
MOST_LINES, MOST_CODES = 1000, 60
_PRINTABLE = re.compile(r"""[ !#-\[\]-}~]*""")
_DIAGNOSIS = re.compile(r"[A-Z][0-9A-Z]{2,6}")
_PARSERS = {file: RecordParser.fixed_width(file, columns) for file, columns in CLAIM_FILES.items()}
_DIAGNOSES = {
    "CCLF1": ("principal_diagnosis", "admitting_diagnosis"),
    "CCLF4": ("code",),
    "CCLF5": (*PHYSICIAN_DIAGNOSES, "line_diagnosis"),
}


@dataclass
class RowByRow:
    """Claims of each person, encoded, in order; and every fault as file, line, element and reason."""

    claims: dict[tuple[str, type], list[bytes]] = field(default_factory=lambda: defaultdict(list))
    faults: list[Fault] = field(default_factory=list)


def read_row_by_row(path: Path, *, synthetic: bool) -> RowByRow:
    found = RowByRow()
    with zipfile.ZipFile(path) as archive:
        members = checked_members(archive, path.name)
        rows = {
            file: list(_rows(found, archive, members[file], synthetic=synthetic)) if file in members else []
            for file in CLAIM_FILES
        }
    _add_part_a(found, rows)
    amounts = _first(found, "CCLFB", rows["CCLFB"], ("line_number",))
    known: set[tuple[Any, ...]] = set()
    for file in ("CCLF5", "CCLF6"):
        known |= _add_part_b(found, file, rows[file], amounts)
    _without_claim(found, "CCLFB", rows["CCLFB"], known)
    for row in rows["CCLF7"]:
        found.claims[row["mbi"], PartDEvent].append(_encoded(_part_d(row)))
    return found


def _rows(found: RowByRow, archive: zipfile.ZipFile, member: Any, *, synthetic: bool) -> Iterator[Values]:
    parser = _PARSERS[member.file]
    for number, line in fixed_width_lines(archive, member):
        try:
            if len(line) != member.length:
                raise FieldError(None, "wrong_length")  # noqa: TRY301 - as the reader says it
            whole = line.ljust(record_length(member.file))
            _require_printable(member.file, whole)
            values = parser(whole)
            _require_sound(member.file, values, synthetic=synthetic)
            yield values | {"line": number}
        except FieldError as error:
            found.faults.append((member.file, number, error.element, error.reason))


def _require_printable(file: str, line: str) -> None:
    places = {element.label: slice(element.start - 1, element.end) for element in layout(file)}
    for column in CLAIM_FILES[file]:
        if not _PRINTABLE.fullmatch(line[places[column.element]]):
            raise FieldError(column.element, "unexpected_character")


def _require_sound(file: str, values: Values, *, synthetic: bool) -> None:
    labels = {column.name: column.element for column in CLAIM_FILES[file]}
    try:
        values["mbi"] = normalise_mbi(values["mbi"], synthetic=synthetic)
    except MbiError:
        raise FieldError("BENE_MBI_ID", "not_an_mbi") from None
    for name in _DIAGNOSES.get(file, ()):
        if values["code_system"] != ICD_9 and values[name] is not None and not _DIAGNOSIS.fullmatch(values[name]):
            raise FieldError(labels[name], "not_a_diagnosis_code")
    for who in ("prescriber", "pharmacy"):
        if values.get(f"{who}_qualifier") == "01" and values[who] and not re.fullmatch("[0-9]{10}", values[who]):
            raise FieldError(labels[who], "not_an_npi")
    for first, last in (("service_from", "service_through"), ("line_from", "line_through")):
        if values.get(first) and values.get(last) and values[last] < values[first]:
            raise FieldError(labels[last], "ends_before_it_begins")


def _key(row: Values) -> tuple[str, str]:
    return row["mbi"], row["record_id"]


def _first(found: RowByRow, file: str, rows: list[Values], also: tuple[str, ...] = ()) -> dict[tuple[Any, ...], Values]:
    first: dict[tuple[Any, ...], Values] = {}
    for row in rows:
        key = (*_key(row), *(row[name] for name in also))
        if key in first:
            found.faults.append((file, row["line"], "CUR_CLM_UNIQ_ID", "repeated"))
        else:
            first[key] = row
    return first


def _without_claim(found: RowByRow, file: str, rows: list[Values], known: set[tuple[Any, ...]]) -> None:
    found.faults += [
        (file, row["line"], "CUR_CLM_UNIQ_ID", "no_claim") for row in rows if _key(row) not in known
    ]  # fmt: skip


def _gathered(rows: Iterable[Values], order: Callable[[Values], Any]) -> dict[tuple[str, str], list[Values]]:
    groups: dict[tuple[str, str], list[Values]] = defaultdict(list)
    for row in sorted(rows, key=order):
        groups[_key(row)].append(row)
    return groups


def _add_part_a(found: RowByRow, rows: dict[str, list[Values]]) -> None:
    known: set[tuple[Any, ...]] = {_key(row) for row in rows["CCLF1"]}
    for file in ("CCLF2", "CCLF3", "CCLF4", "CCLFA"):
        _without_claim(found, file, rows[file], known)
    amounts = _first(found, "CCLFA", rows["CCLFA"])
    lines = _gathered(rows["CCLF2"], lambda row: row["line"])
    own = {file: [row for row in rows[file] if row["code_system"] != ICD_9] for file in ("CCLF3", "CCLF4")}
    procedures, diagnoses = (_gathered(own[file], lambda row: (row["sequence"], row["line"])) for file in own)
    for row in rows["CCLF1"]:
        key = _key(row)
        header = (row["principal_diagnosis"], row["admitting_diagnosis"]) if row["code_system"] != ICD_9 else ()
        codes = _distinct((*header, *(one["code"] for one in diagnoses.get(key, ()))))
        parts = {"lines": lines.get(key, []), "procedures": procedures.get(key, []), "diagnoses": codes}
        most = {"lines": MOST_LINES, "procedures": MOST_CODES, "diagnoses": MOST_CODES}
        too_many = next((name for name, part in parts.items() if len(part) > most[name]), None)
        if too_many:
            found.faults.append(("CCLF1", row["line"], "CUR_CLM_UNIQ_ID", f"too_many_{too_many}"))
            continue
        claim = _part_a(row, codes, parts["lines"], parts["procedures"], amounts.get(key, {}))
        found.claims[row["mbi"], MedicareClaim].append(_encoded(claim))


def _distinct(codes: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, codes)))


def _common(row: Values, codes: tuple[str, ...]) -> Values:
    names = ("record_id", "claim_type_code", "adjustment", "claim_control_number", "service_from", "service_through")
    return {name: row[name] for name in (*names, "primary_payer_code")} | {
        "version": medicare_version(row["processed_on"], row["loaded_on"]),
        "diagnosis_codes": codes,
        "substance_use": is_about_substance_use(codes, substance_use_policy()),
    }


def _part_a(
    row: Values, codes: tuple[str, ...], lines: list[Values], procedures: list[Values], amounts: Values
) -> MedicareClaim:
    names = (
        "paid_cents", "facility_type_code", "classification_code", "facility_number", "facility_npi",
        "diagnosis_related_group_code", "discharge_status_code", "admission_type_code",
    )  # fmt: skip
    sums_up = sum(line["paid_cents"] or 0 for line in lines) == row["paid_cents"]
    about = is_about_substance_use(codes, substance_use_policy(), [one["code"] for one in procedures])
    return MedicareClaim(
        **_common(row, codes) | {"substance_use": about},
        **{name: row[name] for name in names},
        denied=part_a_is_denied(row["non_payment_reason"]),
        inclusion_cents=amounts.get("inclusion_cents"),
        reduction_cents=amounts.get("reduction_cents"),
        procedures=tuple(
            InstitutionalProcedure(code=one["code"], performed_on=one["performed_on"]) for one in procedures
        ),
        lines=tuple(_revenue_line(row, line, sums_up=sums_up) for line in lines),
    )


def _revenue_line(row: Values, line: Values, *, sums_up: bool) -> MedicareClaimLine:
    first = line["line_from"] or line["served_on"] or row["service_from"]
    return MedicareClaimLine(
        line_number=line["line_number"],
        service_from=first,
        service_through=max(first, line["line_through"] or line["served_on"] or row["service_through"]),
        revenue_center_code=line["revenue_center_code"],
        procedure_code=line["procedure_code"],
        paid_cents=line["paid_cents"] if sums_up else None,
    )


def _add_part_b(
    found: RowByRow, file: str, rows: list[Values], amounts: dict[tuple[Any, ...], Values]
) -> set[tuple[Any, ...]]:
    groups = _gathered(rows, lambda row: row["line"])
    for group in groups.values():
        head = group[0]
        own = [head[name] for name in PHYSICIAN_DIAGNOSES] if file == "CCLF5" and head["code_system"] != ICD_9 else []
        others = (row.get("line_diagnosis") if row.get("code_system") != ICD_9 else None for row in group)
        codes = _distinct((*own, *others))
        sizes = {"lines": (len(group), MOST_LINES), "diagnoses": (len(codes), MOST_CODES)}
        too_many = next((name for name, (size, most) in sizes.items() if size > most), None)
        if too_many:
            found.faults += [(file, row["line"], "CUR_CLM_UNIQ_ID", f"too_many_{too_many}") for row in group]
            continue
        if abs(sum(row["paid_cents"] or 0 for row in group)) > LARGEST_CENTS:
            found.faults += [(file, row["line"], "CLM_LINE_CVRD_PD_AMT", "amount_out_of_range") for row in group]
            continue
        claim = MedicareClaim(
            **_common(head, codes),
            paid_cents=sum(row["paid_cents"] or 0 for row in group),
            denied=part_b_claim_is_denied(head["carrier_denial_code"], denial_policy()),
            lines=tuple(_part_b_line(row, amounts.get((*_key(row), row["line_number"]), {})) for row in group),
        )
        found.claims[head["mbi"], MedicareClaim].append(_encoded(claim))
    return set(groups)


def _part_b_line(row: Values, amounts: Values) -> MedicareClaimLine:
    names = (
        "procedure_code",
        "place_of_service_code",
        "provider_specialty_code",
        "rendering_npi",
        "practice_tax_number",
    )
    return MedicareClaimLine(
        line_number=row["line_number"],
        service_from=row["line_from"],
        service_through=row["line_through"],
        **{name: row.get(name) for name in (*names, "paid_cents", "allowed_cents")},
        inclusion_cents=amounts.get("inclusion_cents"),
        reduction_cents=amounts.get("reduction_cents"),
        denied=part_b_line_is_denied(row["processing_code"], denial_policy()),
    )


def _part_d(row: Values) -> PartDEvent:
    names = (
        "record_id", "claim_type_code", "adjustment", "filled_on", "national_drug_code", "days_supply", "quantity",
        "fill_number", "dispensing_status_code", "patient_paid_cents",
    )  # fmt: skip
    return PartDEvent(
        **{name: row[name] for name in names},
        version=medicare_version(row["processed_on"], row["loaded_on"]),
        prescriber_npi=row["prescriber"] if row["prescriber_qualifier"] == "01" else None,
        pharmacy_npi=row["pharmacy"] if row["pharmacy_qualifier"] == "01" else None,
    )


def _encoded(claim: MedicareClaim | PartDEvent) -> bytes:
    return claim.model_dump_json(exclude_none=True).encode()
