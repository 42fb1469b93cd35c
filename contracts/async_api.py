"""The AsyncAPI 3.0 document of the topics, made from the registry and from nothing else.

Source: AsyncAPI specification 3.0.0; Kafka bindings 0.5.0. Payloads are not repeated: each message
refers to the file of its newest recorded schema, which lies beside the document.
"""

from collections.abc import Mapping
from typing import Any

from contracts.topics import Topic

JsonObject = dict[str, Any]

_SCHEMA_FORMAT = "application/schema+json;version=draft-2020-12"
_BINDING = "0.5.0"


def document(topics: tuple[Topic, ...], schema_files: Mapping[str, str]) -> JsonObject:
    """Build the document. ``schema_files`` names the file of each event type's newest schema."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tandem events",
            "version": "1.0.0",
            "description": "What the services of Tandem say to each other. People appear as keyed pseudonyms only.",
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in topics},
        "operations": {
            f"{service}.{topic.name}": _sending(topic, service) for topic in topics for service in topic.writers
        },
        "components": {
            "messages": {
                event.TYPE: _message(event.TYPE, topic, schema_files[event.TYPE])
                for topic in topics
                for event in topic.events
            }
        },
    }


def _channel(topic: Topic) -> JsonObject:
    return {
        "address": topic.name,
        "description": f"Keyed by {topic.key}; events of one key keep their order.",
        "messages": {event.TYPE: {"$ref": f"#/components/messages/{event.TYPE}"} for event in topic.events},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": ["compact"] if topic.compacted else ["delete"],
                    "retention.ms": topic.retention_ms,
                },
                "bindingVersion": _BINDING,
            }
        },
    }


def _sending(topic: Topic, service: str) -> JsonObject:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "summary": f"{service} writes {topic.name}",
        "tags": [{"name": service}],
        "messages": [{"$ref": f"#/channels/{topic.name}/messages/{event.TYPE}"} for event in topic.events],
    }


def _message(event_type: str, topic: Topic, schema_file: str) -> JsonObject:
    return {
        "name": event_type,
        "contentType": "application/cloudevents+json",
        "payload": {"schemaFormat": _SCHEMA_FORMAT, "schema": {"$ref": f"./{schema_file}"}},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": f"the event's subject: {topic.key}"},
                "bindingVersion": _BINDING,
            }
        },
    }
