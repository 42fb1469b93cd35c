"""What the payers of an 837 claim paid: the plan, and Medicare before it.

A payer says so once for the claim (AMT*D of loop 2320) and once a line (SVD02 of loop 2430); where both are there they
must come to the same. Source: ASC X12N 005010X222A1 and 005010X223A2, section 1.4.4 (balancing of other payers' claims).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from services.intake.readers.encounter_837_claim import Claim, Decision, OtherPayer, ServiceLine, adjustments
from services.intake.readers.x12_values import Defects, day, required_amount
from services.intake.rules.encounter_codes import (
    Adjustment,
    EncounterPolicy,
    coinsurance_cents,
    deductible_cents,
    is_denied,
)


@dataclass(frozen=True, slots=True)
class LinePayment:
    """What a payer paid for one line; ``paid_cents`` is ``None`` where it says nothing about the line."""

    paid_cents: int | None
    denied: bool


@dataclass(frozen=True, slots=True)
class MedicareShare:
    """What Medicare paid of the claim, and what it left to the patient."""

    paid_cents: int | None
    deductible_cents: int
    coinsurance_cents: int


def plan_of(claim: Claim, policy: EncounterPolicy, defects: Defects) -> OtherPayer | None:
    """The Medicaid plan among the other payers."""
    plans = [payer for payer in claim.payers if payer.filing_indicator in policy.medicaid]
    if len(plans) > 1:
        defects.add(plans[1].head, "SBR09", "two_medicaid_payers", expected="one Medicaid plan among the other payers")
    return plans[0] if plans else None


def paid_cents(claim: Claim, payer: OtherPayer, defects: Defects) -> int | None:
    """What the payer paid for the claim. Raises :class:`services.intake.readers.x12_values.ElementError`."""
    by_line = [required_amount(decision.head, 2, "SVD02") for decision in _decisions(claim, payer)]
    if payer.paid is None:
        return sum(by_line) if by_line else None
    paid = required_amount(payer.paid, 2, "AMT02")
    withheld = sum(one.cents for one in adjustments(payer.adjustments))
    if by_line and len(by_line) >= len(claim.lines) and sum(by_line) - withheld != paid:
        defects.add(payer.paid, "AMT02", "payments_do_not_balance", expected="SVD02 of the lines less CAS of the claim")
    return paid


def claim_is_denied(claim: Claim, payer: OtherPayer, paid: int | None, policy: EncounterPolicy) -> bool:
    """By the reasons of the claim and of its lines together."""
    decisions = _decisions(claim, payer)
    reasons = [*payer.adjustments, *(segment for decision in decisions for segment in decision.adjustments)]
    return is_denied(paid, adjustments(reasons), policy)


def line_payment(line: ServiceLine, payer: OtherPayer | None, policy: EncounterPolicy) -> LinePayment:
    """What the plan decided about a line."""
    decisions = [one for one in line.decisions if payer is not None and one.payer == payer.number]
    if not decisions:
        return LinePayment(None, denied=False)
    paid = sum(required_amount(decision.head, 2, "SVD02") for decision in decisions)
    reasons = adjustments(segment for decision in decisions for segment in decision.adjustments)
    return LinePayment(paid, is_denied(paid, reasons, policy))


def decided_on(claim: Claim, payer: OtherPayer) -> date | None:
    """The day of adjudication: the claim's, else the last of its lines'."""
    decided = [payer.decided] if payer.decided else [one.decided for one in _decisions(claim, payer)]
    days = [day(segment, segment.element(3), "DTP573") for segment in decided if segment is not None]
    return max(filter(None, days), default=None)


def medicare_share(claim: Claim, policy: EncounterPolicy, defects: Defects) -> MedicareShare | None:
    """Medicare's part in a crossover claim; ``None`` where Medicare has decided nothing."""
    payers = [payer for payer in claim.payers if payer.filing_indicator in policy.medicare]
    paid = [cents for payer in payers if (cents := paid_cents(claim, payer, defects)) is not None]
    reasons = [reason for payer in payers for reason in _reasons(claim, payer)]
    deductible, coinsurance = deductible_cents(reasons, policy), coinsurance_cents(reasons, policy)
    if not any(paid) and not deductible and not coinsurance:
        return None
    return MedicareShare(sum(paid) if paid else None, deductible, coinsurance)


def _decisions(claim: Claim, payer: OtherPayer) -> list[Decision]:
    number = payer.number
    return [decision for line in claim.lines for decision in line.decisions if decision.payer == number]


def _reasons(claim: Claim, payer: OtherPayer) -> Iterator[Adjustment]:
    yield from adjustments(payer.adjustments)
    for decision in _decisions(claim, payer):
        yield from adjustments(decision.adjustments)
