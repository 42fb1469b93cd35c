"""Everything sealed is sealed anew under another key, however often the process that does it is killed."""

import asyncio
import sys
from datetime import date
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from identity_world import Member, beneficiary, member, telling, together
from intake_installation import Installation

from services.intake import key_rotation
from services.intake.key_rotation import SEALED, KeyMissing, reseal, sealed_otherwise, verify
from services.intake.quarantine import unsealed_line
from services.intake.reading import Defect
from services.intake.sealing import IdentityKeys
from services.runtime.database import connected

pytestmark = pytest.mark.broker

OLD, NEW = b"s" * 32, b"n" * 32
BOTH, NEW_ONLY, OLD_ONLY = (IdentityKeys(b"k" * 32, *keys) for keys in ((NEW, OLD), (NEW,), (OLD,)))
PEOPLE = [Member(number, "Kowalski", f"Ruth{chr(65 + number)}", date(1941, 5, 3), "2") for number in range(20)]
LINES = [Defect("a.txt", number, None, "bad_date", b"KOWALSKI") for number in range(7)]


def silent(_: int) -> None:
    pass


async def filled(url: str, folder: Path, patch: pytest.MonkeyPatch) -> None:
    async with telling(url, folder, patch) as told:
        said = together(*(together(beneficiary(one), member(one, with_mbi=True)) for one in PEOPLE), LINES)
        await told.deliver(said)


async def counted(url: str, keys: IdentityKeys) -> dict[str, int]:
    async with connected(url, "intake") as connection:
        return await sealed_otherwise(connection, keys)


async def test_a_rotation_leaves_nothing_under_the_key_before(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(database_url, tmp_path, monkeypatch)
    expected = {"vault_identifier": 40, "vault_demographics": 40, "quarantined_line": 7}
    assert {name: count for name, count in (await counted(database_url, BOTH)).items() if count} == expected
    told: list[int] = []
    async with connected(database_url, "intake") as connection:
        assert await reseal(connection, BOTH, told.append, rows=9) == expected
        assert sum(told) == sum(expected.values())
        assert await reseal(connection, BOTH, silent) == dict.fromkeys(expected, 0)
        assert await verify(connection, NEW_ONLY, silent, rows=9) == expected
        with pytest.raises(KeyMissing):
            await verify(connection, OLD_ONLY, silent)
        delivery = await connection.fetchval("SELECT delivery_id FROM delivery")
        assert await unsealed_line(connection, NEW_ONLY, delivery, 1) == b"KOWALSKI"
    assert not any((await counted(database_url, NEW_ONLY)).values())


async def test_people_and_pseudonyms_stay_who_they_are(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(database_url, tmp_path, monkeypatch)
    async with connected(database_url, "intake") as connection:
        query = "SELECT lookup, kind, person_id, alias, atom FROM vault_identifier ORDER BY lookup"
        before = await connection.fetch(query)
        await reseal(connection, BOTH, silent)
        assert await connection.fetch(query) == before


async def test_without_the_key_before_nothing_is_changed(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await filled(database_url, tmp_path, monkeypatch)
    async with connected(database_url, "intake") as connection:
        query = "SELECT value_sealed FROM vault_identifier ORDER BY lookup"
        before = await connection.fetch(query)
        with pytest.raises(KeyMissing) as refusal:
            await reseal(connection, NEW_ONLY, silent)
        assert await connection.fetch(query) == before
        assert refusal.value.__context__ is None


_ROTATE = """
import asyncio, os, signal, sys
sys.path[:0] = {path!r}
from services.intake.key_rotation import reseal
from services.intake.sealing import IdentityKeys
from services.runtime.database import connected

async def main():
    left = {batches}
    def tell(_):
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
    async with connected({url!r}, "intake") as connection:
        await reseal(connection, IdentityKeys(b"k" * 32, {new!r}, {old!r}), tell, rows=5)

asyncio.run(main())
"""


@pytest.mark.parametrize("batches", [1, 4, 9])
async def test_a_rotation_that_was_killed_goes_on(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    await filled(database_url, tmp_path, monkeypatch)
    script = _ROTATE.format(path=sys.path, batches=batches, url=database_url, new=NEW, old=OLD)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
    assert await process.wait() == -9
    left = await counted(database_url, BOTH)
    assert 0 < sum(left.values()) < 87
    async with connected(database_url, "intake") as connection:
        await verify(connection, BOTH, silent)
        assert sum((await reseal(connection, BOTH, silent)).values()) == sum(left.values())
        assert sum((await verify(connection, NEW_ONLY, silent)).values()) == 87


async def test_what_was_sealed_before_keys_had_purposes_opens_and_is_sealed_anew(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - how values were sealed once

    await filled(database_url, tmp_path, monkeypatch)
    async with connected(database_url, "intake") as connection:
        row = await connection.fetchrow("SELECT lookup, value_sealed FROM vault_identifier LIMIT 1")
        assert row is not None
        once = bytes(12) + AESGCM(OLD).encrypt(
            bytes(12), OLD_ONLY.open(row["value_sealed"], row["lookup"]), row["lookup"]
        )
        await connection.execute("UPDATE vault_identifier SET value_sealed = $2 WHERE lookup = $1", row["lookup"], once)
        assert OLD_ONLY.open(once, row["lookup"]).startswith((b"1S00", b"OH:"))
        await reseal(connection, BOTH, silent)
        with pytest.raises(InvalidTag):
            NEW_ONLY.open(once, row["lookup"])
        assert (await verify(connection, NEW_ONLY, silent))["vault_identifier"] == 40


async def test_every_sealed_column_of_the_schema_is_among_those_sealed_anew(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with telling(database_url, tmp_path, monkeypatch) as told:
        installation: Installation = told.installation
        rows = await installation.writing.fetch(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'intake' AND column_name LIKE '%sealed'"
        )
    known = {(one.table, one.column) for one in SEALED} | set(key_rotation._IN_WORK)
    assert {tuple(row) for row in rows} == known
