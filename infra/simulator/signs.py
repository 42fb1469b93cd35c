"""What a person's usual Medicare claims show of the planted risk: emergency rooms, why somebody is in hospital, who is seen.

Claims keep their numbers, days and amounts; what is told of them comes from a stream of randomness of its own.
"""

from collections.abc import Iterable
from random import Random
from typing import Final

from infra.simulator.claim_facts import CLINICIAN_SPECIALTIES
from infra.simulator.claims import MedicareClaim
from infra.simulator.person import Person
from infra.simulator.prospects import BASE_MONTHLY, Prospects
from infra.simulator.world import CLINICIAN_NPIS

EMERGENCY_ROOM: Final = "0450"
_EMERGENCY_SERVICES: Final = ("99283", "99284", "99285")
# Of outpatient visits at the base of the risk; it rises with the risk, by less than the risk does.
_EMERGENCY_SHARE, _EMERGENCY_POWER, _MOST_EMERGENCIES = 0.06, 0.5, 0.6
_STAYS_THROUGH_EMERGENCY_ROOM: Final = 0.4
# Why people of high need are in hospital again and again: nothing that a prevention quality indicator counts (AHRQ).
_OTHER_CAUSES: Final = ("K922", "R55", "M1711", "K8020", "R079", "K5900")
# Specialties that give no primary care: a surgeon, and cardiology (06).
_NO_PRIMARY_CARE: Final = frozenset({"02", "06"})
_SPECIALISTS: Final = [
    npi
    for place, npi in enumerate(CLINICIAN_NPIS)
    if CLINICIAN_SPECIALTIES[place % len(CLINICIAN_SPECIALTIES)] in _NO_PRIMARY_CARE
]


def _emergency_share(prospects: Prospects, month: int) -> float:
    ratio: float = (prospects.monthly(month) / BASE_MONTHLY) ** _EMERGENCY_POWER
    return min(_MOST_EMERGENCIES, _EMERGENCY_SHARE * ratio)


def _of_stay(random: Random, claim: MedicareClaim) -> None:
    claim.diagnosis_codes = (random.choice(_OTHER_CAUSES), claim.diagnosis_codes[-1])
    if random.random() < _STAYS_THROUGH_EMERGENCY_ROOM:
        claim.revenue_center = EMERGENCY_ROOM


def _of_outpatient(random: Random, claim: MedicareClaim, share: float) -> None:
    draw, service = random.random(), random.choice(_EMERGENCY_SERVICES)
    if draw < share:
        claim.revenue_center, claim.lines[0].procedure = EMERGENCY_ROOM, service


def show_signs(person: Person, claims: Iterable[MedicareClaim]) -> None:
    """Tell of each claim what the person's risk makes of it."""
    prospects = person.prospects
    if prospects is None:
        return
    random = person.aside("signs", 0).random
    for claim in claims:
        if claim.claim_type == "60":
            _of_stay(random, claim)
        elif claim.claim_type == "40":
            _of_outpatient(random, claim, _emergency_share(prospects, person.period.number(claim.first)))
        elif claim.claim_type == "71" and not prospects.primary_care:
            claim.npi = random.choice(_SPECIALISTS)
