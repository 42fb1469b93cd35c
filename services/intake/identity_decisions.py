"""What people decided about who is who: a small signed file, delivered as everything else is.

So a decision is known from a delivery on, and the watched folder, the audit, the replay and every ``as of`` work as they
do for files of others. The signature proves that whoever wrote it holds the installation's key: names of files prove
nothing, and the inbox may be open to many.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.identifiers import NotAnMbi, PersonId
from services.intake.reading import IdentityDecision, RefusedDelivery
from services.intake.sealing import IdentityKeys
from services.runtime.database import Connection

Text = Annotated[str, NotAnMbi, Field(min_length=1, max_length=200)]


class DecisionFile(BaseModel):
    """The file. ``signature`` is over everything else."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["tandem identity decision 1"]
    decided_on: date
    verdict: Literal["link", "separate"]
    person_id: PersonId
    other: PersonId | None = None
    aliases: Annotated[tuple[PersonId, ...], Field(max_length=1000)] = ()
    actor: Text
    reason: Text
    # So that the same decision, made again after it was taken back, is another delivery.
    nonce: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    signature: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    def decision(self) -> IdentityDecision:
        """What is decided."""
        return IdentityDecision(
            self.verdict, self.person_id, self.other, self.aliases, self.actor, self.reason, self.decided_on, self.nonce,
            self.signature,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A decision before it is signed."""

    decided_on: date
    verdict: Literal["link", "separate"]
    person_id: str
    other: str | None
    aliases: Sequence[str]
    actor: str
    reason: str
    nonce: str


def _signed_text(decision: IdentityDecision | Unsigned) -> bytes:
    fields = asdict(decision)
    fields.pop("signature", None)
    fields |= {"decided_on": decision.decided_on.isoformat(), "aliases": sorted(decision.aliases)}
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def written(decision: Unsigned, keys: IdentityKeys) -> bytes:
    """The file of a decision, signed."""
    fields = json.loads(_signed_text(decision))
    signature = keys.signature(_signed_text(decision))
    document = {"format": "tandem identity decision 1", **fields, "signature": signature}
    return json.dumps(document, indent=1).encode() + b"\n"


def file_name(decision: Unsigned, keys: IdentityKeys) -> str:
    """Under which name the file is delivered."""
    return f"IDENTITY_DECISION.{keys.signature(_signed_text(decision))[:12]}.D{decision.decided_on:%y%m%d}.json"


def read_decision(content: bytes) -> DecisionFile:
    """Read a file. Raises :class:`RefusedDelivery`, which names fields and no values."""
    try:
        found = DecisionFile.model_validate_json(content)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
    else:
        if (found.verdict == "link") == (found.other is None) or (found.verdict == "separate") != bool(found.aliases):
            raise RefusedDelivery("decision_incomplete", "a link names two people, a separation a person and aliases")
        return found
    named = DecisionFile.model_fields
    fields = sorted({str(fault["loc"][0]) for fault in faults if fault["loc"] and fault["loc"][0] in named})
    raise RefusedDelivery("decision_unreadable", f"no identity decision: {', '.join(fields) or 'not such a document'}")


def require_signed(decision: IdentityDecision, keys: IdentityKeys) -> None:
    """Refuse what was not written by somebody with the key. Raises :class:`RefusedDelivery`."""
    if not keys.signs(_signed_text(decision), decision.signature):
        raise RefusedDelivery("signature_wrong", "the decision was not signed with this installation's key, or changed")


_UNKNOWN = """
    SELECT count(*) FROM staged_decision decision CROSS JOIN LATERAL unnest(ARRAY[person_id, other]) AS named (person_id)
    WHERE named.person_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM vault_identifier known WHERE known.person_id = named.person_id)
"""
_LEAVING = """
    CREATE TEMPORARY TABLE leaving ON COMMIT DROP AS
    SELECT identifier.lookup, identifier.alias, identifier.atom, identifier.person_id, identifier.first_sequence
    FROM staged_decision decision
    JOIN vault_identifier identifier
        ON identifier.person_id = decision.person_id AND identifier.alias = ANY(decision.aliases)
    WHERE decision.verdict = 'separate'
"""
_MISNAMED = """
    SELECT count(*) FROM staged_decision decision CROSS JOIN LATERAL unnest(aliases) AS named (alias)
    WHERE NOT EXISTS (SELECT FROM leaving WHERE leaving.alias = named.alias)
"""
# The name of an atom is that of its first identifier: where others stay, it stays too.
_OWN = """
    SELECT count(*) FROM leaving
    WHERE (leaving.alias = leaving.atom OR leaving.alias = leaving.person_id) AND EXISTS (
        SELECT FROM vault_identifier staying
        WHERE (staying.atom = leaving.atom OR leaving.alias = leaving.person_id)
            AND staying.person_id = leaving.person_id AND staying.lookup NOT IN (SELECT lookup FROM leaving))
"""
_HOLD_APART = """
    INSERT INTO vault_apart (alias, other, sequence)
    SELECT DISTINCT least(leaving.alias, staying.alias), greatest(leaving.alias, staying.alias), $1::bigint
    FROM leaving JOIN vault_identifier staying USING (person_id)
    WHERE staying.lookup NOT IN (SELECT lookup FROM leaving) AND staying.alias <> leaving.alias
    ON CONFLICT DO NOTHING
"""
# Part of an atom leaves: it is an atom of its own, named by the identifier of it that was seen first.
_NEW_ATOMS = """
    CREATE TEMPORARY TABLE parted ON COMMIT DROP AS
    SELECT leaving.lookup, first_value(leaving.alias) OVER (
        PARTITION BY leaving.atom ORDER BY leaving.first_sequence, leaving.alias) AS atom
    FROM leaving WHERE EXISTS (
        SELECT FROM vault_identifier staying
        WHERE staying.atom = leaving.atom AND staying.lookup NOT IN (SELECT lookup FROM leaving))
"""
_NEW_PEOPLE = """
    INSERT INTO vault_person (person_id, state, created_sequence, created_ordinal)
    SELECT parted.atom, former.state, $1, row_number() OVER (ORDER BY parted.atom)
    FROM (SELECT DISTINCT ON (parted.atom) parted.atom, leaving.person_id FROM parted JOIN leaving USING (lookup)
          ORDER BY parted.atom, leaving.person_id) parted
    JOIN vault_person former ON former.person_id = parted.person_id
    ON CONFLICT (person_id) DO NOTHING
"""
_PART = "UPDATE vault_identifier SET atom = parted.atom FROM parted WHERE parted.lookup = vault_identifier.lookup"
# Who decides that two are one takes back that they are two.
_NO_LONGER_APART = """
    DELETE FROM vault_apart apart USING staged_decision decision, vault_identifier one, vault_identifier other
    WHERE decision.verdict = 'link' AND one.person_id = decision.person_id AND other.person_id = decision.other
        AND (apart.alias, apart.other) = (least(one.alias, other.alias), greatest(one.alias, other.alias))
"""
_TRAIL = """
    INSERT INTO identity_trail (sequence, action, person_id, other, rule, actor, reason)
    SELECT $1, 'decided', person_id, coalesce(other, aliases[1]), verdict, actor, reason FROM staged_decision
"""


async def separate(connection: Connection, sequence: int) -> None:
    """Carry out what the staged delivery decides, as far as it parts people; links are edges like those of files.

    Raises :class:`RefusedDelivery` where it names nobody, or would leave a name without its identifier.
    """
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM staged_decision)"):
        return
    if await connection.fetchval(_UNKNOWN):
        raise RefusedDelivery("unknown_person", "a person named in the decision is not known, or is somebody else now")
    await connection.execute(_LEAVING)
    if await connection.fetchval(_MISNAMED):
        raise RefusedDelivery("unknown_alias", "an alias named in the decision is none of this person")
    if await connection.fetchval(_OWN):
        raise RefusedDelivery("own_alias", "a person's own alias stays: name the others as the ones that leave")
    for statement in (_HOLD_APART, _NEW_PEOPLE, _TRAIL):
        if statement is _NEW_PEOPLE:
            await connection.execute(_NEW_ATOMS)
        await connection.execute(statement, sequence)
    await connection.execute(_PART)
    await connection.execute(_NO_LONGER_APART)
