"""What a signal says in plain words, with what has to be said beside it."""

from dataclasses import dataclass

from services.cost_shift.rules.signal_level import Lack, Level

BENCHMARK = (
    "This is an effect against comparison people. It is no saving against a benchmark: the two are different questions and can have "
    "opposite signs."
)
COMPLETION = (
    "Claims still to come are estimated from how earlier months filled up; that this can err is in no interval."
)
HEALTH = "Comparison people were not drawn by lot: what else happened to the aligned from then on is in the effect."
_LACKING: dict[Lack, str] = {
    "effect_not_estimated": "No effect can be estimated yet; the level rests on charts alone.",
    "same_signs": "Both payers' effects have the same sign: nothing was moved from one to the other.",
    "chance_not_excluded": "Chance is not excluded for both payers once all channels are counted.",
    "no_channel": "No single channel links all services of both payers: it is no finding of a shift.",
    "people_changed": "The people behind the figures changed: other people, not other care, could explain it.",
    "people_not_told": "Too little is known of the people to rule out that others are there now.",
    "not_persistent": "It did not hold a quarter earlier as well.",
    "parted_before": "The aligned had begun to part from the comparison before anything is counted.",
    "too_small": "The amount is below what deserves attention.",
}


@dataclass(frozen=True, slots=True)
class Amounts:
    """Cents per person-month; limits are ``None`` without bound. Offset: the share of one's saving that is the other's cost."""

    medicare: float
    medicare_limits: tuple[float, float] | None
    medicaid: float
    medicaid_limits: tuple[float, float] | None
    offset: float | None


def statement(level: Level, since: str, names: tuple[str, str], amounts: Amounts | None, confidence: float) -> str:
    """One to four sentences. ``names``: what Medicare's and Medicaid's series are called."""
    if amounts is None:
        return _of_charts(level, since, names)
    opposite = amounts.medicare * amounts.medicaid < 0
    sentences = [
        f"Since {since} Medicare's cost of {names[0]} {_moved(amounts.medicare, amounts.medicare_limits, confidence)}.",
        f"Since {since} Medicaid's cost of {names[1]} {_moved(amounts.medicaid, amounts.medicaid_limits, confidence)}.",
        f"Together: {_dollars(amounts.medicare + amounts.medicaid, signed=True)}.",
    ]
    if opposite and amounts.offset is not None:
        saver, bearer = ("Medicare", "Medicaid") if amounts.medicare < 0 else ("Medicaid", "Medicare")
        sentences.append(f"{amounts.offset:.0%} of what {saver} spends less is spent more by {bearer}.")
    return " ".join(sentences)


def caveats(lacking: tuple[Lack, ...]) -> list[str]:
    """What is lacking first, then what holds of every signal."""
    return [*(_LACKING[lack] for lack in lacking), HEALTH, COMPLETION, BENCHMARK]


def _of_charts(level: Level, since: str, names: tuple[str, str]) -> str:
    if level == "none":
        return f"Charts since {since} tell no lasting change of Medicare's {names[0]} or Medicaid's {names[1]}."
    how = "in opposite directions" if level == "review" else "in at least one of them"
    return f"Charts since {since} tell a lasting change {how}: Medicare's {names[0]}, Medicaid's {names[1]}."


def _moved(effect: float, limits: tuple[float, float] | None, confidence: float) -> str:
    moved = "fell" if effect < 0 else "rose"
    told = "no bound" if limits is None else f"{_dollars(limits[0], signed=True)} to {_dollars(limits[1], signed=True)}"
    amount = f"{_dollars(abs(effect))} a person and month against comparison people"
    return f"{moved} by {amount} ({confidence:.0%} interval {told})"


def _dollars(cents: float, *, signed: bool = False) -> str:
    sign = "-" if cents < 0 else "+" if signed else ""
    return f"{sign}${abs(cents) / 100:,.2f}"
