"""The bulk client against a good server of our own: what is asked for, what comes, since when, with how much waiting."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bulk_bench import FULL, LAST, Bench
from fake_bulk_server import (
    FakeBulkServer,
    SettableClock,
    json_reply,
    outcome,
)

from services.intake.bulk.failures import (
    AnswerInvalid,
    CredentialsRefused,
    Unreachable,
    WaitedTooLong,
)
from services.intake.bulk.fetching import Since
from services.intake.bulk.profiles import profiles
from services.intake.registry import recognise
from services.intake.rules.holding import holding_policy


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def clock(bench: Bench) -> SettableClock:
    found: SettableClock = bench.server.clock
    return found


async def test_every_file_comes_once_under_a_name_that_intake_recognises(bench: Bench) -> None:
    fetched = await bench.fetch()
    bench.assert_all_there_once()
    assert fetched.lines == {"Coverage": 80, "ExplanationOfBenefit": 900, "Patient": 40}
    assert [path.name.split(".")[4] for path in sorted(fetched.files)] == [
        "Patient",
        "Coverage",
        "ExplanationOfBenefit",
    ]
    for path in fetched.files:
        recognised = recognise(path, datetime.now(UTC).date())
        assert (recognised.dated.isoformat(), recognised.substance_use_withheld) == ("2024-03-05", True)
        # The next export names fewer people, and is not held for that.
        assert recognised.source.partition(".")[0] in holding_policy().partial_sources
        assert path.stat().st_mode & 0o077 == 0
    assert (fetched.transaction_time, fetched.since, fetched.resumed) == (LAST, None, False)


async def test_what_is_asked_for_is_what_the_documentation_shows(bench: Bench) -> None:
    await bench.fetch()
    token, export, *rest = bench.server.asked
    assert (token.method, token.path) == ("POST", "/auth/token")
    assert (export.method, export.path) == ("GET", "/api/v3/Group/all/$export")
    assert export.query == {"_type": "Patient,Coverage,ExplanationOfBenefit"}
    assert (export.headers["prefer"], export.headers["accept"]) == ("respond-async", "application/fhir+json")
    assert [one.path for one in rest[:2]] == ["/api/v3/jobs/1"] * 2
    assert all(one.headers["accept-encoding"] == "gzip" for one in rest)


def test_files_of_every_known_source_are_recognised_as_parts() -> None:
    assert set(profiles()) == holding_policy().partial_sources


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"version": "v1"}, "/api/v1/Group/all/$export"),
        ({"version": "v2", "group": "runout"}, "/api/v2/Group/runout/$export"),
        ({"group": "patient"}, "/api/v3/Patient/$export"),
    ],
    ids=str,
)
async def test_versions_and_groups(bench: Bench, options: dict[str, str], path: str) -> None:
    bench.options = options
    await bench.fetch()
    assert [one.path for one in bench.server.asked if one.path.endswith("$export")] == [path]


async def test_the_same_content_is_the_same_file_however_it_travels(bench: Bench, tmp_path: Path) -> None:
    other = Bench(tmp_path / "other")
    other.server.moods = {"aaa.ndjson": ["plain"], "bbb.ndjson": ["two members"]}
    first, second = await bench.fetch(), await other.fetch()
    assert [path.read_bytes() for path in first.files] == [path.read_bytes() for path in second.files]
    assert [path.name for path in first.files] == [path.name for path in second.files]


async def test_the_order_in_which_files_are_listed_does_not_matter(bench: Bench, tmp_path: Path) -> None:
    other = Bench(tmp_path / "other")
    other.server.spoil = lambda manifest: {**manifest, "output": manifest["output"][::-1] + manifest["output"]}
    first, second = await bench.fetch(), await other.fetch()
    assert [path.name for path in first.files] == [path.name for path in second.files]
    other.assert_all_there_once()


async def test_a_job_without_files_is_complete(bench: Bench) -> None:
    bench.server.files = {}
    fetched = await bench.fetch()
    assert (fetched.files, fetched.lines) == ((), {})
    assert bench.state.completed(bench.request.key) is not None


async def test_an_empty_file_is_not_delivered_and_nothing_is_left_of_it(bench: Bench) -> None:
    bench.server.files["ddd.ndjson"] = ("Coverage", b"")
    fetched = await bench.fetch()
    assert len(fetched.files) == 3
    assert len(list(bench.into.iterdir())) == 3


async def test_a_file_without_a_last_line_end_gets_one(bench: Bench) -> None:
    bench.server.files = {"aaa.ndjson": ("Patient", b'{"resourceType":"Patient"}\n{"resourceType":"Patient"}')}
    assert (await bench.fetch()).lines == {"Patient": 2}
    assert bench.delivered() == [b'{"resourceType":"Patient"}\n' * 2]


async def test_reports_of_errors_are_kept_apart(bench: Bench) -> None:
    bench.server.error_files = {"e.ndjson": outcome(200, "MBI 1S00A00AA00 not found").body + b"\n"}
    fetched = await bench.fetch()
    bench.assert_all_there_once()
    assert [path.parent for path in fetched.errors] == [bench.tmp / "fetch" / "errors"]
    assert b"not found" in gzip.decompress(fetched.errors[0].read_bytes())


async def test_the_next_fetch_asks_since_the_time_of_the_last(bench: Bench) -> None:
    await bench.fetch()
    await bench.fetch()
    assert [one.query.get("_since") for one in bench.server.asked if "$export" in one.path] == [
        None, "2024-03-05T06:07:08.123Z",
    ]  # fmt: skip


async def test_what_another_request_fetched_says_nothing_of_this_one(bench: Bench) -> None:
    await bench.fetch()
    for bench.options in ({"version": "v2"}, {"group": "runout"}, {"types": ("Patient",)}):
        await bench.fetch()
        assert bench.server.asked[-1] is not None
        assert [one.query.get("_since") for one in bench.server.asked if "$export" in one.path][-1] is None


async def test_everything_can_be_asked_for_again_and_any_moment(bench: Bench) -> None:
    await bench.fetch()
    await bench.fetch(FULL)
    await bench.fetch(Since("given", datetime(2020, 1, 1, tzinfo=UTC)))
    assert [one.query.get("_since") for one in bench.server.asked if "$export" in one.path][1:] == [
        None, "2020-01-01T00:00:00.000Z",
    ]  # fmt: skip
    assert any("2020-02-12" in text for text in bench.heard.texts)


async def test_a_fetch_that_failed_moves_no_time(bench: Bench) -> None:
    bench.server.moods = {"aaa.ndjson": ["cut"] * 9}
    with pytest.raises(Unreachable):
        await bench.fetch()
    assert bench.state.completed(bench.request.key) is None


async def test_progress_is_told_and_retry_after_kept_to(bench: Bench, clock: SettableClock) -> None:
    bench.server.looks_until_done = 3
    bench.server.progress = ["Pending", "In Progress (45%)", "99.5%"]
    bench.server.look_headers = {"retry-after": "17"}
    await bench.fetch()
    assert bench.heard.percents == [None, 45, 99]
    assert clock.waits == [17.0] * 3


async def test_without_retry_after_pauses_grow_to_a_minute(bench: Bench, clock: SettableClock) -> None:
    bench.server.looks_until_done = 12
    await bench.fetch()
    assert clock.waits[:3] == [5.0, 7.5, 11.25]
    assert clock.waits[-1] == 60.0


@pytest.mark.parametrize(
    ("text", "waits"),
    [
        ("Tue, 05 Mar 2024 12:05:00 GMT", 300.0),
        ("Tue, 05 Mar 2024 11:00:00 GMT", 1.0),
        ("0", 1.0),
        ("999999", 3600.0),
        ("-5", 5.0),
        ("soon", 5.0),
    ],
)
async def test_retry_after_within_bounds(bench: Bench, clock: SettableClock, text: str, waits: float) -> None:
    bench.server.look_headers = {"retry-after": text}
    await bench.fetch()
    assert clock.waits == [waits]


@pytest.mark.parametrize("text", ["%" * 50_000, "9" * 50_000, "\u00e9" * 99, "101%", "[bold]5%[/]x", "-3 %"], ids=len)
async def test_a_progress_of_garbage_stops_nothing(bench: Bench, text: str) -> None:
    bench.server.progress = [text]
    await bench.fetch()
    bench.assert_all_there_once()
    assert bench.heard.percents[0] in (None, 3, 5)


async def test_who_waits_too_long_goes_on_later_with_the_same_job(bench: Bench) -> None:
    bench.server.looks_until_done = 30
    bench.most_seconds = 600
    with pytest.raises(WaitedTooLong, match="the same command goes on"):
        await bench.fetch()
    bench.server.looks_until_done = 0
    assert (await bench.fetch()).resumed
    assert bench.server.exports == 1


async def test_a_token_is_renewed_before_it_expires(bench: Bench) -> None:
    bench.server.looks_until_done = 40
    bench.server.look_headers = {"retry-after": "600"}
    await bench.fetch()
    assert bench.server.count("/auth/token", "POST") >= 20
    assert all(one.headers["authorization"].split("-")[-1] for one in bench.server.asked)


async def test_a_token_that_expires_in_the_middle_is_renewed_once(bench: Bench) -> None:
    def revoke(server: FakeBulkServer, _name: str) -> None:
        server.revoked |= set(server.tokens)

    bench.server.on_file = revoke
    await bench.fetch()
    bench.assert_all_there_once()
    assert bench.server.exports == 1
    # One at the beginning; each file after the first finds its token revoked and gets another.
    assert bench.server.count("/auth/token", "POST") == 3


async def test_a_job_is_looked_at_with_a_new_token_after_401(bench: Bench) -> None:
    bench.server.replies = {"GET /api/v3/jobs/1": [outcome(401, "expired")]}
    await bench.fetch()
    assert bench.server.count("/auth/token", "POST") == 2


async def test_a_new_token_that_is_refused_too_is_told(bench: Bench) -> None:
    bench.server.replies = {"$export": [outcome(401, "no"), outcome(401, "no")]}
    with pytest.raises(CredentialsRefused, match="gives a token and then refuses it"):
        await bench.fetch()
    assert bench.server.exports == 2


async def test_wrong_credentials_are_told_with_what_to_do(bench: Bench) -> None:
    bench.secret = "of ninety-one days ago"
    with pytest.raises(CredentialsRefused, match="90 days") as told:
        await bench.fetch()
    assert bench.secret not in str(told.value)
    assert len(bench.server.asked) == 1


@pytest.mark.parametrize("answer", [{}, {"access_token": ""}, {"access_token": 5}, {"access_token": "a\nb"}], ids=str)
async def test_no_token_in_the_answer(bench: Bench, answer: dict[str, object]) -> None:
    bench.server.replies = {"token": [json_reply(200, answer)]}
    with pytest.raises(AnswerInvalid, match="no token"):
        await bench.fetch()
