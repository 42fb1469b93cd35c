"""What the converters of fields mean in SQL, so that DuckDB can convert and check millions of records at once.

Each converter of a CCLF column has one twin here; that both say the same of every text is what the tests try to
disprove. ``{t}`` is the trimmed text, ``NULL`` where nothing is given; ``{v}`` is the value made of it.
"""

from dataclasses import dataclass

from contracts.identifiers import MBI_PATTERN, SYNTHETIC_MBI_PATTERN
from contracts.model import LARGEST_NUMBER
from contracts.money import LARGEST_CENTS
from services.intake.readers import fields
from services.intake.readers.cclf_columns import institutional_procedure_code, line_number, quantity
from services.intake.readers.fields import Converter, Digits, OneOf, Required
from services.intake.readers.records import Column

DIAGNOSIS = "[A-Z][0-9A-Z]{2,6}"
_PLAIN_AMOUNT = r"[-+]?[0-9]{1,15}\.[0-9][0-9]"
_AMOUNT = r"[-+]?([0-9]{1,40}(\.[0-9]{0,4})?|\.[0-9]{1,4})"
_MBI, _SYNTHETIC_MBI = MBI_PATTERN.pattern.strip("^$"), SYNTHETIC_MBI_PATTERN.pattern.strip("^$")


@dataclass(frozen=True, slots=True)
class Twin:
    """SQL of the value and its type, and the conditions under which the text is none, each with its reason, in order."""

    value: str
    faults: tuple[tuple[str, str], ...] = ()
    kind: str = "VARCHAR"


def _matches(pattern: str, of: str = "{v}") -> str:
    # Braces of the pattern must survive the formatting.
    return f"regexp_full_match({of}, '{pattern.replace('{', '{{').replace('}', '}}')}')"


_TEXT = Twin("{t}")
_DAY = Twin(
    "CASE WHEN {t} NOT IN ('1000-01-01', '9999-12-31') THEN {t} END",
    (
        (f"NOT {_matches('[0-9]{4}-[0-9]{2}-[0-9]{2}')}", "not_a_date"),
        ("{v} < '1850' OR {v} >= '2100'", "date_out_of_range"),
        ("{v} IS NOT NULL AND try_cast({v} AS DATE) IS NULL", "not_a_date"),
    ),
)
_CENTS = Twin(
    "CASE WHEN {t} LIKE '%.__' THEN try_cast(replace({t}, '.', '') AS BIGINT)"
    " ELSE try_cast(try_cast({t} AS DECIMAL(38, 4)) * 100 AS BIGINT) END",
    (
        (f"NOT {_matches(_PLAIN_AMOUNT, '{t}')} AND NOT {_matches(_AMOUNT, '{t}')}", "not_an_amount"),
        ("{t} IS NOT NULL AND {v} IS NULL", "not_an_amount"),
        (f"abs({{v}}) > {LARGEST_CENTS}", "not_an_amount"),
        (
            f"NOT {_matches(_PLAIN_AMOUNT, '{t}')} AND try_cast({{t}} AS DECIMAL(38, 4)) * 100 <> {{v}}",
            "not_an_amount",
        ),
    ),
    "BIGINT",
)
_NUMBER = Twin(
    "try_cast({t} AS BIGINT)",
    ((f"NOT {_matches('[0-9]{1,18}', '{t}')}", "not_a_whole_number"),),
    "BIGINT",
)
_HOLDS_AN_MBI = " OR ".join(
    f"regexp_matches({text}, '(^|[^0-9A-Z])({_MBI}|{_SYNTHETIC_MBI})([^0-9A-Z]|$)')".replace("{", "{{")
    .replace("}", "}}")
    .replace("{{v}}", "{v}")
    for text in ("upper({v})", "replace(upper({v}), '-', '')")
)
_TWINS: dict[Converter, Twin] = {
    fields.text: _TEXT,
    fields.upper: Twin("upper({t})"),
    fields.iso_day: _DAY,
    fields.cents: _CENTS,
    fields.npi: Twin("{t}", ((f"NOT {_matches('[0-9]{10}')}", "not_an_npi"),)),
    fields.procedure_code: Twin("upper({t})", ((f"NOT {_matches('[0-9A-Z]{5}')}", "not_a_procedure_code"),)),
    # Whether it is one is asked of it together with the revision to which it belongs.
    fields.diagnosis_code: Twin("replace(upper({t}), '.', '')"),
    # Most numbers of claims hold no letter, and so no MBI.
    fields.number_of_a_claim: Twin(
        "{t}", ((f"regexp_matches({{v}}, '[A-Za-z]') AND ({_HOLDS_AN_MBI})", "identifier"),)
    ),
    fields.whole_number: _NUMBER,
    line_number: Twin(
        _NUMBER.value,
        (*_NUMBER.faults, (f"NOT {{v}} BETWEEN 1 AND {LARGEST_NUMBER}", "number_out_of_range")),
        "BIGINT",
    ),
    institutional_procedure_code: Twin(
        "replace(upper({t}), '.', '')",
        ((f"NOT {_matches('[0-9A-Z]{3,7}')}", "not_a_procedure_code"),),
    ),
    quantity: Twin(
        "regexp_replace(CAST(try_cast({t} AS DECIMAL(22, 4)) AS VARCHAR), '\\.?0*$', '')",
        ((f"NOT {_matches('-?[0-9]{1,18}([.][0-9]{1,4})?', '{t}')}", "not_a_quantity"),),
    ),
}


def twin_of(convert: Converter) -> Twin:
    """The SQL of a converter. Raises :class:`LookupError` for one that has no twin."""
    if isinstance(convert, Required):
        inner = twin_of(convert.convert)
        return Twin(inner.value, (*inner.faults, ("{v} IS NULL", "missing")), inner.kind)
    if isinstance(convert, OneOf):
        cases = " ".join(f"WHEN '{code}' THEN '{meaning}'" for code, meaning in convert.meanings.items())
        fault = ("{t} IS NOT NULL AND {v} IS NULL", "not_in_code_list")
        return Twin(f"CASE upper({{t}}) {cases} END", (fault,))
    if isinstance(convert, Digits):
        pattern = f"[0-9]{{{convert.least},{convert.most}}}"
        return Twin("{t}", ((f"NOT {_matches(pattern)}", "not_a_code"),))
    return _TWINS[convert]


def value_of(column: Column) -> str:
    """The value of a column; its trimmed text is ``t_`` and the column's name."""
    return twin_of(column.convert).value.format(t=f"t_{column.name}")


def faults_of(column: Column) -> list[tuple[str, str]]:
    """Conditions and reasons of a column; its value has the column's name."""
    faults = twin_of(column.convert).faults
    return [(fault.format(t=f"t_{column.name}", v=column.name), reason) for fault, reason in faults]


def kind_of(column: Column) -> str:
    """The type of a column's value."""
    return twin_of(column.convert).kind


def _mbi(*, synthetic: bool) -> str:
    return f"{_MBI}|{_SYNTHETIC_MBI}" if synthetic else _MBI


def mbi_fault(*, synthetic: bool) -> str:
    """The condition under which ``mbi`` is no Medicare Beneficiary Identifier."""
    pattern = _mbi(synthetic=synthetic)
    return f"NOT regexp_full_match(mbi, '{pattern}')"
