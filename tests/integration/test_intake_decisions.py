"""What people decide about who is who: signed, delivered, carried out once, and kept with its actor."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from identity_world import Member, Told, beneficiary, member, naming, telling, together
from intake_installation import KEYS

from contracts.delivery import DeliveryKind
from contracts.identities import PeopleMerged, PeopleSplit
from services.intake.deliveries import Delivery
from services.intake.identity_decisions import Unsigned, file_name, written
from services.intake.identity_review import identifiers_of, pairs_to_review
from services.intake.identity_trail import steps
from services.intake.sealing import IdentityKeys

pytestmark = pytest.mark.broker

RUTH = Member(1, "Kowalski", "Ruth", date(1941, 5, 3), "2")
NEAR = replace(RUTH, born=date(1941, 3, 5))


def decision(verdict: str, person: str, other: str | None = None, *aliases: str, nonce: str = "0" * 32) -> Unsigned:
    said = {"decided_on": date(2022, 4, 1), "actor": "marta", "reason": "the county confirmed it", "nonce": nonce}
    return Unsigned(verdict=verdict, person_id=person, other=other, aliases=aliases, **said)  # type: ignore[arg-type]


async def decided(told: Told, said: Unsigned, keys: IdentityKeys = KEYS) -> Delivery:
    path = told.folder / file_name(said, keys)
    path.write_bytes(written(said, keys))
    return await told.installation.delivered(path)


async def test_a_pair_is_listed_linked_and_never_listed_again(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with telling(database_url, tmp_path, monkeypatch) as told:
        await told.deliver(together(beneficiary(RUTH), member(NEAR)))
        (pair,) = await pairs_to_review(told.installation.writing, 10)
        assert (pair.person_id, pair.other) == (await told.person(RUTH.medicaid), await told.person(RUTH.mbi))
        assert ("birth_date", "transposed") in {part[:2] for part in pair.parts}
        assert (pair.automatic, pair.alone) == (False, True)
        delivery = await decided(told, decision("link", pair.person_id, pair.other))
        assert (delivery.kind, delivery.status, delivery.sequence) == (DeliveryKind.IDENTITY_REVIEW, "completed", 2)
        assert await told.person(RUTH.medicaid) == await told.person(RUTH.mbi)
        (merged,) = await told.installation.events(PeopleMerged.TYPE)
        assert merged.deliveryseq == 2
        assert await pairs_to_review(told.installation.writing, 10) == []
        trail = await steps(told.installation.writing, pair.person_id, 10)
        assert [(step.action, step.actor) for step in trail][:2] == [("merged", "intake"), ("decided", "marta")]


async def test_a_wrong_link_is_undone_and_stays_undone(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with telling(database_url, tmp_path, monkeypatch) as told:
        await told.deliver(together(beneficiary(RUTH), member(RUTH)))
        one, alias = await told.person(RUTH.mbi), KEYS.person_id(RUTH.medicaid)
        found = await identifiers_of(told.installation.writing, one)
        assert [(each.kind, each.is_own, each.by_resemblance) for each in found if each.alias == alias] == [
            ("medicaid", False, True)
        ]
        assert (await decided(told, decision("separate", one, None, alias))).status == "completed"
        assert await told.person(RUTH.medicaid) == alias
        (split,) = await told.installation.events(PeopleSplit.TYPE)
        assert (split.data.person_id, split.data.separated, split.data.aliases) == (one, alias, (alias,))
        await told.deliver(together(member(RUTH), beneficiary(replace(RUTH, family="KOWALSKI"))))
        assert await told.person(RUTH.medicaid) == alias
        assert await pairs_to_review(told.installation.writing, 10) == []


async def test_a_wrong_number_in_a_file_is_undone_though_the_file_repeats_it(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Member(2, "Nguyen", "Peter", date(1950, 1, 1), "1")
    wrong = naming(RUTH.mbi, other.medicaid)
    async with telling(database_url, tmp_path, monkeypatch) as told:
        await told.deliver(together(beneficiary(RUTH), member(other)))
        apart = await told.person(other.medicaid)
        await told.deliver(wrong)
        one = await told.person(RUTH.mbi)
        assert await told.person(other.medicaid) == one
        await decided(told, decision("separate", one, None, KEYS.person_id(other.medicaid)))
        assert await told.person(other.medicaid) == apart
        await told.deliver(list(wrong))
        assert await told.person(other.medicaid) == apart
        assert len(await told.installation.events("people-")) == 2


async def test_whoever_decides_that_they_are_one_after_all_takes_the_separation_back(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with telling(database_url, tmp_path, monkeypatch) as told:
        await told.deliver(together(beneficiary(RUTH), member(RUTH)))
        one, alias = await told.person(RUTH.mbi), KEYS.person_id(RUTH.medicaid)
        await decided(told, decision("separate", one, None, alias))
        await decided(told, decision("link", one, alias))
        assert await told.person(RUTH.medicaid) == await told.person(RUTH.mbi)
        again = await decided(told, decision("separate", await told.person(RUTH.mbi), None, alias, nonce="1" * 32))
        assert again.status == "completed"
        assert await told.person(RUTH.medicaid) != await told.person(RUTH.mbi)


async def test_somebody_new_cannot_join_two_whom_a_decision_holds_apart(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    third = Member(3, "Kowalski", "Ruth", date(1941, 5, 3), "2")
    joining = naming(third.mbi, RUTH.mbi, RUTH.medicaid)
    async with telling(database_url, tmp_path, monkeypatch) as told:
        await told.deliver(together(beneficiary(RUTH), member(RUTH)))
        one, alias = await told.person(RUTH.mbi), KEYS.person_id(RUTH.medicaid)
        await decided(told, decision("separate", one, None, alias))
        assert (await told.deliver(joining)).status == "completed"
        assert len({await told.person(reference) for reference in (RUTH.mbi, RUTH.medicaid, third.mbi)}) == 3


REFUSED = [
    ("by another key", "signature_wrong"),
    ("changed", "signature_wrong"),
    ("nobody", "unknown_person"),
    ("an alias of nobody", "unknown_alias"),
    ("their own alias", "own_alias"),
    ("half", "decision_incomplete"),
    ("no decision", "decision_unreadable"),
    ("a name in the reason", "decision_unreadable"),
]


@pytest.mark.parametrize(("fault", "reason"), REFUSED, ids=[fault for fault, _ in REFUSED])
async def test_what_cannot_be_carried_out_is_refused_with_its_reason(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, reason: str
) -> None:
    async with telling(database_url, tmp_path, monkeypatch) as told:
        await told.deliver(together(beneficiary(RUTH), member(RUTH)))
        one, alias = await told.person(RUTH.mbi), KEYS.person_id(RUTH.medicaid)
        before = await told.people()
        sound = decision("separate", one, None, alias)
        said = {
            "nobody": replace(sound, person_id="p" + "0" * 32),
            "an alias of nobody": replace(sound, aliases=("p" + "1" * 32,)),
            "their own alias": replace(sound, aliases=(one,)),
            "half": replace(sound, aliases=()),
        }.get(fault, sound)
        content = json.loads(written(said, IdentityKeys(b"o" * 32, b"s" * 32) if fault == "by another key" else KEYS))
        content |= {"reason": "another"} if fault == "changed" else {}
        content |= {"reason": RUTH.mbi.value} if fault == "a name in the reason" else {}
        content = {"title": "no decision"} if fault == "no decision" else content
        path = tmp_path / file_name(said, KEYS)
        path.write_text(json.dumps(content), encoding="utf-8")
        delivery = await told.installation.delivered(path)
        assert (delivery.status, delivery.reason_code) == ("refused", reason)
        assert RUTH.mbi.value not in str(delivery.reason_detail)
        assert await told.people() == before
        assert await told.installation.writing.fetchval("SELECT count(*) FROM vault_apart") == 0


async def test_the_same_file_twice_is_the_same_decision(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with telling(database_url, tmp_path, monkeypatch) as told:
        await told.deliver(together(beneficiary(RUTH), member(NEAR)))
        said = decision("link", await told.person(RUTH.medicaid), await told.person(RUTH.mbi))
        first, second = [await decided(told, said) for _ in range(2)]
        assert first == second
        assert len(await told.installation.events(PeopleMerged.TYPE)) == 1
