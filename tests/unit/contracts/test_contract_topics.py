"""The registry of topics is complete and unambiguous."""

import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Iterator

import pytest

import contracts
from contracts.envelope import Event
from contracts.model import ContractModel
from contracts.topics import (
    ALIGNMENT_DECISIONS,
    DELIVERIES,
    EVENT_BY_TYPE,
    PERSON_PARTITIONS,
    PROVIDER_ROSTERS,
    TOPIC_BY_NAME,
    TOPIC_BY_TYPE,
    TOPICS,
    EventClass,
    Topic,
    event_classes,
)


def _defined() -> Iterator[EventClass]:
    """Every event class that any module of the contracts defines."""
    for module in pkgutil.walk_packages(contracts.__path__, "contracts."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and issubclass(value, Event) and "TYPE" in vars(value):
                yield value


def test_every_event_stands_on_exactly_one_topic() -> None:
    assert Counter(event_classes()) == dict.fromkeys(_defined(), 1)


def test_types_and_names_are_unique() -> None:
    assert len(EVENT_BY_TYPE) == len(TOPIC_BY_TYPE) == len(list(event_classes()))
    assert len(TOPIC_BY_NAME) == len(TOPICS)


@pytest.mark.parametrize("event_class", list(event_classes()), ids=lambda event_class: event_class.TYPE)
def test_types_are_named_and_versioned_alike(event_class: EventClass) -> None:
    assert re.fullmatch(r"tandem(\.[a-z]+(-[a-z]+)*){2}\.v[0-9]+", event_class.TYPE)
    data = event_class.model_fields["data"].annotation
    assert isinstance(data, type)
    assert issubclass(data, ContractModel)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_names_are_legal_for_kafka(topic: Topic) -> None:
    assert re.fullmatch(r"tandem\.[a-z-]+\.v1", topic.name)
    assert len(topic.name) <= 249
    assert topic.writers


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_people_of_one_partition_number_are_the_same_on_every_topic(topic: Topic) -> None:
    if topic.key == "person":
        assert topic.partitions == PERSON_PARTITIONS
        for event_class in topic.events:
            fields = event_class.model_fields["data"].annotation.model_fields  # type: ignore[union-attr]
            assert {"person_id"} <= fields.keys() or {"retired", "kept"} <= fields.keys()


def test_only_what_is_stated_whole_is_compacted() -> None:
    assert [topic for topic in TOPICS if topic.compacted] == [PROVIDER_ROSTERS]


def test_every_service_speaks_of_deliveries_and_only_alignment_decides() -> None:
    assert DELIVERIES.writers == ("intake", "alignment", "risk", "cost-shift")
    assert ALIGNMENT_DECISIONS.writers == ("alignment",)
