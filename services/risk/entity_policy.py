"""The parameters of an entity's score, read once from ``policy/entity_score.toml``."""

import tomllib
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal, get_args

from services.risk.hcc_tables import AnyModel
from services.risk.rules.entity_score import ChainPolicy

Population = Literal["aged_and_disabled", "esrd"]
POPULATIONS: Final[tuple[Population, ...]] = get_args(Population)
_ESRD_SHARES: Final[dict[AnyModel, int]] = {"ESRD_V24": 100}


@cache
def entity_policy_entries() -> dict[str, dict[str, Any]]:
    """Read each parameter with its source and status, as the gateway shows it."""
    return tomllib.loads(files("services.risk.policy").joinpath("entity_score.toml").read_text(encoding="utf-8"))


def _value(name: str) -> Any:  # noqa: ANN401 - of each parameter its own
    return entity_policy_entries()[name]["value"]


def chain_policy(population: Population, year: int) -> ChainPolicy:
    """Read the parameters of a population and performance year."""
    shares = _ESRD_SHARES if population == "esrd" else _value("model_shares").get(str(year), {})
    factors = {
        model: Decimal(years[str(year)])
        for model, years in _value("normalisation_factors").items()
        if str(year) in years
    }
    intensity = _value("coding_intensity_factors").get(str(year))
    return ChainPolicy(
        shares,
        factors,
        Decimal(_value("growth_cap_percent")),
        None if intensity is None else Decimal(intensity),
    )


def reference_year(year: int) -> int:
    """Name the year against which growth is capped."""
    back: int = _value("reference_years_back")
    return year - back


def stated_reference(entity_id: str, population: Population) -> Decimal | None:
    """Read the reference score that CMS stated, if it is known."""
    stated = _value("reference_scores").get(entity_id, {}).get(population)
    return None if stated is None else Decimal(stated)
