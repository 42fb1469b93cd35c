"""Whether two JSON Schemas of one event type can live side by side: pure, and knows no event.

FULL compatibility: whoever knows either schema reads what was written with the other. Checked against every
schema that ever was (transitively), so that a log can be read from its beginning by any version.
What that leaves is adding optional fields. What the check does not understand it calls incompatible.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

# Any value that JSON has.
Json = Any
Schema = Mapping[str, Json]

# They say nothing about which documents are valid.
ANNOTATIONS: Final = frozenset(
    {"title", "description", "examples", "deprecated", "$schema", "$id", "$comment", "$defs"}
)
_STRUCTURE = frozenset({"$ref", "anyOf", "type", "const", "enum", "properties", "required", "items"})
_FLOORS = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
_CEILINGS = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
_ABSENT = object()


@dataclass(frozen=True, slots=True, order=True)
class Break:
    """One way in which the schemas cannot live side by side. ``path`` is that of the field."""

    path: str
    rule: str
    reader: str


@dataclass(frozen=True, slots=True)
class _Side:
    """A part of a schema, and the whole in which its references are looked up."""

    schema: Schema
    whole: Schema

    def at(self, schema: Schema) -> "_Side":
        return _Side(schema, self.whole)

    def resolved(self) -> "_Side":
        """The part itself, where it only refers to one; what stands beside the reference stays."""
        if "$ref" not in self.schema:
            return self
        target = self.whole["$defs"][self.schema["$ref"].removeprefix("#/$defs/")]
        beside = {keyword: value for keyword, value in self.schema.items() if keyword != "$ref"}
        return self.at({**target, **beside}).resolved()

    def alternatives(self) -> list["_Side"]:
        side = self.resolved()
        if "anyOf" not in side.schema:
            return [side]
        return [inner for choice in side.schema["anyOf"] for inner in side.at(choice).alternatives()]


def incompatibilities(old: Schema, new: Schema) -> list[Break]:
    """List every break between two schemas; empty when they are fully compatible."""
    before, after = _Side(old, old), _Side(new, new)
    found = {
        *_unreadable("$", before, after, "new"),
        *_unreadable("$", after, before, "old"),
        *_lost("$", before, after),
    }
    return sorted(found)


def meaning(schema: Schema) -> Json:
    """Strip a schema of all that says nothing about validity, so that two can be compared."""

    def stripped(part: Json, *, named: bool = False) -> Json:
        if isinstance(part, Mapping):
            kept = {key: value for key, value in part.items() if named or key not in ANNOTATIONS - {"$defs"}}
            return {key: stripped(value, named=key in {"properties", "$defs"}) for key, value in kept.items()}
        return [stripped(item) for item in part] if isinstance(part, list) else part

    return stripped(schema)


def _unreadable(path: str, writer: _Side, reader: _Side, who: str) -> Iterator[Break]:
    """List why a document valid for the writer may be invalid for the reader."""
    choices = reader.alternatives()
    for written in writer.alternatives():
        attempts = [list(_unreadable_single(path, written, choice, who)) for choice in choices]
        if all(attempts):
            # Of several alternatives, the one of the same type says what is really wrong.
            pairs = zip(choices, attempts, strict=True)
            alike = [attempt for choice, attempt in pairs if _types(choice.schema) == _types(written.schema)]
            yield from min(alike, key=len) if alike else [Break(path, "type", who)]


def _unreadable_single(path: str, writer: _Side, reader: _Side, who: str) -> Iterator[Break]:
    if _types(reader.schema) is not None and _types(writer.schema) != _types(reader.schema):
        yield Break(path, "type", who)
        return
    if not _values_fit(writer.schema, reader.schema):
        yield Break(path, "enum", who)
    yield from _limits(path, writer.schema, reader.schema, who)
    yield from _members(path, writer, reader, who)
    for keyword in ("items", "additionalProperties", "propertyNames"):
        yield from _inner(path, keyword, writer, reader, who)


def _types(schema: Schema) -> frozenset[str] | None:
    types = schema.get("type")
    return None if types is None else frozenset([types] if isinstance(types, str) else types)


def _values(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    values: list[Any] | None = schema.get("enum")
    return values


def _values_fit(writer: Schema, reader: Schema) -> bool:
    allowed, written = _values(reader), _values(writer)
    return allowed is None or (written is not None and all(value in allowed for value in written))


def _limits(path: str, writer: Schema, reader: Schema, who: str) -> Iterator[Break]:
    inner = frozenset({"additionalProperties", "propertyNames", "default"})
    for keyword in sorted(reader.keys() - _STRUCTURE - ANNOTATIONS - inner):
        if not _limit_fits(keyword, writer.get(keyword, _ABSENT), reader[keyword]):
            yield Break(path, keyword, who)


def _limit_fits(keyword: str, written: Json, allowed: Json) -> bool:
    if written is _ABSENT:
        return False
    if keyword in _FLOORS:
        return bool(written >= allowed)
    if keyword in _CEILINGS:
        return bool(written <= allowed)
    # A pattern or format that differs: nobody can tell in general whether it admits less.
    return bool(written == allowed)


def _members(path: str, writer: _Side, reader: _Side, who: str) -> Iterator[Break]:
    written, read = writer.schema.get("properties", {}), reader.schema.get("properties", {})
    for name in sorted(set(reader.schema.get("required", ())) - set(writer.schema.get("required", ()))):
        yield Break(f"{path}.{name}", "required", who)
    if reader.schema.get("additionalProperties", True) is not True:
        yield from (Break(f"{path}.{name}", "additionalProperties", who) for name in written.keys() - read.keys())
    for name in sorted(written.keys() & read.keys()):
        inner, outer = writer.at(written[name]), reader.at(read[name])
        yield from _unreadable(f"{path}.{name}", inner, outer, who)
        if inner.schema.get("default", _ABSENT) != outer.schema.get("default", _ABSENT):
            # Who leaves the field out would mean one thing and be understood to mean another.
            yield Break(f"{path}.{name}", "default", who)


def _inner(path: str, keyword: str, writer: _Side, reader: _Side, who: str) -> Iterator[Break]:
    written, read = writer.schema.get(keyword, True), reader.schema.get(keyword, True)
    if isinstance(written, Mapping) and isinstance(read, Mapping):
        yield from _unreadable(f"{path}[]", writer.at(written), reader.at(read), who)
    elif read is not True and read != written:
        yield Break(f"{path}[]", keyword, who)


def _lost(path: str, old: _Side, new: _Side) -> Iterator[Break]:
    """List fields that are gone: readable, but their name would be free for another meaning."""
    for before in old.alternatives():
        for name, schema in before.schema.get("properties", {}).items():
            kept = [side.at(side.schema["properties"][name]) for side in _with_field(new, name)]
            yield from (
                _least_lost(f"{path}.{name}", old.at(schema), kept)
                if kept
                else [Break(f"{path}.{name}", "removed", "new")]
            )
        for keyword in ("items", "additionalProperties"):
            if isinstance(before.schema.get(keyword), Mapping):
                inner = [side.at(side.schema[keyword]) for side in new.alternatives() if _describes(side, keyword)]
                yield from _least_lost(f"{path}[]", old.at(before.schema[keyword]), inner)


def _with_field(side: _Side, name: str) -> list[_Side]:
    return [choice for choice in side.alternatives() if name in choice.schema.get("properties", {})]


def _describes(side: _Side, keyword: str) -> bool:
    return isinstance(side.schema.get(keyword), Mapping)


def _least_lost(path: str, old: _Side, choices: Sequence[_Side]) -> list[Break]:
    """What is gone in the alternative that kept most: a field lives on if it lives on in one of them."""
    return min((list(_lost(path, old, choice)) for choice in choices), key=len, default=[])
