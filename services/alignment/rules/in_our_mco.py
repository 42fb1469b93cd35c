"""IN_OUR_MCO: enrolled in the entity's own Medicaid managed-care plan, with the state's letter of support in force.

Source: CMS, MCO-based Direct Contracting Entity fact sheet (2020) and press release of December 2020.
"""

from services.alignment.programme import Entity
from services.alignment.rules.known_month import Answer, KnownMonth, fails, passes, unknown


def in_our_mco(known: KnownMonth, entity: Entity | None) -> Answer:
    """Judge by the plans that the state's enrolment file names for the month.

    One that is named beside ours, and is not known to go beside it, leaves open which of them is responsible.
    """
    stated = known.enrolled_plans
    if entity is None:
        return unknown("NO_ENTITY_IN_STATE")
    if stated is None:
        return unknown("NO_ENROLMENT_STATED")
    if not entity.plan_ids.intersection(stated.value):
        return unknown("PLAN_NOT_NAMED", stated) if "" in stated.value else fails("MCO_DISENROLLED", stated)
    if not entity.plan_ids.union(entity.plans_beside, {""}).issuperset(stated.value):
        return unknown("PLANS_OVERLAP", stated)
    return passes(stated) if entity.letter_of_support else fails("NO_LETTER_OF_SUPPORT", stated)
