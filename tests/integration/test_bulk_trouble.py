"""The bulk client against a server of our own in its bad moods: no wrong file, no token for strangers, clear words."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from bulk_bench import Bench
from fake_bulk_server import (
    Reply,
    SettableClock,
    outcome,
)

from services.intake.bulk.failures import (
    AnswerInvalid,
    BulkFailure,
    FileDamaged,
    JobFailed,
    NotAuthorised,
    RequestRefused,
    StrangeAddress,
    Unreachable,
    WaitedTooLong,
)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def clock(bench: Bench) -> SettableClock:
    found: SettableClock = bench.server.clock
    return found


async def test_the_same_export_that_runs_already_is_found(bench: Bench) -> None:
    bench.server.run_a_job("/api/v3/Group/all/$export?_type=Patient,Coverage,ExplanationOfBenefit")
    await bench.fetch()
    bench.assert_all_there_once()
    assert bench.server.exports == 1
    assert len(bench.server.jobs) == 1


async def test_a_job_for_something_else_is_not_ours(bench: Bench, clock: SettableClock) -> None:
    bench.server.run_a_job("/api/v3/Group/all/$export?_type=Patient")
    bench.server.replies = {"$export": [Reply(429, {"retry-after": "120"}), Reply(429)]}
    await bench.fetch()
    assert clock.waits[:2] == [120.0, 60.0]
    assert bench.server.exports == 3
    assert len(bench.server.jobs) == 2


async def test_too_many_looks_wait_and_do_not_spin(bench: Bench, clock: SettableClock) -> None:
    bench.server.replies = {"/jobs/1": [Reply(429), Reply(429, {"retry-after": "7"})], "token": [Reply(429)]}
    await bench.fetch()
    assert clock.waits[:3] == [60.0, 60.0, 7.0]


async def test_a_server_that_never_has_time_is_not_asked_for_ever(bench: Bench) -> None:
    bench.server.replies = {"$export": [Reply(429)] * 5000}
    bench.most_seconds = 3600
    with pytest.raises(WaitedTooLong):
        await bench.fetch()
    assert bench.server.exports == 61


async def test_trouble_that_passes_is_waited_for(bench: Bench, clock: SettableClock) -> None:
    bench.server.replies = {
        "token": [httpx.ConnectError],
        "$export": [Reply(502), httpx.ReadTimeout],
        "/jobs/1": [outcome(500, "try again"), Reply(503, {"retry-after": "9"})],
    }
    bench.server.moods = {"aaa.ndjson": [500, 429, "cut", "gzip ends early"]}
    await bench.fetch()
    bench.assert_all_there_once()
    assert clock.waits == [1.0, 1.0, 2.0, 1.0, 9.0, 5.0, 1.0, 60.0, 4.0, 8.0]
    assert len(bench.server.jobs) == 1


@pytest.mark.parametrize(
    ("mood", "failure"),
    [
        ("cut", Unreachable),
        ("gzip ends early", FileDamaged),
        ("line ends early", FileDamaged),
        ("html", FileDamaged),
        ("scrambled", FileDamaged),
        ("brotli", FileDamaged),
        (500, FileDamaged),
        (429, FileDamaged),
        (302, RequestRefused),
        (403, RequestRefused),
    ],
    ids=str,
)
async def test_a_file_that_never_comes_whole_is_never_delivered(
    bench: Bench, mood: Any, failure: type[BulkFailure]
) -> None:
    bench.server.moods = {"ccc.ndjson": [mood] * 99}
    with pytest.raises(failure):
        await bench.fetch()
    # What came before stays, what did not come whole has no name yet, and the next fetch only brings the rest.
    assert [path.name.split(".")[4] for path in sorted(bench.into.glob("*.gz"))] == ["Patient"]
    assert bench.server.downloads("ccc.ndjson") == (6 if isinstance(mood, str) or mood in (500, 429) else 1)
    bench.server.moods = {}
    assert (await bench.fetch()).resumed
    bench.assert_all_there_once()
    assert (bench.server.exports, bench.server.downloads("bbb.ndjson")) == (1, 1)


async def test_a_server_that_cannot_be_reached_is_told_with_what_to_do(bench: Bench) -> None:
    bench.server.replies = {"": [httpx.ConnectError] * 99}
    with pytest.raises(Unreachable, match=r"api\.example\.gov cannot be reached .* list of allowed"):
        await bench.fetch()
    assert len(bench.server.asked) == 6


@pytest.mark.parametrize(
    ("reply", "failure", "said"),
    [
        (outcome(403, "IP not allowed"), NotAuthorised, "list of allowed"),
        (outcome(400, "Invalid group ID"), RequestRefused, "Invalid group ID"),
        (outcome(404, "no"), RequestRefused, r"\(404\)"),
        (Reply(200, {"content-type": "text/html"}), RequestRefused, r"\(200\)"),
        (Reply(302, {"location": "https://elsewhere.example"}), RequestRefused, r"\(302\)"),
        (Reply(202), AnswerInvalid, "Content-Location"),
        (Reply(202, {"content-location": "https://elsewhere.example/jobs/1"}), StrangeAddress, "no token goes there"),
        (Reply(202, {"content-location": "http://api.example.gov/jobs/1"}), StrangeAddress, "not its own"),
        (Reply(202, {"content-location": "//elsewhere.example/jobs/1"}), StrangeAddress, "not its own"),
        (Reply(202, {"content-location": "https://api.example.gov@elsewhere.example/"}), StrangeAddress, "not its own"),
        (Reply(202, {"content-location": "https://api.example.gov:8443/jobs/1"}), StrangeAddress, "not its own"),
    ],
    ids=str,
)
async def test_refused_requests_say_why(bench: Bench, reply: Reply, failure: type[BulkFailure], said: str) -> None:
    bench.server.replies = {"$export": [reply]}
    with pytest.raises(failure, match=said):
        await bench.fetch()
    assert bench.server.exports == 1
    assert bench.state.job(bench.request.key) is None


async def test_nobody_attributed_yet(bench: Bench) -> None:
    text = "Unable to perform export operations for this Group. No up-to-date attribution information is available."
    bench.server.replies = {"$export": [outcome(500, text)] * 6}
    with pytest.raises(RequestRefused, match="Nobody is attributed yet"):
        await bench.fetch()


async def test_what_the_server_says_is_told_without_numbers_of_people(bench: Bench) -> None:
    bench.server.replies = {"$export": [outcome(400, "beneficiary 1S00A00AA00 \x1b[31m at 2024-01-01")]}
    with pytest.raises(RequestRefused) as told:
        await bench.fetch()
    assert "1S00A00AA00" not in str(told.value)
    assert "\x1b" not in str(told.value)
    assert "beneficiary ***" in str(told.value)


async def test_a_job_that_the_server_gave_up_is_dropped(bench: Bench) -> None:
    bench.server.replies = {"/jobs/1": [outcome(500, "Service encountered numerous errors")] * 6}
    with pytest.raises(JobFailed, match="numerous errors"):
        await bench.fetch()
    await bench.fetch()
    assert bench.server.exports == 2
    bench.assert_all_there_once()


async def test_trouble_without_words_keeps_the_job(bench: Bench) -> None:
    bench.server.replies = {"/jobs/1": [Reply(502, {}, [b"<html>"])] * 6}
    with pytest.raises(Unreachable):
        await bench.fetch()
    await bench.fetch()
    assert bench.server.exports == 1


@pytest.mark.parametrize(
    "spoiled",
    [
        {"transactionTime": None},
        {"transactionTime": "yesterday"},
        {"output": "all"},
        {"output": [{"type": "Patient"}]},
        {"output": [{"type": "../../etc", "url": "https://api.example.gov/data/1/a"}]},
        {"output": [{"type": 5, "url": "https://api.example.gov/data/1/a"}]},
        {"output": ["https://api.example.gov/data/1/a"]},
        {"output": [{"type": "Patient", "url": "https://bucket.example/a"}]},
        {"error": [{"type": "OperationOutcome", "url": "file:///etc/passwd"}]},
        {"output": [{"type": "Patient", "url": "https://[broken"}]},
    ],
    ids=str,
)
async def test_a_list_of_files_that_cannot_be_is_refused(bench: Bench, spoiled: dict[str, object]) -> None:
    bench.server.spoil = lambda manifest: {**manifest, **spoiled}
    with pytest.raises(AnswerInvalid):
        await bench.fetch()
    assert not any(bench.into.iterdir())
    assert bench.server.count("/data/") == 0


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, {"content-type": "text/html"}, [b"<html>"]),
        Reply(200, {"content-type": "application/json"}, [b"{"]),
        Reply(200, {"content-type": "application/json"}, [b"[]"]),
        Reply(200, {"content-type": "application/json"}, [b"[" * 100_000]),
        Reply(200, {"content-type": "application/json"}, [b" " * (17 * 1024 * 1024)]),
        Reply(200, {"content-type": "application/json", "content-encoding": "gzip"}, [b"no gzip"]),
    ],
    ids=("html", "half", "list", "deep", "long", "packed"),
)
async def test_an_answer_that_is_none(bench: Bench, reply: Reply) -> None:
    bench.server.replies = {"/jobs/1": [reply]}
    with pytest.raises(AnswerInvalid):
        await bench.fetch()


async def test_relative_addresses_are_of_the_same_server(bench: Bench) -> None:
    bench.server.location = "/api/v3/jobs/1"
    await bench.fetch()
    bench.assert_all_there_once()
