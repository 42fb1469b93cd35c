"""What must hold of the checker whatever the schemas are, shown on schemas that are made up and on those of the events."""

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from contracts.compatibility import ANNOTATIONS, Break, incompatibilities, meaning
from contracts.json_schemas import schema_of
from contracts.topics import EventClass, event_classes

Schema = dict[str, Any]
NAMES = st.sampled_from(["a", "b", "c", "title", "default"])
PLAIN = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("integer")}, optional={"minimum": st.integers(-3, 3), "maximum": st.integers(4, 9)}
    ),
    st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={"maxLength": st.integers(3, 9), "pattern": st.sampled_from(["^a", "^b"]), "minLength": st.just(1)},
    ),
    st.fixed_dictionaries({"type": st.just("string"), "enum": st.sampled_from([["x"], ["x", "y"], ["y", "z"]])}),
    st.just({"type": "null"}),
)


def _composed(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    return st.one_of(
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}, optional={"maxItems": st.integers(1, 9)}),
        st.fixed_dictionaries({"type": st.just("object"), "additionalProperties": inner}),
        st.lists(inner, min_size=2, max_size=3).map(lambda choices: {"anyOf": choices}),
        _objects(inner),
    )


@st.composite
def _objects(draw: st.DrawFn, inner: st.SearchStrategy[Schema]) -> Schema:
    properties = draw(st.dictionaries(NAMES, inner, max_size=3))
    required = draw(st.lists(st.sampled_from(sorted(properties)), unique=True)) if properties else []
    return {"type": "object", "properties": properties, "required": required}


SCHEMAS = st.recursive(PLAIN, _composed, max_leaves=6)
OBJECTS = _objects(SCHEMAS)
RELAXED = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))


@RELAXED
@given(SCHEMAS)
def test_a_schema_lives_beside_itself(schema: Schema) -> None:
    assert incompatibilities(schema, copy.deepcopy(schema)) == []


@RELAXED
@given(SCHEMAS, SCHEMAS)
def test_readers_change_places_with_the_schemas(one: Schema, other: Schema) -> None:
    """Only what is lost has a direction."""
    swap = {"new": "old", "old": "new"}
    forth = {found for found in incompatibilities(one, other) if found.rule != "removed"}
    back = {found for found in incompatibilities(other, one) if found.rule != "removed"}
    assert forth == {Break(found.path, found.rule, swap[found.reader]) for found in back}


@RELAXED
@given(OBJECTS, SCHEMAS)
def test_an_optional_field_may_come_and_may_not_go(schema: Schema, field: Schema) -> None:
    wider = copy.deepcopy(schema)
    wider["properties"]["new"] = field
    assert incompatibilities(schema, wider) == []
    assert incompatibilities(wider, schema) == [Break("$.new", "removed", "new")]


@RELAXED
@given(OBJECTS, SCHEMAS)
def test_a_required_field_may_not_come(schema: Schema, field: Schema) -> None:
    wider = copy.deepcopy(schema)
    wider["properties"]["new"] = field
    wider["required"].append("new")
    assert incompatibilities(schema, wider) == [Break("$.new", "required", "new")]


@RELAXED
@given(OBJECTS, st.data())
def test_what_is_required_stays_so_and_what_is_not_stays_free(schema: Schema, choice: st.DataObject) -> None:
    assume(schema["properties"])
    name = choice.draw(st.sampled_from(sorted(schema["properties"])))
    other = copy.deepcopy(schema)
    was_required = name in other["required"]
    (other["required"].remove if was_required else other["required"].append)(name)
    assert incompatibilities(schema, other) == [Break(f"$.{name}", "required", "old" if was_required else "new")]


@RELAXED
@given(SCHEMAS, st.sampled_from(sorted(ANNOTATIONS - {"$defs"})))
def test_what_only_explains_changes_nothing(schema: Schema, annotation: str) -> None:
    explained = {**schema, annotation: "words"}
    assert meaning(explained) == meaning(schema)
    assert incompatibilities(schema, explained) == incompatibilities(explained, schema) == []


@RELAXED
@given(SCHEMAS)
def test_a_part_written_apart_is_the_same_part(schema: Schema) -> None:
    inside = {"type": "object", "properties": {"a": schema}, "required": []}
    apart = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/Part"}},
        "required": [],
        "$defs": {"Part": schema},
    }
    assert incompatibilities(inside, apart) == incompatibilities(apart, inside) == []


@RELAXED
@given(SCHEMAS)
def test_a_rule_that_nobody_knows_is_never_passed(schema: Schema) -> None:
    assume("anyOf" not in schema)
    ruled = {**schema, "unevaluatedItems": 7}
    assert Break("$", "unevaluatedItems", "new") in incompatibilities(schema, ruled)


@pytest.mark.parametrize("event_class", list(event_classes()), ids=lambda event_class: event_class.TYPE)
def test_every_field_of_every_event_is_guarded(event_class: EventClass) -> None:
    """Whichever field is taken out of whichever model, somebody is told where."""
    schema = schema_of(event_class)
    for model, name in [("", name) for name in schema["properties"]] + [
        (model, name) for model, part in schema["$defs"].items() for name in part.get("properties", {})
    ]:
        without = copy.deepcopy(schema)
        part = without["$defs"][model] if model else without
        del part["properties"][name]
        part["required"] = [kept for kept in part.get("required", ()) if kept != name]
        found = incompatibilities(schema, without)
        assert any(broken.rule == "removed" and broken.path.endswith(f".{name}") for broken in found)
