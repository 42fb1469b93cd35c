"""Expressions by which DuckDB writes JSON as the models of the contracts write it: same members, same order.

No text needs escaping: a line with a quotation mark or a backslash in a used field is never cut.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from contracts.claims import MedicareClaim, MedicareClaimLine
from contracts.model import ContractModel
from services.intake.readers.cclf_columns import ICD_9, PHYSICIAN_DIAGNOSES
from services.intake.rules.denial import denial_policy
from services.intake.rules.substance_use import substance_use_policy


class Member(NamedTuple):
    """A member's value as SQL; one that is optional is left out where the value is ``NULL``."""

    value: str
    opening: str = ""
    closing: str = ""
    optional: bool = True


def text(value: str, *, optional: bool = True) -> Member:
    """A text."""
    return Member(value, '"', '"', optional)


def number(value: str, *, optional: bool = True) -> Member:
    """A number."""
    return Member(value, optional=optional)


def truth(condition: str) -> Member:
    """Whether a condition holds; what is unknown does not."""
    return Member(f"CASE WHEN {condition} THEN 'true' ELSE 'false' END", optional=False)


def listed(encoded: str) -> Member:
    """A list, its values encoded already with commas between them; ``NULL`` where there is none."""
    return Member(f"coalesce({encoded}, '')", "[", "]", optional=False)


def texts(*names: str) -> dict[str, Member]:
    """Optional texts, each from the column of its name."""
    return {name: text(name) for name in names}


def fragment(model: type[ContractModel], members: Mapping[str, Member], *, opened: bool = False) -> str:
    """Members of a model in its order, each behind a comma; where the object is ``opened`` just here, but the first."""
    unknown = members.keys() - model.model_fields.keys()
    if unknown:
        raise LookupError(f"{model.__name__} has no {min(unknown)}")
    ordered = [(name, members[name]) for name in model.model_fields if name in members]
    return f"concat({', '.join(_arguments(ordered, opened=opened))})"


def _arguments(members: Iterable[tuple[str, Member]], *, opened: bool) -> Iterable[str]:
    literal, comma = ("{", "") if opened else ("", ",")
    for name, member in members:
        key = f'{comma}"{name}":{member.opening}'
        comma = ","
        if member.optional:
            yield f"'{literal}'"
            yield f"'{key}' || {member.value} || '{member.closing}'"
            literal = ""
        else:
            yield f"'{literal}{key}'"
            yield member.value
            literal = member.closing
    yield f"'{literal}'"


def whole(model: type[ContractModel], members: Mapping[str, Member]) -> str:
    """An object with these members."""
    return f"{fragment(model, members, opened=True)} || '}}'"


def _number_of(day: str) -> str:
    return f"coalesce(try_cast(replace({day}, '-', '') AS BIGINT), 0)"


def treats_substance_use(procedures: str) -> str:
    """Whether a procedure among those encoded is for substance use."""
    return f'regexp_matches({procedures}, \'"code":"({"|".join(substance_use_policy().procedure_families)})\')'


def about_substance_use() -> str:
    """Whether a diagnosis among ``codes`` is of substance use."""
    policy = substance_use_policy()
    families, single = "|".join(sorted(policy.families)), "|".join(sorted(policy.codes))
    return f"regexp_matches(',' || array_to_string(codes, ',') || ',', ',(({families})[^,]*|({single})),')"


OWN_KIND = f"coalesce(code_system, '') <> '{ICD_9}'"
AMOUNTS_GIVEN = ("inclusion_cents", "reduction_cents")
# Which record it is, and of when.
RECORD = {
    "record_id": text("record_id", optional=False),
    "version": number(f"({_number_of('processed_on')} * 100000000 + {_number_of('loaded_on')})", optional=False),
    "claim_type_code": text("claim_type_code", optional=False),
    "adjustment": text("adjustment", optional=False),
}
PERIOD = {
    "claim_control_number": text("claim_control_number"),
    "service_from": text("service_from", optional=False),
    "service_through": text("service_through", optional=False),
}
# What it says of the person's health; of ``codes``, a list.
HEALTH = {
    "diagnosis_codes": listed("""CASE WHEN len(codes) > 0 THEN '"' || array_to_string(codes, '","') || '"' END"""),
    "substance_use": truth(about_substance_use()),
}


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names))


_CLAIM_DENIED = truth(f"carrier_denial_code IN ({_codes(denial_policy().carrier_claim)})")
_LINE_DENIED = truth(f"processing_code NOT IN ({_codes(denial_policy().line_allowed)})")
_LINE = {
    "line_number": number("line_number", optional=False),
    "service_from": text("line_from", optional=False),
    "service_through": text("line_through", optional=False),
    "procedure_code": text("procedure_code"),
    "place_of_service_code": text("place_of_service_code"),
    "rendering_npi": text("rendering_npi"),
    "paid_cents": number("paid_cents"),
    "allowed_cents": number("allowed_cents"),
}
_PART_B = {
    "claim_head": fragment(MedicareClaim, RECORD | PERIOD, opened=True),
    "claim_tail": fragment(MedicareClaim, {"primary_payer_code": text("primary_payer_code"), "denied": _CLAIM_DENIED}),
    "line_tail": f"{fragment(MedicareClaimLine, {'denied': _LINE_DENIED})} || '}}'",
}
# What lines of these files are kept as: far fewer and shorter columns than they have values. Between the head and the
# tail of a line stand its amounts of CCLFB.
KEPT_WITH_ENCODED = ("record_id", "mbi", "line_number", "paid_cents")
ENCODED = {
    "CCLF5": {
        **_PART_B,
        "line_head": fragment(
            MedicareClaimLine, _LINE | texts("provider_specialty_code", "practice_tax_number"), opened=True
        ),
        "own_codes": f"CASE WHEN {OWN_KIND} THEN concat_ws(',', {', '.join(PHYSICIAN_DIAGNOSES)}) ELSE '' END",
        "line_diagnosis": f"CASE WHEN {OWN_KIND} THEN line_diagnosis END",
    },
    "CCLF6": {
        **_PART_B,
        "line_head": fragment(MedicareClaimLine, _LINE, opened=True),
        "own_codes": "''",
        "line_diagnosis": "NULL::VARCHAR",
    },
}
