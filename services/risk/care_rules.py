"""Every care action: who owns it, and the rule that finds it."""

from typing import Final, NamedTuple

from contracts.care import Owner
from services.risk.care_facts import Rule
from services.risk.rules.cancer_screening import breast_cancer_screening, colorectal_cancer_screening
from services.risk.rules.connect_primary_care import connect_primary_care
from services.risk.rules.coordinate_high_cost_care import coordinate_high_cost_care
from services.risk.rules.diabetes_management import diabetes_blood_test, diabetes_eye_exam, diabetes_foot_exam
from services.risk.rules.falls_prevention import falls_prevention
from services.risk.rules.flu_vaccine import flu_vaccine
from services.risk.rules.missed_treatment import missed_dialysis, missed_infusion, missed_wound_care
from services.risk.rules.nutrition_meals import nutrition_meals
from services.risk.rules.overdue_service import wellness_visit


class CareRule(NamedTuple):
    """What is proposed, and to whom."""

    owner: Owner
    title: str
    rule: Rule


CARE_RULES: Final[dict[str, CareRule]] = {
    "connect_primary_care": CareRule("care_coordinator", "Connect to a primary care clinician", connect_primary_care),
    "coordinate_high_cost_care": CareRule("care_coordinator", "Coordinate care", coordinate_high_cost_care),
    "flu_vaccine": CareRule("aide", "Flu vaccine", flu_vaccine),
    "wellness_visit": CareRule("aide", "Annual wellness visit and screenings", wellness_visit),
    "falls_prevention": CareRule("aide", "Prevent falls", falls_prevention),
    "diabetes_eye_exam": CareRule("care_coordinator", "Eye examination for diabetes", diabetes_eye_exam),
    "diabetes_foot_exam": CareRule("care_coordinator", "Foot examination for diabetes", diabetes_foot_exam),
    "diabetes_blood_test": CareRule("care_coordinator", "A1c test for diabetes", diabetes_blood_test),
    "missed_dialysis": CareRule("aide", "Missed dialysis", missed_dialysis),
    "missed_wound_care": CareRule("aide", "Missed wound care", missed_wound_care),
    "missed_infusion": CareRule("aide", "Missed infusions", missed_infusion),
    "nutrition_meals": CareRule("aide", "Meals for a nutrition-sensitive condition", nutrition_meals),
    "breast_cancer_screening": CareRule("care_coordinator", "Mammogram", breast_cancer_screening),
    "colorectal_cancer_screening": CareRule(
        "care_coordinator", "Screening for colorectal cancer", colorectal_cancer_screening
    ),
}
