"""Draws what a signal rests on as SVG: plain text, so that two folders can be compared line by line."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH, HEIGHT = 760, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 150, 40, 46
_TICKS: Final = 5
_COLOURS: Final = ("#1f6f8b", "#c2571a", "#555555", "#8a8a8a")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a figure: values at places along the axis."""

    name: str
    values: Mapping[int, float]


def line_figure(title: str, axis: Sequence[str], lines: Sequence[Line], marked: int | None, unit: str) -> str:
    """Lines over named places; ``marked``: before this place a dashed line stands, where what is studied begins."""
    values = [value for line in lines for value in line.values.values()] or [0.0]
    ticks = round_ticks(min(0.0, *values), max(0.0, *values))
    scale = _Scale(len(axis), ticks)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="22" font-size="14">{escape(title)}</text>',
        *_frame(axis, scale, unit),
    ]
    if marked is not None:
        place = scale.along(marked) - scale.step / 2
        parts.append(f'<path d="M{place:.1f} {_TOP}V{HEIGHT - _BOTTOM}" stroke="#555555" stroke-dasharray="5 4"/>')
    for number, line in enumerate(lines):
        parts += _drawn(line, scale, _COLOURS[number % len(_COLOURS)], number)
    return "\n".join([*parts, "</svg>", ""])


def round_ticks(low: float, high: float) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten that enclose both values, some five of them."""
    high = high if high > low else low + 1.0
    rough = (high - low) / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= rough)
    return [step * place for place in range(math.floor(low / step), math.ceil(high / step) + 1)]


@dataclass(frozen=True, slots=True)
class _Scale:
    places: int
    ticks: Sequence[float]

    @property
    def low(self) -> float:
        return self.ticks[0]

    @property
    def high(self) -> float:
        return self.ticks[-1]

    @property
    def decimals(self) -> int:
        """Digits behind the point that tell neighbouring ticks apart."""
        return max(0, -math.floor(math.log10(self.ticks[1] - self.ticks[0])))

    @property
    def step(self) -> float:
        return (WIDTH - _LEFT - _RIGHT) / max(1, self.places - 1)

    def along(self, place: float) -> float:
        return _LEFT + place * self.step

    def up(self, value: float) -> float:
        return _TOP + (self.high - value) / (self.high - self.low) * (HEIGHT - _TOP - _BOTTOM)


def _frame(axis: Sequence[str], scale: _Scale, unit: str) -> list[str]:
    zero, right = scale.up(0.0), WIDTH - _RIGHT
    parts = [f'<path d="M{_LEFT} {zero:.1f}H{right}" stroke="#b0b0b0"/>']
    parts += [
        f'<text x="{_LEFT - 8}" y="{scale.up(value) + 4:.1f}" text-anchor="end">{value:,.{scale.decimals}f}</text>'
        for value in scale.ticks
    ]
    parts.append(f'<text x="8" y="{_TOP - 6}">{escape(unit)}</text>')
    every = max(1, len(axis) // 8)
    for place in range(0, len(axis), every):
        at = scale.along(place)
        parts.append(
            f'<text x="{at:.1f}" y="{HEIGHT - _BOTTOM + 20}" text-anchor="middle">{escape(axis[place])}</text>'
        )
    return parts


def _drawn(line: Line, scale: _Scale, colour: str, number: int) -> list[str]:
    points = [(scale.along(place), scale.up(value)) for place, value in sorted(line.values.items())]
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    at = _TOP + 16 * number
    return [
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>' for x, y in points),
        f'<text x="{WIDTH - _RIGHT + 12}" y="{at + 8}" fill="{colour}">{escape(line.name)}</text>',
    ]
