"""What every rendering of a Medicare claim's record says alike: its numbers, and codes that follow from the claim."""

from datetime import date, timedelta

from infra.simulator.claims import MedicareClaim, Version
from infra.simulator.period import Period
from infra.simulator.person import Person

# Facility type and classification: the first two digits of the type of bill.
BILL_TYPES = {"60": ("1", "1"), "20": ("2", "1"), "10": ("3", "2"), "40": ("1", "3"), "50": ("8", "1")}
ADMISSION_TYPE = "1"
NON_PAYMENT_REASON = "N"
CLAIM_DENIED, CLAIM_PAID = "0", "1"
LINE_DENIED, LINE_ALLOWED = "N", "A"
_STAYS = frozenset({"60", "20"})
_MOST_LISTED = 4
# Internal and family medicine, a nurse practitioner; cardiology; a surgeon, whose visits align nobody.
CLINICIAN_SPECIALTIES = ("11", "08", "50", "11", "06", "38", "02")


def adjudicated_on(period: Period, delivery: int, number: int) -> date:
    """A day in the first week of the delivery's month, before the files are cut."""
    return period.first_days[delivery] + timedelta(days=number % 8)


def record_number(person: Person, version: Version) -> str:
    """CUR_CLM_UNIQ_ID: of each record of a claim its own."""
    return f"1{person.traits.index:07d}{version.number:05d}"


def control_number(person: Person, claim: MedicareClaim) -> str:
    """CLM_CNTL_NUM: one a claim."""
    return f"CN{person.traits.index:07d}{claim.number:05d}"


def facility_number(claim: MedicareClaim) -> str:
    """The facility's number with Medicare."""
    return f"36{claim.npi[-5:-1]}"


def discharge_status(person: Person, claim: MedicareClaim) -> str:
    """Died, or went home."""
    return "20" if person.life.death == claim.last else "01"


def related_group(claim: MedicareClaim) -> str:
    """The diagnosis-related group of a hospital stay; none otherwise."""
    return f"{190 + claim.number % 700:04d}" if claim.claim_type == "60" else ""


def admitting_diagnosis(claim: MedicareClaim) -> str:
    """Of a stay; none otherwise."""
    return claim.diagnosis_codes[-1] if claim.claim_type in _STAYS else ""


def listed_diagnoses(claim: MedicareClaim) -> tuple[str, ...]:
    """The diagnoses that a professional claim lists."""
    return claim.diagnosis_codes[:_MOST_LISTED]


def place_of_service(person: Person) -> str:
    """A nursing facility, for every third a skilled stay in one; or an office."""
    if person.traits.setting == "nursing_facility":
        return "31" if person.traits.index % 3 == 0 else "32"
    return "11"


def specialty(claim: MedicareClaim) -> str:
    """The clinician's own: primary care for most, for some another that counts or one that never does."""
    return CLINICIAN_SPECIALTIES[_place(claim) % len(CLINICIAN_SPECIALTIES)] if claim.claim_type == "71" else "54"


def practice_tax_number(claim: MedicareClaim) -> str:
    """Three clinicians share a practice; every tenth practice is not told."""
    practice = _place(claim) // 3
    return "" if claim.claim_type != "71" or practice % 10 == 0 else f"{310_000_000 + practice}"


def _place(claim: MedicareClaim) -> int:
    """A clinician's place in the list of all."""
    return int(claim.npi[2:-1]) % 1000


def allowed(cents: int) -> int:
    """What Medicare allows for a service of which it pays four fifths."""
    return cents * 5 // 4
