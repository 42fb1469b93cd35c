"""Hypothesis strategies for any event, read from the models themselves: a new event type is tested at once."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types as at
from hypothesis import strategies as st
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from contracts.envelope import event_id
from contracts.identities import PeopleMergedData
from contracts.model import ContractModel
from contracts.topics import TOPIC_BY_TYPE, AnyEvent, EventClass

# What PostgreSQL can store: no NUL and no half of a surrogate pair.
TEXT = st.characters(codec="utf-8", exclude_characters="\x00")


def models(model: type[ContractModel]) -> st.SearchStrategy[Any]:
    """Every valid value of a model."""
    required, optional = {}, {}
    for name, field in model.model_fields.items():
        strategy = values(field.annotation, field.metadata)
        (required if field.default is PydanticUndefined else optional)[name] = strategy
    return st.fixed_dictionaries(required, optional=optional).map(lambda fields: model(**fields))


def events(event_class: EventClass) -> st.SearchStrategy[AnyEvent]:
    """Every valid event of a type, built as producers build it."""
    data_model = event_class.model_fields["data"].annotation
    instants = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
    return st.builds(
        lambda time, sequence, data, key: event_class.of(
            service="intake",
            key=subject(event_class, data, key),
            version="1",
            time=time,
            delivery_id="d" + "0" * 32,
            sequence=sequence,
            data=data,
        ),
        time=instants,
        sequence=st.integers(1, 2**31 - 1),
        data=models(data_model),
        key=st.text(TEXT, min_size=1, max_size=20),
    )


def subject(event_class: EventClass, data: Any, otherwise: str) -> str:
    if TOPIC_BY_TYPE[event_class.TYPE].key != "person":
        return otherwise
    return data.kept if isinstance(data, PeopleMergedData) else data.person_id


def values(annotation: Any, metadata: Iterable[Any]) -> st.SearchStrategy[Any]:
    """Every valid value of an annotation with its limits."""
    origin, limits = get_origin(annotation), _Limits(metadata)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        return values(inner, [*metadata, *_flat(more)])
    if origin in (Union, UnionType):
        return st.one_of(*(values(inner, metadata) for inner in get_args(annotation)))
    if origin is Literal:
        return st.sampled_from(get_args(annotation))
    if origin is tuple:
        size = {"min_size": limits.least or 0, "max_size": min(limits.most or 3, 3)}
        return st.lists(values(get_args(annotation)[0], ()), **size).map(tuple)
    if origin is dict:
        key, value = get_args(annotation)
        return st.dictionaries(values(key, ()), values(value, ()), max_size=3)
    return _plain(annotation, limits)


def _plain(annotation: type, limits: "_Limits") -> st.SearchStrategy[Any]:
    if issubclass(annotation, ContractModel):
        return models(annotation)
    if issubclass(annotation, Enum):
        return st.sampled_from(list(annotation))
    if annotation is str and limits.pattern:
        return st.from_regex(limits.pattern.replace("$", r"\Z"), fullmatch=True).filter(limits.fits)
    plain = {
        NoneType: st.none(),
        bool: st.booleans(),
        int: st.integers(limits.ge, limits.le),
        str: st.text(TEXT, min_size=limits.least or 0, max_size=min(limits.most or 20, 20)),
        date: st.dates(limits.ge or date.min, limits.le or date.max),
        Decimal: st.decimals(limits.ge, limits.le, places=limits.places),
    }
    return plain[annotation]


def _flat(metadata: Iterable[Any]) -> list[Any]:
    return [item for entry in metadata for item in (entry.metadata if isinstance(entry, FieldInfo) else [entry])]


class _Limits:
    """The limits among the metadata of a field."""

    def __init__(self, metadata: Iterable[Any]) -> None:
        self.ge = self.le = self.least = self.most = self.pattern = self.places = None
        for item in _flat(metadata):
            match item:
                case at.Ge(ge):
                    self.ge = ge
                case at.Le(le):
                    self.le = le
                case at.MinLen(least):
                    self.least = least
                case at.MaxLen(most):
                    self.most = most
                case _:
                    self.pattern = getattr(item, "pattern", None) or self.pattern
                    self.places = getattr(item, "decimal_places", None) or self.places

    def fits(self, text: str) -> bool:
        return (self.least or 0) <= len(text) <= (self.most or len(text))


def sample(event_class: EventClass, **changes: Any) -> AnyEvent:
    """One fixed event of a type, as small as it can be."""
    data_model = event_class.model_fields["data"].annotation
    data = data_model(**(SMALLEST[event_class.TYPE] | changes))
    return event_class(
        id=event_id(event_class.TYPE, "sample", "1"),
        source="/tandem/intake",
        type=event_class.TYPE,
        subject=subject(event_class, data, "sample"),
        time=datetime(2022, 3, 1, tzinfo=UTC) + timedelta(hours=5),
        deliveryid="d" + "1" * 32,
        deliveryseq=1,
        data=data,
    )


PERSON = {"person_id": "p" + "a" * 32, "state": "OH"}
_DAY = date(2022, 1, 31)
SMALLEST: dict[str, dict[str, Any]] = {
    "tandem.identity.people-merged.v1": {"retired": "p" + "b" * 32, "kept": "p" + "a" * 32},
    "tandem.medicaid.enrolment-stated.v1": {**PERSON, "stated_on": _DAY, "spans": ()},
    "tandem.delivery.processed.v1": {"service": "risk", "end_offsets": {"tandem.risk-scores.v1": {"0": 7}}},
}
