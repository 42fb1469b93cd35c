"""CCLF records beside headers and physician lines: revenue centres of institutional claims (CCLF2), Part D events (CCLF7)."""

from contracts.money import dollars_text
from infra.simulator.claim_facts import adjudicated_on, facility_number, record_number
from infra.simulator.claims import MedicareClaim, Version, scaled
from infra.simulator.fills import DAYS_SUPPLIED, Fill
from infra.simulator.layouts import template
from infra.simulator.period import dashed
from infra.simulator.person import Person

# What is paid for a stay is in its header; of an outpatient claim the line carries it.
PAID_BY_HEADER = frozenset({"60", "20"})
REVENUE = template(
    "CCLF2",
    (
        "CUR_CLM_UNIQ_ID",
        "CLM_LINE_NUM",
        "BENE_MBI_ID",
        "CLM_TYPE_CD",
        "CLM_LINE_FROM_DT",
        "CLM_LINE_THRU_DT",
        "CLM_LINE_PROD_REV_CTR_CD",
        "CLM_LINE_HCPCS_CD",
        "PRVDR_OSCAR_NUM",
        "CLM_FROM_DT",
        "CLM_THRU_DT",
        "CLM_LINE_CVRD_PD_AMT",
    ),
    {"CLM_LINE_SRVC_UNIT_QTY": "1.0000".rjust(24)},
    frozenset({"CLM_LINE_NUM", "CLM_LINE_CVRD_PD_AMT"}),
)
DRUG = template(
    "CCLF7",
    (
        "CUR_CLM_UNIQ_ID",
        "BENE_MBI_ID",
        "CLM_LINE_NDC_CD",
        "CLM_LINE_FROM_DT",
        "CLM_SRVC_PRVDR_GNRC_ID_NUM",
        "CLM_PRSBNG_PRVDR_GNRC_ID_NUM",
        "CLM_LINE_BENE_PMT_AMT",
        "CLM_EFCTV_DT",
        "CLM_IDR_LD_DT",
        "CLM_LINE_RX_SRVC_RFRNC_NUM",
        "CLM_LINE_RX_FILL_NUM",
    ),
    {
        "CLM_TYPE_CD": "01",
        "PRVDR_SRVC_ID_QLFYR_CD": "01",
        "CLM_DAW_PROD_SLCTN_CD": "0",
        "CLM_LINE_SRVC_UNIT_QTY": "90.0000".rjust(24),
        "CLM_LINE_DAYS_SUPLY_QTY": str(DAYS_SUPPLIED).rjust(9),
        "PRVDR_PRSBNG_ID_QLFYR_CD": "01",
        "CLM_ADJSMT_TYPE_CD": "0",
        "CLM_PHRMCY_SRVC_TYPE_CD": "01",
    },
    frozenset({"CLM_LINE_BENE_PMT_AMT", "CLM_LINE_RX_FILL_NUM"}),
)


def line_cents(claim: MedicareClaim, version: Version) -> int | None:
    """What the revenue line says was paid for it; ``None`` where only the header says."""
    return None if claim.claim_type in PAID_BY_HEADER else scaled(claim.lines[0].cents, version.permille)


def revenue_record(person: Person, claim: MedicareClaim, version: Version) -> str:
    """The revenue centre of one record of an institutional claim."""
    line, cents = claim.lines[0], line_cents(claim, version)
    return REVENUE % (
        record_number(person, version),
        1,
        person.traits.mbi(person.life.mbi_version(version.delivery)),
        claim.claim_type,
        dashed(line.first),
        dashed(line.last),
        claim.revenue_center,
        line.procedure,
        facility_number(claim),
        dashed(claim.first),
        dashed(claim.last),
        "" if cents is None else dollars_text(cents),
    )


def drug_record(person: Person, fill: Fill) -> str:
    """One Part D event, with the identifier that the person had when it was delivered."""
    on = dashed(adjudicated_on(person.period, fill.delivery, fill.number))
    return DRUG % (
        f"1{person.traits.index:07d}{fill.number:05d}",
        person.traits.mbi(person.life.mbi_version(fill.delivery)),
        fill.drug,
        dashed(fill.filled_on),
        fill.pharmacy,
        fill.prescriber,
        dollars_text(fill.patient_cents),
        on,
        on,
        f"{fill.number:09d}",
        fill.fill_number,
    )
