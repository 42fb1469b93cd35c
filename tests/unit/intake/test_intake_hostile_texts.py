"""Files as they arrive when something went wrong on the way: every kind, every way, by the files that can be read.

One table: a row a way of going wrong, with what becomes of each kind of file. Archives are told elsewhere.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "fuzz"))

from fuzz_seeds import seeds
from fuzzing import TODAY, Seed, examine

from services.intake.reading import RefusedDelivery
from services.intake.registry import delivery_id, recognise

SEEDS = {
    kind: next(seed for seed in some if not seed.content.startswith(b"PK"))
    for kind, some in seeds(with_samples=False).items()
    if any(not seed.content.startswith(b"PK") for seed in some)
}
X12 = ("enrolment_834", "encounter_837", "premium_payment_820")
FHIR = ("explanation_of_benefit", "fhir_patient", "fhir_coverage")
LISTS = ("alignment_report", "provider_alignment_report", "voluntary_alignment_response", "provider_roster")
OTHERS = ("state_eligibility", "sharing_preferences")
READ = "readings"


def every(outcome: str) -> dict[str, str]:
    return dict.fromkeys((*X12, *FHIR, *LISTS, *OTHERS), outcome)


def as_utf_16(content: bytes) -> bytes:
    return content.decode("latin-1").encode("utf-16")


def with_line_ends_of_windows(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def with_other_delimiters(content: bytes) -> bytes:
    return content.replace(b",", b";")


# What went wrong, how, and what becomes of each kind.
WAYS: dict[str, tuple[Callable[[bytes], bytes], dict[str, str]]] = {
    "a byte-order mark": (lambda content: b"\xef\xbb\xbf" + content, every(READ)),
    "line ends of Windows": (with_line_ends_of_windows, every(READ)),
    "two bytes a character": (as_utf_16, every("refused wrong_encoding")),
    "an error page in its place": (
        lambda _: b"<html><body><h1>503 Service Unavailable</h1></body></html>\n",
        dict.fromkeys(X12, "refused mislabelled_file")
        | dict.fromkeys(FHIR, "refused unrecognised_content")
        | dict.fromkeys(LISTS, "refused unknown_layout")
        | {"state_eligibility": "refused missing_column", "sharing_preferences": "refused missing_header"},
    ),
    "nothing at all": (lambda _: b"", every("refused empty_file")),
    "cut short by its last line": (
        lambda content: content[: content.rstrip().rfind(b"\n") + 1],
        dict.fromkeys(X12, "refused truncated")
        # Whole lines of a bulk file are whole resources: only the export's list of files can tell that some are missing.
        | dict.fromkeys(FHIR, READ)
        | dict.fromkeys((*LISTS, *OTHERS), "refused truncated_file"),
    ),
    "semicolons for commas": (
        with_other_delimiters,
        dict.fromkeys(LISTS, "refused wrong_delimiter") | {"state_eligibility": "refused wrong_delimiter"},
    ),
    "lists twice in one file": (
        lambda content: content + content,
        dict.fromkeys((*LISTS, *OTHERS), "refused truncated_file"),
    ),
}
CASES = [(way, kind) for way, (_, outcomes) in WAYS.items() for kind in outcomes if kind in SEEDS]


@pytest.mark.parametrize(("way", "kind"), CASES)
def test_what_becomes_of_a_file_to_which_something_has_happened(tmp_path: Path, way: str, kind: str) -> None:
    happen, outcomes = WAYS[way]
    path = tmp_path / SEEDS[kind].name
    path.write_bytes(happen(SEEDS[kind].content))
    assert examine(path) == outcomes[kind]


def test_every_kind_of_text_has_its_row() -> None:
    assert SEEDS.keys() <= {*X12, *FHIR, *LISTS, *OTHERS, "partially_adjudicated_claim", "identity_review"}


@pytest.mark.parametrize("kind", seeds(with_samples=False))
def test_the_same_file_under_another_name_is_the_same_delivery(tmp_path: Path, kind: str) -> None:
    seed = seeds(with_samples=False)[kind][0]
    first, second = tmp_path / "one" / seed.name, tmp_path / "two" / other_name(seed)
    for path in (first, second):
        path.parent.mkdir()
        path.write_bytes(seed.content)
    assert delivery_id(recognise(first, TODAY).kind, first) == delivery_id(recognise(second, TODAY).kind, second)
    second.write_bytes(seed.content + b" ")
    try:
        kind_of_other = recognise(second, TODAY).kind
    except RefusedDelivery:
        return
    assert delivery_id(kind_of_other, second) != delivery_id(recognise(first, TODAY).kind, first)


def other_name(seed: Seed) -> str:
    """Another day in the name, where there is one."""
    day = next(
        (part for part in seed.name.split(".") if part.startswith("D") and part[1:].isdigit() and len(part) == 7), ""
    )
    return seed.name.replace(day, f"{day[:-1]}{(int(day[-1]) + 1) % 10 or 1}") if day else seed.name


def test_a_coverage_that_says_of_no_day_when_it_is_is_a_defect_and_the_rest_is_read(tmp_path: Path) -> None:
    seed = SEEDS["fhir_coverage"]
    first, *rest = seed.content.splitlines(keepends=True)
    for content, outcome in ((b"".join([first, *rest]), READ), (_undated(first), "defects and readings")):
        path = tmp_path / seed.name
        path.write_bytes(content + b"".join(rest))
        assert examine(path) == outcome


def _undated(line: bytes) -> bytes:
    resource = json.loads(line)
    return json.dumps(resource | {"meta": {"lastUpdated": "yesterday"}}).encode() + b"\n"
