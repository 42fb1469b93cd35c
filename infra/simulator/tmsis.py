"""Medicaid claims with T-MSIS field names, header and line, as CSV rows."""

from contracts.money import dollars_text
from infra.simulator.claim_facts import adjudicated_on
from infra.simulator.claims import MedicaidClaim, Version, scaled
from infra.simulator.period import Period, compact
from infra.simulator.person import Person
from infra.simulator.world import STATE, STATE_FIPS

FILE_TYPES = ("IP", "LT", "OT", "RX")
MOST_DIAGNOSES = 5
_HEADER = (
    "SUBMTG_STATE_CD,MSIS_IDENT_NUM,ICN_ORIG,ICN_ADJ,ADJSTMT_IND,CLM_TYPE_CD,ADJDCTN_DT,SRVC_BGNNG_DT,SRVC_ENDG_DT,"
    "MC_PLAN_ID,BLG_PRVDR_NPI_NUM,XOVR_IND,TOT_MDCD_PD_AMT,MDCR_PD_AMT,TOT_MDCR_DDCTBL_AMT,TOT_MDCR_COINSRNC_AMT,"
    "CLM_DND_IND"
)
_DIAGNOSES = "".join(f",DGNS_{number}_CD" for number in range(1, MOST_DIAGNOSES + 1))
_LINE = (
    "SUBMTG_STATE_CD,MSIS_IDENT_NUM,ICN_ORIG,ICN_ADJ,LINE_NUM,LINE_SRVC_BGNNG_DT,LINE_SRVC_ENDG_DT,TOS_CD,PRCDR_CD,"
    "REV_CD,WVR_BNFT_IND,MDCD_PD_AMT,LINE_DND_IND"
)
# CLM_DND_IND and LINE_DND_IND: 0 denied, 1 not denied (T-MSIS data dictionary).
DENIED, NOT_DENIED = "0", "1"
MISSING_AMOUNT = "888888888.88"
REVENUE_CODES = {"LT": "0100", "IP": "0120"}


def heading(file_type: str, part: str) -> str:
    """The first row of a file; RX headers have no diagnoses."""
    if part == "LINE":
        return _LINE + "\n"
    return _HEADER + ("" if file_type == "RX" else _DIAGNOSES) + "\n"


def _key(person: Person, claim: MedicaidClaim, version: Version) -> str:
    original = f"{person.traits.index:08d}{claim.number:05d}"
    adjustment = "" if version.kind == "0" else f"{original}A{version.number:05d}"
    return f"{STATE_FIPS},{person.traits.medicaid_id},{original},{adjustment}"


def _text(cents: int) -> str:
    return dollars_text(cents) if cents else ""


def claim_header(person: Person, claim: MedicaidClaim, version: Version) -> str:
    """The header row of one adjudication. A void repeats what it voids."""
    codes = (*claim.diagnosis_codes, *[""] * MOST_DIAGNOSES)[:MOST_DIAGNOSES]
    row = (
        _key(person, claim, version),
        version.kind,
        claim.claim_type,
        compact(adjudicated_on(person.period, version.delivery, version.number)),
        compact(claim.first),
        compact(claim.last),
        claim.plan,
        claim.npi,
        "1" if claim.crossover else "0",
        dollars_text(sum(scaled(line.cents, version.permille) for line in claim.lines)),
        _text(claim.medicare_paid_cents),
        _text(claim.deductible_cents),
        _text(claim.coinsurance_cents),
        DENIED if claim.denied else NOT_DENIED,
        *(() if claim.file_type == "RX" else codes),
    )
    return ",".join(row) + "\n"


def claim_lines(person: Person, claim: MedicaidClaim, version: Version) -> str:
    """The line rows of one adjudication; amounts are missing where the state pays at the header only."""
    key = _key(person, claim, version)
    missing = MISSING_AMOUNT if claim.number % 2 else ""
    denied = DENIED if claim.denied else NOT_DENIED
    revenue = REVENUE_CODES.get(claim.file_type, "")
    rows = []
    for number, line in enumerate(claim.lines, start=1):
        amount = dollars_text(scaled(line.cents, version.permille)) if claim.lines_carry_amounts else missing
        waiver = "Y" if line.waiver else "N"
        rows.append(
            f"{key},{number},{compact(line.first)},{compact(line.last)},{line.type_of_service},{line.procedure},"
            f"{revenue},{waiver},{amount},{denied}\n"
        )
    return "".join(rows)


def file_name(period: Period, month: int) -> str:
    """The archive of one month's adjudications."""
    on = period.first_days[month].replace(day=12)
    return f"TMSIS.{STATE}.D{on:%y%m%d}.T120000.zip"
