import json
import logging

import pytest

from services.runtime.telemetry import LOG_KEYS_DROPPED, JsonLines, Liveness, Progress, has_stalled, log


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


def test_liveness_counts_from_the_last_advance_or_from_when_lag_began() -> None:
    liveness = Liveness(patience_seconds=60)
    seen = [
        liveness.observe(Progress(at, lag, position))
        for at, lag, position in [(0, 0, 5), (1000, 3, 5), (1050, 3, 5), (1070, 3, 6), (1129, 9, 6), (1131, 9, 6)]
    ]
    assert seen == [False, False, False, False, False, True]
