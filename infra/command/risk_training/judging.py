"""How good a prediction is, and for whom: discrimination, calibration, and both by group. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from infra.command.risk_training.history import History

_TENTHS: Final = 10
# Tiers 4 and 3: whom there is room to look after closely.
FLAGGED_SHARE: Final = 0.20
_CHARACTERISTICS: Final = ("age", "sex", "race", "dual status", "residence")


@dataclass(frozen=True, slots=True)
class Judged:
    """Measures of one prediction. ``c_statistic``: how often who had the event was given more than who had not."""

    people: int
    events: int
    mean_predicted: float
    c_statistic: float
    brier: float
    # Share of all events that befell the people with the highest fifth of predictions.
    captured: float
    # Observed events for each expected one.
    observed_to_expected: float


@dataclass(frozen=True, slots=True)
class Tenth:
    """A tenth of people, by rising prediction: predicted and observed share with the event."""

    people: int
    predicted: float
    observed: float


@dataclass(frozen=True, slots=True)
class Group:
    """One group of one characteristic, and how the prediction does for it."""

    characteristic: str
    name: str
    judged: Judged
    # Share of the group that is among the highest fifth of everybody.
    flagged: float
    # Of those of the group who had the event, the share that was among them.
    flagged_of_events: float


def c_statistic(predicted: Sequence[float], observed: Sequence[bool]) -> float:
    """Compute the area under the curve by ranks; ties count half. 0.5 where everybody or nobody had the event."""
    events = sum(observed)
    others = len(observed) - events
    if not events or not others:
        return 0.5
    ordered = sorted(range(len(predicted)), key=lambda place: predicted[place])
    rank_sum, below = 0.0, 0
    for _, tied in groupby(ordered, key=lambda place: predicted[place]):
        places = list(tied)
        rank = below + (len(places) + 1) / 2
        rank_sum += rank * sum(observed[place] for place in places)
        below += len(places)
    return (rank_sum - events * (events + 1) / 2) / (events * others)


def flagged(predicted: Sequence[float]) -> list[bool]:
    """Say who is among the highest fifth; of equal ones the first."""
    most = round(len(predicted) * FLAGGED_SHARE)
    chosen = set(sorted(range(len(predicted)), key=lambda place: (-predicted[place], place))[:most])
    return [place in chosen for place in range(len(predicted))]


def judge(predicted: Sequence[float], observed: Sequence[bool], chosen: Sequence[bool] | None = None) -> Judged:
    """Measure one prediction of people."""
    events, expected = sum(observed), sum(predicted)
    among = flagged(predicted) if chosen is None else chosen
    return Judged(
        len(predicted),
        events,
        expected / len(predicted),
        c_statistic(predicted, observed),
        sum((one - had) ** 2 for one, had in zip(predicted, observed, strict=True)) / len(predicted),
        sum(had and is_in for had, is_in in zip(observed, among, strict=True)) / events if events else 0.0,
        events / expected if expected else 0.0,
    )


def tenths(predicted: Sequence[float], observed: Sequence[bool]) -> list[Tenth]:
    """Compare prediction and observation in tenths of people."""
    ordered = sorted(range(len(predicted)), key=lambda place: (predicted[place], place))
    found = []
    for tenth in range(_TENTHS):
        part = ordered[len(ordered) * tenth // _TENTHS : len(ordered) * (tenth + 1) // _TENTHS]
        if part:
            shares = (sum(values[place] for place in part) / len(part) for values in (predicted, observed))
            found.append(Tenth(len(part), *shares))
    return found


def by_group(histories: Sequence[History], predicted: Sequence[float]) -> list[Group]:
    """Judge each group of each characteristic with the fifth that is flagged of everybody."""
    among = flagged(predicted)
    found = []
    for characteristic in _CHARACTERISTICS:
        names = sorted({one.groups.get(characteristic, "unknown") for one in histories})
        found += [_group(characteristic, name, histories, predicted, among) for name in names]
    return found


def _group(
    characteristic: str, name: str, histories: Sequence[History], predicted: Sequence[float], among: Sequence[bool]
) -> Group:
    places = [place for place, one in enumerate(histories) if one.groups.get(characteristic, "unknown") == name]
    observed = [histories[place].avoidable for place in places]
    chosen = [among[place] for place in places]
    judged = judge([predicted[place] for place in places], observed, chosen)
    return Group(characteristic, name, judged, sum(chosen) / len(places), judged.captured)


Prediction = Callable[[History], float]
