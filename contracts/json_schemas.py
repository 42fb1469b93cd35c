"""The schemas that every version of every event type ever had, and the command that records a new one.

``python -m contracts.json_schemas`` says whether the models agree with what is recorded in ``schemas/``;
with ``--write`` it records them. ``<type>.<revision>.json``: revisions are never altered and never deleted,
because events written under them are still on the log. A model that is not fully compatible with all of
them is refused: that is a new event type.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema

from contracts.async_api import document
from contracts.compatibility import incompatibilities, meaning
from contracts.topics import TOPICS, EventClass, event_classes

FOLDER: Final = Path(__file__).parent / "schemas"
ASYNC_API: Final = "asyncapi.json"

JsonObject = dict[str, Any]


class _WithoutFieldTitles(GenerateJsonSchema):
    """Pydantic's titles only repeat the names of the fields."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002 - pydantic's own signature
        return False


def schema_of(event_class: EventClass) -> JsonObject:
    """Return the schema of an event as it stands on the log: open, because readers ignore what they do not know."""
    schema = event_class.model_json_schema(schema_generator=_WithoutFieldTitles)
    for model in (schema, *schema["$defs"].values()):
        if model.get("additionalProperties") is False:
            del model["additionalProperties"]
    schema["properties"]["type"] = {"const": event_class.TYPE, "type": "string"}
    schema["required"] = ["specversion", *schema["required"]]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def recorded(event_type: str, folder: Path = FOLDER) -> dict[int, JsonObject]:
    """Return every recorded schema of a type by its revision, oldest first."""
    paths = {int(path.name.split(".")[-2]): path for path in folder.glob(f"{event_type}.*.json")}
    return {revision: json.loads(paths[revision].read_text("utf-8")) for revision in sorted(paths)}


def unrecorded(event_class: EventClass, folder: Path = FOLDER) -> tuple[int, JsonObject] | None:
    """Return revision and schema that are to be recorded, or ``None`` where the newest says the same."""
    schema, revisions = schema_of(event_class), recorded(event_class.TYPE, folder)
    newest = max(revisions, default=0)
    if newest and revisions[newest] == schema:
        return None
    if newest and meaning(revisions[newest]) == meaning(schema):
        return newest, schema
    return newest + 1, schema


def breaks(event_class: EventClass, folder: Path = FOLDER) -> Iterator[str]:
    """Say every way in which a model cannot live beside a recorded schema of its type."""
    schema = schema_of(event_class)
    for revision, golden in recorded(event_class.TYPE, folder).items():
        for found in incompatibilities(golden, schema):
            yield f"{event_class.TYPE}.{revision}: {found.path} {found.rule} (the {found.reader} reader fails)"


def pending(folder: Path = FOLDER) -> dict[Path, JsonObject]:
    """Return what is to be written so that the folder says what the models say."""
    files: dict[Path, JsonObject] = {}
    newest: dict[str, str] = {}
    for event_class in event_classes():
        entry = unrecorded(event_class, folder)
        revision = entry[0] if entry else max(recorded(event_class.TYPE, folder))
        newest[event_class.TYPE] = f"{event_class.TYPE}.{revision}.json"
        if entry:
            files[folder / newest[event_class.TYPE]] = entry[1]
    files[folder / ASYNC_API] = document(TOPICS, newest)
    return {path: content for path, content in files.items() if not _holds(path, content)}


def main(arguments: list[str] | None = None, folder: Path = FOLDER) -> int:
    """Compare or record; the exit code is 0 only when the folder agrees with the models at the end."""
    parser = argparse.ArgumentParser(prog="python -m contracts.json_schemas", description=__doc__)
    parser.add_argument("--write", action="store_true", help="record what is new and compatible")
    write: bool = parser.parse_args(arguments).write
    broken = [line for event_class in event_classes() for line in breaks(event_class, folder)]
    if broken:
        sys.stderr.write("\n".join(broken) + "\n")
        return 1
    files = pending(folder)
    for path, content in files.items():
        if write:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_text(content), "utf-8")
        sys.stdout.write(f"{'wrote' if write else 'not recorded'} {path.name}\n")
    return 1 if files and not write else 0


def _holds(path: Path, content: JsonObject) -> bool:
    return path.exists() and path.read_text("utf-8") == _text(content)


def _text(content: JsonObject) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
