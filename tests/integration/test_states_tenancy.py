"""Row-level security: every table of figures has it, nobody without a tenant sees anything, and two tenants swap everything."""

import asyncio
from typing import Any

import asyncpg
import pytest
import states_world as world

from infra.local.installation import role_of

pytestmark = [pytest.mark.broker, pytest.mark.security]

# What the reading role may read without being a tenant: nobody's rows.
NOBODYS = {
    "revision", "arrival", "told_cursor_key", "runtime_position", "runtime_vector", "runtime_relayed", "runtime_client",
    "runtime_client_key", "runtime_assertion",
}  # fmt: skip


@pytest.fixture(scope="module")
def filled(module_database_url: str) -> str:
    asyncio.run(world.fill(module_database_url))
    return module_database_url


async def test_every_table_of_tenants_has_it_forced_and_every_other_is_out_of_reach(filled: str) -> None:
    connection = await asyncpg.connect(filled)
    rows = await connection.fetch(
        """SELECT relname, relrowsecurity AND relforcerowsecurity AS forced,
            has_table_privilege('postgres_reader', oid, 'SELECT') AS readable,
            EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname IN ('state', 'entity') AND attnum > 0) AS tenants,
            ARRAY(SELECT polname::text FROM pg_policy WHERE polrelid = pg_class.oid ORDER BY 1) AS policies
        FROM pg_class WHERE relnamespace = 'cost_shift'::regnamespace AND relkind IN ('r', 'v', 'm')"""
    )
    await connection.close()
    readable = {row["relname"] for row in rows if row["readable"]}
    secured = {row["relname"] for row in rows if row["forced"]}
    assert {"released_measure", "released_person_months", "cell_delta", "person_month_delta"} <= readable
    assert readable - secured == NOBODYS
    assert {row["relname"] for row in rows if row["forced"] and row["policies"] != ["tenant", "writer"]} == set()
    # Rows about single persons are filled by COPY, which row-level security forbids: nobody but their owner reads them.
    open_tables = {row["relname"] for row in rows if row["tenants"] and not row["forced"]} - NOBODYS
    assert open_tables.isdisjoint(readable)


async def test_the_reading_role_owns_nothing_and_cannot_step_around(filled: str) -> None:
    connection = await asyncpg.connect(filled)
    role = await connection.fetchrow(
        "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = 'postgres_reader'"
    )
    owned = await connection.fetchval("SELECT count(*) FROM pg_class WHERE relowner = 'postgres_reader'::regrole")
    members = await connection.fetchval(
        "SELECT count(*) FROM pg_auth_members WHERE member = 'postgres_reader'::regrole"
    )
    await connection.close()
    assert (tuple(role), owned, members) == ((False, False, False, False), 0, 0)
    reader = await world.as_reader(filled, "OH")
    for statement in ("SET row_security = off; SELECT * FROM cell_delta", "SET ROLE postgres",
                      "ALTER TABLE cell_delta DISABLE ROW LEVEL SECURITY", "DROP POLICY tenant ON cell_delta",
                      "INSERT INTO cell_delta SELECT * FROM cell_delta", "SELECT * FROM published_measure",
                      "SELECT * FROM claim_contribution", "SELECT * FROM assignment"):  # fmt: skip
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.execute(statement)
    await reader.close()


TABLES = ("cell_delta", "person_month_delta", "released_measure", "released_person_months", "published_person_months")


@pytest.mark.parametrize("table", TABLES)
async def test_nobody_sees_anything_and_each_sees_their_own(filled: str, table: str) -> None:
    owner = await asyncpg.connect(filled)
    everything = {tuple(row) for row in await owner.fetch(f"SELECT state, entity, cohort FROM cost_shift.{table}")}
    await owner.close()
    seen: dict[str, Any] = {}
    for name, tenant in {"nobody": (None, ""), "empty": ("", ""), "ohio": ("OH", ""), "kentucky": ("KY", ""),
                         "plan": ("OH", "D9001"), "stranger": ("OH", "D9002")}.items():  # fmt: skip
        reader = await world.as_reader(filled, *tenant)
        seen[name] = {tuple(row) for row in await reader.fetch(f"SELECT state, entity, cohort FROM {table}")}
        await reader.close()
    assert (seen["nobody"], seen["empty"]) == (set(), set())
    assert seen["ohio"] | seen["kentucky"] == everything
    assert {row[0] for row in seen["ohio"]} == {"OH"}
    assert {row[0] for row in seen["kentucky"]} == {"KY"}
    assert seen["plan"] == {row for row in seen["ohio"] if row[1] == "D9001" or row[2] == "comparison"}
    assert {row[2] for row in seen["stranger"]} <= {"comparison"}


async def test_a_tenant_is_forgotten_with_the_transaction(filled: str) -> None:
    reader = await world.as_reader(filled, None)
    async with reader.transaction():
        await reader.execute("SELECT set_config('tandem.state', 'OH', true), set_config('tandem.entity', '', true)")
        assert await reader.fetchval("SELECT count(*) FROM released_measure")
    assert await reader.fetchval("SELECT count(*) FROM released_measure") == 0
    await reader.close()


async def test_the_owner_writes_though_it_is_bound_too(database_url: str) -> None:
    """The role that workers sign in with is no superuser: its policy, not its rank, lets it see what it writes."""
    admin = await asyncpg.connect(database_url)
    owner = f"{role_of('cost-shift')}_{database_url.split('/test_')[1][:8]}"
    await admin.execute(f"CREATE ROLE {owner} LOGIN PASSWORD 'owns' NOSUPERUSER NOBYPASSRLS")
    await admin.execute(f"CREATE SCHEMA cost_shift AUTHORIZATION {owner}")
    url = f"postgresql://{owner}:owns@{database_url.split('@', 1)[1]}"
    connection = await world.prepare_as(url)
    await world.deliver(connection, 1)
    assert await connection.fetchval("SELECT count(*) FROM released_measure") > 0
    assert await connection.fetchval("SELECT count(*) FROM cell_delta") == len(world.deltas(1))
    await connection.close()
    await admin.execute(f"DROP OWNED BY {owner}")
    await admin.execute(f"DROP ROLE {owner}")
    await admin.close()


# Every position in which an identifier can stand, with that of the other tenant.
FOREIGN = [
    ("/v1/measures", {"state": "KY"}), ("/v1/measures", {"entity": "D9002"}), ("/v1/measures", {"entity": "D1234"}),
    ("/v1/person-months", {"state": "KY"}), ("/v1/person-months", {"entity": "D9002"}),
    ("/v1/restatements", {"state": "KY"}), ("/v1/restatements", {"entity": "D9002"}), ("/v1/pairs", {"state": "KY"}),
    ("/v1/pairs", {"entity": "D9002"}), ("/v1/changes", {"state": "KY"}), ("/v1/changes", {"entity": "D9002"}),
    ("/v1/changes/stream", {"state": "KY"}), ("/v1/changes/stream", {"entity": "D9002"}), ("/v1/completeness", {"state": "KY"}),
    ("/v1/effects", {"entity": "D9002", "pre_from": "2022-01", "pre_to": "2022-02", "post_from": "2022-03", "post_to": "2022-04"}),
]  # fmt: skip
SWAP = {"KY": "OH", "D9002": "D9001"}


@pytest.mark.parametrize(("path", "parameters"), FOREIGN, ids=str)
async def test_what_is_another_s_does_not_exist(filled: str, path: str, parameters: dict[str, str]) -> None:
    """Told alike whether it exists for somebody else or for nobody, from both sides."""
    swapped = {name: SWAP.get(value, value) for name, value in parameters.items()}
    nowhere = {name: {"KY": "WY", "D9002": "D0000"}.get(value, value) for name, value in parameters.items()}
    async with world.states_gateway(filled) as visitor:
        told = []
        for client, asked in (("ohio", parameters), ("ohio", nowhere), ("kentucky", swapped)):
            answer = await visitor.get(client, path, **asked)
            assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
            told.append({name: value for name, value in answer.json().items() if name != "instance"})
        assert told[0] == told[1] == told[2]
        owner = await asyncpg.connect(filled)
        last = await owner.fetch("SELECT client_id, status FROM cost_shift.runtime_audit ORDER BY number DESC LIMIT 1")
        await owner.close()
        assert [tuple(row) for row in last] == [("kentucky", 404)]


async def test_signals_are_told_to_whoever_sees_people_of_the_entity(filled: str) -> None:
    async with world.states_gateway(filled) as visitor:
        for client, own, other in (
            ("ohio", "D9001", "D9002"),
            ("kentucky", "D9002", "D9001"),
            ("ohio-plan", "D9001", "D9002"),
        ):
            told = (await visitor.get(client, "/v1/signals")).json()
            assert [signal["entity_id"] for signal in told["signals"]] == [own]
            assert (await visitor.get(client, f"/v1/signals/{own}.all_services.5")).json()["level"] == "watch"
            for path in (f"/v1/signals/{other}.all_services.5", "/v1/signals/D0000.all_services.5"):
                assert (await visitor.get(client, path)).json()["detail"] == "There is no such signal of this name."
            assert (await visitor.get(client, "/v1/signals", entity=other)).status_code == 404
        assert (await visitor.get("narrow", "/v1/signals")).status_code == 403


async def test_two_tenants_swap_their_cursors(filled: str) -> None:
    async with world.states_gateway(filled) as visitor:
        pages = {
            client: (await visitor.get(client, "/v1/changes", limit=5)).json()
            for client in ("ohio", "kentucky", "ohio-plan")
        }
        for client in pages:
            for other, page in pages.items():
                answer = await visitor.get(client, "/v1/changes", cursor=page["next_cursor"])
                assert answer.status_code == (200 if client == other else 400)
                stream = (
                    await visitor.get(client, "/v1/changes/stream", {"Last-Event-ID": page["next_cursor"]})
                    if client != other
                    else None
                )
                assert stream is None or stream.status_code == 400


async def test_two_tenants_swap_their_tags(filled: str) -> None:
    async with world.states_gateway(filled) as visitor:
        tags = {client: (await visitor.get(client, "/v1/measures")).headers["etag"] for client in ("ohio", "kentucky")}
        assert tags["ohio"] != tags["kentucky"]
        for client, tag in tags.items():
            for other in tags:
                answer = await visitor.get(other, "/v1/measures", {"If-None-Match": tag})
                assert answer.status_code == (304 if client == other else 200)


async def test_what_both_see_is_nothing_in_common(filled: str) -> None:
    paths = ("/v1/measures", "/v1/person-months", "/v1/restatements", "/v1/changes", "/v1/entities")
    async with world.states_gateway(filled) as visitor:
        for path in paths:
            ohio, kentucky = [(await visitor.get(client, path)).text for client in ("ohio", "kentucky")]
            assert '"OH"' in ohio
            assert '"KY"' in kentucky
            assert not any(sign in ohio for sign in ('"KY"', "D9002"))
            assert not any(sign in kentucky for sign in ('"OH"', "D9001"))


async def test_an_operator_is_no_tenant(filled: str) -> None:
    async with world.states_gateway(filled) as visitor:
        assert (await visitor.get("operator", "/v1/measures")).status_code == 403
        assert (await visitor.get("narrow", "/v1/measures")).status_code == 200
        windows = {"pre_from": "2022-01", "pre_to": "2022-02", "post_from": "2022-03", "post_to": "2022-04"}
        assert (await visitor.get("narrow", "/v1/effects", entity="D9001", **windows)).status_code == 403
