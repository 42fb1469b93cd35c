"""Files of FHIR resources: recognised by content, bundles and mixtures, damage, bombs, and mutations of every kind."""

import gzip
import json
import tracemalloc
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_explanation_of_benefit import as_record, institutional, resource
from test_fhir_claims_in_adjudication import claim, response
from test_fhir_coverage import part
from test_fhir_patient import patient

from contracts.claims import MedicareClaim
from contracts.delivery import DeliveryKind
from contracts.identifiers import holds_an_mbi
from services.intake.readers import fhir_lines
from services.intake.readers.fhir_delivery import read
from services.intake.reading import Defect, EncodedClaims, PersonRecord, Reading, Recognised, RefusedDelivery, Source
from services.intake.registry import reader_of, recognise

DATA = Path(__file__).parents[4] / "shared" / "data"
needs_samples = pytest.mark.skipif(not DATA.exists(), reason="public samples are not there")
RECEIVED = date(2026, 11, 22)
EOB, PATIENT, COVERAGE = (
    DeliveryKind.EXPLANATION_OF_BENEFIT,
    DeliveryKind.FHIR_PATIENT,
    DeliveryKind.FHIR_COVERAGE,
)
IN_ADJUDICATION = DeliveryKind.PARTIALLY_ADJUDICATED_CLAIM
PERIOD = {"start": "2018-01-01"}


def source_of(kind: DeliveryKind, *paths: Path) -> Source:
    return Source(kind, "fhir", paths, date(2022, 6, 30), True, "OH")


def file(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def dump(*resources: Any) -> bytes:
    return b"\n".join(json.dumps(one).encode() for one in resources)


def bundle(*resources: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in resources]}


def sorted_keys(one: dict[str, Any]) -> bytes:
    """As CMS's bulk servers write it: the type stands far behind."""
    return json.dumps(one, sort_keys=True, indent=2).encode()


RECOGNISED: list[tuple[str, bytes, DeliveryKind]] = [
    ("a.ndjson", dump(resource(), resource()), EOB),
    ("a.ndjson.gz", gzip.compress(dump(resource())), EOB),
    ("a.json", sorted_keys(resource()), EOB),
    ("a.json.gz", gzip.compress(sorted_keys(resource())), EOB),
    ("a.ndjson", dump(patient()), PATIENT),
    ("a.json", sorted_keys(patient()), PATIENT),
    ("a.ndjson", dump(part("Part A")), COVERAGE),
    ("a.ndjson", dump(claim(), response()), IN_ADJUDICATION),
    ("a.ndjson", dump(response(), claim()), IN_ADJUDICATION),
    ("a.json", sorted_keys(bundle(patient(), part("Part A"))), PATIENT),
    ("a.json", sorted_keys(bundle({"resourceType": "OperationOutcome"}, part("Part A"))), COVERAGE),
    ("a.ndjson", dump(bundle(part("Part A"))), COVERAGE),
    ("a.ndjson", b"\n\n" + dump(patient()), PATIENT),
    ("a.ndjson", b"\xef\xbb\xbf" + dump(patient()), PATIENT),
    # What cannot be told is left to the reader, which says why line by line.
    ("a.ndjson", b'{"resourceType"', EOB),
    ("a.ndjson", dump({"resourceType": "OperationOutcome"}, resource()), EOB),
]


@pytest.mark.parametrize(("name", "content", "kind"), RECOGNISED)
def test_the_first_resource_tells_the_kind(tmp_path: Path, name: str, content: bytes, kind: DeliveryKind) -> None:
    found = recognise(file(tmp_path, name, content), RECEIVED)
    assert found == Recognised(kind, "fhir", RECEIVED, None)
    assert reader_of(kind) is read


@pytest.mark.parametrize(
    ("name", "source", "dated", "withheld"),
    [
        ("bcda.D9001.ExplanationOfBenefit.D260601.ndjson", "bcda.D9001", date(2026, 6, 1), True),
        ("BCDA.V3.ALL.1.Patient.0f3a.D260601.ndjson.gz", "bcda.V3.ALL", date(2026, 6, 1), True),
        ("BCDA-SANDBOX.V2.ALL.3.Claim.0f3a.D260601.ndjson", "bcda-sandbox.V2.ALL", date(2026, 6, 1), True),
        ("BCDA_A1234_2026.ndjson", "bcda.A1234", RECEIVED, True),
        ("ab2d.S0000.D260601.T120000.ndjson", "ab2d.S0000", date(2026, 6, 1), True),
        ("dpc-group.ndjson", "dpc.group", RECEIVED, True),
        ("bluebutton.D260601.ndjson", "fhir", date(2026, 6, 1), None),
        ("something.ndjson", "fhir", RECEIVED, None),
    ],
)
def test_who_sent_it_and_whether_records_are_withheld_is_told_by_the_name(
    tmp_path: Path, name: str, source: str, dated: date, *, withheld: bool | None
) -> None:
    content = dump(resource())
    found = recognise(file(tmp_path, name, gzip.compress(content) if name.endswith(".gz") else content), RECEIVED)
    assert (found.source, found.dated, found.substance_use_withheld) == (source, dated, withheld)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.ndjson", gzip.compress(b"{}", mtime=0), "mislabelled_file"),
        ("a.json.gz", b"{}", "mislabelled_file"),
        ("a.ndjson.gz", gzip.compress(b"{}" * 1000, mtime=0)[:14], "corrupted_archive"),
        ("a.ndjson.gz", b"\x1f\x8b" + b"\x00" * 40, "corrupted_archive"),
        ("a.ndjson", b"<html>", "unrecognised_content"),
        ("a.json", b"[1]", "unrecognised_content"),
        ("a.ndjson", json.dumps(resource()).encode("utf-16"), "wrong_encoding"),
        ("a.ndjson", b" \n \n", "delivery_empty"),
        ("a.json", b'{"resourceType": "AuditEvent"}', "resource_type_not_read"),
        ("a.json", b'{"resourceType": "Bundle", "entry": []}', "resource_type_not_read"),
        ("a.json", b'{"resourceType": ', "resource_type_not_read"),
        ("a.ndjson", b'{"changeType": "CHANGE_TYPE_UPDATE", "seq": 1, "claim": {}}', "shared_system_change_feed"),
        ("a.ndjson", b'{"timestamp": "2021", "seq": "1", "claim": {"dcn": "1"}}', "shared_system_change_feed"),
        ("a.D261399.ndjson", b"{}", "unrecognised_name"),
    ],
)
def test_what_is_no_file_of_fhir_resources_is_refused(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    with pytest.raises(RefusedDelivery) as refused:
        recognise(file(tmp_path, name, content), RECEIVED)
    assert refused.value.reason_code == reason


def test_a_bomb_is_looked_at_no_further_than_its_first_line(tmp_path: Path) -> None:
    bomb = gzip.compress(b'{"a": "' + b"0" * (32 * 1024 * 1024), 9)
    assert recognise(file(tmp_path, "bomb.ndjson.gz", bomb), RECEIVED).kind is EOB


def kinds(readings: list[Reading]) -> Counter[str]:
    return Counter(
        type(one.payload).__name__ if isinstance(one, PersonRecord) else type(one).__name__ for one in readings
    )


def test_every_resource_of_a_mixture_is_read_by_its_own_rules(tmp_path: Path) -> None:
    mixed = (
        patient(),
        part("Part A", period=PERIOD),
        resource(),
        {"resourceType": "Practitioner"},
        claim(),
        institutional(),
    )
    for name, content in (("m.ndjson", dump(*mixed)), ("m.json", sorted_keys(bundle(*mixed)))):
        readings = [as_record(one) for one in read(source_of(PATIENT, file(tmp_path, name, content)))]
        assert kinds(readings) == Counter(
            {"MedicareClaim": 3, "MedicareCoverageStatedData": 2, "Demographics": 1, "Defect": 1}
        )
        (defect,) = [one for one in readings if isinstance(one, Defect)]
        assert (defect.line, defect.reason) == (4, "resource_type_not_read")


def test_an_entry_is_told_by_its_place_and_a_bundle_in_a_bundle_is_not_read(tmp_path: Path) -> None:
    inner = bundle(resource())
    content = sorted_keys(bundle(resource(), inner, {"resourceType": "ExplanationOfBenefit"}))
    readings = list(read(source_of(EOB, file(tmp_path, "b.json", content))))
    assert [(one.line, one.reason) for one in readings if isinstance(one, Defect)] == [
        (2, "resource_type_not_read"),
        (3, "patient_missing"),
    ]


def test_several_files_are_one_delivery(tmp_path: Path) -> None:
    first = file(tmp_path, "claims.ndjson", dump(claim()))
    second = file(tmp_path, "responses.ndjson.gz", gzip.compress(dump(response(status="cancelled"))))
    (record,) = read(source_of(IN_ADJUDICATION, first, second))
    assert isinstance(record, PersonRecord)
    assert isinstance(record.payload, MedicareClaim)
    assert record.payload.denied


@pytest.mark.parametrize("name", ["empty.json", "empty.ndjson"])
def test_a_bundle_without_entries_is_an_empty_delivery(tmp_path: Path, name: str) -> None:
    with pytest.raises(RefusedDelivery, match="delivery_empty"):
        list(read(source_of(EOB, file(tmp_path, name, dump(bundle())))))


def test_a_line_without_end_refuses_the_delivery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fhir_lines, "MOST_LINE_BYTES", 1_000)
    monkeypatch.setattr(fhir_lines, "MOST_PASSED_OVER_BYTES", 10_000)
    bomb = gzip.compress(dump(resource()) + b"\n" + b"0" * 1_000_000)
    with pytest.raises(RefusedDelivery, match="line_without_end"):
        list(read(source_of(EOB, file(tmp_path, "bomb.ndjson.gz", bomb))))


def test_a_document_of_any_size_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fhir_lines, "MOST_DOCUMENT_BYTES", 1_000)
    with pytest.raises(RefusedDelivery, match="document_too_large"):
        list(read(source_of(EOB, file(tmp_path, "large.json", sorted_keys(resource())))))


@pytest.mark.parametrize("cut", [20, 200, 1])
def test_a_compressed_file_that_ends_early_is_refused(tmp_path: Path, cut: int) -> None:
    whole = gzip.compress(dump(*[resource(id=f"x{number}") for number in range(50)]))
    with pytest.raises(RefusedDelivery, match="archive_damaged"):
        list(read(source_of(EOB, file(tmp_path, "cut.ndjson.gz", whole[:-cut]))))


def test_bytes_behind_the_compressed_part_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedDelivery, match="archive_damaged"):
        list(read(source_of(EOB, file(tmp_path, "more.ndjson.gz", gzip.compress(dump(resource())) + b"more"))))


SEEDS = [
    (EOB, dump(resource(), institutional())),
    (PATIENT, dump(patient(), patient(id="2"))),
    (COVERAGE, dump(part("Part A", period=PERIOD), part("Part B", period=PERIOD))),
    (IN_ADJUDICATION, dump(claim(), response())),
    (EOB, sorted_keys(bundle(resource(), patient(), part("Part C"), claim()))),
]
SECRET = "Erdapfel"


def outcome(folder: Path, kind: DeliveryKind, name: str, content: bytes) -> list[Reading] | RefusedDelivery:
    try:
        return [as_record(one) for one in read(source_of(kind, file(folder, name, content)))]
    except RefusedDelivery as refused:
        return refused


def assert_told_without_telling(found: list[Reading] | RefusedDelivery) -> None:
    """A result or a reason; no reason holds what could name a person."""
    told = (
        [f"{found.reason_code} {found.detail}"]
        if isinstance(found, RefusedDelivery)
        else [f"{one.reason} {one.field} {one.found} {one.expected}" for one in found if isinstance(one, Defect)]
    )
    for text in told:
        assert not holds_an_mbi(text)
        assert SECRET not in text


mutations = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from(["flip", "cut", "insert", "double"]), st.binary(max_size=6)), max_size=6
)


def changed(content: bytes, at: int, how: str, text: bytes) -> bytes:
    head, tail = content[:at], content[at:]
    return {
        "flip": head + text + tail[len(text) :],
        "cut": head + tail[9:],
        "insert": head + text + tail,
        "double": head + head[at // 2 :] + tail,
    }[how]


def mutated(content: bytes, changes: list[tuple[float, str, bytes]]) -> bytes:
    for place, how, text in changes:
        content = changed(content, int(place * len(content)), how, text)
    return content


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(seed=st.sampled_from(SEEDS), changes=mutations, document=st.booleans())
def test_no_mutation_breaks_the_reader(
    tmp_path: Path, seed: tuple[DeliveryKind, bytes], changes: list[tuple[float, str, bytes]], *, document: bool
) -> None:
    content = mutated(seed[1], changes)
    assert_told_without_telling(outcome(tmp_path, seed[0], "a.json" if document else "a.ndjson", content))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12) | st.just(SECRET),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_no_value_in_any_element_breaks_the_reader(tmp_path: Path, data: st.DataObject) -> None:
    kind, base = data.draw(
        st.sampled_from(
            [
                (EOB, resource()),
                (EOB, institutional()),
                (PATIENT, patient()),
                (COVERAGE, part("Part A", period=PERIOD)),
                (IN_ADJUDICATION, claim()),
            ]
        )
    )
    element = data.draw(st.sampled_from(sorted(set(base) - {"resourceType"})))
    found = outcome(tmp_path, kind, "a.ndjson", dump(base | {element: data.draw(values)}))
    assert_told_without_telling(found)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(max_size=300), compressed=st.booleans())
def test_no_bytes_break_recognition_or_the_reader(tmp_path: Path, content: bytes, *, compressed: bool) -> None:
    name = "a.ndjson.gz" if compressed else "a.ndjson"
    path = file(tmp_path, name, gzip.compress(content) if compressed else content)
    try:
        recognise(path, RECEIVED)
    except RefusedDelivery as refused:
        assert_told_without_telling(refused)
    assert_told_without_telling(outcome(tmp_path, EOB, name, path.read_bytes()))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(at=st.integers(10, 400), flipped=st.integers(1, 255))
def test_no_changed_byte_of_a_compressed_file_breaks_the_reader(tmp_path: Path, at: int, flipped: int) -> None:
    whole = bytearray(gzip.compress(dump(resource(), institutional())))
    whole[at % len(whole)] ^= flipped
    assert_told_without_telling(outcome(tmp_path, EOB, "a.ndjson.gz", bytes(whole)))


@needs_samples
def test_every_claim_of_the_samples_holds_the_contract_as_it_is_sent() -> None:
    found = [as_record(one) for one in read(source_of(EOB, DATA / "ab2d" / "EOB-500.ndjson.gz"))]
    assert kinds(found) == Counter(MedicareClaim=428, PartDEvent=72, Defect=2)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = file(tmp_path, "many.ndjson.gz", gzip.compress((dump(resource()) + b"\n") * 1_500))
    seen = 0
    tracemalloc.start()
    try:
        for reading in read(source_of(EOB, path)):
            seen += isinstance(reading, EncodedClaims)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seen == 1_500
    assert peak < 2_000_000
