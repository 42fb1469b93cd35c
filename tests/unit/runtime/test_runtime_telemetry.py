import json
import logging
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.telemetry import ALLOWED_KEYS, LOG_KEYS_DROPPED, JsonLines, Liveness, Progress, has_stalled, log


def _record(caplog: pytest.LogCaptureFixture) -> dict[str, object]:
    parsed: dict[str, object] = json.loads(JsonLines().format(caplog.records[-1]))
    return parsed


def test_a_line_holds_allowed_keys_only_and_the_rest_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    before = LOG_KEYS_DROPPED.labels("2")._value.get()
    with caplog.at_level(logging.INFO, "tandem"):
        log("something", topic="t", offset=3, member="1EG4TE5MK73", name="Ann")
    line = _record(caplog)
    assert {key: line[key] for key in ("event", "level", "topic", "offset")} == {
        "event": "something",
        "level": "info",
        "topic": "t",
        "offset": 3,
    }
    assert set(line) == {"time", "event", "level", "topic", "offset"}
    assert LOG_KEYS_DROPPED.labels("2")._value.get() == before + 1


def test_other_libraries_lose_their_text_and_keep_their_place(caplog: pytest.LogCaptureFixture) -> None:
    error = ValueError("1EG4TE5MK73")
    logging.getLogger("faust.transport").error("value %r", "1EG4TE5MK73", exc_info=error)
    line = _record(caplog)
    assert "1EG4TE5MK73" not in json.dumps(line)
    assert (line["event"], line["source"], line["error"]) == ("library", "faust.transport", "ValueError")
    assert str(line["location"]).startswith("test_runtime_telemetry:")


def test_below_the_level_nothing_is_written(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "tandem"):
        log("quiet")
    assert not caplog.records


@pytest.mark.parametrize(
    ("then", "now", "stalled"),
    [
        (Progress(0, 10, 5), Progress(100, 10, 5), True),
        (Progress(0, 10, 5), Progress(60, 10, 5), False),
        (Progress(0, 10, 5), Progress(100, 1000, 6), False),
        (Progress(0, 10, 5), Progress(100, 0, 5), False),
    ],
)
def test_stalled_is_lag_without_advance(then: Progress, now: Progress, stalled: bool) -> None:  # noqa: FBT001 - a table's column
    assert has_stalled(then, now, patience_seconds=60) is stalled


@pytest.mark.parametrize(
    ("looks", "stalled_at"),
    [
        # Behind by ever more, and advancing: fine for ever.
        ([(at, 1000 + at, at) for at in range(0, 600, 50)], []),
        # Nothing waits: fine for ever.
        ([(at, 0, 5) for at in range(0, 600, 50)], []),
        # Waiting and not moving: from the first look after the patience, until it moves.
        ([(0, 9, 5), (60, 9, 5), (61, 9, 5), (200, 30, 5), (201, 30, 6), (261, 30, 6), (262, 30, 6)], [61, 200, 262]),
        # Caught up in between: the patience begins again with the next lag.
        ([(0, 9, 5), (50, 0, 5), (100, 9, 5), (160, 9, 5), (161, 9, 5)], [161]),
        # A partition that was taken away moves the sum back: that is a change, too.
        ([(0, 9, 5), (50, 9, 2), (110, 9, 2), (111, 9, 2)], [111]),
        # One look says nothing.
        ([(1000, 9, 5)], []),
    ],
)
def test_liveness_by_its_looks(looks: list[tuple[float, int, int]], stalled_at: list[float]) -> None:
    liveness = Liveness(patience_seconds=60)
    assert [at for at, lag, position in looks if liveness.observe(Progress(at, lag, position))] == stalled_at


@given(
    st.dictionaries(st.sampled_from(sorted(ALLOWED_KEYS)) | st.text(max_size=12), st.text(max_size=5) | st.integers())
)
def test_whatever_is_logged_only_allowed_keys_come_out(fields: dict[str, str | int]) -> None:
    written: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = written.append  # type: ignore[method-assign]
    logger = logging.getLogger("tandem")
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.INFO)
    try:
        log("something", **{key: value for key, value in fields.items() if key not in {"event", "level"}})
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    line = json.loads(JsonLines().format(written[0]))
    assert line.keys() - {"time", "level", "event"} == fields.keys() & ALLOWED_KEYS
    assert {key: line[key] for key in fields.keys() & ALLOWED_KEYS} == {
        key: fields[key] for key in fields.keys() & ALLOWED_KEYS
    }


def test_no_allowed_key_takes_the_place_of_what_every_line_has() -> None:
    assert not ALLOWED_KEYS & {"time", "level", "event"}
    assert not {key for key in ALLOWED_KEYS if re.search("mbi|name|member|person|birth|payload|key|value", key)}


def test_liveness_counts_from_the_last_advance_or_from_when_lag_began() -> None:
    liveness = Liveness(patience_seconds=60)
    seen = [
        liveness.observe(Progress(at, lag, position))
        for at, lag, position in [(0, 0, 5), (1000, 3, 5), (1050, 3, 5), (1070, 3, 6), (1129, 9, 6), (1131, 9, 6)]
    ]
    assert seen == [False, False, False, False, False, True]
