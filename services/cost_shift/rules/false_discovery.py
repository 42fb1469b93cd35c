"""P-values adjusted for how many were looked at: the expected share of false alarms among those called.

Benjamini and Hochberg (1995), step-up; the adjusted value is the smallest share at which the test would be called.
"""

from collections.abc import Sequence


def adjusted_p_values(p_values: Sequence[float]) -> list[float]:
    """In the order given; each at least the p-value that it adjusts and at most 1."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place], reverse=True)
    adjusted = [1.0] * len(p_values)
    smallest = 1.0
    for behind, place in enumerate(order):
        smallest = min(smallest, p_values[place] * len(p_values) / (len(p_values) - behind))
        adjusted[place] = smallest
    return adjusted
