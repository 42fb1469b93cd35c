"""The checker fails for every change that breaks somebody, and for nothing else."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from contracts.compatibility import Break, incompatibilities, meaning

BASE: dict[str, Any] = {
    "type": "object",
    "title": "Thing",
    "required": ["id", "amount", "lines"],
    "properties": {
        "id": {"type": "string", "pattern": "^a+$", "maxLength": 9, "minLength": 1},
        "amount": {"type": "integer", "minimum": -5, "maximum": 5},
        "level": {"enum": ["low", "high"], "type": "string", "default": "low"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "day": {"type": "string", "format": "date"},
        "offsets": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}, "minItems": 1, "maxItems": 9},
        "kind": {"const": "x", "type": "string"},
    },
    "$defs": {
        "Line": {
            "type": "object",
            "required": ["number"],
            "properties": {"number": {"type": "integer"}, "code": {"type": "string"}},
        }
    },
}
Edit = Callable[[dict[str, Any]], Any]


def edited(edit: Edit) -> dict[str, Any]:
    schema = copy.deepcopy(BASE)
    edit(schema)
    return schema


def of(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda schema: schema["properties"][name]


def line(schema: dict[str, Any]) -> dict[str, Any]:
    return schema["$defs"]["Line"]  # type: ignore[no-any-return]


COMPATIBLE: dict[str, Edit] = {
    "nothing": lambda schema: schema,
    "a new optional field": lambda schema: schema["properties"].update(new={"type": "string"}),
    "a new optional field with a default": lambda schema: schema["properties"].update(new={"default": 7}),
    "a new optional field of a nested model": lambda schema: line(schema)["properties"].update(new={"type": "null"}),
    "another description": lambda schema: of("id")(schema).update(description="x", title="y", examples=["a"]),
    "another order of the alternatives": lambda schema: of("note")(schema)["anyOf"].reverse(),
    "another order of the values": lambda schema: of("level")(schema)["enum"].reverse(),
    "a model written in place": lambda schema: of("lines")(schema).update(items=line(schema)),
    "a constant written as a list of one": lambda schema: schema["properties"].update(
        kind={"enum": ["x"], "type": "string"}
    ),
}


@pytest.mark.parametrize("edit", COMPATIBLE.values(), ids=COMPATIBLE)
def test_compatible(edit: Edit) -> None:
    assert incompatibilities(BASE, edited(edit)) == []
    assert all(found.rule == "removed" for found in incompatibilities(edited(edit), BASE))


# The change, the field, the rule, and which of the two readers fails.
INCOMPATIBLE: dict[str, tuple[Edit, str, str, set[str]]] = {
    "removed field": (lambda s: s["properties"].pop("day"), "$.day", "removed", {"new"}),
    "removed nested field": (lambda s: line(s)["properties"].pop("code"), "$.lines[].code", "removed", {"new"}),
    "renamed field": (lambda s: s["properties"].update(date=s["properties"].pop("day")), "$.day", "removed", {"new"}),
    "new required field": (
        lambda s: (s["properties"].update(new={"type": "string"}), s["required"].append("new")),
        "$.new",
        "required",
        {"new"},
    ),
    "new required nested field": (lambda s: line(s)["required"].append("code"), "$.lines[].code", "required", {"new"}),
    "optional to required": (lambda s: s["required"].append("day"), "$.day", "required", {"new"}),
    "required to optional": (lambda s: s["required"].remove("amount"), "$.amount", "required", {"old"}),
    "type": (lambda s: of("amount")(s).update(type="string"), "$.amount", "type", {"new", "old"}),
    "integer to number": (lambda s: of("amount")(s).update(type="number"), "$.amount", "type", {"new", "old"}),
    "type of a list's item": (lambda s: of("lines")(s).update(items={"type": "string"}), "$.lines[]", "type", {"new"}),
    "may be null": (
        lambda s: s["properties"].update(day={"anyOf": [of("day")(s), {"type": "null"}]}),
        "$.day",
        "type",
        {"old"},
    ),
    "may no longer be null": (lambda s: of("note")(s)["anyOf"].pop(), "$.note", "type", {"new"}),
    "narrowed pattern": (lambda s: of("id")(s).update(pattern="^aa+$"), "$.id", "pattern", {"new", "old"}),
    "pattern dropped": (lambda s: of("id")(s).pop("pattern"), "$.id", "pattern", {"old"}),
    "pattern added": (lambda s: of("day")(s).update(pattern="^2"), "$.day", "pattern", {"new"}),
    "narrowed values": (lambda s: of("level")(s).update(enum=["low"]), "$.level", "enum", {"new"}),
    "widened values": (lambda s: of("level")(s)["enum"].append("top"), "$.level", "enum", {"old"}),
    "values dropped": (lambda s: of("level")(s).pop("enum"), "$.level", "enum", {"old"}),
    "another constant": (lambda s: of("kind")(s).update(const="y"), "$.kind", "enum", {"new", "old"}),
    "lower maximum": (lambda s: of("amount")(s).update(maximum=4), "$.amount", "maximum", {"new"}),
    "higher maximum": (lambda s: of("amount")(s).update(maximum=6), "$.amount", "maximum", {"old"}),
    "higher minimum": (lambda s: of("amount")(s).update(minimum=-4), "$.amount", "minimum", {"new"}),
    "lower minimum": (lambda s: of("amount")(s).update(minimum=-6), "$.amount", "minimum", {"old"}),
    "shorter": (lambda s: of("id")(s).update(maxLength=8), "$.id", "maxLength", {"new"}),
    "longer": (lambda s: of("id")(s).update(maxLength=10), "$.id", "maxLength", {"old"}),
    "fewer items": (lambda s: of("lines")(s).update(maxItems=8), "$.lines", "maxItems", {"new"}),
    "may be empty": (lambda s: of("lines")(s).pop("minItems"), "$.lines", "minItems", {"old"}),
    "another format": (lambda s: of("day")(s).update(format="date-time"), "$.day", "format", {"new", "old"}),
    "another default": (lambda s: of("level")(s).update(default="high"), "$.level", "default", {"new", "old"}),
    "default dropped": (lambda s: of("level")(s).pop("default"), "$.level", "default", {"new", "old"}),
    "a mapping's values": (
        lambda s: of("offsets")(s)["additionalProperties"].update(minimum=1),
        "$.offsets[]",
        "minimum",
        {"new"},
    ),
    "a mapping's values open": (
        lambda s: of("offsets")(s).pop("additionalProperties"),
        "$.offsets[]",
        "additionalProperties",
        {"old"},
    ),
    "a mapping's keys": (
        lambda s: of("offsets")(s).update(propertyNames={"pattern": "^a"}),
        "$.offsets[]",
        "propertyNames",
        {"new"},
    ),
    "closed": (lambda s: line(s).update(additionalProperties=False), "$.lines[][]", "additionalProperties", {"new"}),
    "a rule that is not understood": (
        lambda s: of("amount")(s).update(multipleOf=5),
        "$.amount",
        "multipleOf",
        {"new"},
    ),
}


@pytest.mark.parametrize(("edit", "path", "rule", "readers"), INCOMPATIBLE.values(), ids=INCOMPATIBLE)
def test_incompatible(edit: Edit, path: str, rule: str, readers: set[str]) -> None:
    found = incompatibilities(BASE, edited(edit))
    assert {Break(path, rule, reader) for reader in readers} <= set(found)


def test_a_field_that_a_closed_reader_does_not_know() -> None:
    closed = edited(lambda schema: schema.update(additionalProperties=False))
    wider = copy.deepcopy(closed)
    wider["properties"]["new"] = {"type": "string"}
    assert incompatibilities(closed, wider) == [Break("$.new", "additionalProperties", "old")]


def test_of_several_alternatives_the_one_of_the_same_type_is_told() -> None:
    before = {"anyOf": [{"type": "string", "maxLength": 8}, {"type": "null"}]}
    after = {"anyOf": [{"type": "string", "maxLength": 9}, {"type": "null"}]}
    assert incompatibilities(before, after) == [Break("$", "maxLength", "old")]


def test_meaning_keeps_fields_that_are_named_like_annotations() -> None:
    schema = {"title": "T", "properties": {"title": {"type": "string", "description": "d"}}, "description": "d"}
    assert meaning(schema) == {"properties": {"title": {"type": "string"}}}
