"""The statements that make claims of the lines of CCLF files, encoded as they stand in events.

Revenue lines (CCLF2), procedures (CCLF3), diagnoses (CCLF4) and amounts (CCLFA) are joined onto the institutional
claims (CCLF1); amounts (CCLFB) onto the lines of CCLF5 and CCLF6, and these lines into claims; CCLF7 stands alone.
A part finds its claim by CUR_CLM_UNIQ_ID and BENE_MBI_ID. Source: CCLF Information Packet v36.0, 2.5, 3.2, 3.5, 5.1.1.
"""

# ruff: noqa: S608 - every name and pattern in these statements is this package's own; no value of a file is in them

from collections.abc import Mapping

from contracts.claims import InstitutionalProcedure, MedicareClaim, MedicareClaimLine, PartDEvent
from contracts.model import ContractModel
from services.intake.readers.cclf_columns import ICD_9, NPI_QUALIFIER, PHYSICIAN_DIAGNOSES
from services.intake.rules.denial import denial_policy
from services.intake.rules.substance_use import substance_use_policy

MOST_LINES, MOST_CODES = 1000, 60
_NO_CLAIM, _REPEATED = "CUR_CLM_UNIQ_ID:no_claim", "CUR_CLM_UNIQ_ID:repeated"
_TOO_MANY = {
    "lines": "CUR_CLM_UNIQ_ID:too_many_lines",
    "procedures": "CUR_CLM_UNIQ_ID:too_many_procedures",
    "codes": "CUR_CLM_UNIQ_ID:too_many_diagnoses",
}


def _quoted(name: str, value: str | None = None) -> str:
    return f"""'"{name}":"' || {value or name} || '"'"""


def _plain(name: str, value: str | None = None) -> str:
    return f"""'"{name}":' || {value or name}"""


def _listed(name: str, encoded: str) -> str:
    return f"""'"{name}":[' || coalesce({encoded}, '') || ']'"""


def _truth(name: str, condition: str) -> str:
    return f"""'"{name}":' || CASE WHEN {condition} THEN 'true' ELSE 'false' END"""


def _never(name: str, value: str) -> str:
    return f"""'"{name}":{value}'"""


def _object(model: type[ContractModel], members: Mapping[str, str]) -> str:
    """JSON of a model, its fields in the model's order; a member that is ``NULL`` is left out."""
    unknown = members.keys() - model.model_fields.keys()
    if unknown:
        raise LookupError(f"{model.__name__} has no {min(unknown)}")
    return (
        f"'{{' || concat_ws(',', {', '.join(members[name] for name in model.model_fields if name in members)}) || '}}'"
    )


def _all_quoted(*names: str) -> dict[str, str]:
    return {name: _quoted(name) for name in names}


def _number_of(day: str) -> str:
    return f"coalesce(CAST(replace({day}, '-', '') AS BIGINT), 0)"


def _codes(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _about_substance_use() -> str:
    policy = substance_use_policy()
    families, single = "|".join(sorted(policy.families)), "|".join(sorted(policy.codes))
    return f"regexp_matches(',' || array_to_string(codes, ',') || ',', ',(({families})[^,]*|({single})),')"


_DISTINCT = "list_filter({codes}, lambda code, place: code IS NOT NULL AND list_position({codes}, code) = place)"
_OWN_KIND = f"coalesce(code_system, '') <> '{ICD_9}'"
# The same for every claim: which record it is, of when, and what it says of the person's health.
_RECORD = {
    **_all_quoted("record_id", "claim_type_code", "adjustment", "claim_control_number"),
    **_all_quoted("service_from", "service_through", "primary_payer_code"),
    "version": _plain("version", f"({_number_of('processed_on')} * 100000000 + {_number_of('loaded_on')})"),
    "diagnosis_codes": _listed(
        "diagnosis_codes", """CASE WHEN len(codes) > 0 THEN '"' || array_to_string(codes, '","') || '"' END"""
    ),
    "substance_use": _truth("substance_use", _about_substance_use()),
}

_REVENUE_LINE = _object(
    MedicareClaimLine,
    {
        "line_number": _plain("line_number"),
        "service_from": _quoted("service_from", "first_day"),
        "service_through": _quoted(
            "service_through", "greatest(first_day, coalesce(line_through, served_on, claim_through))"
        ),
        **_all_quoted("procedure_code", "revenue_center_code"),
        "paid_cents": _plain("paid_cents", "CASE WHEN sums_up THEN paid_cents END"),
        "denied": _never("denied", "false"),
    },
)
# Payments of revenue centres are used where they sum to the claim's (3.5).
_REVENUE = f"""
    CREATE OR REPLACE TEMP TABLE revenue AS
    SELECT header, count(*) AS lines, string_agg({_REVENUE_LINE}, ',' ORDER BY line) AS encoded FROM (
        SELECT part.*, claim.line AS header, claim.service_through AS claim_through,
            coalesce(part.line_from, part.served_on, claim.service_from) AS first_day,
            sum(coalesce(part.paid_cents, 0)) OVER (PARTITION BY claim.line) = claim.paid_cents AS sums_up
        FROM CCLF2 part JOIN CCLF1 claim USING (mbi, record_id) WHERE part.fault IS NULL AND claim.fault IS NULL
    ) GROUP BY header
"""
_PROCEDURE = _object(InstitutionalProcedure, _all_quoted("code", "performed_on"))
_PROCEDURES = f"""
    CREATE OR REPLACE TEMP TABLE procedures AS
    SELECT mbi, record_id, count(*) AS procedures, string_agg({_PROCEDURE}, ',' ORDER BY sequence, line) AS encoded
    FROM CCLF3 WHERE fault IS NULL AND {_OWN_KIND} GROUP BY mbi, record_id
"""
_DIAGNOSES = f"""
    CREATE OR REPLACE TEMP TABLE diagnoses AS
    SELECT mbi, record_id, list(code ORDER BY sequence, line) AS codes
    FROM CCLF4 WHERE fault IS NULL AND {_OWN_KIND} GROUP BY mbi, record_id
"""
_AMOUNTS = """
    CREATE OR REPLACE TEMP TABLE {name} AS
    SELECT {key}, min(line) AS line, arg_min_null(inclusion_cents, line) AS inclusion_cents,
        arg_min_null(reduction_cents, line) AS reduction_cents
    FROM {file} WHERE fault IS NULL GROUP BY {key}
"""
_AMOUNTS_GIVEN = ("inclusion_cents", "reduction_cents")
_PART_A_CLAIM = _object(
    MedicareClaim,
    {
        **_RECORD,
        **_all_quoted("facility_type_code", "classification_code", "facility_number", "facility_npi"),
        **_all_quoted("diagnosis_related_group_code", "discharge_status_code", "admission_type_code"),
        **{name: _plain(name) for name in ("paid_cents", *_AMOUNTS_GIVEN)},
        "denied": _truth("denied", "non_payment_reason IS NOT NULL"),
        "procedures": _listed("procedures", "encoded_procedures"),
        "lines": _listed("lines", "encoded_lines"),
    },
)
_OWN_CODES = f"CASE WHEN {_OWN_KIND} THEN [principal_diagnosis, admitting_diagnosis] ELSE [] END"
_PART_A = f"""
    CREATE OR REPLACE TEMP TABLE part_a AS
    SELECT line, mbi, CASE WHEN lines > {MOST_LINES} THEN '{_TOO_MANY["lines"]}'
        WHEN procedures > {MOST_CODES} THEN '{_TOO_MANY["procedures"]}'
        WHEN len(codes) > {MOST_CODES} THEN '{_TOO_MANY["codes"]}' END AS fault, {_PART_A_CLAIM} AS claim
    FROM (SELECT * REPLACE ({_DISTINCT.format(codes="codes")} AS codes) FROM (
        SELECT claim.*, revenue.lines, revenue.encoded AS encoded_lines, procedures.procedures,
            procedures.encoded AS encoded_procedures, amounts.inclusion_cents, amounts.reduction_cents,
            list_concat({_OWN_CODES}, coalesce(diagnoses.codes, [])) AS codes
        FROM CCLF1 claim LEFT JOIN revenue ON revenue.header = claim.line
            LEFT JOIN procedures USING (mbi, record_id) LEFT JOIN diagnoses USING (mbi, record_id)
            LEFT JOIN part_a_amounts amounts USING (mbi, record_id)
        WHERE claim.fault IS NULL))
"""


def _part_b_line(file: str) -> str:
    allowed = _codes(tuple(sorted(denial_policy().line_allowed)))
    members = {
        "line_number": _plain("line_number"),
        "service_from": _quoted("service_from", "line_from"),
        "service_through": _quoted("service_through", "line_through"),
        **_all_quoted("procedure_code", "place_of_service_code", "rendering_npi"),
        **{name: _plain(name) for name in ("paid_cents", "allowed_cents", *_AMOUNTS_GIVEN)},
        "denied": _truth("denied", f"processing_code NOT IN ({allowed})"),
    }
    if file == "CCLF5":
        members |= _all_quoted("provider_specialty_code")
    return _object(MedicareClaimLine, members)


def _part_b_claim() -> str:
    denying = _codes(tuple(sorted(denial_policy().carrier_claim)))
    members = {
        **_RECORD,
        "paid_cents": _plain("paid_cents", "paid_in_all"),
        "denied": _truth("denied", f"carrier_denial_code IN ({denying})"),
        "procedures": _never("procedures", "[]"),
        "lines": _listed("lines", "encoded_lines"),
    }
    return _object(MedicareClaim, members)


def _part_b(file: str, table: str) -> str:
    physician = file == "CCLF5"
    own = f"[{', '.join(PHYSICIAN_DIAGNOSES)}]" if physician else "[]::VARCHAR[]"
    of_lines = "list(line_diagnosis ORDER BY line)" if physician else "[]::VARCHAR[]"
    codes = f"CASE WHEN {_OWN_KIND} THEN list_concat({own}, codes_of_lines) ELSE [] END" if physician else own
    return f"""
        CREATE OR REPLACE TEMP TABLE {table} AS
        SELECT line, mbi, record_id, CASE WHEN lines > {MOST_LINES} THEN '{_TOO_MANY["lines"]}'
            WHEN len(codes) > {MOST_CODES} THEN '{_TOO_MANY["codes"]}' END AS fault, {_part_b_claim()} AS claim
        FROM (SELECT * REPLACE ({_DISTINCT.format(codes="codes")} AS codes) FROM (
            SELECT head.*, lines, paid_in_all, encoded_lines, {codes} AS codes FROM (
                SELECT min(line) AS line, count(*) AS lines, sum(coalesce(paid_cents, 0)) AS paid_in_all,
                    string_agg({_part_b_line(file)}, ',' ORDER BY line) AS encoded_lines,
                    {of_lines} AS codes_of_lines
                FROM (SELECT part.*, amounts.inclusion_cents, amounts.reduction_cents FROM {file} part
                    LEFT JOIN part_b_amounts amounts USING (mbi, record_id, line_number) WHERE part.fault IS NULL)
                GROUP BY mbi, record_id
            ) gathered JOIN {file} head USING (line)))
    """


_PART_D_EVENT = _object(
    PartDEvent,
    {
        **{name: _RECORD[name] for name in ("record_id", "version", "claim_type_code", "adjustment")},
        **_all_quoted("filled_on", "national_drug_code", "quantity", "dispensing_status_code"),
        **{name: _plain(name) for name in ("days_supply", "fill_number", "patient_paid_cents")},
        **{f"{who}_npi": _quoted(f"{who}_npi", f"CASE WHEN {who}_qualifier = '{NPI_QUALIFIER}' THEN {who} END")
           for who in ("prescriber", "pharmacy")},
    },
)  # fmt: skip

# Read and joined in this order.
JOINS = (
    _REVENUE,
    _PROCEDURES,
    _DIAGNOSES,
    _AMOUNTS.format(name="part_a_amounts", file="CCLFA", key="mbi, record_id"),
    _AMOUNTS.format(name="part_b_amounts", file="CCLFB", key="mbi, record_id, line_number"),
    _PART_A,
    _part_b("CCLF5", "physician"),
    _part_b("CCLF6", "equipment"),
)
_ALONE = """
    SELECT '{file}', part.line, '{fault}' FROM {file} part
    ANTI JOIN (SELECT mbi, record_id FROM {claims} WHERE fault IS NULL) claim USING (mbi, record_id)
    WHERE part.fault IS NULL
"""
_LATER = """
    SELECT '{file}', part.line, '{fault}' FROM {file} part
    JOIN {table} first USING ({key}) WHERE part.fault IS NULL AND part.line > first.line
"""
_BOTH = "(SELECT mbi, record_id, fault FROM CCLF5 UNION ALL SELECT mbi, record_id, fault FROM CCLF6)"
# File, line and fault of every line that is in no claim.
FAULTS = " UNION ALL ".join(
    (
        *(f"SELECT '{file}', line, fault FROM {file} WHERE fault IS NOT NULL"
          for file in ("CCLF1", "CCLF2", "CCLF3", "CCLF4", "CCLF5", "CCLF6", "CCLF7", "CCLFA", "CCLFB")),
        *(_ALONE.format(file=file, fault=_NO_CLAIM, claims="CCLF1") for file in ("CCLF2", "CCLF3", "CCLF4", "CCLFA")),
        _ALONE.format(file="CCLFB", fault=_NO_CLAIM, claims=_BOTH),
        _LATER.format(file="CCLFA", fault=_REPEATED, table="part_a_amounts", key="mbi, record_id"),
        _LATER.format(file="CCLFB", fault=_REPEATED, table="part_b_amounts", key="mbi, record_id, line_number"),
        "SELECT 'CCLF1', line, fault FROM part_a WHERE fault IS NOT NULL",
        *(f"""SELECT '{file}', part.line, claim.fault FROM {file} part JOIN {table} claim USING (mbi, record_id)
              WHERE part.fault IS NULL AND claim.fault IS NOT NULL"""
          for file, table in (("CCLF5", "physician"), ("CCLF6", "equipment"))),
    )
)  # fmt: skip
# The claims of each person, those of CCLF1 first, in the order of their first lines; then the fills of prescriptions.
PEOPLE = f"""
    SELECT mbi, drug, list(claim ORDER BY file, line) FROM (
        SELECT mbi, false AS drug, 1 AS file, line, claim FROM part_a WHERE fault IS NULL
        UNION ALL SELECT mbi, false, 5, line, claim FROM physician WHERE fault IS NULL
        UNION ALL SELECT mbi, false, 6, line, claim FROM equipment WHERE fault IS NULL
        UNION ALL SELECT mbi, true, 7, line, {_PART_D_EVENT} FROM CCLF7 WHERE fault IS NULL
    ) GROUP BY mbi, drug ORDER BY mbi, drug
"""
