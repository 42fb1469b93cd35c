"""Public samples that nobody here made, from files to published figures, against sums made without any of our code.

The page ``docs/public-samples.md`` shows what came out; every row of its tables is compared with this run.
"""

import gzip
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.broker, pytest.mark.timeout(300)]

PAGE = Path(__file__).parents[2] / "docs" / "public-samples.md"
CATEGORY = {
    "CARRIER": "physician",
    "DME": "durable_medical_equipment",
    "HHA": "home_health",
    "HOSPICE": "hospice",
    "INPATIENT": "inpatient",
    "OUTPATIENT": "outpatient",
}
DEFECTIVE = {316, 317}
# Breast cancer, community, non-dual, aged: HCC 12 of V24 and HCC 23 of V28 (CMS's rate announcements).
COEFFICIENT = {"V24": "0.150", "V28": "0.186"}
LINE_PAYMENT = "https://bluebutton.cms.gov/resources/variables/line_nch_pmt_amt"


@dataclass(frozen=True, slots=True)
class Installation:
    """One that runs, and what delivering the samples to it said."""

    folder: Path
    delivered: list[dict[str, Any]]
    gateways: dict[str, str]

    def get(self, service: str, path: str, **parameters: Any) -> Any:
        answer = httpx.get(self.gateways[service] + path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        command = _command(*words, "--folder", self.folder)
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)

    def people_on(self, topic: str) -> set[str]:
        told = self.run("tail", topic, "--from-beginning", "--no-follow")
        return {json.loads(line)["subject"] for line in told.stdout.splitlines()}


def _command(*words: object) -> list[str]:
    return [sys.executable, "-m", "infra.command", *map(str, words)]


@pytest.fixture(scope="module")
def explanations(shared_data: Path) -> Path:
    return shared_data / "ab2d" / "EOB-500.ndjson.gz"


@pytest.fixture(scope="module")
def samples(explanations: Path) -> list[Any]:
    """The resources as they stand in the file; amounts exact."""
    with gzip.open(explanations, "rt", encoding="utf-8") as file:
        return [json.loads(line, parse_float=Decimal) for line in file]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tandem-test-") as made:
        Path(made).chmod(0o711)
        yield Path(made) / "tandem"


@pytest.fixture(scope="module")
def installation(folder: Path, explanations: Path, shared_data: Path) -> Iterator[Installation]:
    log = (folder.parent / "up.log").open("w+")
    process = psutil.Popen(_command("up", "--folder", folder, "--synthetic"), stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 90
        while not (folder / "addresses.json").exists():
            assert process.poll() is None, (folder.parent / "up.log").read_text()
            assert time.monotonic() < deadline
        gateways = json.loads((folder / "addresses.json").read_text())["gateways"]
        words = ("deliver", explanations, shared_data / "x12" / "834", "--json", "--folder", folder)
        done = subprocess.run(_command(*words), capture_output=True, text=True, check=False, timeout=200)
        assert done.returncode == 0, done.stderr + (folder.parent / "up.log").read_text()
        yield Installation(folder, json.loads(done.stdout), gateways)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        log.close()


def kind_of(resource: Any) -> str:
    (kind,) = (one["code"] for one in resource["type"]["coding"] if one["system"].endswith("/eob-type"))
    return str(kind)


def medicare_paid(resource: Any) -> Decimal:
    """What Medicare paid: Part B by line, everything else by claim."""
    if kind_of(resource) not in ("CARRIER", "DME"):
        return Decimal(resource["payment"]["amount"]["value"])
    amounts = (part for item in resource["item"] for part in item["adjudication"] if "amount" in part)
    paid = (part["amount"]["value"] for part in amounts if part["category"]["coding"][0]["code"] == LINE_PAYMENT)
    return sum(map(Decimal, paid), Decimal(0))


def claims_of(samples: list[Any]) -> list[Any]:
    """Parts A and B: a diagnosis that cannot be read takes nothing from the claim that it stands in."""
    return [one for one in samples if kind_of(one) != "PDE"]


def rows_of_page(heading: str) -> list[list[str]]:
    """The rows of the first table behind a heading of the page, without its head."""
    lines = PAGE.read_text(encoding="utf-8").split(f"## {heading}\n")[1].splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("|---"))
    rows = []
    for line in lines[first + 1 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def test_deliver_says_what_became_of_every_file(installation: Installation) -> None:
    assert [one["name"] for one in installation.delivered] == [
        "EOB-500.ndjson.gz",
        *(f"sample_834_0{number}.txt" for number in range(1, 7)),
    ]
    assert {one["status"] for one in installation.delivered} == {"completed"}
    assert [one["reason"] for one in installation.delivered] == [None] * 7
    shown = [
        [one["name"], str(one["records"]), str(one["claims"]), str(one["quarantined"])]
        for one in installation.delivered
    ]
    assert [row[:4] for row in rows_of_page("What was read")] == shown


def test_deliver_again_recognises_the_files_and_says_so_in_words(
    installation: Installation, explanations: Path
) -> None:
    done = installation.run("deliver", explanations)
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stdout.splitlines() if "EOB-500" in line)
    assert line.split() == ["EOB-500.ndjson.gz", "1", "delivered", "before", "500", "428", "2"]


def test_what_could_not_be_read_is_in_quarantine_with_its_place_and_reason(installation: Installation) -> None:
    found = {}
    for one in installation.delivered:
        path = f"/v1/deliveries/{one['delivery_id']}/quarantine"
        found[one["name"]] = [(row["line"], row["field"], row["reason"]) for row in installation.get("intake", path)]
    assert found["EOB-500.ndjson.gz"] == [(line, "diagnosis", "diagnosis_without_code") for line in sorted(DEFECTIVE)]
    told = {row[0]: row[4] for row in rows_of_page("What was read")}
    for name, lines in found.items():
        reasons = Counter(f"{field} {reason}" for _, field, reason in lines)
        commonest = sorted(reasons.items(), key=lambda found: (-found[1], found[0]))
        assert told[name] == ", ".join(f"{count} {reason}" for reason, count in commonest), name


def test_every_dollar_of_medicare_is_published(installation: Installation, samples: list[Any]) -> None:
    expected: dict[str, tuple[int, Decimal]] = {}
    for claim in claims_of(samples):
        count, paid = expected.get(CATEGORY[kind_of(claim)], (0, Decimal(0)))
        expected[CATEGORY[kind_of(claim)]] = (count + 1, paid + medicare_paid(claim))
    answer = installation.get("cost-shift", "/v1/measures", group_by=["cohort", "payer", "category"])
    found = {row["category"]: (row["claims"], Decimal(row["cents"]) / 100) for row in answer["measures"]}
    assert found == expected
    assert {(row["cohort"], row["payer"], row["pbpm"]) for row in answer["measures"]} == {
        ("unassigned", "medicare", None)
    }
    shown = [[name, str(claims), f"{paid:.2f}"] for name, (claims, paid) in sorted(found.items())]
    assert rows_of_page("What Medicare paid") == [
        *shown,
        ["all", str(sum(claims for claims, _ in found.values())), f"{sum(paid for _, paid in found.values()):.2f}"],
    ]


def test_every_member_of_the_834_samples_has_a_timeline(installation: Installation) -> None:
    members = installation.people_on("medicaid-enrolment")
    assert len(members) == sum(one["records"] for one in installation.delivered[1:]) == 11
    months: Counter[str] = Counter()
    undecided = 0
    for member in members:
        told = installation.get("alignment", f"/v1/people/{member}/timeline")
        assert told["state"] == "CA"
        assert {said["source"] for said in told["statements"]} == {"834"}
        months.update(month["cohort"] for month in told["months"])
        undecided += not told["months"]
    counted = installation.get("cost-shift", "/v1/person-months", group_by=["state", "cohort"])["person_months"]
    assert counted == [{"state": "CA", "cohort": "excluded", "person_months": months["excluded"]}]
    assert months.keys() == {"excluded"}
    assert rows_of_page("Who is enrolled") == [[str(len(members)), str(undecided), str(months["excluded"])]]


def has_breast_cancer(resource: Any) -> bool:
    """The only diagnosis of the samples' hospital stays that is in a payment category."""
    concepts = (one.get("diagnosisCodeableConcept", {}) for one in resource["diagnosis"])
    return any(coding["code"].startswith("C50") for concept in concepts for coding in concept.get("coding", ()))


def test_everybody_with_an_eligible_diagnosis_is_scored_for_the_year_after(
    installation: Installation, samples: list[Any]
) -> None:
    expected: dict[str, set[int]] = {}
    for claim in claims_of(samples):
        year = int(claim["billablePeriod"]["end"][:4])
        if kind_of(claim) == "INPATIENT" and year >= 2017 and has_breast_cancer(claim):
            expected.setdefault(claim["patient"]["reference"], set()).add(year + 1)
    scored: list[list[int]] = []
    for person in installation.people_on("risk-scores") - installation.people_on("medicaid-enrolment"):
        told = installation.get("risk", f"/v1/people/{person}/scores")["scores"]
        assert {score["completeness"] for score in told} == {"disease_only"}
        counting = [score for score in told if score["categories"]]
        # A score of nothing says what it left out, and why.
        assert all(score["raw_score"] == "0.000" and score["ignored"] for score in told if not score["categories"])
        years = {model: [s["payment_year"] for s in counting if s["model"] == model] for model in COEFFICIENT}
        assert years["V24"] == years["V28"]
        assert {(score["model"], score["raw_score"]) for score in counting} <= set(COEFFICIENT.items())
        if years["V24"]:
            scored.append(years["V24"])
    assert sorted(scored) == sorted(map(sorted, expected.values()))
    shown = [[str(len(years)), ", ".join(map(str, years)), *COEFFICIENT.values()] for years in sorted(scored)]
    assert rows_of_page("Who is scored") == shown


def test_nothing_waits_and_nothing_was_given_up(installation: Installation) -> None:
    for one in json.loads(installation.run("status", "--json").stdout)["services"]:
        assert (one["dead_letters"], one["outbox"]["depth"]) == ({}, 0), one["service"]
        assert one["service"] == "intake" or one["last_cut"] == len(installation.delivered)
