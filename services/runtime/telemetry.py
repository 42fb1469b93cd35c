"""Logs, metrics and the rule of liveness.

A log line is one JSON object made of allowed keys: what is not in the list is dropped and counted, so that a
careless field cannot carry a person's data out. Library logs keep where they came from and lose their text.
"""

import json
import logging
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, start_http_server

Level = Literal["debug", "info", "warning", "error"]

ALLOWED_KEYS: Final = frozenset(
    {
        "attempt", "batch", "broker", "code", "count", "delivery", "delivery_sequence", "duration_ms", "end_offset",
        "error", "event_type", "exit_code", "file", "group", "kind", "lag", "lag_seconds", "line", "location", "mode",
        "next_offset", "offset", "outbox", "partition", "partitions", "path_template", "port", "reason", "request_id",
        "run", "schema", "seconds", "sequence", "service", "slot", "source", "state", "status", "topic", "version",
    }
)  # fmt: skip

_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_LOGGER: Final = logging.getLogger("tandem")


@dataclass(frozen=True, slots=True)
class Metrics:
    """Every metric there is, with what a bad value means."""

    registry: CollectorRegistry = field(default_factory=lambda: REGISTRY)

    def counter(self, name: str, text: str, *labels: str) -> Counter:
        """A counter of this registry."""
        return Counter(name, text, labels, registry=self.registry)

    def gauge(self, name: str, text: str, *labels: str) -> Gauge:
        """A gauge of this registry."""
        return Gauge(name, text, labels, registry=self.registry)


_ALL: Final = Metrics()

# Flat while there is lag: the worker is stalled.
MESSAGES_APPLIED: Final = _ALL.counter("tandem_messages_applied_total", "Messages applied", "service", "topic")
# Near one message a batch under load: batches do not form, and throughput falls with them.
BATCHES_APPLIED: Final = _ALL.counter("tandem_batches_applied_total", "Transactions committed", "service")
# Growing 99th percentile: the database or a handler slows down.
BATCH_SECONDS: Final = Histogram("tandem_batch_seconds", "Time of one batch's transaction", ["service"])
# Any increase needs a person: something was refused.
DEAD_LETTERS: Final = _ALL.counter("tandem_dead_letters_total", "Messages parked", "service", "reason")
# Increasing steadily: the database or the broker is in trouble.
RETRIES: Final = _ALL.counter("tandem_retries_total", "Attempts repeated", "service", "what")
# Increasing: messages were delivered with a gap and read again; constant increase means a loop.
SEEKS_BACK: Final = _ALL.counter("tandem_seeks_back_total", "Partitions read again", "service", "topic")
# Increasing without restarts or rebalances: the log is delivered twice over and over.
OVERLAPS: Final = _ALL.counter("tandem_overlap_messages_total", "Messages already applied", "service", "topic")
# Growing: consumption is slower than production. Fine while MESSAGES_APPLIED grows.
LAG_MESSAGES: Final = _ALL.gauge("tandem_lag_messages", "Messages not applied yet", "service", "topic", "partition")
# Growing one second a second: the oldest waiting message does not move.
LAG_SECONDS: Final = _ALL.gauge("tandem_lag_seconds", "Age of the oldest message that waits", "service", "topic")
# 1: there is lag and nothing advances.
STALLED: Final = _ALL.gauge("tandem_stalled", "Lag without advance", "service")
# Growing: the relay is down or the broker refuses.
OUTBOX_DEPTH: Final = _ALL.gauge("tandem_outbox_depth", "Events waiting to be sent", "service")
# Flat while OUTBOX_DEPTH is not zero: the relay is stalled.
EVENTS_SENT: Final = _ALL.counter("tandem_events_sent_total", "Events acknowledged by the broker", "service")
# Behind the newest delivery for long: a service before this one has not said that it is done.
CUT_SEQUENCE: Final = _ALL.gauge("tandem_cut_sequence", "Newest delivery applied", "service")
# Any increase is a bug in the code that logs.
LOG_KEYS_DROPPED: Final = _ALL.counter("tandem_log_keys_dropped_total", "Log keys that are not allowed", "key_count")


def log(event: str, *, level: Level = "info", **fields: str | float | None) -> None:
    """Write one line. ``event`` is a fixed word of the code, never built from data."""
    if not _LOGGER.isEnabledFor(_LEVELS[level]):
        return
    allowed = {key: value for key, value in fields.items() if key in ALLOWED_KEYS}
    if len(allowed) != len(fields):
        LOG_KEYS_DROPPED.labels(str(len(fields) - len(allowed))).inc()
    _LOGGER.log(_LEVELS[level], event, extra={"fields": allowed})


class JsonLines(logging.Formatter):
    """A record as one JSON object. Of other libraries' records only the place and the error's class are kept."""

    def format(self, record: logging.LogRecord) -> str:
        """Render without any text that this project did not write."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
        }
        if record.name == _LOGGER.name:
            line |= {"event": record.getMessage(), **getattr(record, "fields", {})}
        else:
            line |= {"event": "library", "source": record.name, "location": f"{record.module}:{record.lineno}"}
            if record.exc_info and record.exc_info[0]:
                line["error"] = record.exc_info[0].__name__
        return json.dumps(line)


def configure_logging(level: Level) -> None:
    """Send every log of the process to standard error as JSON; libraries speak only from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    _LOGGER.setLevel(_LEVELS[level])


def serve_metrics(port: int | None, host: str = "127.0.0.1") -> None:
    """Answer Prometheus on the port, if there is one."""
    if port is not None:
        start_http_server(port, addr=host)


@dataclass(frozen=True, slots=True)
class Progress:
    """What was seen of a worker: messages that wait, and the sum of its positions, at a time in seconds."""

    at: float
    lag: int
    position: int


def has_stalled(last_advance: Progress, now: Progress, patience_seconds: float) -> bool:
    """Lag without advance for longer than the patience. Advancing is fine, however great the lag (Burrow's rule)."""
    return now.lag > 0 and now.position == last_advance.position and now.at - last_advance.at > patience_seconds


class Liveness:
    """Remembers the last advance and applies :func:`has_stalled` to each new look."""

    def __init__(self, patience_seconds: float = 60.0) -> None:
        self._patience = patience_seconds
        self._last: Progress | None = None

    def observe(self, now: Progress) -> bool:
        """Take a look; true if the worker has stalled."""
        if self._last is None or now.position != self._last.position or 0 in (now.lag, self._last.lag):
            self._last = now
        return has_stalled(self._last, now, self._patience)
