"""Who a report is by: where callers show a token, the client that the token is of, and nobody whom they only name.

Source: convention of this product. A client's name that could not stand as an author (RFC 6749, appendix A.1 allows more characters
than a user's name has here) stands as a digest of itself, the same for ever.
"""

import re
from hashlib import sha256
from typing import Final

AUTHOR: Final = r"^[a-z0-9][a-z0-9._-]{0,39}$"
_FITS: Final = re.compile(AUTHOR)
_DIGITS: Final = 24


class NotTheAuthorError(ValueError):
    """A caller names somebody else than the token, or nobody is known at all."""


def author_of_client(client_id: str) -> str:
    """The author that a client's reports are by."""
    if _FITS.match(client_id):
        return client_id
    return f"client.{sha256(client_id.encode()).hexdigest()[:_DIGITS]}"


def report_author(client_id: str | None, named: str | None) -> str:
    """Who a report is by. ``client_id``: of the token, where there is one. Raises :class:`NotTheAuthorError`."""
    if client_id is None:
        if named is None:
            raise NotTheAuthorError("reported_by is missing.")
        return named
    author = author_of_client(client_id)
    if named not in {None, author}:
        raise NotTheAuthorError("reported_by is not the client that the token is of.")
    return author
