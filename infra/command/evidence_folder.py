"""Writes what a signal rests on into a folder that a statistician can check without this system."""

import csv
import hashlib
import json
import platform
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final

from contracts.months import add_months
from infra.command.evidence_figures import Line, line_figure
from services.cost_shift.evidence import EvidenceAnswer, EvidenceCell
from services.cost_shift.signal_answers import PairEvidence
from services.cost_shift.study_cells import TRAITS

CELLS: Final = "cells.csv"
_RECIPE: Final = """# {signal_id}: {level}

{statement}

{caveats}

## What is here

| file | what it holds |
|---|---|
| `signal.json` | the signal as it was published with revision {revision}, with both effects and their intervals |
| `study.json` | whose months were studied, what was left out, the tests of composition, and the policy in force |
| `cells.csv` | every cell: county, group, month, person-months, traits, and for each series `cents` as received and `share` come in |
| `effects.csv` | the estimates, in cents a person and month |
| `periods.csv` | effects of each quarter since the entry against the last before it |
| `figures/` | the same as pictures |
| `versions.json` | what computed it |
| `SHA256SUMS` | checksums of all of these: `sha256sum -c SHA256SUMS` |

The cells {as_kept}.

## How to work it out again

1. **Outcome** of a cell: `cents / share / person_months`, `share` taken as 1 where it is empty. A series of all services is the sum of its payer's.
2. **Weight** of a cell: its `person_months`. **Unit**: `county_fips` and `start`. **Cluster**: `county_fips`.
3. **Treated** is a cell whose `start` is not empty and whose `month` is not before it. Its **event** is its `start` together with the whole number
   of {months_a_group}-month periods since then.
4. Regress the outcome by weighted least squares on: a dummy for every unit, a dummy for every month, a dummy for every event, and
   the covariates: {covariates}. A covariate of a cell is its sum over those of whom it is known, and the mean over all
   cells for the others, divided by `person_months`: `baseline_medicare` and `baseline_medicaid` are known of `with_baseline`,
   `risk_score` is `thousandths` / 1000, known of `scored`.
5. The **effect** is the average of the coefficients of the events, each weighted by its share of treated person-months. Its **standard error** is
   clustered by county, with the factor G / (G - 1) x (N - 1) / (N - K).
6. **p-value and interval**: the wild cluster bootstrap with the null imposed. Draws: `numpy.random.default_rng({seed}).choice(values, size=(counties,
   {draws}))`, counties in ascending order, values -1 and 1; below twelve counties the six points of Webb in ascending order: -sqrt(3/2), -1, -sqrt(1/2) and
   the same above zero. For an effect of r: take the residuals of the regression in which the average effect is held at r, multiply each by its county's value,
   and regress them as in 4 and 5. The draw's statistic is its effect over its standard error; that of the data (effect - r) over its own. The p-value of r is
   (1 + draws whose statistic is at least as large, whatever the sign) / (1 + draws). An interval is all r whose p-value is above 1 - `confidence_level`.
7. Both payers are estimated from the same cells and draws. {method}
8. **Detectable effect**: the `confidence_level` quantile of the statistics without their sign, for r = 0, plus the normal quantile of `power`, in standard errors.
9. **Offset ratio**, where one payer's effect is negative: the other's effect over it, with the sign turned. Its interval is all q for which the outcome "the
   other's plus q times its" has a p-value above 1 - `confidence_level` for an effect of 0; none where its own p-value for 0 is above that.
10. **Opposite signs**: the share of draws in which both effects keep their signs, where they are opposite. An effect of a draw is the effect plus, summed over
   counties, the county's value x the square root of the factor in 5 x its part of the effect's error: what its residuals of 4 add to the estimate.
"""


def write_evidence(found: EvidenceAnswer, folder: Path) -> list[Path]:
    """Write the folder, which must not hold anything yet; the files in the order of their names.

    Raises:
        FileExistsError: something is there already.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(folder)
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(_recipe(found), encoding="utf-8")
    (folder / "signal.json").write_text(found.signal.model_dump_json(indent=1), encoding="utf-8")
    (folder / "study.json").write_text(found.study.model_dump_json(indent=1), encoding="utf-8")
    (folder / "versions.json").write_text(json.dumps(_versions(found), indent=1), encoding="utf-8")
    _write_rows(folder / CELLS, _cell_rows(found))
    if found.signal.evidence is not None:
        _write_rows(folder / "effects.csv", _effect_rows(found.signal.evidence))
        _write_rows(folder / "periods.csv", _period_rows(found.signal.evidence))
        (folder / "figures" / "periods.svg").write_text(_periods_figure(found.signal.evidence), encoding="utf-8")
    for payer in ("medicare", "medicaid"):
        (folder / "figures" / f"{payer}.svg").write_text(_months_figure(found, payer), encoding="utf-8")
    return _sums(folder)


def _recipe(found: EvidenceAnswer) -> str:
    return _RECIPE.format(
        signal_id=found.signal.signal_id,
        level=found.signal.level,
        statement=found.signal.statement,
        caveats="\n".join(f"- {caveat}" for caveat in found.signal.caveats),
        revision=found.signal.revision,
        as_kept="are those of which the signal was worked out"
        if found.as_kept
        else "are NOT those of which the signal was worked out: a fact of that time became known behind its cut",
        months_a_group=found.months_a_group,
        covariates=", ".join(f"`{name}`" for name in found.covariates) or "none",
        seed=found.bootstrap_seed,
        draws=found.bootstrap_draws,
        method=found.method,
    )


def _versions(found: EvidenceAnswer) -> dict[str, object]:
    return {
        "tandem": version("tandem"),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "policy": found.study.policy,
        "confidence_level": found.study.confidence_level,
        "bootstrap_draws": found.bootstrap_draws,
        "bootstrap_seed": found.bootstrap_seed,
        "power": found.power,
        "covariates": found.covariates,
        "cells_digest": found.study.cells_digest,
        "as_kept": found.as_kept,
    }


def _write_rows(path: Path, rows: Iterator[list[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def _cell_rows(found: EvidenceAnswer) -> Iterator[list[object]]:
    named = [f"{payer}.{category}" for payer, category in found.series]
    columns = [f"{name}.{what}" for name in named for what in ("cents", "share")]
    yield ["county_fips", "start", "month", "person_months", *TRAITS, *columns]
    for cell in found.cells:
        costs = [value for pair in zip(cell.cents, cell.shares, strict=True) for value in pair]
        traits = [repr(cell.traits[name]) for name in TRAITS]
        yield [cell.county_fips, cell.start or "", cell.month, cell.person_months, *traits, *costs]


def _effect_rows(found: PairEvidence) -> Iterator[list[object]]:
    names = list(type(found.medicare).model_fields)
    yield ["series", *names]
    for series in ("medicare", "medicaid", "net"):
        shown = getattr(found, series)
        yield [series, *(getattr(shown, name) for name in names)]


def _period_rows(found: PairEvidence) -> Iterator[list[object]]:
    yield ["period", "medicare_cents", "medicaid_cents"]
    for one in found.periods:
        yield [one.period, one.medicare_cents, one.medicaid_cents]


def _periods_figure(found: PairEvidence) -> str:
    numbers = sorted({-1, *(one.period for one in found.periods)})
    place = {number: at for at, number in enumerate(numbers)}
    lines = [
        Line("Medicare", {place[-1]: 0.0} | {place[one.period]: one.medicare_cents / 100 for one in found.periods}),
        Line("Medicaid", {place[-1]: 0.0} | {place[one.period]: one.medicaid_cents / 100 for one in found.periods}),
    ]
    title = "Effect by quarter since the entry, against the last quarter before"
    return line_figure(title, [f"{number:+d}" for number in numbers], lines, place.get(0), "dollars a person and month")


def _months_figure(found: EvidenceAnswer, payer: str) -> str:
    months = sorted({cell.month for cell in found.cells})
    lines = []
    for name, aligned in (("aligned", True), ("comparison", False)):
        cents: dict[str, float] = defaultdict(float)
        people: dict[str, int] = defaultdict(int)
        for cell in found.cells:
            if (cell.start is not None) is aligned:
                people[cell.month] += cell.person_months
                cents[cell.month] += _completed(found, cell, payer)
        lines.append(Line(name, {months.index(month): cents[month] / people[month] / 100 for month in people}))
    since = add_months(found.study.baseline_last, 1)
    marked = months.index(since) if since in months else None
    return line_figure(f"{payer.capitalize()}, completed", months, lines, marked, "dollars a person and month")


def _completed(found: EvidenceAnswer, cell: EvidenceCell, payer: str) -> float:
    return sum(
        cents / (share or 1.0)
        for (of, _), cents, share in zip(found.series, cell.cents, cell.shares, strict=True)
        if of == payer
    )


def _sums(folder: Path) -> list[Path]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}" for path in files
    ]
    (folder / "SHA256SUMS").write_text("\n".join([*lines, ""]), encoding="utf-8")
    return [*files, folder / "SHA256SUMS"]
