"""What codes of this service mean, in plain words. Nothing else turns a code into a sentence."""

from typing import Final

SEGMENTS: Final = {
    "CNA": "living at home, no Medicaid, 65 or older",
    "CND": "living at home, no Medicaid, under 65",
    "CPA": "living at home, partial Medicaid benefits, 65 or older",
    "CPD": "living at home, partial Medicaid benefits, under 65",
    "CFA": "living at home, full Medicaid benefits, 65 or older",
    "CFD": "living at home, full Medicaid benefits, under 65",
    "INS": "long-term institutional",
    "NE": "new to Part B",
    "SNPNE": "new to Part B, in a special needs plan",
    "DI": "dialysis",
    "DNE": "dialysis, new to Part B",
    "GI": "working transplant, long-term institutional",
    "GNE": "working transplant, new to Part B",
    "GFA": "working transplant, full Medicaid benefits, 65 or older",
    "GFN": "working transplant, full Medicaid benefits, under 65",
    "GNPA": "working transplant, partial or no Medicaid benefits, 65 or older",
    "GNPN": "working transplant, partial or no Medicaid benefits, under 65",
    "TRANSPLANT": "kidney transplant within three months",
}
IGNORED: Final = {
    "denied_claim": "the claim was denied",
    "bill_type": "claims of this type of bill do not count",
    "claim_kind": "claims of this kind do not count",
    "no_listed_procedure": "no procedure of the claim is on CMS's list",
    "service_after_delivery": "the service is dated after the delivery that told of it",
    "cancelled_claim": "the only claim for it was cancelled",
    "not_in_tables_of_year": "this year's tables do not have the code: it is retired, or not valid yet",
    "age_or_sex_edit": "it does not go with the person's age or sex",
}
NOTES: Final = {
    "birth_date_unknown": "no birth date is known, so there is no demographic part",
    "birth_date_implausible": "a birth date that cannot be was left out",
    "birth_date_conflicting": "sources name different birth dates; Medicare's newest is taken",
    "sex_unknown": "no sex is known, so there is no demographic part",
    "sex_conflicting": "sources name different sexes; Medicare's newest is taken",
    "dual_status_unknown": "dual status is unknown, so the score is that of a person without Medicaid",
    "dual_status_without_benefits": "the dual status brings no Medicaid benefits that the models count",
    "original_entitlement_unknown": "the original reason for entitlement is unknown and taken to be age",
    "esrd_model_applies": "the person has end-stage renal disease: CMS pays by the ESRD model",
    "died_in_payment_year": "the person died in this year and is not ranked",
    "tables_of_another_year": "there are no tables of this payment year; the nearest are used",
}
PREDICTORS: Final = {
    "spend_year_log_dollars": "Medicare spending within 12 months",
    "spend_quarter_log_dollars": "Medicare spending within 90 days",
    "admissions_year": "hospital admissions within 12 months",
    "admissions_quarter": "hospital admissions within 90 days",
    "avoidable_admissions_year": "avoidable admissions within 12 months (AHRQ prevention quality indicators)",
    "emergency_visits_year": "emergency visits within 12 months",
    "discharged_within_30_days": "discharged from hospital within 30 days",
    "nursing_facility": "living in a nursing facility",
    "home_and_community_services": "home and community services",
    "behavioural_health": "a mental health condition",
    "frailty_markers": "markers of frailty",
    "many_drugs": "five or more drugs",
    "missed_series": "a series of treatments broke off",
    "no_primary_care_year": "no primary care visit within 12 months",
    "dialysis": "dialysis",
    "sensitive_conditions": "diabetes, heart failure or chronic lung disease",
    "hcc_raw_score": "HCC risk score",
    "under_65": "under 65",
    "over_80": "over 80",
}
MODELS: Final = {"V24": "CMS-HCC V24", "V28": "CMS-HCC V28", "ESRD_V24": "CMS-HCC ESRD V24"}
NEVER_COMPARE: Final = (
    "Raw scores of different models have different denominators: they stand side by side and are never compared."
)
