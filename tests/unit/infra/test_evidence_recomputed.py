"""What a folder of evidence says of chance comes out of its files alone: every draw of the bootstrap as a regression of its own.

Follows the recipe of the folder's README and shares nothing with the service but the numbers in the files.
"""

import csv
import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from test_evidence_folder import evidence_of

from infra.bench.study_worlds import StudyWorld
from infra.command.evidence_folder import write_evidence

Numbers = npt.NDArray[np.float64]
WEBB = (-np.sqrt(1.5), -1.0, -np.sqrt(0.5), np.sqrt(0.5), 1.0, np.sqrt(1.5))
# Six-point draws below twelve counties, two-point draws from there on; with an effect and without.
WORLDS = {
    "webb": StudyWorld(5, counties=6, people=25, months=18, effects=(-12_000.0, 9_000.0)),
    "rademacher": StudyWorld(6, counties=12, people=15, months=18),
    "nothing planted": StudyWorld(7, counties=5, people=20, months=18, effects=(0.0, 0.0)),
}


def _index(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:])


def _dummies(values: list[Any]) -> Numbers:
    return np.array([[float(value == one) for one in sorted(set(values))] for value in values])


@dataclass
class Folder:
    """The files, read once."""

    path: Path

    @cached_property
    def cells(self) -> list[dict[str, str]]:
        with (self.path / "cells.csv").open(encoding="utf-8") as file:
            return list(csv.DictReader(file))

    @cached_property
    def versions(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.path / "versions.json").read_text(encoding="utf-8"))
        return found

    @cached_property
    def shown(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.path / "signal.json").read_text(encoding="utf-8"))["evidence"]
        return found

    def numbers(self, column: str) -> Numbers:
        return np.array([float(row[column] or 1) for row in self.cells])

    @cached_property
    def people(self) -> Numbers:
        return self.numbers("person_months")

    @cached_property
    def county(self) -> Numbers:
        return _dummies([row["county_fips"] for row in self.cells])

    def outcome(self, payer: str) -> Numbers:
        """Step 1."""
        names = [name.removesuffix(".cents") for name in self.cells[0] if name.endswith(".cents")]
        whole = [
            self.numbers(f"{name}.cents") / self.numbers(f"{name}.share") for name in names if name.startswith(payer)
        ]
        return np.sum(whole, axis=0) / self.people

    def _covariate(self, name: str) -> Numbers:
        total, known = ("thousandths", "scored") if name == "risk_score" else (name, "with_baseline")
        sums, told = self.numbers(total), self.numbers(known)
        filled = (sums + (self.people - told) * sums.sum() / told.sum()) / self.people
        return filled / 1000 if name == "risk_score" else filled

    @cached_property
    def regressors(self) -> tuple[Numbers, Numbers]:
        """Steps 2 to 5: what carries the average effect, and all that is held constant beside it."""
        readme = (self.path / "README.md").read_text(encoding="utf-8")
        length = int(re.findall(r"of (\d+)-month periods", readme)[0])
        behind = [
            (row["start"], (_index(row["month"]) - _index(row["start"])) // length)
            if row["start"] and row["month"] >= row["start"] else None
            for row in self.cells
        ]  # fmt: skip
        events = sorted({event for event in behind if event})
        by_event = np.array([[float(event == one) for one in events] for event in behind])
        share = self.people @ by_event
        # With b the average: the last event's effect is what makes it so, and each other's stands by itself.
        rest = by_event[:, :-1] - np.outer(by_event[:, -1], share[:-1] / share[-1])
        units = _dummies([(row["county_fips"], row["start"]) for row in self.cells])
        months = _dummies([row["month"] for row in self.cells])[:, 1:]
        covariates = [self._covariate(name) for name in self.versions["covariates"]]
        held = np.column_stack([rest, units, months, *(one / one.std() for one in covariates)])
        return by_event[:, -1] * share.sum() / share[-1], held

    @cached_property
    def basis(self) -> Numbers:
        """Of all that is held constant, whatever its rank."""
        columns, kept, _ = np.linalg.svd(np.sqrt(self.people)[:, None] * self.regressors[1], full_matrices=False)
        spanned: Numbers = columns[:, kept > kept[0] * 1e-10]
        return spanned


@dataclass
class Regressed:
    """One outcome against the average effect, by weighted least squares."""

    folder: Folder
    payer: str
    with_so_much_of_the_other: float = 0.0

    @cached_property
    def _freed(self) -> tuple[Numbers, Numbers, Numbers]:
        root, basis = np.sqrt(self.folder.people), self.folder.basis
        regressor, _ = self.folder.regressors
        outcome = self.outcome
        return *(values - basis @ (basis.T @ values) for values in (root * regressor, root * outcome)), basis

    @property
    def outcome(self) -> Numbers:
        """Of a payer, of both, or of one and a multiple of the other."""
        medicare, medicaid = self.folder.outcome("medicare"), self.folder.outcome("medicaid")
        if self.payer == "net":
            return medicare + medicaid
        own, other = (medicare, medicaid) if self.payer == "medicare" else (medicaid, medicare)
        return own + self.with_so_much_of_the_other * other

    @cached_property
    def factor(self) -> float:
        cells, counties = self.folder.county.shape
        absorbed = self._freed[2].shape[1] + 1
        return counties / (counties - 1) * (cells - 1) / (cells - absorbed)

    def estimated(self, outcomes: Numbers) -> tuple[Numbers, Numbers]:
        """Effects and standard errors of outcomes that are freed of all else already (cells x any number)."""
        own = self._freed[0]
        effects = own @ outcomes / (own @ own)
        left = outcomes - np.outer(own, effects)
        scores = self.folder.county.T @ (own[:, None] * left)
        return effects, np.sqrt(self.factor * (scores**2).sum(axis=0)) / (own @ own)

    @cached_property
    def effect(self) -> tuple[float, float]:
        effects, errors = self.estimated(self._freed[1][:, None])
        return float(effects[0]), float(errors[0])

    @cached_property
    def weights(self) -> Numbers:
        """Step 6: by cell and draw."""
        versions, counties = self.folder.versions, self.folder.county.shape[1]
        values = WEBB if counties < 12 else (-1.0, 1.0)
        random = np.random.default_rng(versions["bootstrap_seed"])
        drawn: Numbers = self.folder.county @ random.choice(values, size=(counties, versions["bootstrap_draws"]))
        return drawn

    def drawn(self, null: float) -> Numbers:
        """The statistics of drawn outcomes in which the effect is ``null``."""
        own, outcome, basis = self._freed
        left = outcome - null * own
        drawn = left[:, None] * self.weights
        effects, errors = self.estimated(drawn - basis @ (basis.T @ drawn))
        return effects / errors

    def moved(self) -> Numbers:
        """Step 10."""
        own, outcome, _ = self._freed
        effect = self.effect[0]
        left = own * (outcome - effect * own)
        moved: Numbers = effect + np.sqrt(self.factor) * (left @ self.weights) / (own @ own)
        return moved

    def p_value(self, null: float = 0.0) -> float:
        effect, error = self.effect
        larger = np.abs(self.drawn(null)) >= abs((effect - null) / error) - 1e-12
        return float((1 + larger.sum()) / (1 + len(larger)))


@pytest.fixture(scope="module", params=WORLDS.values(), ids=WORLDS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    to: Path = tmp_path_factory.mktemp("evidence") / "D9001"
    write_evidence(evidence_of(request.param.study()), to)
    return Folder(to)


@pytest.mark.parametrize("payer", ["medicare", "medicaid", "net"])
def test_effect_error_and_p_value(folder: Folder, payer: str) -> None:
    found, shown = Regressed(folder, payer), folder.shown[payer]
    assert found.effect == (
        pytest.approx(shown["effect_cents"], abs=0.01), pytest.approx(shown["standard_error_cents"], abs=0.01)
    )  # fmt: skip
    assert found.p_value() == pytest.approx(shown["p_value"], abs=5e-5)


@pytest.mark.parametrize("payer", ["medicare", "medicaid", "net"])
def test_an_interval_is_all_values_that_are_not_rejected(folder: Folder, payer: str) -> None:
    found, shown = Regressed(folder, payer), folder.shown[payer]
    level, lower, upper = folder.versions["confidence_level"], shown["lower_cents"], shown["upper_cents"]
    # The limits are shown to a hundredth of a cent, and one draw may turn within it.
    assert found.p_value(lower - 0.05) <= 1 - level < found.p_value(lower + 0.05)
    assert found.p_value(upper + 0.05) <= 1 - level < found.p_value(upper - 0.05)
    assert all(found.p_value(null) > 1 - level for null in np.linspace(lower + 1, upper - 1, 3))


@pytest.mark.parametrize("payer", ["medicare", "medicaid", "net"])
def test_the_detectable_effect_is_that_of_the_draws(folder: Folder, payer: str) -> None:
    found = Regressed(folder, payer)
    critical = np.quantile(np.abs(found.drawn(0.0)), folder.versions["confidence_level"])
    detectable = (critical + NormalDist().inv_cdf(folder.versions["power"])) * found.effect[1]
    assert detectable == pytest.approx(folder.shown[payer]["detectable_cents"], abs=0.02)


def test_the_ratio_of_both_and_its_limits(folder: Folder) -> None:
    medicare, medicaid = (Regressed(folder, payer).effect[0] for payer in ("medicare", "medicaid"))
    fallen, other = ("medicare", "medicaid") if medicare < 0 else ("medicaid", "medicare")
    level, shown = folder.versions["confidence_level"], folder.shown
    ratio = -medicaid / medicare if medicare < 0 else -medicare / medicaid if medicaid < 0 else None
    assert shown["offset_ratio"] == (ratio and pytest.approx(ratio, abs=1e-4))
    if shown["offset_lower"] is None:
        assert ratio is None or Regressed(folder, fallen).p_value() > 1 - level
        return
    assert Regressed(folder, fallen).p_value() <= 1 - level

    def chance(of: float) -> float:
        return Regressed(folder, other, of).p_value()

    lower, upper = shown["offset_lower"], shown["offset_upper"]
    assert chance(lower - 1e-3) <= 1 - level < chance(lower + 1e-3)
    assert chance(upper + 1e-3) <= 1 - level < chance(upper - 1e-3)


def test_the_probability_of_opposite_signs(folder: Folder) -> None:
    found = [Regressed(folder, payer) for payer in ("medicare", "medicaid")]
    signs = [np.sign(one.effect[0]) for one in found]
    kept = np.all([np.sign(one.moved()) == sign for one, sign in zip(found, signs, strict=True)], axis=0)
    expected = float(kept.mean()) if signs[0] * signs[1] < 0 else 0.0
    assert folder.shown["probability_of_opposite_signs"] == pytest.approx(expected, abs=1e-4)


def test_other_draws_give_other_statistics(folder: Folder) -> None:
    found, other = Regressed(folder, "net"), Regressed(folder, "net")
    other.weights = -found.weights[:, ::-1]
    assert other.drawn(0.0) != pytest.approx(found.drawn(0.0))
