"""What one claim adds to its person's months: category, service month, basis, cents and count.

Sources: CCLF Information Packet v36.0, 5.3.1 (Part A header and Part B line payments, cancellations with a
minus sign, adjustments as they stand) and 3.2 (denials); CMS T-MSIS Analytic File code (claim types,
``XOVR_IND``, Medicaid paid amounts). Allowed, billed and Medicare amounts on Medicaid records never count.
"""

from collections.abc import Iterable
from typing import NamedTuple

from contracts.claims import Adjustment, MedicaidClaim, MedicaidClaimLine, MedicareClaim, MedicareClaimLine
from contracts.codes import Payer, ServiceCategory
from contracts.months import month_of
from services.cost_shift.category_policy import CategoryPolicy
from services.cost_shift.rules.category_split import LineCodes, split_category

# Plain strings, not enum members: these are parts of dictionary keys, and an enum member hashes in Python code.
SERVICES = "services"
OUTLAY = "outlay"
BOTH = "both"
NEITHER = "neither"  # a claim type that nobody has explained: kept, counted in no measure
_SPLIT_CLAIM_TYPES = frozenset({"71"})  # physician: equipment has claim types of its own
_MEDICARE = Payer.MEDICARE.value
_MEDICAID = Payer.MEDICAID.value
_OTHER = ServiceCategory.OTHER.value
_DRUGS = ServiceCategory.DRUGS.value
_CAPITATION = ServiceCategory.CAPITATION.value
_HOME_AND_COMMUNITY = ServiceCategory.HOME_AND_COMMUNITY.value


class Contribution(NamedTuple):
    """Signed cents and claims of one series (the first four fields) and service month."""

    payer: str
    category: str
    crossover: bool
    basis: str
    month: str
    cents: int
    claims: int

    def of(self, cents: int, claims: int) -> "Contribution":
        """The same series and month with other amounts."""
        return Contribution(*self[:5], cents, claims)


def _gathered(parts: Iterable[Contribution]) -> tuple[Contribution, ...]:
    """Parts of one claim that differ in amounts only become one, in the order in which they first appear."""
    sums: dict[tuple[str, str, bool, str, str], tuple[int, int]] = {}
    for part in parts:
        cents, claims = sums.get(part[:5], (0, 0))
        sums[part[:5]] = (cents + part.cents, claims + part.claims)
    return tuple(Contribution(*series, *amounts) for series, amounts in sums.items())


def medicare_contributions(claim: MedicareClaim, policy: CategoryPolicy) -> tuple[Contribution, ...]:
    """Signed contributions of one Medicare record; the first stands in the claim's own month.

    A denied claim and a Part D event add nothing. A Part B claim whose lines carry no payment counts by its
    header, so that a source without line payments loses no dollar. Where lines of a physician's claim have categories of their own, the
    claim counts in that of its first line.
    """
    kind = claim.claim_type_code
    part_d = kind in policy.medicare_part_d
    category = _DRUGS if part_d else policy.medicare_category.get(kind, _OTHER)
    if kind in _SPLIT_CLAIM_TYPES and claim.lines:
        category = _part_b_category(claim.lines[0], category, policy)
    header = Contribution(_MEDICARE, category, False, BOTH, month_of(claim.service_through), 0, 0)
    if part_d or claim.denied:
        return (header,)
    sign = -1 if claim.adjustment is Adjustment.CANCELLATION else 1
    if kind not in policy.medicare_part_b or not _carry_payments(claim.lines):
        return (header.of(sign * claim.paid_cents, sign),)
    whole = policy.medicare_category.get(kind, _OTHER)
    return _gathered((header.of(0, sign), *_medicare_lines(claim, header._replace(category=whole), sign, policy)))


def _carry_payments(lines: Iterable[MedicareClaimLine]) -> bool:
    return any(line.paid_cents is not None for line in lines)


def _medicare_lines(
    claim: MedicareClaim, header: Contribution, sign: int, policy: CategoryPolicy
) -> Iterable[Contribution]:
    splits = claim.claim_type_code in _SPLIT_CLAIM_TYPES
    for line in claim.lines:
        if line.paid_cents and not line.denied:
            category = _part_b_category(line, header.category, policy) if splits else header.category
            month = month_of(line.service_through)
            yield header._replace(category=category, month=month, cents=sign * line.paid_cents)


def _part_b_category(line: MedicareClaimLine, category: str, policy: CategoryPolicy) -> str:
    month = month_of(line.service_through)
    codes = LineCodes(month, procedure=line.procedure_code, specialty=line.provider_specialty_code)
    return split_category(codes, policy.medicare_splits) or category


def medicaid_contributions(claim: MedicaidClaim, policy: CategoryPolicy) -> tuple[Contribution, ...]:
    """Contributions of the standing adjudication of one Medicaid claim; the first carries the count.

    A void and a denial add nothing. Lines share the dollars out by month and category where those that were
    not denied sum to the header; else the header's amount stands in its own month.
    """
    basis = policy.medicaid_basis.get(claim.claim_type_code, NEITHER)
    month = month_of(claim.service_through)
    header = Contribution(_MEDICAID, _header_category(claim, policy), claim.crossover, basis, month, 0, 0)
    if claim.voided or claim.denied:
        return (header,)
    paid = [line for line in claim.lines if not line.denied]
    if not paid or sum(line.paid_cents for line in paid) != claim.paid_cents:
        return (header.of(claim.paid_cents, 1),)
    lines = (_medicaid_line(claim, line, header, policy) for line in paid if line.paid_cents)
    return _gathered((header.of(0, 1), *lines))


def _header_category(claim: MedicaidClaim, policy: CategoryPolicy) -> str:
    """The category of the whole claim: of its first line where the category is a line's property."""
    if claim.claim_type_code in policy.medicaid_capitation:
        return _CAPITATION
    category = policy.medicaid_file_category.get(claim.file_type)
    if category is not None:
        return category
    if not claim.lines:
        return policy.medicaid_service_category.get(claim.type_of_service_code or "", _OTHER)
    return _line_category(claim, claim.lines[0], policy)


def _line_category(claim: MedicaidClaim, line: MedicaidClaimLine, policy: CategoryPolicy) -> str:
    if line.waiver_benefit:
        return _HOME_AND_COMMUNITY
    codes = LineCodes(month_of(line.service_through), line.revenue_code, line.procedure_code)
    if (own := split_category(codes, policy.medicaid_splits)) is not None:
        return own
    code = line.type_of_service_code or claim.type_of_service_code or ""
    return policy.medicaid_service_category.get(code, _OTHER)


def _medicaid_line(
    claim: MedicaidClaim, line: MedicaidClaimLine, header: Contribution, policy: CategoryPolicy
) -> Contribution:
    by_line = header.category != _CAPITATION and claim.file_type not in policy.medicaid_file_category
    return header._replace(
        category=_line_category(claim, line, policy) if by_line else header.category,
        month=month_of(line.service_through),
        cents=line.paid_cents,
    )


def is_withdrawal(claim: MedicareClaim | MedicaidClaim) -> bool:
    """Whether the record takes something back: a Medicare cancellation or a Medicaid void."""
    if isinstance(claim, MedicareClaim):
        return claim.adjustment is Adjustment.CANCELLATION
    return claim.voided
