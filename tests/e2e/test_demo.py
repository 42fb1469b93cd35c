"""The whole system on a made-up population, held against the truth; and nothing left behind."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.broker, pytest.mark.timeout(400)]

KEYS = {
    "people",
    "deliveries",
    "events",
    "claims_expected",
    "claims_applied",
    "cents_expected",
    "cents_applied",
    "cents_difference",
    "person_months_difference",
    "alignment_months_different",
    "dead_letters",
    "quarantined",
    "kills",
    "seconds",
    "claims_per_second",
}
DIFFERENCES = ("cents_difference", "person_months_difference", "alignment_months_different", "dead_letters")


def demo(folder: Path, *words: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    command = [sys.executable, "-m", "infra.command", "demo", "--exit", "--json", *words]
    environment = os.environ | {"TMPDIR": str(folder)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=380, env=environment)
    assert done.stdout, done.stderr
    return done, json.loads(done.stdout.splitlines()[-1])


def processes_in(folder: Path) -> list[str]:
    lines = (" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"]))
    return [line for line in lines if str(folder) in line]


def assert_right(done: subprocess.CompletedProcess[str], told: dict[str, Any]) -> None:
    assert done.returncode == 0, done.stderr
    assert told.keys() >= KEYS
    assert {name: told[name] for name in DIFFERENCES} == dict.fromkeys(DIFFERENCES, 0)
    assert told["claims_applied"] == told["claims_expected"] > 0
    assert told["cents_applied"] == told["cents_expected"] > 0


def test_every_figure_is_true_on_the_embedded_broker_and_nothing_is_left(private_folder: Path) -> None:
    done, told = demo(private_folder, "--people", "120", "--months", "3", "--seed", "7")
    assert_right(done, told)
    assert told["people"] == 120
    assert told["kills"] == 0
    assert list(private_folder.glob("tandem-*")) == []
    assert processes_in(private_folder) == []


@pytest.mark.faults
def test_every_figure_is_true_on_apache_kafka_under_kill_9(private_folder: Path) -> None:
    done, told = demo(
        private_folder, "--people", "150", "--months", "3", "--seed", "8", "--broker", "kafka", "--kill", "6"
    )
    assert_right(done, told)
    assert told["kills"] == 6
    assert len(re.findall(r"^kill -9 (\S+)$", done.stderr, re.MULTILINE)) == 6


def test_a_newcomer_sees_what_was_delivered_who_is_aligned_and_the_shift(private_folder: Path) -> None:
    done, _ = demo(private_folder, "--people", "60", "--months", "2", "--seed", "9", "--shift", "medicaid-to-medicare")
    for shown in ("Delivered", "Who is aligned", "Risk tiers", "planted from 2022-02", "Equal to the truth"):
        assert shown in done.stderr
