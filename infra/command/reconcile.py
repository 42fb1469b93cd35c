"""``tandem reconcile``: where CMS's alignment report and ours differ, with both sides, and decisions about it."""

import csv
import getpass
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import click
import httpx
from rich.table import Table

from contracts.reconciliation import Difference
from infra.command.delivering import require_ready
from infra.command.output import Failure, folder_option, json_option, people, print_json, results
from infra.local.installation import Installation

_SECONDS = 60.0
_PAGE = 1_000
_OUTCOMES: tuple[str, ...] = get_args(Difference)
_PATTERNS = {
    "person": (re.compile(r"p[0-9a-f]{32}"), "a person's pseudonym: 'tandem reconcile list' shows them"),
    "month": (re.compile(r"(19|20)\d{2}-(0[1-9]|1[0-2])"), "a month (2022-03)"),
    "as-of": (re.compile(r"\d{1,18}|\d{4}-\d{2}-\d{2}"), "a delivery's number or a day (2022-03-31)"),
}
_as_of = click.option("--as-of", metavar="SEQUENCE|DATE", help="As known at a delivery, or at the end of a day (UTC).")
_entity = click.option("--entity", help="Only this entity, for example D9001.")
_month = click.option("--month", help="Only this month, for example 2022-03.")
_outcome = click.option("--outcome", type=click.Choice(_OUTCOMES), help="Only this sort of difference.")
_status = click.option("--status", type=click.Choice(("open", "closed", "all")), default="open", show_default=True)


@click.group("reconcile")
def command() -> None:
    """CMS's alignment report against ours: list what differs, look at both sides, close it, export it for a dispute."""


@command.command("list", short_help="Person-months that differ, and how many agree.")
@folder_option
@_entity
@_month
@_outcome
@_status
@_as_of
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@json_option
def listed(
    installation: Installation,
    entity: str | None,
    month: str | None,
    outcome: str | None,
    status: str,
    as_of: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List person-months that differ, by person and month, and count what agrees."""
    _checked("as-of", as_of)
    asked = _given(entity=entity, month=_checked("month", month), outcome=outcome, as_of=as_of, status=status)
    found = _asked(installation, "", **asked, limit=limit)
    counts = _asked(installation, "/months", **_given(entity=entity, as_of=as_of))
    if as_json:
        print_json({**found, "months": counts})
        return
    if found["differences"]:
        results.print(_table(found["differences"]))
    else:
        results.print("Nothing differs." if status == "open" else "Nothing to show.")
    people.print(_counted(counts, month))
    if found["next_after"]:
        people.print(f"There are more than {limit}: --limit shows more, 'tandem reconcile export' all.")


def _table(differences: list[dict[str, Any]]) -> Table:
    table = Table("person", "month", "difference", "CMS says", "we say", "days", "", box=None)
    for one in differences:
        table.add_row(
            one["person_id"], one["month"], one["outcome"], _theirs(one), _ours(one), str(one["age_days"]), _marks(one)
        )
    return table


def _theirs(one: Mapping[str, Any]) -> str:
    return "aligned" if one["theirs"] else f"not aligned: {one['their_reason'] or 'no reason'}"


def _ours(one: Mapping[str, Any]) -> str:
    return "aligned" if one["ours"] else f"not aligned: {', '.join(one['our_reasons'])}"


def _marks(one: Mapping[str, Any]) -> str:
    marks = ["shares no claims"] if one["claims_not_shared"] else []
    return ", ".join([*marks, f"{one['resolution']} by {one['closed_by']}"] if one["resolution"] else marks)


def _counted(counts: list[dict[str, Any]], month: str | None) -> str:
    wanted = [one for one in counts if month in {None, one["month"]}]
    differing = sum(one[name] for one in wanted for name in _OUTCOMES)
    agreed, closed = (sum(one[name] for one in wanted) for name in ("agreed", "closed"))
    return f"{agreed:,} person-months aligned by both, {differing:,} that differ, {closed:,} of them closed."


@command.command("show", short_help="Both sides of one difference, and what was decided.")
@click.argument("person")
@click.argument("month")
@folder_option
@_as_of
@json_option
def show(installation: Installation, person: str, month: str, as_of: str | None, as_json: bool) -> None:
    """Show both sides of what differs about PERSON in MONTH, with the evidence, and all that was decided about it."""
    _checked("person", person)
    _checked("month", month)
    one = _one(installation, person, month, _checked("as-of", as_of))
    decided = _asked(installation, f"/people/{person}/months/{month}")
    if as_json:
        print_json({**one, "closings": decided})
        return
    lines = [
        f"{one['outcome']} for {one['age_days']} days, known since delivery {one['known_since']}, {one['entity_id']}.",
        f"CMS: {_theirs(one)} ({'; '.join(one['their_evidence']) or 'no evidence'}).",
        f"We: {_ours(one)} ({'; '.join(one['our_evidence']) or 'no evidence'}).",
        f"Before the report we had said: {one['forecast'].replace('_', ' ')}.",
        *(["The person lets Medicare share no claims with the entity; that changes no alignment."] if one["claims_not_shared"] else []),
        *(f"{each['closed_at']}: {each['resolution']} by {each['actor']}: {each['note']}" for each in decided),
    ]  # fmt: skip
    for line in lines:
        results.print(line, soft_wrap=True, markup=False)


def _one(installation: Installation, person: str, month: str, as_of: str | None) -> dict[str, Any]:
    asked = _given(month=month, status="all", after=f"{person}:0000-00", as_of=as_of)
    found: list[dict[str, Any]] = _asked(installation, "", **asked, limit=1)["differences"]
    if not found or found[0]["person_id"] != person:
        raise Failure(f"Nothing differs about {person} in {month}.")
    return found[0]


@command.command("close", short_help="Decide about one difference; recorded.")
@click.argument("person")
@click.argument("month")
@folder_option
@click.option(
    "--as", "resolution", type=click.Choice(("accepted", "disputed", "corrected")), required=True, help="What is done."
)
@click.option("--actor", default=getpass.getuser, show_default="you", help="Who decided it; recorded.")
@click.option("--note", required=True, help="Why; recorded. Nothing that names anybody.")
def close(installation: Installation, person: str, month: str, resolution: str, actor: str, note: str) -> None:
    """Close what differs about PERSON in MONTH. It opens again when the sides come to differ in another way."""
    _checked("person", person)
    _checked("month", month)
    one = _one(installation, person, month, None)
    closing = {name: one[name] for name in ("person_id", "entity_id", "month", "outcome")}
    said = {**closing, "resolution": resolution, "actor": actor, "note": note}
    _answer(installation, lambda url: httpx.post(f"{url}/closings", json=said, timeout=_SECONDS))
    people.print(f"{one['outcome']} of {month}: {resolution}. 'tandem reconcile show' has it in a moment.")


@command.command("export", short_help="Write the queue as CSV, for a dispute.")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@folder_option
@_entity
@_month
@_outcome
@_status
@_as_of
def export(
    installation: Installation,
    file: Path,
    entity: str | None,
    month: str | None,
    outcome: str | None,
    status: str,
    as_of: str | None,
) -> None:
    """Write every person-month that differs into FILE, with the evidence of both sides: pseudonyms, never identifiers."""
    _checked("as-of", as_of)
    asked = _given(entity=entity, month=_checked("month", month), outcome=outcome, as_of=as_of, status=status)
    rows = list(_all(installation, asked))
    unfinished = file.with_name(file.name + ".part")
    with unfinished.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(_COLUMNS)
        writer.writerows([_cell(row[name]) for name in _COLUMNS] for row in rows)
    unfinished.replace(file)
    people.print(f"{len(rows):,} person-months: {file}")


_COLUMNS = (
    "person_id", "state", "entity_id", "month", "outcome", "theirs", "their_reason", "their_evidence", "ours",
    "our_reasons", "our_evidence", "forecast", "known_since", "differs_since", "differs_since_time", "age_days",
    "claims_not_shared", "resolution", "closed_by", "closed_at", "note",
)  # fmt: skip


def _cell(value: Any) -> Any:  # noqa: ANN401 - JSON
    return ";".join(map(str, value)) if isinstance(value, list) else value


def _all(installation: Installation, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every page, as known at the delivery of the first."""
    page = _asked(installation, "", **asked, limit=_PAGE)
    yield from page["differences"]
    while page["next_after"]:
        further = {**asked, "as_of": page["as_of"], "after": page["next_after"]}
        page = _asked(installation, "", **further, limit=_PAGE)
        yield from page["differences"]


def _checked(name: str, text: str | None) -> str | None:
    pattern, what = _PATTERNS[name]
    if text is not None and not pattern.fullmatch(text):
        raise Failure(f"{text} is not {what}.", exit_code=2)
    return text


def _given(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def _asked(installation: Installation, path: str, **parameters: Any) -> Any:  # noqa: ANN401 - JSON
    return _answer(installation, lambda url: httpx.get(f"{url}{path}", params=parameters, timeout=_SECONDS)).json()


def _answer(installation: Installation, ask: Callable[[str], httpx.Response]) -> httpx.Response:
    """An answer of the gateway.

    Raises:
        Failure: no answer, or a problem instead of one.
    """
    require_ready(installation)
    try:
        answer = ask(f"{installation.addresses().gateways['alignment']}/v1/reconciliation")
    except httpx.HTTPError as error:
        raise Failure(f"The gateway of alignment did not answer: {error}. 'tandem status' shows more.") from None
    if not answer.is_success:
        told = answer.json()
        raise Failure(
            f"The gateway of alignment refused: {told.get('detail') or told.get('title')}.".replace("..", ".")
        )
    return answer
