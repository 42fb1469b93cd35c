"""How a process of the runtime ends, told by its exit code; and the errors that end one.

::

    RuntimeFailure               ends the process with its ``code``
    ├── SettingsInvalid          a variable is missing or wrong
    ├── DatabaseUnreachable      after every retry
    ├── SchemaConflict           a recorded migration was changed
    ├── BrokerUnreachable        after every retry
    ├── TopicsUnusable           missing, or with another number of partitions
    ├── LogRecreated             the log is not the one that was read
    ├── UntestedLibraries        Faust or aiokafka are not those the overrides were tested with
    ├── SlotTaken                another process holds this worker's place in the group
    ├── TooManyParked            messages fail one after the other
    ├── CutFailed                what a service says at a delivery cannot be computed
    └── RunnerCrashed            Faust gave up, or a bug of the runtime itself
"""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """Below 64 belongs to shells and interpreters."""

    STOPPED = 0
    SETTINGS_INVALID = 64
    DATABASE_UNREACHABLE = 65
    SCHEMA_CONFLICT = 66
    BROKER_UNREACHABLE = 67
    TOPICS_UNUSABLE = 68
    LOG_RECREATED = 69
    UNTESTED_LIBRARIES = 70
    SLOT_TAKEN = 71
    TOO_MANY_PARKED = 72
    RUNNER_CRASHED = 73
    CUT_FAILED = 74


class RuntimeFailure(Exception):  # noqa: N818 - names the outcome; the tree above is its vocabulary
    """Ends the process. The text is for the operator and holds nothing personal."""

    code: ClassVar[ExitCode] = ExitCode.RUNNER_CRASHED


class SettingsInvalid(RuntimeFailure):
    """A setting is missing or wrong; the text names the variable."""

    code = ExitCode.SETTINGS_INVALID


class DatabaseUnreachable(RuntimeFailure):
    """PostgreSQL did not answer within the time allowed at start."""

    code = ExitCode.DATABASE_UNREACHABLE


class SchemaConflict(RuntimeFailure):
    """A migration that was applied is not the one in the package."""

    code = ExitCode.SCHEMA_CONFLICT


class BrokerUnreachable(RuntimeFailure):
    """No broker answered within the time allowed at start."""

    code = ExitCode.BROKER_UNREACHABLE


class TopicsUnusable(RuntimeFailure):
    """A topic is missing or has another number of partitions than the registry says."""

    code = ExitCode.TOPICS_UNUSABLE


class LogRecreated(RuntimeFailure):
    """A log ends before the stored position, begins after it, or holds another message there."""

    code = ExitCode.LOG_RECREATED


class UntestedLibraries(RuntimeFailure):
    """The overridden hooks are not those that were tested."""

    code = ExitCode.UNTESTED_LIBRARIES


class SlotTaken(RuntimeFailure):
    """The broker fenced this worker: another process runs under the same slot."""

    code = ExitCode.SLOT_TAKEN


class TooManyParked(RuntimeFailure):
    """More messages in a row failed than the limit allows: a bad deploy must not empty the log."""

    code = ExitCode.TOO_MANY_PARKED


class RunnerCrashed(RuntimeFailure):
    """Faust stopped by itself."""

    code = ExitCode.RUNNER_CRASHED


class CutFailed(RuntimeFailure):
    """``at_cut`` raised: a delivery cannot be left out, so nothing after it may be published."""

    code = ExitCode.CUT_FAILED
