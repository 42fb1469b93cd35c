"""Claims in adjudication and the answers to them are one delivery, whole or not there, whenever a fetch dies."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bulk_bench import FULL, Bench
from fake_bulk_server import resources

from contracts.delivery import DeliveryKind
from services.intake.bulk import fetching
from services.intake.bulk.job_state import StateFolder
from services.intake.registry import recognise

CLAIMS, ANSWERS, MORE = resources("Claim", 5), resources("ClaimResponse", 5), resources("Claim", 3, start=5)


class Died(BaseException):
    """Stands for kill -9."""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.options = {"types": ("Claim", "ClaimResponse", "Patient")}
    made.server.files = {
        "answers.ndjson": ("ClaimResponse", ANSWERS),
        "claims.ndjson": ("Claim", CLAIMS),
        "more.ndjson": ("Claim", MORE),
        "people.ndjson": ("Patient", resources("Patient", 4)),
        "none.ndjson": ("ClaimResponse", b""),
    }
    return made


def joined(bench: Bench) -> bytes:
    [path] = bench.into.glob("*.Claim.*")
    return gzip.decompress(path.read_bytes())


def nothing_is_left(bench: Bench) -> bool:
    return not list(bench.state.aside.iterdir()) and not list(bench.into.glob("*.part"))


async def test_they_come_as_one_file_that_intake_recognises(bench: Bench) -> None:
    fetched = await bench.fetch()
    assert [path.name.split(".")[4] for path in fetched.files] == ["Patient", "Claim"]
    assert joined(bench) == CLAIMS + MORE + ANSWERS
    recognised = recognise(fetched.files[-1], datetime.now(UTC).date())
    assert (recognised.kind, recognised.dated.isoformat()) == (DeliveryKind.PARTIALLY_ADJUDICATED_CLAIM, "2024-03-05")
    assert fetched.lines == {"Claim": 8, "ClaimResponse": 5, "Patient": 4}
    assert fetched.files[-1].stat().st_mode & 0o077 == 0
    assert nothing_is_left(bench)


async def test_fetched_again_they_are_the_same_file(bench: Bench) -> None:
    first = await bench.fetch()
    content = first.files[-1].read_bytes()
    second = await bench.fetch(FULL)
    assert second.files[-1].read_bytes() == content


async def test_without_any_there_is_no_such_file(bench: Bench) -> None:
    bench.server.files = {"people.ndjson": ("Patient", resources("Patient", 4)), "none.ndjson": ("Claim", b"")}
    fetched = await bench.fetch()
    assert [path.name.split(".")[4] for path in fetched.files] == ["Patient"]


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_killed_while_they_come_the_others_wait(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    left = times
    put = fetching._put

    def dying(part: Path, place: Path) -> None:
        nonlocal left
        put(part, place)
        left -= 1
        if not left:
            raise Died

    with monkeypatch.context() as patched:
        patched.setattr(fetching, "_put", dying)
        with pytest.raises(Died):
            await bench.fetch()
    assert not list(bench.into.glob("*.Claim*"))
    await bench.fetch()
    assert joined(bench) == CLAIMS + MORE + ANSWERS
    assert bench.server.exports == 1
    assert [bench.server.downloads(name) for name in bench.server.files] == [1] * 5


@pytest.mark.parametrize("when", ["before", "after"])
async def test_killed_at_the_joining_they_are_joined_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    join = fetching.join

    def dying(sources: list[Path], target: Path) -> None:
        if when == "after":
            join(sources, target)
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(fetching, "join", dying)
        with pytest.raises(Died):
            await bench.fetch()
    assert len(list(bench.into.glob("*.Claim.*"))) == (when == "after")
    await bench.fetch()
    assert joined(bench) == CLAIMS + MORE + ANSWERS
    assert bench.server.exports == 1
    assert nothing_is_left(bench)


async def test_one_that_was_taken_away_is_fetched_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def dying(_sources: list[Path], _target: Path) -> None:
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(fetching, "join", dying)
        with pytest.raises(Died):
            await bench.fetch()
    next(bench.state.aside.glob("*.ClaimResponse.*")).unlink()
    await bench.fetch()
    assert joined(bench) == CLAIMS + MORE + ANSWERS
    assert isinstance(bench.state, StateFolder)
    assert bench.server.downloads("answers.ndjson") == 2
