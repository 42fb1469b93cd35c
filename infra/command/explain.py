"""``tandem explain``: a month's alignment decision in plain words, as it was known at a delivery or on a day."""

import re

import click
import httpx

from infra.command.delivering import require_ready
from infra.command.output import Failure, folder_option, json_option, print_json, results
from infra.local.installation import Installation

_PERSON, _MONTH = re.compile(r"p[0-9a-f]{32}"), re.compile(r"(19|20)\d{2}-(0[1-9]|1[0-2])")
_AS_OF = re.compile(r"\d{1,18}|\d{4}-\d{2}-\d{2}")
_SECONDS = 30.0


@click.command("explain")
@click.argument("person")
@click.argument("month")
@folder_option
@click.option("--as-of", metavar="SEQUENCE|DATE", help="As known at a delivery, or at the end of a day (UTC).")
@json_option
def command(installation: Installation, person: str, month: str, as_of: str | None, *, as_json: bool) -> None:
    """Say why PERSON (a pseudonym) counts in MONTH (2022-03), or does not: what CMS says, what we compute, on what."""
    for text, pattern, what in (
        (person, _PERSON, "a person's pseudonym (p and 32 hexadecimal digits): 'tandem people show' knows them"),
        (month, _MONTH, "a month (2022-03)"),
        (as_of or "0", _AS_OF, "a delivery's number or a day (2022-03-31)"),
    ):
        if not pattern.fullmatch(text):
            raise Failure(f"{text} is not {what}.", exit_code=2)
    require_ready(installation)
    told = _told(installation, person, month, as_of)
    if as_json:
        print_json(told)
        return
    for line in _lines(told):
        results.print(line, soft_wrap=True, markup=False)


def _told(installation: Installation, person: str, month: str, as_of: str | None) -> dict[str, object]:
    address = installation.addresses().gateways["alignment"]
    url = f"{address}/v1/people/{person}/months/{month}/explanation"
    try:
        answer = httpx.get(url, params={} if as_of is None else {"as_of": as_of}, timeout=_SECONDS)
    except httpx.HTTPError as error:
        raise Failure(f"The gateway of alignment did not answer: {error}. 'tandem status' shows more.") from None
    if answer.status_code == httpx.codes.NOT_FOUND:
        raise Failure(f"Nobody is known as {person}.")
    if not answer.is_success:
        problem = answer.json()
        raise Failure(f"The gateway of alignment refused: {problem.get('detail') or problem.get('title')}.")
    told: dict[str, object] = answer.json()
    return told


def _lines(told: dict[str, object]) -> list[str]:
    lines = told["lines"]
    return [str(line) for line in lines] if isinstance(lines, list) else []
