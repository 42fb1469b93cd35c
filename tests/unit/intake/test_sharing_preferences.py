"""Data-sharing preferences: fixed-width records between a header and a trailer that vouches for them."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from intake_files import MBI, OTHER_MBI, defects, records
from list_files import RECEIVED, delivered, outcome

from contracts.alignment import SharingPreferenceStatedData
from contracts.identifiers import holds_an_mbi
from services.intake.readers.sharing_preferences import RECORD_LENGTH
from services.intake.reading import Defect, PersonReference, RefusedDelivery, Source
from services.intake.registry import reader_of, recognise

NAME = "P#EFT.ON.ACO.NGD1800.DPRF.D220318.T1000001"
SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "data" / "bcda" / "suppression"
PLACES = {
    "mbi": (0, 11),
    "key": (11, 21),
    "since": (354, 362),
    "source": (362, 367),
    "preference": (368, 369),
    "sud_since": (369, 377),
    "sud_source": (377, 382),
    "sud": (383, 384),
    "aco": (384, 389),
}
SAID = {
    "mbi": MBI, "key": "0018478000", "since": "20220314", "source": "1-800", "preference": "N", "aco": "D9001",
}  # fmt: skip


def record(**values: str) -> str:
    line = [" "] * RECORD_LENGTH
    # Names and addresses, which nobody reads.
    line[21:31] = "Geraldine "
    for field, value in (SAID | values).items():
        first, behind = PLACES[field]
        line[first:behind] = value.ljust(behind - first)
    return "".join(line)


def preferences(folder: Path, rows: Sequence[str], *, name: str = NAME, **frame: str) -> Path:
    header = frame.get("header", "HDR_BENEDATASHR20220318")
    trailer = frame.get("trailer", f"TRL_BENEDATASHR20220318{len(rows):<10}")
    lines = [line for line in (header, *rows, trailer) if line]
    path = folder / name
    path.write_bytes("".join(line + frame.get("end", "\n") for line in lines).encode(frame.get("encoding", "latin-1")))
    return path


def stated(folder: Path, **values: str) -> SharingPreferenceStatedData:
    (found,) = records(delivered(preferences(folder, [record(**values)])))
    assert found.references == (PersonReference("mbi", MBI),)
    assert isinstance(found.payload, SharingPreferenceStatedData)
    return found.payload


def test_an_opt_out_is_read_by_its_positions(tmp_path: Path) -> None:
    found = stated(tmp_path, sud="Y", sud_since="20220310", sud_source="1800")
    assert (found.entity_id, found.stated_on) == ("D9001", date(2022, 3, 18))
    assert (found.shares_claims, found.shares_claims_from, found.source_code) == (False, date(2022, 3, 14), "1-800")
    assert (found.shares_substance_use, found.shares_substance_use_from) == (True, date(2022, 3, 10))
    assert found.substance_use_source_code == "1800"


@pytest.mark.parametrize(
    ("values", "claims", "substance_use"),
    [
        ({"preference": "Y"}, True, None),
        ({"preference": "n"}, False, None),
        ({"preference": "", "since": "", "sud": "N"}, None, False),
        ({"preference": "N", "sud": "Y"}, False, True),
        ({"preference": "N", "key": ""}, False, None),
        ({"preference": "N", "since": ""}, False, None),
        ({"preference": "N", "aco": "A1234"}, False, None),
    ],
)
def test_what_a_record_says(
    tmp_path: Path, values: dict[str, str], *, claims: bool | None, substance_use: bool | None
) -> None:
    found = stated(tmp_path, **values)
    assert (found.shares_claims, found.shares_substance_use) == (claims, substance_use)


def test_a_record_without_a_preference_says_nothing(tmp_path: Path) -> None:
    assert delivered(preferences(tmp_path, [record(preference="", sud="")])) == []


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_of_either_kind(tmp_path: Path, end: str) -> None:
    assert len(delivered(preferences(tmp_path, [record()], end=end))) == 1


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    path = preferences(tmp_path, [record()])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(delivered(path)) == 1


def test_a_trailer_without_line_end_and_what_old_systems_put_behind_it(tmp_path: Path) -> None:
    path = preferences(tmp_path, [record()])
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert len(delivered(path)) == 1
    path.write_bytes(path.read_bytes() + b"\n\x1a")
    assert len(delivered(path)) == 1


def test_several_preferences_of_one_person_are_all_stated(tmp_path: Path) -> None:
    rows = [record(), record(preference="Y", since="20220401"), record(mbi=OTHER_MBI, aco="D9002")]
    found = [reading.payload for reading in records(delivered(preferences(tmp_path, rows)))]
    assert [one.entity_id for one in found if isinstance(one, SharingPreferenceStatedData)] == [
        "D9001", "D9001", "D9002",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "field", "reason"),
    [
        ({"mbi": "12345678901"}, "MBI", "not_an_mbi"),
        ({"mbi": "5SJ0A00AA00"}, "MBI", "not_an_mbi"),
        ({"mbi": ""}, "MBI", "missing"),
        ({"mbi": "12345678901", "preference": ""}, "MBI", "not_an_mbi"),
        ({"key": "ABC"}, "BENE_LINK_KEY", "not_a_whole_number"),
        ({"since": "20220230"}, "EFFECTIVE_DATE", "not_a_date"),
        ({"since": "2022031"}, "EFFECTIVE_DATE", "not_a_date"),
        ({"since": "18010101"}, "EFFECTIVE_DATE", "date_out_of_range"),
        ({"since": "18990101"}, "EFFECTIVE_DATE", "invalid"),
        ({"preference": "J"}, "PREFERENCE", "not_in_code_list"),
        ({"sud": "1"}, "SUD_PREFERENCE", "not_in_code_list"),
        ({"sud_since": "x"}, "SUD_EFFECTIVE_DATE", "not_a_date"),
        ({"aco": ""}, "ACO_ID", "missing"),
        ({"aco": "X"}, "ACO_ID", "invalid"),
    ],
)
def test_a_bad_record_is_told_and_the_others_are_read(
    tmp_path: Path, values: dict[str, str], field: str, reason: str
) -> None:
    readings = delivered(preferences(tmp_path, [record(**values), record()]))
    assert defects(readings) == [(2, field, reason)]
    assert len(records(readings)) == 1
    (defect,) = [reading for reading in readings if isinstance(reading, Defect)]
    assert defect.found
    assert defect.expected
    assert len(defect.raw) == RECORD_LENGTH


@pytest.mark.parametrize("row", [record()[:-1], record() + " ", ""])
def test_a_record_of_another_length_is_told(tmp_path: Path, row: str) -> None:
    path = preferences(tmp_path, [record(), "x"])
    path.write_bytes(path.read_bytes().replace(b"\nx\n", b"\n" + row.encode() + b"\n"))
    (defect,) = [reading for reading in delivered(path) if isinstance(reading, Defect)]
    assert (defect.line, defect.reason, defect.found) == (3, "wrong_length", f"{len(row)} characters")


REFUSED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "wrong count": (
        lambda f: preferences(f, [record()], trailer="TRL_BENEDATASHR202203182"), "wrong_record_count",
    ),
    "no trailer": (lambda f: preferences(f, [record()], trailer=""), "truncated_file"),
    "a trailer without a count": (
        lambda f: preferences(f, [record()], trailer="TRL_BENEDATASHR20220318"), "truncated_file",
    ),
    "a trailer of another day": (
        lambda f: preferences(f, [record()], trailer="TRL_BENEDATASHR202203171"), "mislabelled_file",
    ),
    "records behind the trailer": (
        lambda f: preferences(f, [record()], trailer="TRL_BENEDATASHR202203181\n" + record()), "truncated_file",
    ),
    "no header": (lambda f: preferences(f, [record()], header=""), "missing_header"),
    "a header without a day": (lambda f: preferences(f, [], header="HDR_BENEDATASHR"), "missing_header"),
    "a header of no day": (lambda f: preferences(f, [], header="HDR_BENEDATASHR20221399"), "missing_header"),
    "a header of the day that means none": (
        lambda f: preferences(f, [], header="HDR_BENEDATASHR00000000", trailer="TRL_BENEDATASHR000000000"),
        "missing_header",
    ),
    "UTF-16": (lambda f: preferences(f, [record()], encoding="utf-16"), "wrong_encoding"),
    "UTF-16 without a mark": (lambda f: preferences(f, [record()], encoding="utf-16-le"), "wrong_encoding"),
    "another file": (lambda f: preferences(f, ["a,b,c"], header="x,y,z"), "missing_header"),
    "one long line": (lambda f: preferences(f, [], header="x" * 100_000), "missing_header"),
    "empty": (lambda f: preferences(f, [], header="", trailer="", end=""), "empty_file"),
    "a test file among real ones": (
        lambda f: preferences(f, [record()], name=NAME.replace("P#", "T#")), "test_file",
    ),
    "no such day in the name": (
        lambda f: preferences(f, [record()], name=NAME.replace("D220318", "D220399")), "unrecognised_name",
    ),
    "another name": (lambda f: preferences(f, [record()], name="preferences.txt"), "unrecognised_name"),
}  # fmt: skip


@pytest.mark.parametrize("defect", REFUSED)
def test_what_is_refused_whole(tmp_path: Path, defect: str) -> None:
    make, reason = REFUSED[defect]
    assert outcome(make(tmp_path)) == reason


def test_a_file_renamed_to_another_day_is_read_as_of_its_own(tmp_path: Path) -> None:
    path = preferences(tmp_path, [record()], name=NAME.replace("D220318", "D220101"))
    readings = delivered(path)
    assert defects(readings) == [(1, "HDR_BENEDATASHR", "date_differs_from_name")]
    (found,) = records(readings)
    assert isinstance(found.payload, SharingPreferenceStatedData)
    assert found.payload.stated_on == date(2022, 3, 18)


def test_a_test_file_is_read_where_identifiers_are_synthetic(tmp_path: Path) -> None:
    path = preferences(tmp_path, [record(mbi="5SJ0A00AA00")], name=NAME.replace("P#", "T#"))
    assert len(delivered(path, synthetic=True)) == 1


@pytest.mark.skipif(not SAMPLES.exists(), reason="the public samples are not here")
class TestPublicSamples:
    def test_the_smaller_one_is_read_right(self) -> None:
        readings = delivered(SAMPLES / "T#EFT.ON.ACO.NGD1800.DPRF.D181120.T1000009", synthetic=True)
        assert defects(readings) == [(1, "HDR_BENEDATASHR", "date_differs_from_name")]
        found = [r.payload for r in records(readings) if isinstance(r.payload, SharingPreferenceStatedData)]
        assert [
            (one.shares_claims, one.shares_claims_from, one.shares_substance_use, one.shares_substance_use_from)
            for one in found
        ] == [
            (True, date(2019, 7, 1), False, date(2019, 7, 1)),
            (True, date(2019, 7, 29), False, date(2019, 7, 1)),
            (None, None, False, date(2019, 7, 1)),
            (False, date(2019, 7, 19), None, None),
        ]
        assert {(one.entity_id, one.stated_on) for one in found} == {("T9992", date(2019, 7, 29))}
        assert [one.source_code for one in found] == ["1-800", "1-800", None, "1-800"]

    def test_the_larger_one_is_refused_with_every_reason(self) -> None:
        told: list[str] = []
        path = SAMPLES / "T#EFT.ON.ACO.NGD1800.DPRF.D190816.T0241390"
        with pytest.raises(RefusedDelivery) as refused:
            self._collect(path, told)
        assert refused.value.reason_code == "truncated_file"
        assert told == ["not_an_mbi"] * 250

    @staticmethod
    def _collect(path: Path, told: list[str]) -> None:
        found = recognise(path, RECEIVED)
        for reading in reader_of(found.kind)(Source(found.kind, path.name, (path,), found.dated, True, "OH")):
            assert isinstance(reading, Defect)
            told.append(reading.reason)


pieces = st.sampled_from(
    [record().encode(), b"HDR_BENEDATASHR20220318", b"TRL_BENEDATASHR202203181", b"\n", MBI.encode()]
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    content=st.lists(pieces | st.binary(max_size=30), min_size=1, max_size=12).map(b"".join).filter(bool),
    change=st.tuples(st.integers(0, 500), st.binary(min_size=1, max_size=2)),
)
def test_damaged_preferences_speak_or_say_why(tmp_path: Path, content: bytes, change: tuple[int, bytes]) -> None:
    whole = preferences(tmp_path, [record()]).read_bytes()
    at = change[0] % len(whole)
    for damaged in (content, whole[:at] + change[1] + whole[at + len(change[1]) :]):
        (tmp_path / NAME).write_bytes(damaged)
        told: list[str] = []
        try:
            for reading in delivered(tmp_path / NAME, synthetic=True):
                if isinstance(reading, Defect):
                    told += [reading.reason, reading.field or "", reading.found or "", reading.expected or ""]
        except RefusedDelivery as refusal:
            told.append(str(refusal))
        assert not any(holds_an_mbi(text) for text in told)
