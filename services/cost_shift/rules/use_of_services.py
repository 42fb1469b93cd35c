"""How much of which service one claim is: admissions, emergency visits, days in facilities, periods of home health, days of personal care.

Use goes where the claim's dollars go: it is a contribution of a basis of its own, with the amount of use as its count and no cents, so that
cancellations, later versions and decisions about alignment move it with the claim. In no sum of claims or dollars. Sources of the codes:
``policy/use_of_services.toml``.
"""

from typing import Final

from contracts.claims import Adjustment, MedicaidClaim, MedicaidClaimLine, MedicareClaim
from contracts.codes import Payer
from contracts.months import month_of
from services.cost_shift.rules.claim_contribution import BOTH, SERVICES, Contribution
from services.cost_shift.use_policy import UsePolicy

USE: Final = "use"
ADMISSIONS: Final = "admissions"
EMERGENCY_VISITS: Final = "emergency_visits"
SKILLED_NURSING_DAYS: Final = "skilled_nursing_days"
NURSING_FACILITY_DAYS: Final = "nursing_facility_days"
HOME_HEALTH_PERIODS: Final = "home_health_periods"
PERSONAL_CARE_DAYS: Final = "personal_care_days"

_MEDICARE: Final = Payer.MEDICARE.value
_MEDICAID: Final = Payer.MEDICAID.value


def medicare_use(claim: MedicareClaim, policy: UsePolicy) -> tuple[Contribution, ...]:
    """Signed like the claim: a cancellation takes back what it cancels. A denied claim is no use."""
    if claim.denied:
        return ()
    sign = -1 if claim.adjustment is Adjustment.CANCELLATION else 1
    kind, name, amount = claim.claim_type_code, "", 1
    if kind in policy.medicare_admission_claim_type:
        name = ADMISSIONS
    elif kind in policy.medicare_skilled_nursing_claim_type:
        name, amount = SKILLED_NURSING_DAYS, _days_of_stay(claim, policy)
    elif kind in policy.medicare_home_health_claim_type:
        name = HOME_HEALTH_PERIODS
    elif kind in policy.medicare_outpatient_claim_type and _is_emergency(claim, policy):
        name = EMERGENCY_VISITS
    if not name or not amount:
        return ()
    return (Contribution(_MEDICARE, name, False, USE, month_of(claim.service_through), 0, sign * amount),)


def _days_of_stay(claim: MedicareClaim, policy: UsePolicy) -> int:
    still_there = claim.discharge_status_code in policy.still_a_patient_status
    return max(0, (claim.service_through - claim.service_from).days + still_there)


def _is_emergency(claim: MedicareClaim, policy: UsePolicy) -> bool:
    return any(
        (line.revenue_center_code or "").zfill(4) in policy.emergency_revenue_code and not line.denied
        for line in claim.lines
    )


def medicaid_use(claim: MedicaidClaim, basis: str, policy: UsePolicy) -> tuple[Contribution, ...]:
    """Of services used only, whoever paid for them; ``basis`` is that of the claim's dollars."""
    if claim.voided or claim.denied or basis not in {BOTH, SERVICES}:
        return ()
    month, lines = month_of(claim.service_through), [line for line in claim.lines if not line.denied]
    found: dict[str, int] = {}
    if claim.file_type == "IP":
        found[ADMISSIONS] = 1
    elif claim.file_type == "LT":
        found[NURSING_FACILITY_DAYS] = (claim.service_through - claim.service_from).days + 1
    elif claim.file_type == "OT":
        codes = {line.type_of_service_code or claim.type_of_service_code for line in lines} or {
            claim.type_of_service_code
        }
        found[HOME_HEALTH_PERIODS] = int(bool(codes & policy.medicaid_home_health_type_of_service))
        revenue = {(line.revenue_code or "").zfill(4) for line in lines}
        found[EMERGENCY_VISITS] = int(bool(revenue & policy.emergency_revenue_code))
        found[PERSONAL_CARE_DAYS] = _personal_care_days(lines, policy)
    return tuple(
        Contribution(_MEDICAID, name, claim.crossover, USE, month, 0, amount)
        for name, amount in found.items()
        if amount > 0
    )


def _personal_care_days(lines: list[MedicaidClaimLine], policy: UsePolicy) -> int:
    days = {
        line.service_from.toordinal() + number
        for line in lines
        if line.procedure_code in policy.personal_care_procedure
        for number in range(max(0, (line.service_through - line.service_from).days) + 1)
    }
    return len(days)
