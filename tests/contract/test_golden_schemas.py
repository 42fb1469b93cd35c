"""Every model can live beside every schema that its type ever had, and the newest is what is recorded."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from jsonschema.protocols import Validator

from contracts import json_schemas
from contracts.json_schemas import FOLDER, breaks, main, pending, recorded, schema_of, unrecorded
from contracts.topics import EVENT_BY_TYPE, EventClass, event_classes

EVERY_EVENT = pytest.mark.parametrize("event_class", list(event_classes()), ids=lambda event_class: event_class.TYPE)


@EVERY_EVENT
def test_compatible_with_every_recorded_schema(event_class: EventClass) -> None:
    assert list(breaks(event_class)) == []


def test_what_is_recorded_is_what_the_models_say() -> None:
    assert [path.name for path in pending()] == [], "run: python -m contracts.json_schemas --write"


@EVERY_EVENT
def test_revisions_have_no_gap(event_class: EventClass) -> None:
    revisions = list(recorded(event_class.TYPE))
    assert revisions == list(range(1, len(revisions) + 1))


@EVERY_EVENT
def test_recorded_schemas_are_schemas(event_class: EventClass) -> None:
    for schema in recorded(event_class.TYPE).values():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["properties"]["type"]["const"] == event_class.TYPE


def test_no_schema_without_an_event() -> None:
    types = {re.sub(r"\.[0-9]+\.json$", "", path.name) for path in FOLDER.glob("*.json")} - {"asyncapi.json"}
    assert types == set(EVENT_BY_TYPE)


@EVERY_EVENT
def test_readers_are_open_and_say_no_binary_fraction(event_class: EventClass) -> None:
    text = json.dumps(schema_of(event_class))
    assert '"additionalProperties": false' not in text
    assert '"number"' not in text


def _changed(path: Path, change: Any) -> None:
    schema = json.loads(path.read_text())
    change(schema)
    path.write_text(json.dumps(schema))


MERGED = EVENT_BY_TYPE["tandem.identity.people-merged.v1"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert main(["--write"], tmp_path) == 0
    return tmp_path


def test_writes_once_and_then_agrees(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert {path.name for path in folder.iterdir()} >= {f"{MERGED.TYPE}.1.json", "asyncapi.json"}
    capsys.readouterr()
    assert main([], folder) == 0
    assert main(["--write"], folder) == 0
    assert capsys.readouterr().out == ""


def test_without_write_it_says_what_is_not_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], tmp_path) == 1
    assert f"not recorded {MERGED.TYPE}.1.json" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_an_optional_addition_becomes_the_next_revision(folder: Path) -> None:
    first = folder / f"{MERGED.TYPE}.1.json"
    # The recorded schema knows a field less than the model.
    _changed(first, lambda schema: schema["properties"].pop("datacontenttype"))
    assert main(["--write"], folder) == 0
    assert list(recorded(MERGED.TYPE, folder)) == [1, 2]
    assert f"./{MERGED.TYPE}.2.json" in (folder / "asyncapi.json").read_text()
    assert unrecorded(MERGED, folder) is None


def test_another_description_stays_in_its_revision(folder: Path) -> None:
    _changed(folder / f"{MERGED.TYPE}.1.json", lambda schema: schema.update(description="older words"))
    revision = unrecorded(MERGED, folder)
    assert revision is not None
    assert revision[0] == 1


def test_a_break_with_any_revision_is_refused_and_nothing_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = folder / f"{MERGED.TYPE}.1.json", folder / f"{MERGED.TYPE}.2.json"
    second.write_text(first.read_text())
    _changed(first, lambda schema: schema["properties"]["deliveryseq"].update(type="string"))
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert main(["--write"], folder) == 1
    assert f"{MERGED.TYPE}.1: $.deliveryseq type" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_the_folder_lies_in_the_package() -> None:
    assert Path(json_schemas.__file__).parent / "schemas" == FOLDER


def _validator(event_class: EventClass) -> Validator:
    newest = recorded(event_class.TYPE)
    return jsonschema.Draft202012Validator(newest[max(newest)])


def test_a_schema_refuses_what_it_should() -> None:
    errors = _validator(MERGED).iter_errors({"type": "other", "data": {"kept": "x"}})
    assert {error.validator for error in errors} >= {"const", "required", "pattern"}
