"""A folder of evidence says enough: estimates and errors come out of its files alone, with statsmodels."""

import csv
import hashlib
import json
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import statsmodels.api as sm

from contracts.months import month_index
from infra.bench.signal_recovery import signal_of
from infra.bench.study_worlds import SERIES, StudyWorld
from infra.command.evidence_figures import Line, line_figure
from infra.command.evidence_folder import write_evidence
from services.cost_shift.evidence import EvidenceAnswer, cells_shown
from services.cost_shift.signal_answers import StudyShown
from services.cost_shift.studying import Study

STUDY = StudyWorld(5, counties=8, people=25, months=24).study()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    to: Path = tmp_path_factory.mktemp("evidence") / "D9001"
    write_evidence(evidence_of(), to)
    return to


def evidence_of(of: Study = STUDY, *, as_kept: bool = True) -> EvidenceAnswer:
    shown = StudyShown(
        entity_id="D9001", revision=1, states=["OH"], first_month=of.months[0], baseline_last=of.baseline_last,
        last_month=of.months[-1], months_left_out=[], confidence_level=0.95, policy={}, cells_digest=of.cells.digest(),
    )  # fmt: skip
    return EvidenceAnswer(
        signal=signal_of(of), study=shown, series=list(SERIES),
        cells=cells_shown(of, list(SERIES)),
        covariates=[name for name, _ in of.covariate_columns], bootstrap_draws=999,
        bootstrap_seed=of.estimating.bootstrap_seed, power=of.estimating.power, months_a_group=3, as_kept=as_kept,
    )  # fmt: skip


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _covariate(rows: list[dict[str, str]], total: str, known: str) -> Any:
    sums = np.array([float(row[total]) for row in rows])
    told = np.array([float(row[known]) for row in rows])
    people = np.array([float(row["person_months"]) for row in rows])
    return (sums + (people - told) * sums.sum() / told.sum()) / people


def _recomputed(rows: list[dict[str, str]], series: str) -> tuple[float, float]:
    """Steps 1 to 5 of the folder's README."""
    people = np.array([float(row["person_months"]) for row in rows])
    cost = [float(row[f"{series}.cents"]) / float(row[f"{series}.share"] or 1) for row in rows]
    periods = [(month_index(row["month"]) - month_index(row["start"])) // 3 if row["start"] else -1 for row in rows]
    events = sorted({(row["start"], period) for row, period in zip(rows, periods, strict=True) if period >= 0})
    effects = [
        [float((row["start"], period) == event) for event in events] for row, period in zip(rows, periods, strict=True)
    ]
    units = sorted({(row["county_fips"], row["start"]) for row in rows})
    months = sorted({row["month"] for row in rows})
    dummies = [
        [float((row["county_fips"], row["start"]) == unit) for unit in units]
        + [float(row["month"] == month) for month in months[1:]]
        for row in rows
    ]
    covariates = np.column_stack(
        [
            _covariate(rows, "baseline_medicare", "with_baseline"),
            _covariate(rows, "baseline_medicaid", "with_baseline"),
            _covariate(rows, "thousandths", "scored") / 1000,
        ]
    )
    counties = sorted({row["county_fips"] for row in rows})
    clusters = np.array([counties.index(row["county_fips"]) for row in rows])
    scaled = covariates / covariates.std(axis=0)
    fit = sm.WLS(np.array(cost) / people, np.column_stack([effects, dummies, scaled]), weights=people).fit(
        cov_type="cluster", cov_kwds={"groups": clusters}
    )
    shares = people @ np.array(effects)
    combination = np.concatenate([shares / shares.sum(), np.zeros(len(fit.params) - len(events))])
    test = fit.t_test(combination)
    return float(test.effect[0]), float(test.sd[0, 0])


@pytest.mark.parametrize(("payer", "series"), [(one[0], f"{one[0]}.{one[1]}") for one in SERIES])
def test_the_estimate_comes_out_of_the_folder_alone(folder: Path, payer: str, series: str) -> None:
    effect, error = _recomputed(_rows(folder / "cells.csv"), series)
    shown = next(row for row in _rows(folder / "effects.csv") if row["series"] == payer)
    assert effect == pytest.approx(float(shown["effect_cents"]), abs=0.01)
    assert error == pytest.approx(float(shown["standard_error_cents"]), abs=0.01)
    assert json.loads((folder / "versions.json").read_text())["covariates"] == [
        "baseline_medicare", "baseline_medicaid", "risk_score",
    ]  # fmt: skip


def test_another_cent_gives_another_estimate(folder: Path) -> None:
    rows = _rows(folder / "cells.csv")
    series = ".".join(SERIES[0])
    before = _recomputed(rows, series)
    treated = next(row for row in rows if row["start"] and row["month"] >= row["start"])
    treated[f"{series}.cents"] = str(int(treated[f"{series}.cents"]) + 10_000_000)
    assert _recomputed(rows, series) != pytest.approx(before, abs=0.01)


def test_every_file_has_its_checksum(folder: Path) -> None:
    lines = (folder / "SHA256SUMS").read_text().splitlines()
    named = {line.split("  ")[1]: line.split("  ")[0] for line in lines}
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    assert named.keys() == files.keys() - {"SHA256SUMS"}
    assert all(hashlib.sha256(files[name].read_bytes()).hexdigest() == told for name, told in named.items())


def test_the_readme_says_what_it_is_and_how_to_check_it(folder: Path) -> None:
    said = (folder / "README.md").read_text()
    assert said.startswith("# D9001.early_discharge_to_nursing_facility.1: notify")
    assert "no saving against a benchmark" in said
    assert "are those of which the signal was worked out" in said
    assert all(f"`{path.name}`" in said for path in folder.iterdir() if path.suffix in {".csv", ".json"})


def test_cells_that_are_not_those_of_then_are_said(tmp_path: Path) -> None:
    write_evidence(evidence_of(as_kept=False), tmp_path / "new")
    assert "are NOT those" in (tmp_path / "new" / "README.md").read_text()
    with pytest.raises(FileExistsError):
        write_evidence(evidence_of(), tmp_path / "new")


@pytest.mark.parametrize("name", ["periods", "medicare", "medicaid"])
def test_figures_are_pictures_with_their_title(folder: Path, name: str) -> None:
    root = ET.fromstring((folder / "figures" / f"{name}.svg").read_text())  # noqa: S314 - our own file
    space = "{http://www.w3.org/2000/svg}"
    assert root.findtext(f"{space}title")
    assert len(root.findall(f"{space}circle")) >= 10


def test_larger_values_stand_higher_and_later_places_further_right() -> None:
    drawn = line_figure("a < b", ["x", "y", "z"], [Line("&", {0: -5.0, 1: 0.0, 2: 20.0})], 1, "dollars")
    root = ET.fromstring(drawn)  # noqa: S314 - our own text
    circles = root.findall("{http://www.w3.org/2000/svg}circle")
    across, up = ([float(circle.get(axis, "")) for circle in circles] for axis in ("cx", "cy"))
    assert all(before < after for before, after in pairwise(across))
    assert all(before > after for before, after in pairwise(up))
    assert line_figure("nothing", [], [], None, "dollars").count("<path") == 1
