# ruff: noqa: S608 - every name and pattern in these statements is this package's own; no value of a file is in them
"""The statements that make claims of the lines of CCLF files, encoded as they stand in events.

Revenue lines (CCLF2), procedures (CCLF3), diagnoses (CCLF4) and amounts (CCLFA) are joined onto the institutional
claims (CCLF1); amounts (CCLFB) onto the lines of CCLF5 and CCLF6, and these lines into claims; CCLF7 stands alone.
A part finds its claim by CUR_CLM_UNIQ_ID and BENE_MBI_ID. Source: CCLF Information Packet v36.0, 2.5, 3.2, 3.5, 5.1.1.
"""

from contracts.claims import InstitutionalProcedure, MedicareClaim, MedicareClaimLine, PartDEvent
from contracts.money import LARGEST_CENTS
from services.intake.readers.cclf_columns import NPI_QUALIFIER
from services.intake.readers.cclf_encoding import (
    AMOUNTS_GIVEN,
    HEALTH,
    OWN_KIND,
    PERIOD,
    RECORD,
    about_substance_use,
    fragment,
    listed,
    number,
    text,
    texts,
    treats_substance_use,
    truth,
    whole,
)

MOST_LINES, MOST_CODES = 1000, 60
_NO_CLAIM, _REPEATED = "CUR_CLM_UNIQ_ID:no_claim", "CUR_CLM_UNIQ_ID:repeated"
_TOO_MUCH = "CLM_LINE_CVRD_PD_AMT:amount_out_of_range"
_TOO_MANY = {
    "lines": "CUR_CLM_UNIQ_ID:too_many_lines",
    "procedures": "CUR_CLM_UNIQ_ID:too_many_procedures",
    "codes": "CUR_CLM_UNIQ_ID:too_many_diagnoses",
}
# Codes once each, in their order.
_DISTINCT = "list_filter({0}, lambda code, place: list_position({0}, code) = place)"
_GIVEN = "lambda code: code IS NOT NULL"

_REVENUE_LINE = whole(
    MedicareClaimLine,
    {
        "line_number": number("line_number", optional=False),
        "service_from": text("first_day", optional=False),
        "service_through": text(
            "greatest(first_day, coalesce(line_through, served_on, claim_through))", optional=False
        ),
        **texts("procedure_code", "revenue_center_code"),
        "paid_cents": number("CASE WHEN sums_up THEN paid_cents END"),
        "denied": truth("false"),
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
_PROCEDURE = whole(InstitutionalProcedure, {"code": text("code", optional=False), "performed_on": text("performed_on")})
_PROCEDURES = f"""
    CREATE OR REPLACE TEMP TABLE procedures AS
    SELECT mbi, record_id, count(*) AS procedures, string_agg({_PROCEDURE}, ',' ORDER BY sequence, line) AS encoded
    FROM CCLF3 WHERE fault IS NULL AND {OWN_KIND} GROUP BY mbi, record_id
"""
_DIAGNOSES = f"""
    CREATE OR REPLACE TEMP TABLE diagnoses AS
    SELECT mbi, record_id, list(code ORDER BY sequence, line) AS codes
    FROM CCLF4 WHERE fault IS NULL AND {OWN_KIND} GROUP BY mbi, record_id
"""
_AMOUNTS = """
    CREATE OR REPLACE TEMP TABLE {name} AS
    SELECT {key}, min(line) AS line, arg_min_null(inclusion_cents, line) AS inclusion_cents,
        arg_min_null(reduction_cents, line) AS reduction_cents
    FROM {file} WHERE fault IS NULL GROUP BY {key}
"""
_PART_A_CLAIM = whole(
    MedicareClaim,
    {
        **RECORD,
        **PERIOD,
        **HEALTH,
        **texts("facility_type_code", "classification_code", "facility_number", "facility_npi", "primary_payer_code"),
        **texts("diagnosis_related_group_code", "discharge_status_code", "admission_type_code"),
        "paid_cents": number("paid_cents", optional=False),
        **{name: number(name) for name in AMOUNTS_GIVEN},
        "denied": truth("non_payment_reason IS NOT NULL"),
        "substance_use": truth(f"{about_substance_use()} OR {treats_substance_use('encoded_procedures')}"),
        "procedures": listed("encoded_procedures"),
        "lines": listed("encoded_lines"),
    },
)
_OWN_CODES = f"CASE WHEN {OWN_KIND} THEN [principal_diagnosis, admitting_diagnosis] ELSE [] END"
_PART_A = f"""
    CREATE OR REPLACE TEMP TABLE part_a AS
    SELECT line, mbi, CASE WHEN lines > {MOST_LINES} THEN '{_TOO_MANY["lines"]}'
        WHEN procedures > {MOST_CODES} THEN '{_TOO_MANY["procedures"]}'
        WHEN len(codes) > {MOST_CODES} THEN '{_TOO_MANY["codes"]}' END AS fault, {_PART_A_CLAIM} AS claim
    FROM (SELECT * REPLACE ({_DISTINCT.format("codes")} AS codes) FROM (
        SELECT claim.*, revenue.lines, revenue.encoded AS encoded_lines, procedures.procedures,
            procedures.encoded AS encoded_procedures, amounts.inclusion_cents, amounts.reduction_cents,
            list_filter(list_concat({_OWN_CODES}, coalesce(diagnoses.codes, [])), {_GIVEN}) AS codes
        FROM CCLF1 claim LEFT JOIN revenue ON revenue.header = claim.line
            LEFT JOIN procedures USING (mbi, record_id) LEFT JOIN diagnoses USING (mbi, record_id)
            LEFT JOIN part_a_amounts amounts USING (mbi, record_id)
        WHERE claim.fault IS NULL))
"""


_PART_B_CLAIM = f"""claim_head || ',"paid_cents":' || paid_in_all || claim_tail || {
    fragment(
        MedicareClaim,
        {**HEALTH, "procedures": listed("NULL"), "lines": listed("encoded_lines")},
    )
} || '}}'"""
_LINE_AMOUNTS = fragment(MedicareClaimLine, {name: number(name) for name in AMOUNTS_GIVEN})


def _part_b(file: str, table: str) -> str:
    # What all lines of a claim share is that of the first. Most name no diagnosis that the claim does not name.
    return f"""
        CREATE OR REPLACE TEMP TABLE {table} AS
        WITH gathered AS (
            SELECT min(line) AS line, count(*) AS lines, sum(coalesce(paid_cents, 0)) AS paid_in_all,
                list_sort(list({{line: line, encoded: line_head || {_LINE_AMOUNTS} || line_tail, code: line_diagnosis}}))
                    AS parts
            FROM (SELECT part.*, amounts.inclusion_cents, amounts.reduction_cents FROM {file} part
                LEFT JOIN part_b_amounts amounts USING (mbi, record_id, line_number) WHERE part.fault IS NULL)
            GROUP BY mbi, record_id
        ), joined AS (
            SELECT head.*, lines, paid_in_all, CASE WHEN own_codes = '' THEN [] ELSE string_split(own_codes, ',') END AS own,
                array_to_string(list_transform(parts, lambda part: part.encoded), ',') AS encoded_lines,
                list_filter(list_transform(parts, lambda part: part.code), {_GIVEN}) AS others
            FROM gathered JOIN {file} head USING (line)
        )
        SELECT line, mbi, record_id, CASE WHEN lines > {MOST_LINES} THEN '{_TOO_MANY["lines"]}'
            WHEN len(codes) > {MOST_CODES} THEN '{_TOO_MANY["codes"]}'
            WHEN abs(paid_in_all) > {LARGEST_CENTS} THEN '{_TOO_MUCH}' END AS fault, {_PART_B_CLAIM} AS claim
        FROM (SELECT *, CASE WHEN list_unique(own) = len(own) AND list_has_all(own, others) THEN own
            ELSE {_DISTINCT.format("list_concat(own, others)")} END AS codes FROM joined)
    """


_PART_D_EVENT = whole(
    PartDEvent,
    {
        **RECORD,
        "filled_on": text("filled_on", optional=False),
        **texts("national_drug_code", "quantity", "dispensing_status_code"),
        **{name: number(name) for name in ("days_supply", "fill_number", "patient_paid_cents")},
        **{
            f"{who}_npi": text(f"CASE WHEN {who}_qualifier = '{NPI_QUALIFIER}' THEN {who} END")
            for who in ("prescriber", "pharmacy")
        },
    },
)

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
