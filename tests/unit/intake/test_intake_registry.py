"""What a path holds, by name and content, and why it is refused."""

import gzip
from datetime import date
from pathlib import Path

import pytest
from intake_files import ARCHIVE, MEDICAID_ARCHIVE, cclf, medicaid

from contracts.delivery import DeliveryKind
from services.intake.readers.cclf import read as read_cclf
from services.intake.reading import Recognised, RefusedDelivery, Source
from services.intake.registry import delivery_id, reader_of, recognise

TODAY = date(2022, 3, 1)
ISA = "ISA*00*          *00*          *ZZ*X              *ZZ*Y              *220210*0600*^*00501*1*0*P*:~"
X12_834 = f"{ISA}GS*BE*X*Y*20220210*0600*1*X*005010X220A1~ST*834*0001~BGN*00*1*20220209*0600****2~"


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("834.MCO1.D220210.T060000.txt", X12_834.encode(), ("enrolment_834", "MCO1", date(2022, 2, 10))),
        ("anything", X12_834.encode(), ("enrolment_834", "unnamed", date(2022, 2, 9))),
        ("ALIGNMENT_REPORT.D9001.202202.D220210.csv", b"x", ("alignment_report", "D9001", date(2022, 2, 10))),
        ("PROVIDER_ROSTER.D9001.OH.D220105.csv", b"x", ("provider_roster", "D9001", date(2022, 1, 5))),
        ("a.ndjson", b'{"resourceType"', ("explanation_of_benefit", "fhir", TODAY)),
        ("a.D220210.ndjson.gz", gzip.compress(b"{}", mtime=0), ("explanation_of_benefit", "fhir", date(2022, 2, 10))),
    ],
)
def test_recognised(tmp_path: Path, name: str, content: bytes, found: tuple[str, str, date]) -> None:
    kind, source, dated = found
    assert recognise(written(tmp_path, name, content), TODAY) == Recognised(DeliveryKind(kind), source, dated)


def test_archives_are_recognised(tmp_path: Path) -> None:
    assert recognise(cclf(tmp_path, {}), TODAY) == Recognised(
        DeliveryKind.CCLF, "D9001", date(2022, 2, 10), substance_use_withheld=True
    )
    expected = Recognised(DeliveryKind.MEDICAID_CLAIMS, "OH", date(2022, 2, 15))
    assert recognise(medicaid(tmp_path, [], []), TODAY) == expected


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("notes.docx", b"x", "unrecognised_name"),
        ("empty.ndjson", b"", "empty_file"),
        (ARCHIVE, b"no zip", "corrupted_archive"),
        (MEDICAID_ARCHIVE, b"no zip", "corrupted_archive"),
        (ARCHIVE.replace("D220210", "D221399"), b"PK\x03\x04", "unrecognised_name"),
        ("834.MCO1.D220210.T060000.txt", b"hello", "mislabelled_file"),
        ("other.txt", X12_834.replace("ST*834", "ST*278").encode(), "unrecognised_content"),
        ("a.ndjson", gzip.compress(b"{}", mtime=0), "mislabelled_file"),
        ("a.ndjson.gz", b"{}", "mislabelled_file"),
        ("a.ndjson.gz", gzip.compress(b"{}", mtime=0)[:12], "corrupted_archive"),
        ("a.ndjson", b"<html>", "unrecognised_content"),
        ("ALIGNMENT_REPORT.D9001.202202.D220210.csv", b"PK\x00\x00", "mislabelled_file"),
        ("ALIGNMENT_REPORT.D9001.202213.D220210.csv", b"x", "unrecognised_name"),
    ],
)
def test_refused(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    with pytest.raises(RefusedDelivery) as refused:
        recognise(written(tmp_path, name, content), TODAY)
    assert refused.value.reason_code == reason


def test_a_folder_is_no_delivery(tmp_path: Path) -> None:
    with pytest.raises(RefusedDelivery) as refused:
        recognise(tmp_path, TODAY)
    assert refused.value.reason_code == "not_a_file"


def test_the_same_content_is_the_same_delivery_whatever_its_name(tmp_path: Path) -> None:
    one, two = written(tmp_path, "one", b"content"), written(tmp_path, "two", b"content")
    assert delivery_id(DeliveryKind.CCLF, one) == delivery_id(DeliveryKind.CCLF, two)
    assert delivery_id(DeliveryKind.CCLF, one) != delivery_id(DeliveryKind.ENROLMENT_834, one)


@pytest.mark.parametrize("kind", list(DeliveryKind))
def test_every_kind_has_a_reader(kind: DeliveryKind) -> None:
    assert callable(reader_of(kind))


def test_public_cclf_archives_are_refused_with_a_reason(shared_data: Path, tmp_path: Path) -> None:
    """They are of another programme's naming and of an older layout: none is ours, and none may break a reader."""
    archives = sorted(path for path in (shared_data / "bcda/cclf/archives").rglob("*") if path.is_file())
    assert archives
    for number, path in enumerate(archives):
        with pytest.raises(RefusedDelivery):
            recognise(path, TODAY)
        renamed = tmp_path / str(number) / ARCHIVE
        renamed.parent.mkdir()
        renamed.write_bytes(path.read_bytes())
        with pytest.raises(RefusedDelivery) as refused:
            list(read_cclf(Source(DeliveryKind.CCLF, ARCHIVE, (renamed,), TODAY, synthetic_identifiers=True,
                                  default_state="OH")))  # fmt: skip
        assert refused.value.reason_code in {"corrupted_archive", "missing_member", "unexpected_member",
                                             "mislabelled_member"}  # fmt: skip
