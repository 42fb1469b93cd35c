"""Why a fetch ends without its files, each with what the operator can do about it.

``BulkFailure``
├── ``CredentialsMissing``, ``CredentialsRefused``, ``NotAuthorised``
├── ``RequestRefused``, ``AnswerInvalid``, ``StrangeAddress``
├── ``JobGone``, ``JobFailed``, ``FileGone``, ``FileDamaged``
├── ``Unreachable``, ``WaitedTooLong``
└── ``StateInvalid``, ``AlreadyFetching``, ``UnknownProfile``
"""

from typing import ClassVar


class BulkFailure(Exception):  # noqa: N818 - the names say what failed
    """The text is for the operator; it never holds a secret, a token or what is said of a person."""

    exit_code: ClassVar[int] = 1


class CredentialsMissing(BulkFailure):
    """Neither the environment nor a file gives an identifier and a secret."""

    exit_code = 2


class CredentialsRefused(BulkFailure):
    """The server does not accept the identifier and the secret."""

    exit_code = 3


class NotAuthorised(BulkFailure):
    """The credentials are right, but not for this."""

    exit_code = 3


class RequestRefused(BulkFailure):
    """The server does not do what it was asked for."""

    exit_code = 4


class AnswerInvalid(BulkFailure):
    """The server answers in a form that the protocol does not know."""

    exit_code = 4


class StrangeAddress(AnswerInvalid):
    """The server points to another server: no token goes there."""


class JobGone(BulkFailure):
    """The job expired, or was cancelled elsewhere."""

    exit_code = 5


class JobFailed(BulkFailure):
    """The server gave the job up."""

    exit_code = 5


class FileGone(JobGone):
    """A file of a completed job is not there any more."""


class FileDamaged(BulkFailure):
    """A file did not come whole, however often it was asked for."""

    exit_code = 6


class Unreachable(BulkFailure):
    """The server cannot be reached, or only says that it has trouble."""

    exit_code = 6


class WaitedTooLong(BulkFailure):
    """The server asked to wait for longer than the operator allows."""

    exit_code = 6


class StateInvalid(BulkFailure):
    """What was kept of an unfinished fetch does not fit."""

    exit_code = 2


class AlreadyFetching(BulkFailure):
    """Another process fetches the same."""

    exit_code = 2


class UnknownProfile(BulkFailure):
    """There is no such source."""

    exit_code = 2
