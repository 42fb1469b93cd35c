"""What can be built is valid for the newest recorded schema: readers in other languages see the same events."""

import json

import jsonschema
import pytest
from event_strategies import events
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.json_schemas import recorded
from contracts.topics import EventClass, event_classes


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@pytest.mark.parametrize("event_class", list(event_classes()), ids=lambda event_class: event_class.TYPE)
@given(choice=st.data())
def test_every_event_is_valid_for_its_schema(event_class: EventClass, choice: st.DataObject) -> None:
    revisions = recorded(event_class.TYPE)
    validator = jsonschema.Draft202012Validator(revisions[max(revisions)])
    written = json.loads(choice.draw(events(event_class)).encode())
    assert [error.message for error in validator.iter_errors(written)] == []
    assert list(validator.iter_errors({**written, "type": "tandem.other.v1"}))
