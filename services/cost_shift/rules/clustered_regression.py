"""One coefficient for many outcomes at once, with unit and month effects absorbed and errors clustered by county.

Weighted least squares after Frisch and Waugh (1933) and Lovell (1963): the regressor and the outcomes are freed of unit
and month effects (and of other regressors), then one is set against the other. Since the regressor is the same for
every outcome, scores of one county for two payers belong together, which keeps their covariance. Cluster-robust
covariance with the usual factor for few clusters (Liang and Zeger 1986; Cameron and Miller 2015, section 2).
"""

from dataclasses import dataclass

import numpy as np

from services.cost_shift.rules.county_panel import Numbers, Panel

_NO_VARIATION = 1e-9  # of the regressor's own size


class NotIdentifiedError(ValueError):
    """Unit and month effects explain the regressor: nobody can tell its effect. The message is for people."""


@dataclass(frozen=True, slots=True, eq=False)
class Regression:
    """What the data say about the coefficient of each series, by cluster.

    ``scores`` (clusters x series) are the residualised regressor times the outcomes freed of all effects, summed within a
    cluster; ``own`` (clusters) is the regressor times itself. ``absorbed`` and ``outcome_absorbed`` are their products with the basis
    of the effects, by which a change in one county's outcomes moves the fit in all others.
    """

    scores: Numbers
    own: Numbers
    absorbed: Numbers
    outcome_absorbed: Numbers
    factor: float

    @property
    def clusters(self) -> int:
        """How many counties."""
        return len(self.own)

    def coefficients(self) -> Numbers:
        """One estimate for each series."""
        estimated: Numbers = self.scores.sum(axis=0) / self.own.sum()
        return estimated

    def residual_scores(self) -> Numbers:
        """Scores of what the estimates leave unexplained (clusters x series)."""
        left: Numbers = self.scores - np.outer(self.own, self.coefficients())
        return left

    def covariance(self) -> Numbers:
        """Of the estimates of all series, clustered by county."""
        left = self.residual_scores()
        together: Numbers = self.factor * (left.T @ left) / self.own.sum() ** 2
        return together


def effects_basis(panel: Panel) -> Numbers:
    """An orthonormal basis of unit and month effects, for whoever sets the same cells against several regressors."""
    return _orthonormal(np.sqrt(panel.weight)[:, None] * _dummies(panel))


def regression(
    panel: Panel, regressor: Numbers, others: Numbers | None = None, effects: Numbers | None = None
) -> Regression:
    """Set every series against ``regressor``; ``others`` (cells x any number) are held constant beside the effects.

    ``effects``: :func:`effects_basis` of the panel, where it is known already. Raises :class:`NotIdentifiedError` where the effects leave
    nothing of the regressor.
    """
    root = np.sqrt(panel.weight)
    basis = effects_basis(panel) if effects is None else effects
    if others is not None:
        basis = np.hstack([basis, _added(root[:, None] * others, basis)])
    freed = _freed(root * regressor, basis)
    _identified(freed, root * regressor)
    return _summed(panel, freed, _freed(root[:, None] * panel.outcomes, basis), basis)


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """What columns span beside the effects of a panel, for many regressions that each set one mixture of them against all others.

    ``directions`` (cells x any number) is an orthonormal basis of it, ``coordinates`` (directions x columns) the columns in it; of the
    outcomes ``along`` (directions x series) lies in it, ``outside`` (cells x series) neither in it nor in the effects.
    """

    panel: Panel
    effects: Numbers
    columns: Numbers
    directions: Numbers
    coordinates: Numbers
    along: Numbers
    outside: Numbers

    @classmethod
    def of(cls, panel: Panel, columns: Numbers, effects: Numbers) -> "Space":
        """``columns`` is cells x any number, ``effects`` the :func:`effects_basis` of the panel."""
        root = np.sqrt(panel.weight)
        freed = _without_traces(root[:, None] * columns, effects)
        directions = _orthonormal(freed)
        outcomes = _freed(root[:, None] * panel.outcomes, effects)
        along = directions.T @ outcomes
        outside = _freed(outcomes, directions)
        return cls(panel, effects, columns, directions, directions.T @ freed, along, outside)

    def regression(self, regressor: Numbers, others: Numbers) -> Regression:
        """As :func:`regression`, of the columns mixed by ``regressor`` (columns) and ``others`` (columns x any number)."""
        held = _orthonormal(self.coordinates @ others)
        own = _freed(self.coordinates @ regressor, held)
        freed = self.directions @ own
        _identified(freed, np.sqrt(self.panel.weight) * (self.columns @ regressor))
        outcomes = self.outside + self.directions @ _freed(self.along, held)
        return _summed(self.panel, freed, outcomes, self.effects, self.directions @ held)


def _identified(freed: Numbers, whole: Numbers) -> None:
    if freed @ freed <= _NO_VARIATION * max(1.0, float(np.sum(whole**2))):
        raise NotIdentifiedError("no county has people of both cohorts, or of both windows, to compare")


def _summed(panel: Panel, freed: Numbers, outcomes: Numbers, *bases: Numbers) -> Regression:
    """The sums by cluster; ``bases`` span what regressor and outcomes are free of."""
    inside = [np.flatnonzero(panel.cluster == cluster) for cluster in range(len(panel.counties))]
    absorbed = sum(basis.shape[1] for basis in bases) + 1
    return Regression(
        scores=np.stack([freed[cells] @ outcomes[cells] for cells in inside]),
        own=np.array([freed[cells] @ freed[cells] for cells in inside]),
        absorbed=np.stack([np.concatenate([freed[cells] @ basis[cells] for basis in bases]) for cells in inside]),
        outcome_absorbed=np.stack(
            [np.vstack([basis[cells].T @ outcomes[cells] for basis in bases]) for cells in inside]
        ),
        factor=_small_sample_factor(len(inside), len(freed), absorbed),
    )


def _small_sample_factor(clusters: int, cells: int, effects: int) -> float:
    if clusters < 2 or cells <= effects:  # noqa: PLR2004 - one county alone tells nothing of how counties differ
        raise NotIdentifiedError("too few counties or months to tell an effect from chance")
    return clusters / (clusters - 1) * (cells - 1) / (cells - effects)


def _added(columns: Numbers, basis: Numbers) -> Numbers:
    """What columns span beyond a basis; a column that lies in it adds nothing."""
    return _orthonormal(_without_traces(columns, basis))


def _without_traces(columns: Numbers, basis: Numbers) -> Numbers:
    """Columns freed of a basis; nothing of those that lie in it, where only rounding would be left."""
    freed = _freed(columns, basis)
    left, whole = (np.sqrt((one**2).sum(axis=0)) for one in (freed, columns))
    return np.where(left > _NO_VARIATION * np.maximum(1e-300, whole), freed, 0.0)


def _dummies(panel: Panel) -> Numbers:
    units = panel.unit[:, None] == np.arange(panel.unit.max() + 1)
    months = panel.month[:, None] == np.arange(1, len(panel.months))
    return np.hstack([units.astype(np.float64), months.astype(np.float64)])


def _orthonormal(columns: Numbers) -> Numbers:
    """A basis of the space that the columns span, whatever their rank."""
    if not columns.shape[1]:
        return columns
    length = np.sqrt((columns**2).sum(axis=0))
    scaled = columns / np.where(length > 0, length, 1.0)
    values, vectors = np.linalg.eigh(scaled.T @ scaled)
    kept = values > values[-1] * len(values) * np.finfo(np.float64).eps * 1e3
    basis: Numbers = scaled @ (vectors[:, kept] / np.sqrt(values[kept]))
    return basis


def _freed(outcomes: Numbers, basis: Numbers) -> Numbers:
    # Twice: what rounding left the first time is taken out the second.
    for _ in range(2):
        outcomes = outcomes - basis @ (basis.T @ outcomes)
    return outcomes
