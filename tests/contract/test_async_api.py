"""The AsyncAPI document: every reference leads somewhere, every message has a valid schema, every topic is there.

The structure is that of the AsyncAPI 3.0.0 specification: "Channel Object", "Operation Object", "Message
Object", "Multi Format Schema Object", and of the Kafka bindings 0.5.0.
"""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from contracts.json_schemas import ASYNC_API, FOLDER
from contracts.topics import DELIVERIES, PROVIDER_ROSTERS, TOPICS, Topic, event_classes

DOCUMENT: dict[str, Any] = json.loads((FOLDER / ASYNC_API).read_text("utf-8"))


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def target(reference: str) -> Any:
    part: Any = DOCUMENT
    for name in reference.removeprefix("#/").split("/"):
        part = part[name]
    return part


def test_required_members_and_no_others() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert DOCUMENT.keys() == {"asyncapi", "info", "defaultContentType", "channels", "operations", "components"}
    assert {"title", "version"} <= DOCUMENT["info"].keys()
    assert DOCUMENT["components"].keys() == {"messages"}


def test_every_reference_leads_somewhere() -> None:
    inner = [reference for reference in references(DOCUMENT) if reference.startswith("#/")]
    files = [reference for reference in references(DOCUMENT) if not reference.startswith("#/")]
    assert len(inner) > len(TOPICS)
    for reference in inner:
        assert isinstance(target(reference), dict), reference
    for reference in files:
        assert (FOLDER / reference.removeprefix("./")).is_file(), reference


def test_every_event_is_a_message_with_a_valid_schema() -> None:
    messages = DOCUMENT["components"]["messages"]
    assert set(messages) == {event.TYPE for event in event_classes()}
    for name, message in messages.items():
        assert message["name"] == name
        assert message["payload"].keys() == {"schemaFormat", "schema"}
        schema = json.loads((FOLDER / message["payload"]["schema"]["$ref"]).read_text("utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["properties"]["type"]["const"] == name


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_every_topic_is_a_channel_as_it_is_created(topic: Topic) -> None:
    channel = DOCUMENT["channels"][topic.name]
    assert channel["address"] == topic.name
    assert set(channel["messages"]) == {event.TYPE for event in topic.events}
    assert channel["bindings"]["kafka"]["partitions"] == topic.partitions


def test_only_the_rosters_are_compacted() -> None:
    policies = {
        name: channel["bindings"]["kafka"]["topicConfiguration"]["cleanup.policy"]
        for name, channel in DOCUMENT["channels"].items()
    }
    assert [name for name, policy in policies.items() if policy == ["compact"]] == [PROVIDER_ROSTERS.name]


def test_every_writer_of_a_topic_has_an_operation() -> None:
    operations = DOCUMENT["operations"].values()
    assert {operation["action"] for operation in operations} == {"send"}
    written = {(operation["tags"][0]["name"], operation["channel"]["$ref"]) for operation in operations}
    assert written == {(writer, f"#/channels/{topic.name}") for topic in TOPICS for writer in topic.writers}
    assert len([writer for writer, channel in written if channel.endswith(DELIVERIES.name)]) == 4


def test_messages_of_an_operation_are_those_of_its_channel() -> None:
    """The specification wants them referred to through the channel, not through the components."""
    for operation in DOCUMENT["operations"].values():
        prefix = operation["channel"]["$ref"] + "/messages/"
        assert all(message["$ref"].startswith(prefix) for message in operation["messages"])
