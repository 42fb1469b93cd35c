"""``tandem people``: who is who. Decisions are signed files in the inbox: known from a delivery on, like all else."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any, Literal, TypeVar

import click
from rich.table import Table

from infra.command.delivering import require_ready
from infra.command.keys import identity_keys
from infra.command.output import Failure, folder_option, json_option, people, print_json, results
from infra.local.installation import Installation, schema_of
from services.intake.identity_decisions import Unsigned, file_name, written
from services.intake.identity_review import identifiers_of, pairs_to_review
from services.intake.identity_trail import steps
from services.runtime.database import Connection, connected

Result = TypeVar("Result")
_MOST = click.IntRange(1, 10_000)
_actor = click.option("--actor", default=getpass.getuser, show_default="you", help="Who decided it; recorded.")
_reason = click.option("--reason", required=True, help="Why; recorded. Nothing that names anybody.")


def _in_intake(installation: Installation, work: Callable[[Connection], Awaitable[Result]]) -> Result:
    async def run() -> Result:
        async with connected(installation.database_url("intake"), schema_of("intake")) as connection:
            return await work(connection)

    require_ready(installation)
    return asyncio.run(run())


@click.group("people")
def command() -> None:
    """Who is who: names, dates and numbers stay sealed; pseudonyms and degrees of resemblance are shown."""


@command.command("review")
@folder_option
@click.option("--limit", type=_MOST, default=50, show_default=True)
@json_option
def review(installation: Installation, limit: int, as_json: bool) -> None:
    """List pairs who may be one person and were not linked, the most alike first."""
    found = _in_intake(installation, lambda opened: pairs_to_review(opened, limit))
    if as_json:
        print_json([asdict(pair) for pair in found])
        return
    table = Table("member", "beneficiary", "score", "only pair", "parts", box=None)
    for pair in found:
        parts = ", ".join(f"{field} {level}" for field, level, _ in pair.parts)
        table.add_row(pair.person_id, pair.other, _shown(pair.score), "yes" if pair.alone else "no", parts)
    results.print(table if found else "Nothing is to be looked at.")


def _shown(score: int | None) -> str:
    return "" if score is None else f"{score / 1000:.1f}"


@command.command("show")
@click.argument("person")
@folder_option
@json_option
def show(installation: Installation, person: str, as_json: bool) -> None:
    """Show by which identifiers PERSON is known, by their pseudonyms."""
    found = _in_intake(installation, lambda opened: identifiers_of(opened, person))
    if not found:
        raise Failure("Nobody is known by that, or they are somebody else now: 'tandem people show-trail' tells.")
    if as_json:
        print_json([asdict(one) for one in found])
        return
    table = Table("alias", "kind", "state", "since delivery", "", box=None)
    for one in found:
        note = "the person's own" if one.is_own else "by resemblance" if one.by_resemblance else ""
        table.add_row(one.alias, one.kind, one.issuer or "", str(one.first_sequence), note)
    results.print(table)


@command.command("show-trail")
@click.argument("person", required=False)
@folder_option
@click.option("--limit", type=_MOST, default=50, show_default=True)
@json_option
def show_trail(installation: Installation, person: str | None, limit: int, as_json: bool) -> None:
    """Show what was decided about PERSON, or about anybody, with who decided it and why; the newest first."""
    found = _in_intake(installation, lambda opened: steps(opened, person, limit))
    if as_json:
        print_json([asdict(step) for step in found])
        return
    table = Table("delivery", "what", "person", "other", "score", "who", "why", box=None)
    for step in found:
        told = (step.person_id, step.other, _shown(step.score), step.actor, step.reason)
        table.add_row(str(step.sequence), step.action, *told)
    results.print(table if found else "Nothing was decided.")


@command.command("link")
@click.argument("person")
@click.argument("other")
@folder_option
@_actor
@_reason
def link(installation: Installation, person: str, other: str, actor: str, reason: str) -> None:
    """Decide that PERSON and OTHER are one."""
    _decide(installation, "link", {"person_id": person, "other": other, "aliases": ()}, actor, reason)


@command.command("separate")
@click.argument("person")
@click.argument("aliases", metavar="ALIAS...", nargs=-1, required=True)
@folder_option
@_actor
@_reason
def separate(installation: Installation, person: str, aliases: tuple[str, ...], actor: str, reason: str) -> None:
    """Decide that the identifiers ALIAS... of PERSON are somebody else's, and that no file joins them again."""
    _decide(installation, "separate", {"person_id": person, "other": None, "aliases": aliases}, actor, reason)


def _decide(
    installation: Installation, verdict: Literal["link", "separate"], named: dict[str, Any], actor: str, reason: str
) -> None:
    known = {person for person in (named["person_id"], named["other"]) if person is not None}
    for person in sorted(known):
        found = _in_intake(installation, lambda opened, person=person: identifiers_of(opened, person))  # type: ignore[misc]
        if not found:
            raise Failure(f"{person} is not known, or is somebody else now: 'tandem people show-trail' tells.")
    decision = Unsigned(datetime.now(UTC).date(), verdict, **named, actor=actor, reason=reason, nonce=token_hex(16))
    keys = identity_keys(installation)
    path = installation.inbox / file_name(decision, keys)
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(written(decision, keys))
    unfinished.rename(path)
    people.print(f"{path.name} lies in the inbox: 'tandem status' shows when it has been carried out.")
