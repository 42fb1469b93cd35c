"""``tandem evidence`` says what is wrong before it writes anything."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.bench.signal_recovery import signal_of
from infra.bench.study_worlds import StudyWorld
from infra.command import evidence as evidence_command
from infra.command.main import main
from services.cost_shift.evidence import EvidenceAnswer, NoSuchSignalError
from services.cost_shift.signal_answers import StudyShown

STUDY = StudyWorld(5, counties=6, people=15, months=20).study()


def _answer(*, as_kept: bool) -> EvidenceAnswer:
    shown = StudyShown(
        entity_id="D9001", revision=1, states=["OH"], first_month=STUDY.months[0], baseline_last=STUDY.baseline_last,
        last_month=STUDY.months[-1], months_left_out=[], confidence_level=0.95, policy={},
    )  # fmt: skip
    return EvidenceAnswer(
        signal=signal_of(STUDY), study=shown, series=[], cells=[], covariates=[], bootstrap_draws=999, bootstrap_seed=1,
        power=0.8, months_a_group=3, as_kept=as_kept,
    )  # fmt: skip


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_command, "require_ready", lambda _: None)


def _reads(monkeypatch: pytest.MonkeyPatch, found: EvidenceAnswer | NoSuchSignalError) -> None:
    async def read(_installation: object, _signal: str) -> EvidenceAnswer:
        if isinstance(found, NoSuchSignalError):
            raise found
        return found

    monkeypatch.setattr(evidence_command, "_read", read)


def _run(tmp_path: Path, *arguments: str) -> tuple[int, str]:
    to = ["--to", str(tmp_path / "out"), "--folder", str(tmp_path / "inst")]
    done = CliRunner().invoke(main, ["evidence", "D9001.home_health.42", *to, *arguments])
    return done.exit_code, " ".join(done.output.split())


@pytest.mark.usefixtures("running")
def test_a_folder_is_written_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _reads(monkeypatch, _answer(as_kept=True))
    code, said = _run(tmp_path)
    assert (code, "Begin with README.md" in said, "not those" in said) == (0, True, False)
    assert (tmp_path / "out" / "SHA256SUMS").exists()
    code, said = _run(tmp_path)
    assert (code, "is not empty" in said) == (1, True)


@pytest.mark.usefixtures("running")
def test_what_is_not_as_it_was_is_said_to_people_and_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _reads(monkeypatch, _answer(as_kept=False))
    assert "are not those of which the signal was worked out" in _run(tmp_path)[1]
    (tmp_path / "other").mkdir()
    assert '"as_kept":false' in _run(tmp_path / "other", "--json")[1]


@pytest.mark.usefixtures("running")
def test_a_signal_that_nobody_raised_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _reads(monkeypatch, NoSuchSignalError("D9001.home_health.42"))
    code, said = _run(tmp_path)
    assert (code, "There is no signal 'D9001.home_health.42'" in said) == (1, True)
    assert not (tmp_path / "out").exists()


def test_without_an_installation_nothing_is_read(tmp_path: Path) -> None:
    assert _run(tmp_path)[0] == 1
