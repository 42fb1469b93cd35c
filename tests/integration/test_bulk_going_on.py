"""What expires, is stopped or killed goes on: the export is asked for once, and every file is there once."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bulk_bench import FULL, LAST, Bench, Heard
from fake_bulk_server import (
    CLIENT,
    SECRET,
    TRANSACTION_TIME,
    FakeBulkServer,
    SettableClock,
    resources,
)

from services.intake.bulk.failures import (
    AlreadyFetching,
    JobGone,
    RequestRefused,
    StateInvalid,
    StrangeAddress,
    Unreachable,
    WaitedTooLong,
)
from services.intake.bulk.fetching import Since
from services.intake.bulk.job_state import StateFolder


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def clock(bench: Bench) -> SettableClock:
    found: SettableClock = bench.server.clock
    return found


def _expire(server: FakeBulkServer) -> None:
    for job in server.jobs.values():
        job.gone = True


async def test_a_job_that_expired_between_completion_and_download_is_asked_for_anew(bench: Bench) -> None:
    def expire_once(server: FakeBulkServer, name: str) -> None:
        if name == "ccc.ndjson" and len(server.jobs) == 1:
            _expire(server)

    bench.server.on_file = expire_once
    await bench.fetch()
    assert bench.server.exports == 2
    assert any("Asking for the export anew" in text for text in bench.heard.texts)
    contents = bench.delivered()
    # The file that came of the first job came again of the second: the same bytes, which intake recognises.
    assert len(contents) == 4
    assert set(contents) == {content for _, content in bench.server.files.values()}
    patients = [path.read_bytes() for path in bench.into.glob("*.Patient.*")]
    assert patients[0] == patients[1]


@pytest.mark.parametrize(
    "expires", ["2024-03-06 12:00:00.25 +0000 UTC", "Wed, 06 Mar 2024 12:00:00 GMT"], ids=("go", "http")
)
async def test_the_time_of_expiry_is_kept_to(bench: Bench, clock: SettableClock, expires: str) -> None:
    bench.server.done_headers = {"expires": expires}
    bench.server.moods = {"bbb.ndjson": ["cut"] * 6}
    with pytest.raises(Unreachable):
        await bench.fetch()
    clock.time += timedelta(hours=24)
    bench.server.done_headers = {}
    await bench.fetch()
    assert any("have expired" in text for text in bench.heard.texts)
    assert bench.server.exports == 2
    # The old job was not even looked at.
    assert bench.server.count("/jobs/1") == 2


async def test_an_expired_job_keeps_the_time_that_it_was_asked_since(bench: Bench) -> None:
    await bench.fetch()
    bench.server.moods = {"bbb.ndjson": ["cut"] * 6}
    with pytest.raises(Unreachable):
        await bench.fetch()
    _expire(bench.server)
    await bench.fetch()
    asked = [one.query.get("_since") for one in bench.server.asked if "$export" in one.path]
    assert asked == [None, "2024-03-05T06:07:08.123Z", "2024-03-05T06:07:08.123Z"]


async def test_a_job_that_always_expires_ends(bench: Bench) -> None:
    bench.server.on_file = lambda server, _name: _expire(server)
    with pytest.raises(JobGone, match="24 hours"):
        await bench.fetch()
    assert bench.server.exports == 3


@pytest.fixture
def unfinished(bench: Bench) -> Iterator[Bench]:
    bench.server.looks_until_done = 99
    bench.most_seconds = 60
    return bench


async def test_cancelling_drops_the_job_here_and_there(unfinished: Bench) -> None:
    with pytest.raises(WaitedTooLong):
        await unfinished.fetch()
    assert await unfinished.cancel()
    assert unfinished.server.jobs["1"].cancelled
    assert not await unfinished.cancel()
    unfinished.server.looks_until_done = 1
    await unfinished.fetch()
    assert unfinished.server.exports == 2


async def test_cancelling_what_has_ended_there_drops_it_here(unfinished: Bench) -> None:
    with pytest.raises(WaitedTooLong):
        await unfinished.fetch()
    _expire(unfinished.server)
    assert await unfinished.cancel()
    assert unfinished.state.job(unfinished.request.key) is None


async def test_an_unfinished_export_of_another_time_is_not_mixed_up(unfinished: Bench) -> None:
    with pytest.raises(WaitedTooLong):
        await unfinished.fetch()
    with pytest.raises(StateInvalid, match="--cancel"):
        await unfinished.fetch(Since("given", datetime(2024, 1, 1, tzinfo=UTC)))
    unfinished.server.looks_until_done = 1
    await unfinished.fetch(FULL)
    assert unfinished.server.exports == 1


async def test_an_unfinished_export_into_another_folder_is_not_mixed_up(unfinished: Bench, tmp_path: Path) -> None:
    with pytest.raises(WaitedTooLong):
        await unfinished.fetch()
    key, job = unfinished.request.key, unfinished.state.job(unfinished.request.key)
    assert job is not None
    unfinished.state.keep_job(key, job.model_copy(update={"into": tmp_path / "elsewhere"}))
    with pytest.raises(StateInvalid, match="elsewhere"):
        await unfinished.fetch()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 2}', '{"version": 1, "job_url": 5}'])
async def test_a_spoiled_state_is_told(bench: Bench, text: str) -> None:
    file = bench.state.folder / f"{bench.request.key}.job.json"
    file.write_text(text)
    with pytest.raises(StateInvalid, match="Move it away"):
        await bench.fetch()
    assert bench.server.asked == []


async def test_a_state_that_points_elsewhere_gets_no_token(unfinished: Bench) -> None:
    with pytest.raises(WaitedTooLong):
        await unfinished.fetch()
    file = unfinished.state.folder / f"{unfinished.request.key}.job.json"
    file.write_text(file.read_text().replace("api.example.gov", "evil.example.com"))
    asked = len(unfinished.server.asked)
    with pytest.raises(StrangeAddress):
        await unfinished.fetch()
    assert len(unfinished.server.asked) == asked


async def test_two_at_once_do_not_get_into_each_others_way(bench: Bench) -> None:
    with bench.state.alone(bench.request.key), pytest.raises(AlreadyFetching):
        await bench.fetch()
    assert bench.server.asked == []


async def test_nothing_kept_holds_a_secret_or_a_token(unfinished: Bench) -> None:
    with pytest.raises(WaitedTooLong):
        await unfinished.fetch()
    kept = [path.read_text() for path in unfinished.state.folder.iterdir() if path.is_file()]
    assert any("jobs/1" in text for text in kept)
    for text in kept:
        assert SECRET not in text
        assert CLIENT not in text
        assert "token-" not in text


async def test_a_file_of_the_same_name_with_other_content_is_not_overwritten(bench: Bench) -> None:
    first = await bench.fetch()
    job_again = bench.server
    job_again.jobs.clear()
    place = first.files[0]
    place.write_bytes(gzip.compress(b'{"resourceType":"Patient"}\n'))
    with pytest.raises(RequestRefused, match="exists with other content"):
        await bench.fetch(FULL)
    assert gzip.decompress(place.read_bytes()) == b'{"resourceType":"Patient"}\n'


class Killed(BaseException):
    """Stands for the end of the process."""


STEPS = [f"{name} {number} {when}" for number in range(1, 9) for name in ("keep_job",) for when in ("before", "after")]
STEPS += [f"{name} 1 {when}" for name in ("keep_completed", "forget_job") for when in ("before", "after")]


def _die_at(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    name, number, when = step.split()
    calls, original = [0], getattr(StateFolder, name)

    def dying(self: StateFolder, *arguments: Any) -> None:
        calls[0] += 1
        if calls[0] == int(number) and when == "before":
            raise Killed
        original(self, *arguments)
        if calls[0] == int(number):
            raise Killed

    monkeypatch.setattr(StateFolder, name, dying)


@pytest.mark.parametrize("step", STEPS)
async def test_a_fetch_killed_at_any_step_goes_on(bench: Bench, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    with monkeypatch.context() as patched:
        _die_at(patched, step)
        with pytest.raises(Killed):
            await bench.fetch()
    if step == "forget_job 1 after":
        assert bench.state.completed(bench.request.key) is not None
    else:
        await bench.fetch()
    bench.assert_all_there_once()
    # Killed before the job's address was written down, the export is asked for again: 429, and the job is found.
    assert bench.server.exports == (2 if step == "keep_job 1 before" else 1)
    assert len(bench.server.jobs) == 1


async def test_a_crash_in_the_middle_of_a_file_leaves_no_half_of_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_self: Heard, file: int, _files: int, received: int) -> None:
        if file == 3 and received > 10:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Heard, "fetching", die)
        with pytest.raises(Killed):
            await bench.fetch()
    assert len(list(bench.into.glob("*.part"))) == 1
    await bench.fetch()
    bench.assert_all_there_once()


async def test_a_file_that_was_spoiled_after_it_was_whole_is_fetched_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        _die_at(patched, "keep_job 3 after")
        with pytest.raises(Killed):
            await bench.fetch()
    (part,) = bench.into.glob("*.part")
    part.write_bytes(part.read_bytes()[:-5])
    await bench.fetch()
    bench.assert_all_there_once()
    assert bench.server.downloads("bbb.ndjson") == 2


def test_the_manifest_time_of_these_tests_is_the_one_that_is_asked_since() -> None:
    assert json.loads(json.dumps(TRANSACTION_TIME)) == LAST.isoformat(timespec="milliseconds")
    assert resources("Patient", 1).endswith(b"\n")
