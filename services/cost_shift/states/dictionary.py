"""What everything means, made of the very definitions that answers are made of."""

from functools import cache

from contracts.codes import Cohort, Payer, ServiceCategory
from services.cost_shift.disclosure_policy import disclosure_entries
from services.cost_shift.states.answers import Change, CompletedShown, DictionaryAnswer, Measure, PolicyEntry, Term

_COHORTS = {
    Cohort.ALIGNED: "aligned with the entity in that month",
    Cohort.COMPARISON: "eligible as the aligned are, and not aligned",
    Cohort.EXCLUDED: "neither",
    Cohort.UNASSIGNED: "costs of months about which nothing is decided yet; no people stand behind them, so nothing is told",
}
_CAUSES = {
    "claims": "new claims, adjustments, replacements",
    "cancellations": "Medicare cancellations, Medicaid voids",
    "alignment": "people count in another cohort or entity than was believed",
    "dual_status": "people have another dual status than was believed",
    "residence": "people live in another county or state than was believed",
}
_DIMENSIONS = {
    "state": "USPS code of the state in which the person lives, or whose delivery held the claim",
    "entity_id": "Direct Contracting Entity; null for people of no entity",
    "cohort": "which people: see cohorts",
    "payer": "who paid: Medicare or Medicaid",
    "category": "category of service",
    "month": "calendar month of the service, YYYY-MM",
    "revision": "a published cut: everything known up to and including that delivery",
    "previous_revision": "the revision that the figure was shown in before",
    "causes": "why it moved: see causes",
    "known_at": "when the delivery of the revision was received",
}


@cache
def dictionary() -> DictionaryAnswer:
    """The data dictionary of these routes."""
    described = {
        name: field.description
        for model in (CompletedShown, Measure, Change)
        for name, field in model.model_fields.items()
        if field.description
    }
    return DictionaryAnswer(
        fields=[Term(name=name, meaning=meaning) for name, meaning in sorted({**described, **_DIMENSIONS}.items())],
        payers=[payer.value for payer in Payer],
        cohorts=[Term(name=cohort.value, meaning=_COHORTS[cohort]) for cohort in Cohort],
        categories=[category.value for category in ServiceCategory],
        causes=[Term(name=name, meaning=meaning) for name, meaning in _CAUSES.items()],
        policies=[
            PolicyEntry(name=name, since=entry["from"], **{part: entry[part] for part in ("value", "source", "status")})
            for name, entry in disclosure_entries().items()
        ],
    )
