"""People who share no number are found by name, birth date and sex; what is found is the same in any order."""

import asyncio
import json
import random
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from identity_world import Member, beneficiary, member, naming, random_deliveries, telling, together
from intake_installation import KEYS

from contracts.identities import PeopleMerged, PeopleSplit
from contracts.medicaid import MedicaidEnrolmentStated
from services.intake.reading import PersonReference

pytestmark = pytest.mark.broker

RUTH = Member(1, "Kowalski", "Ruth", date(1941, 5, 3), "2")


async def test_a_member_without_mbi_is_the_beneficiary_of_the_same_name(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with telling(database_url, tmp_path, monkeypatch) as told:
        await told.deliver(member(RUTH))
        alone = await told.person(RUTH.medicaid)
        await told.deliver(beneficiary(RUTH))
        one = await told.person(RUTH.mbi)
        assert one == await told.person(RUTH.medicaid) != alone
        (merged,) = await told.installation.events(PeopleMerged.TYPE)
        assert (merged.data.retired, merged.data.kept, merged.deliveryseq) == (alone, one, 2)
        assert await told.installation.writing.fetchval("SELECT kept FROM vault_merge WHERE retired = $1", alone) == one
        trail = await told.installation.writing.fetch("SELECT * FROM identity_trail ORDER BY number")
        assert [(row["action"], row["actor"]) for row in trail] == [("linked", "intake"), ("merged", "intake")]
        assert {part[0] for part in json.loads(trail[0]["parts"])} == {"family_name", "given_name", "birth_date", "sex"}


async def test_later_events_say_by_which_number_the_person_was_named(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with telling(database_url, tmp_path, monkeypatch) as told:
        for said in (beneficiary(RUTH), member(RUTH)):
            await told.deliver(said)
        (enrolled,) = await told.installation.events(MedicaidEnrolmentStated.TYPE)
        assert enrolled.subject == await told.person(RUTH.mbi)
        assert enrolled.alias == KEYS.person_id(RUTH.medicaid)
        assert enrolled.named_by == enrolled.alias
        assert enrolled.encode() in await told.installation.payloads()


async def test_a_repeated_delivery_changes_nothing(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with telling(database_url, tmp_path, monkeypatch) as told:
        for said in (beneficiary(RUTH), member(RUTH)):
            await told.deliver(said)
        tables = ("vault_pair", "vault_demographics", "vault_block", "identity_trail", "vault_merge")
        before = [await told.installation.writing.fetch(f"SELECT * FROM {table}") for table in tables]
        for said in (member(RUTH), beneficiary(RUTH)):
            await told.deliver(said)
        after = [await told.installation.writing.fetch(f"SELECT * FROM {table}") for table in tables]
        assert [sorted(map(tuple, rows), key=repr) for rows in after] == [
            sorted(map(tuple, rows), key=repr) for rows in before
        ]


NOT_LINKED = [
    ("another sex", replace(RUTH, number=2, sex="1")),
    ("a twin", replace(RUTH, number=2, given="Dolores")),
    ("another birthday", replace(RUTH, number=2, born=date(1941, 5, 9))),
    ("day and month changed", replace(RUTH, number=2, born=date(1941, 3, 5))),
    ("another person of that birthday", replace(RUTH, number=2, family="Nguyen", given="Peter")),
]


@pytest.mark.parametrize(("name", "other"), NOT_LINKED, ids=[name for name, _ in NOT_LINKED])
async def test_whoever_might_be_somebody_else_is_not_linked(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, other: Member
) -> None:
    async with telling(database_url, tmp_path, monkeypatch) as told:
        await told.deliver(together(beneficiary(RUTH), member(other)))
        assert await told.person(RUTH.mbi) != await told.person(other.medicaid), name
        assert await told.installation.events(PeopleMerged.TYPE) == []


LINKED = [
    ("letters swapped", replace(RUTH, family="Kowlaski")),
    ("in capitals", replace(RUTH, family="KOWALSKI", given="RUTH")),
    ("a suffix", replace(RUTH, family="Kowalski Jr")),
    ("sex not known", replace(RUTH, sex="0")),
]


@pytest.mark.parametrize(("name", "told_as"), LINKED, ids=[name for name, _ in LINKED])
async def test_small_errors_are_seen_through(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, told_as: Member
) -> None:
    async with telling(database_url, tmp_path, monkeypatch) as told:
        await told.deliver(together(beneficiary(RUTH), member(told_as)))
        assert await told.person(RUTH.mbi) == await told.person(RUTH.medicaid), name


async def test_two_who_could_be_meant_are_both_left_for_review(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    double = replace(RUTH, number=2)
    async with telling(database_url, tmp_path, monkeypatch) as told:
        await told.deliver(together(member(RUTH), beneficiary(RUTH), beneficiary(double)))
        assert len(await told.people()) == 3
        rows = await told.installation.writing.fetch("SELECT action, reason FROM identity_trail")
        assert {tuple(row) for row in rows} == {("not_linked", "not the only pair")}


async def test_a_link_that_is_no_longer_the_only_one_is_undone(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    double = replace(RUTH, number=2)
    async with telling(database_url, tmp_path, monkeypatch) as told:
        await told.deliver(together(member(RUTH), beneficiary(RUTH)))
        one = await told.person(RUTH.mbi)
        await told.deliver(beneficiary(double))
        assert len(await told.people()) == 3
        (split,) = await told.installation.events(PeopleSplit.TYPE)
        assert (split.data.person_id, split.data.aliases) == (one, (KEYS.person_id(RUTH.medicaid),))
        assert split.data.separated == await told.person(RUTH.medicaid) == KEYS.person_id(RUTH.medicaid)


async def test_a_number_that_says_otherwise_goes_before_every_resemblance(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state sends the MBI later, and it is another one."""
    true = Member(3, "Washington", "Anna", date(1939, 1, 2), "2")
    async with telling(database_url, tmp_path, monkeypatch) as told:
        await told.deliver(together(beneficiary(RUTH), beneficiary(true), member(RUTH)))
        wrong = await told.person(RUTH.mbi)
        assert await told.person(RUTH.medicaid) == wrong
        await told.deliver(naming(true.mbi, RUTH.medicaid))
        assert await told.person(RUTH.medicaid) == await told.person(true.mbi) != wrong
        (split,) = await told.installation.events(PeopleSplit.TYPE)
        assert (split.data.person_id, split.data.separated) == (wrong, await told.person(true.mbi))


async def test_a_beneficiary_with_a_number_of_that_state_gets_no_second_one(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = replace(RUTH, number=4)
    async with telling(database_url, tmp_path, monkeypatch) as told:
        await told.deliver(together(beneficiary(RUTH), member(RUTH, with_mbi=True)))
        await told.deliver(member(second))
        assert await told.person(second.medicaid) != await told.person(RUTH.mbi)
        assert await told.installation.writing.fetchval("SELECT count(*) FROM vault_pair") == 0


@given(seed=st.integers(0, 10**6))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_of_deliveries_does_not_matter(database_url: str, tmp_path: Path, seed: int) -> None:
    asyncio.run(_in_every_order(database_url, tmp_path, seed))


async def _in_every_order(url: str, folder: Path, seed: int) -> None:
    chance = random.Random(seed)
    deliveries = random_deliveries(chance)
    found = []
    for number in range(3):
        arranged = chance.sample(deliveries, len(deliveries))
        with pytest.MonkeyPatch.context() as patch:
            async with telling(url, folder, patch, f"intake_{seed}_{number}") as told:
                for readings in arranged:
                    assert (await told.deliver(readings)).status == "completed"
                people = await told.people()
                repeated = len(await told.installation.events("people-"))
                for readings in arranged:
                    await told.deliver(readings)
                assert (await told.people(), len(await told.installation.events("people-"))) == (people, repeated)
                found.append(people)
                await _moves_lead_to_who_is_who(told)
                await told.installation.writing.execute(f"DROP SCHEMA intake_{seed}_{number} CASCADE")
    assert found[0] == found[1] == found[2]


async def _moves_lead_to_who_is_who(told: object) -> None:
    """Whoever follows the events by alias arrives where the vault is."""
    installation = told.installation  # type: ignore[attr-defined]
    where: dict[str, str] = {}
    rows = await installation.writing.fetch("SELECT alias, person_id FROM vault_identifier")
    aliases = {row["alias"]: row["person_id"] for row in rows}
    for event in await installation.events():
        if isinstance(event, PeopleMerged):
            where = {alias: _moved(event.data.retired, event.data.kept, now) for alias, now in where.items()}
        elif isinstance(event, PeopleSplit):
            for alias in event.data.aliases:
                where[alias] = event.data.separated
        elif event.type.startswith(("tandem.coverage", "tandem.medicaid")):
            where[event.named_by] = event.subject
    assert {alias: aliases[alias] for alias in where} == where


def _moved(retired: str, kept: str, now: str) -> str:
    return kept if now == retired else now


async def test_nothing_of_what_was_compared_lies_open(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = [b"KOWALSKI", b"Kowalski", b"1941-05-03", b"19410503", RUTH.mbi.value.encode(), b"700001"]
    async with telling(database_url, tmp_path, monkeypatch) as told:
        await told.deliver(together(beneficiary(RUTH), member(replace(RUTH, family="Kowlaski"))))
        writing = told.installation.writing
        tables = await writing.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'intake'")
        for (table,) in map(tuple, tables):
            if table in {"delivery", "runtime_migration"}:
                continue
            for row in await writing.fetch(f'SELECT t::text AS line FROM "{table}" t'):
                line = row["line"].encode()
                unpacked = b"".join(bytes.fromhex(part) for part in _hex(row["line"]))
                assert not [secret for secret in secrets if secret in line or secret in unpacked], table
        sealed = await writing.fetch("SELECT lookup, fingerprint, content_sealed FROM vault_demographics")
        opened = [KEYS.open(row["content_sealed"], row["lookup"] + row["fingerprint"]) for row in sealed]
        assert sorted(b"KOWALSKI" in content for content in opened) == [False, True]


def _hex(line: str) -> list[str]:
    return list(re.findall(r"\\\\x((?:[0-9a-f]{2})+)", line.replace("\\\\", "\\")))


async def test_a_name_without_a_record_is_no_person(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = Member(9, "Nguyen", "Peter", date(1950, 1, 1), "1")
    async with telling(database_url, tmp_path, monkeypatch) as told:
        await told.deliver(together(beneficiary(RUTH), member(stranger)[1:]))
        assert len(await told.people()) == 1
        assert await told.installation.writing.fetchval("SELECT count(*) FROM vault_demographics") == 1
        reference = PersonReference("medicaid", "OH:700009")
        assert await told.person(reference) is None
