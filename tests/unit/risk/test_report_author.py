"""Whose word a report is: the token's, where there is one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.risk.rules.report_author import AUTHOR, NotTheAuthorError, author_of_client, report_author


@pytest.mark.parametrize(
    ("client", "named", "author"),
    [
        (None, "aide.7", "aide.7"),
        ("care-system", None, "care-system"),
        ("care-system", "care-system", "care-system"),
        ("0oa1B2c3", None, "client.76066a86d7fb1f74d2713975"),
    ],
)
def test_who_a_report_is_by(client: str | None, named: str | None, author: str) -> None:
    assert report_author(client, named) == author


@pytest.mark.parametrize(("client", "named"), [(None, None), ("care-system", "aide.7"), ("0oa1B2c3", "0oa1b2c3")])
def test_nobody_speaks_for_another(client: str | None, named: str | None) -> None:
    with pytest.raises(NotTheAuthorError) as refused:
        report_author(client, named)
    assert (client or "reported_by") not in str(refused.value) or client is None


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=128))
def test_every_client_is_some_author_and_always_the_same(client: str) -> None:
    author = author_of_client(client)
    assert re.match(AUTHOR, author)
    assert author == author_of_client(client) == report_author(client, author)
