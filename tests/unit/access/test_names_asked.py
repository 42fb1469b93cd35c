"""Of a question the record holds names alone, and of names those that the route knows."""

import pytest

from services.runtime.access.guard import names_asked

KNOWN = frozenset({"payer", "month", "Odd-Name"})


@pytest.mark.parametrize(
    ("query", "names"),
    [
        (b"payer=medicaid&month=2022-01", "month payer"),
        (b"payer=a&payer=b&payer=", "payer"),
        (b"1S00E00AA00=x", "?"),
        (b"1S00E00AA00=x&payer=1S00E00AA00&other=", "? payer"),
        (b"Odd-Name=1", "?"),
        (b"%70ayer=medicaid", "payer"),
        (b"payer", "payer"),
        (b"&&=&", "?"),
        (b"\xff\xfe=1", "?"),
        (b"payer=" + b"1" * 5000, "payer"),
    ],
)
def test_names_and_never_values(query: bytes, names: str) -> None:
    assert names_asked(query, KNOWN) == names_asked.__wrapped__(query, KNOWN) == names


def test_the_same_question_to_another_route_has_other_names() -> None:
    assert names_asked(b"payer=x", frozenset()) == "?"
    assert names_asked(b"payer=x", KNOWN) == "payer"
