"""The same delivery twice, under another name, half and then whole, and in another order: one result, for every kind."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from intake_installation import Installation, installed

sys.path.insert(0, str(Path(__file__).parents[1] / "fuzz"))

from fuzz_seeds import readable_seeds
from fuzzing import Seed

from services.intake.decisions import release
from services.intake.deliveries import find

pytestmark = pytest.mark.broker

SEEDS = readable_seeds()
# Whole lines of them are whole resources: half of a file says half of what the whole says, under its own number.
WITHOUT_END = ("explanation_of_benefit", "fhir_patient", "fhir_coverage", "partially_adjudicated_claim")


def written(folder: Path, seed: Seed, content: bytes | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / seed.name
    path.write_bytes(seed.content if content is None else content)
    return path


async def settled(intake: Installation, path: Path) -> str:
    """Take a file, and release it where it is held: these tests ask what it says, not whether somebody looked."""
    delivery = await intake.delivered(path)
    if delivery.status == "held":
        assert await release(intake.writing, delivery.delivery_id, actor="Ada", reason="a test of orders") is not None
        await intake.work()
        released = await find(intake.writing, delivery.delivery_id)
        assert released is not None
        return released.status
    return delivery.status


async def said(intake: Installation) -> Counter[str]:
    """Everything about people and entities that was said, but for numbers, ids and pseudonyms, and how often."""
    people: dict[str, str] = await names(intake)
    found: Counter[str] = Counter()
    for payload in await intake.payloads():
        event = json.loads(payload)
        if ".delivery." in event["type"] or ".identity." in event["type"]:
            continue
        data = _without_pseudonyms(event["data"], people)
        found[json.dumps([event["type"], event["deliveryid"], data], sort_keys=True)] += 1
    return found


async def names(intake: Installation) -> dict[str, str]:
    """Every pseudonym by all identifiers of whom it names now, however the first was chosen."""
    rows = await intake.writing.fetch("SELECT person_id, lookup FROM vault_identifier ORDER BY lookup")
    lookups: dict[str, list[str]] = {}
    for row in rows:
        lookups.setdefault(row["person_id"], []).append(row["lookup"].hex())
    told = {person: "+".join(some) for person, some in lookups.items()}
    merges = await intake.writing.fetch("SELECT retired, kept FROM vault_merge")
    return told | {row["retired"]: told[row["kept"]] for row in merges if row["kept"] in told}


def _without_pseudonyms(data: dict[str, Any], people: dict[str, str]) -> dict[str, Any]:
    return data | {"person_id": people[data["person_id"]]} if "person_id" in data else data


@pytest.mark.parametrize("kind", SEEDS)
async def test_the_same_content_again_says_nothing(database_url: str, tmp_path: Path, kind: str) -> None:
    seed = SEEDS[kind][0]
    async with installed(database_url) as intake:
        assert await settled(intake, written(tmp_path / "one", seed)) == "completed"
        before = await intake.payloads()
        again = await intake.take(written(tmp_path / "two", seed))
        await intake.work()
        assert again.known
        assert await intake.payloads() == before


@pytest.mark.parametrize("kind", SEEDS)
async def test_half_of_it_and_then_the_whole_ends_as_the_whole(database_url: str, tmp_path: Path, kind: str) -> None:
    seed = SEEDS[kind][0]
    async with installed(database_url) as once, installed(database_url, "halved") as halved:
        await settled(once, written(tmp_path / "whole", seed))
        path = written(tmp_path / "half", seed, seed.content[: len(seed.content) // 2])
        half = await halved.delivered(path)
        assert half.status == "refused" or kind in WITHOUT_END
        assert await settled(halved, written(tmp_path / "half", seed)) == "completed"
        alone, after = await said(once), await said(halved)
        assert alone
        assert {one for one in after if half.delivery_id not in one} == set(alone)
        if half.status == "refused":
            assert after == alone


@pytest.mark.parametrize("kind", SEEDS)
async def test_a_file_that_is_changed_while_it_waits_is_taken_as_it_is_in_the_end(
    database_url: str, tmp_path: Path, kind: str
) -> None:
    seed = SEEDS[kind][0]
    async with installed(database_url) as once, installed(database_url, "changed") as changed:
        await settled(once, written(tmp_path / "whole", seed))
        path = written(tmp_path / "inbox", seed, seed.content[: len(seed.content) // 3])
        await changed.take(path)
        written(tmp_path / "inbox", seed)
        await changed.work()
        assert await settled(changed, path) == "completed"
        assert await said(changed) == await said(once)


# Who is enrolled, who is aligned, what it cost: of each a file, the same people in all.
SEVERAL = ("cclf", "enrolment_834", "medicaid_claims", "alignment_report", "state_eligibility", "provider_roster")
ORDERS = {
    "reversed": tuple(reversed(SEVERAL)),
    "claims first": (
        "medicaid_claims",
        "cclf",
        "state_eligibility",
        "alignment_report",
        "provider_roster",
        "enrolment_834",
    ),
    "lists first": (
        "alignment_report",
        "provider_roster",
        "enrolment_834",
        "state_eligibility",
        "cclf",
        "medicaid_claims",
    ),
}


async def told_in(database_url: str, schema: str, folder: Path, order: tuple[str, ...]) -> Counter[str]:
    async with installed(database_url, schema) as intake:
        for kind in order:
            if kind in SEEDS:
                assert await settled(intake, written(folder, SEEDS[kind][0])) == "completed"
        return await said(intake)


@pytest.mark.parametrize("order", ORDERS)
async def test_feeds_in_another_order_say_the_same_of_the_same_people(
    database_url: str, tmp_path: Path, order: str
) -> None:
    usual = await told_in(database_url, "usual", tmp_path, SEVERAL)
    other = await told_in(database_url, "other", tmp_path, ORDERS[order])
    assert len(usual) > len(SEVERAL)
    assert _states_apart(other) == _states_apart(usual)


def _states_apart(found: Counter[str]) -> Counter[str]:
    """A claim is of the state in which its person lived as far as was known by then: that, and only that, may differ."""
    apart: Counter[str] = Counter()
    for text, times in found.items():
        event_type, delivery, data = json.loads(text)
        apart[json.dumps([event_type, delivery, data | {"state": None}], sort_keys=True)] += times
    return apart


@pytest.mark.parametrize("kind", [kind for kind, some in SEEDS.items() if len(some) > 1])
async def test_months_of_one_feed_in_another_order_say_the_same(database_url: str, tmp_path: Path, kind: str) -> None:
    # A month in which nothing changed may be the same content, which is the same delivery.
    some = list({seed.content: seed for seed in SEEDS[kind]}.values())[:3]
    results = []
    for schema, order in (("forward", some), ("backward", tuple(reversed(some)))):
        async with installed(database_url, schema) as intake:
            for seed in order:
                assert await settled(intake, written(tmp_path, seed)) == "completed"
            results.append(_states_apart(await said(intake)))
    assert results[0] == results[1]
