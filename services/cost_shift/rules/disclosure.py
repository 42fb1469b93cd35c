"""What of a state's figures may be shown, so that nothing about ten people or claims can be read from it or worked out.

Sources: CMS cell-size policy as data use agreements state it (no cell of 1 to 10, 0 may be shown, no total from which a
suppressed cell can be recomputed); the threshold is a dated parameter (``policy/disclosure.toml``).

A number of claims is of enough people only if enough different ones had them: an increment is shown where the costs of so many people
changed it. Of one that few changed nothing is told, however many claims they had.

Figures of one payer and service month are told in *increments*: what was added to a cell since it was last shown. An increment
is shown alone; or together with those of other categories of the same entity and cohort, which are one *group* from then on
(complementary suppression); or it waits until it has grown. So everything that is ever shown is a sum of whole blocks of
increments, and nothing inside a block can be worked out from it, whatever is added or subtracted.

Two figures of a cell, group or total that were shown at different times differ by the threshold or not at all: what came
between them is no small number of claims either. Totals over entities, cohorts and categories are held to the same at every
revision, because people move. Numbers that are shown may be added up by anybody, and such a sum may be small by chance.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import NamedTuple


class Figure(NamedTuple):
    """Amounts of one cell, or what is added to them."""

    cents: int = 0
    claims: int = 0
    crossover_cents: int = 0
    crossover_claims: int = 0

    def plus(self, other: "Figure") -> "Figure":
        """Both together."""
        return Figure(*(one + another for one, another in zip(self, other, strict=True)))

    def crossover(self) -> "Figure":
        """The crossover part alone."""
        return Figure(self.crossover_cents, self.crossover_claims)

    def rest(self) -> "Figure":
        """The part that is no crossover."""
        return Figure(self.cents - self.crossover_cents, self.claims - self.crossover_claims)


class Cell(NamedTuple):
    """A figure's place within one payer and month."""

    entity: str
    cohort: str
    category: str


Timeline = Sequence[tuple[int, Figure]]  # revision and what was shown from it on, in order


class Claimants(NamedTuple):
    """Whose costs changed a figure since it was shown, by part. More than enough need not be named."""

    crossover: frozenset[str] = frozenset()
    rest: frozenset[str] = frozenset()

    def all(self) -> frozenset[str]:
        """Of both parts."""
        return self.crossover | self.rest


@dataclass(frozen=True, slots=True)
class Standing:
    """What has been shown of one payer and month. ``groups``: the name of a cell's group, where it has one.

    ``claimants``: whose costs changed what waits; ``None`` where figures are numbers of people themselves.
    """

    shown: Mapping[Cell, Timeline] = field(default_factory=dict)
    groups: Mapping[Cell, str] = field(default_factory=dict)
    split_hidden: frozenset[Cell] = frozenset()
    claimants: Mapping[Cell, Claimants] | None = None

    def claimants_of(self, cells: Iterable[Cell]) -> int | None:
        """How many different people changed any of some cells; ``None`` where that is no question."""
        if self.claimants is None:
            return None
        return len(frozenset[str]().union(*(self.claimants.get(cell, Claimants()).all() for cell in cells)))


@dataclass(frozen=True, slots=True)
class Release:
    """What is shown now besides: increments by cell, and the groups and hidden crossover parts from now on."""

    increments: Mapping[Cell, Figure]
    groups: Mapping[Cell, str]
    split_hidden: frozenset[Cell]


@dataclass(frozen=True, slots=True)
class _Block:
    """Increments that are shown together. ``group``: the name under which the cells stand from now on."""

    cells: frozenset[Cell]
    increment: Figure
    group: str | None


def total(figures: Iterable[Figure]) -> Figure:
    """The sum."""
    whole = Figure()
    for figure in figures:
        whole = whole.plus(figure)
    return whole


def far_enough(figure: Figure, before: Iterable[Figure], threshold: int) -> bool:
    """Whether a figure differs from all that were shown before, and from nothing, by the threshold or not at all."""
    return all(figure == earlier or abs(figure.claims - earlier.claims) >= threshold for earlier in (Figure(), *before))


def timeline(shown: Mapping[Cell, Timeline], cells: Iterable[Cell]) -> list[tuple[int, Figure]]:
    """What several cells came to together, at every revision that showed any of them."""
    steps = [(revision, cell, figure) for cell in cells for revision, figure in shown.get(cell, ())]
    latest: dict[Cell, Figure] = {}
    sums: dict[int, Figure] = {}
    for revision, cell, figure in sorted(steps):
        latest[cell] = figure
        sums[revision] = total(latest.values())
    return list(sums.items())


def release(
    standing: Standing,
    waiting: Mapping[Cell, Figure],
    people: Mapping[tuple[str, str], int],
    *,
    mature: bool,
    threshold: int,
) -> Release:
    """Decide what of the waiting increments of one payer and month is shown now.

    Args:
        standing: what has been shown.
        waiting: increments since.
        people: person-months of each entity and cohort in that month, as they are now.
        mature: whether so much time has passed that a small cell will stay small: only then is it put into a group.
        threshold: the smallest number that may be shown.
    """
    found: list[_Block] = []
    for node in sorted({cell[:2] for cell in waiting}):
        if people.get(node, 0) >= threshold:
            found += _node_blocks(standing, {c: v for c, v in waiting.items() if c[:2] == node}, mature, threshold)
    kept = _without_telling_totals(standing, found, threshold)
    groups = {**standing.groups, **{cell: block.group for block in kept for cell in block.cells if block.group}}
    increments = {cell: waiting[cell] for block in kept for cell in block.cells if cell in waiting}
    hidden = {
        cell
        for cell in increments
        if not _is_without_crossover(standing, waiting, cell)
        and (cell in groups or not _split_is_safe(standing, waiting, cell, threshold))
    }
    return Release(
        dict(sorted(increments.items())),
        groups,
        standing.split_hidden | hidden,
    )


def _node_blocks(
    standing: Standing,
    waiting: Mapping[Cell, Figure],
    mature: bool,  # noqa: FBT001 - as of release()
    threshold: int,
) -> list[_Block]:
    """Blocks of one entity and cohort: safe groups and cells as they are, small new cells together or with another."""
    members: dict[str, set[Cell]] = defaultdict(set)
    for cell in {*waiting, *(one for one in standing.groups if one[:2] in {c[:2] for c in waiting})}:
        members[standing.groups.get(cell, cell.category)].add(cell)
    safe, small = [], []
    for name, cells in sorted(members.items()):
        increment = total(waiting[cell] for cell in cells if cell in waiting)
        if increment == Figure():
            continue
        grouped = any(cell in standing.groups for cell in cells)
        block = _Block(frozenset(cells), increment, name if grouped else None)
        if _is_safe(standing, block, threshold):
            safe.append(block)
        elif not any(cell in standing.shown for cell in cells):
            small.append(block)
    return [*safe, *small] if not small else _with_small(standing, safe, small, threshold) if mature else safe


def _with_small(standing: Standing, safe: list[_Block], small: list[_Block], threshold: int) -> list[_Block]:
    """Hide small cells among themselves; where that is not enough, with the smallest of the others."""
    others = sorted(safe, key=lambda block: (abs(block.increment.claims), sorted(block.cells)))
    merged = _merge(small)
    while len(merged.cells) < 2 or not _is_safe(standing, merged, threshold):  # noqa: PLR2004 - one alone hides nothing
        if not others:
            return safe
        merged = _merge([merged, others.pop(0)])
    return [*others, merged]


def _merge(blocks: Sequence[_Block]) -> _Block:
    cells = frozenset(cell for block in blocks for cell in block.cells)
    names = sorted(block.group or min(cell.category for cell in block.cells) for block in blocks)
    return _Block(cells, total(block.increment for block in blocks), names[0])


def _is_safe(standing: Standing, block: _Block, threshold: int) -> bool:
    before = timeline(standing.shown, block.cells)
    now = block.increment.plus(before[-1][1] if before else Figure())
    claimants = standing.claimants_of(block.cells)
    if claimants is not None and claimants < threshold:
        return False
    return abs(block.increment.claims) >= threshold and far_enough(now, (figure for _, figure in before), threshold)


def _without_telling_totals(standing: Standing, blocks: list[_Block], threshold: int) -> list[_Block]:
    """Leave blocks waiting as long as a total that holds them would differ too little from what it was."""
    kept = list(blocks)
    while (telling := _telling(standing, kept, threshold)) is not None:
        kept = [block for block in kept if block.cells.isdisjoint(telling)]
    return kept


def _telling(standing: Standing, blocks: Sequence[_Block], threshold: int) -> frozenset[Cell] | None:
    """The cells of a total that would tell of a few claims; none where all are well."""
    added = {min(block.cells): block for block in blocks}
    touched = {cell for block in blocks for cell in block.cells}
    grouped = {*standing.groups, *(cell for block in blocks if block.group for cell in block.cells)}
    everything = sorted({*standing.shown, *touched})
    for kept in (names for count in range(3) for names in combinations(range(3), count)):
        for cells in _totals(everything, kept):
            if cells.isdisjoint(touched) or (2 in kept and cells & grouped):  # noqa: PLR2004 - the category
                continue
            before = timeline(standing.shown, cells)
            now = total([before[-1][1] if before else Figure(), *(b.increment for c, b in added.items() if c in cells)])
            if not far_enough(now, (figure for _, figure in before), threshold):
                return cells
    return None


def _totals(cells: Iterable[Cell], kept: tuple[int, ...]) -> list[frozenset[Cell]]:
    """Cells that are added up where only some of the dimensions stay."""
    found: dict[tuple[str, ...], set[Cell]] = defaultdict(set)
    for cell in cells:
        found[tuple(cell[dimension] for dimension in kept)].add(cell)
    return [frozenset(one) for _, one in sorted(found.items())]


def _is_without_crossover(standing: Standing, waiting: Mapping[Cell, Figure], cell: Cell) -> bool:
    """Whether it is, and always was, 0: that may be shown."""
    figures = (waiting[cell], *(figure for _, figure in standing.shown.get(cell, ())))
    return all(figure.crossover() == Figure() for figure in figures)


def _split_is_safe(standing: Standing, waiting: Mapping[Cell, Figure], cell: Cell, threshold: int) -> bool:
    before = [figure for _, figure in standing.shown.get(cell, ())]
    now = total([*before[-1:], waiting[cell]])
    if standing.claimants is not None:
        who = standing.claimants.get(cell, Claimants())
        changed = ((waiting[cell].crossover(), who.crossover), (waiting[cell].rest(), who.rest))
        if any(part != Figure() and len(people) < threshold for part, people in changed):
            return False
    return all(
        far_enough(part(now), [part(figure) for figure in before], threshold)
        for part in (Figure.crossover, Figure.rest)
    )  # fmt: skip
