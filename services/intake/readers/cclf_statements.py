"""The statements by which DuckDB reads the cut lines of CCLF files, generated from the declared columns.

Every file becomes a table of its own: each line with its values and, where there is one, the first fault that was
found in it. How the tables make claims is in ``cclf_joining``.
"""

from collections.abc import Iterable, Sequence

from services.intake.readers.cclf_columns import CLAIM_FILES, ICD_9, NPI_QUALIFIER, PHYSICIAN_DIAGNOSES
from services.intake.readers.cclf_encoding import ENCODED, KEPT_WITH_ENCODED
from services.intake.readers.cclf_twins import DIAGNOSIS, faults_of, kind_of, mbi_fault, value_of
from services.intake.readers.records import Column

DELIMITER = "\x1f"


_PERIODS = (("service_from", "service_through"), ("line_from", "line_through"))


def read_file(file: str, *, synthetic: bool) -> str:
    """Creates the table of a file from its cut lines, whose path is the one parameter."""
    columns = CLAIM_FILES[file]
    texts = {column.name: "VARCHAR" for column in columns} | {"line": "BIGINT"}
    types = ", ".join(f"'{name}': '{kind}'" for name, kind in texts.items())
    trimmed = ", ".join(f"nullif(nullif(trim({column.name}), ''), '~') AS t_{column.name}" for column in columns)
    values = ", ".join(f"{value_of(column)} AS {column.name}" for column in columns)
    faults = " ".join(f"WHEN {fault} THEN '{told}'" for fault, told in _faults(file, columns, synthetic=synthetic))
    return f"""
        CREATE OR REPLACE TEMP TABLE {file} AS
        SELECT line, {", ".join(f"{value} AS {name}" for name, (value, _) in kept(file).items())}, CASE {faults} END AS fault
        FROM (SELECT line, {values} , {", ".join(f"t_{column.name}" for column in columns)}
            FROM (SELECT line, {trimmed} FROM read_csv($path, header = false, auto_detect = false, quote = '',
                escape = '', delim = '{DELIMITER}', new_line = '\\n', columns = {{{types}}})))
    """  # noqa: S608 - names and patterns of this package; the path is a parameter


def empty_file(file: str) -> str:
    """Creates the table of a file of which there is no line, which is much sooner done."""
    kinds = ", ".join(f"{name} {kind}" for name, (_, kind) in kept(file).items())
    return f"CREATE OR REPLACE TEMP TABLE {file} (line BIGINT, {kinds}, fault VARCHAR)"


def kept(file: str) -> dict[str, tuple[str, str]]:
    """SQL and type of what is kept of a line: its values; of lines that make claims together, encoded already."""
    columns = {column.name: (column.name, kind_of(column)) for column in CLAIM_FILES[file]}
    if file not in ENCODED:
        return columns
    return {name: columns[name] for name in KEPT_WITH_ENCODED} | {
        name: (value, "VARCHAR") for name, value in ENCODED[file].items()
    }


def _faults(file: str, columns: Sequence[Column], *, synthetic: bool) -> Iterable[tuple[str, str]]:
    for column in columns:
        for fault, reason in faults_of(column):
            yield fault, f"{column.element}:{reason}"
    yield mbi_fault(synthetic=synthetic), "BENE_MBI_ID:not_an_mbi"
    names = {column.name: column.element for column in columns}
    for name in _diagnosis_columns(file):
        wrong = f"NOT regexp_full_match({name}, '{DIAGNOSIS}')"
        yield f"coalesce(code_system, '') <> '{ICD_9}' AND {wrong}", f"{names[name]}:not_a_diagnosis_code"
    for who in ("prescriber", "pharmacy"):
        if who in names:
            wrong = f"NOT regexp_full_match({who}, '[0-9]{{10}}')"
            yield f"{who}_qualifier = '{NPI_QUALIFIER}' AND {wrong}", f"{names[who]}:not_an_npi"
    for first, last in _PERIODS:
        if last in names:
            yield f"{last} < {first}", f"{names[last]}:ends_before_it_begins"


def _diagnosis_columns(file: str) -> tuple[str, ...]:
    return {
        "CCLF1": ("principal_diagnosis", "admitting_diagnosis"),
        "CCLF4": ("code",),
        "CCLF5": (*PHYSICIAN_DIAGNOSES, "line_diagnosis"),
    }.get(file, ())
