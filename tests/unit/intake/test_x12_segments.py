"""The stream of segments and the envelopes: any delimiters, several interchanges, bounded memory, and every kind of damage."""

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from x12_files import DAMAGES, SAMPLES, isa, written, x12

from services.intake.readers.x12_envelope import ControlTotals, TransactionRules, check
from services.intake.readers.x12_segments import Segment, beginning, segments, separators_of
from services.intake.reading import Defect, RefusedDelivery

RULES = TransactionRules("837", ("005010X222",), tests=False)
BODY = ["BHT*0019*00*1*20220105*1200*RP", "REF*AA*A:B:C*X^Y", "HI*ABK:I10*ABF:E119"]
GOOD = x12("837", "005010X222A1", BODY)


def names(path: Path) -> list[str]:
    return [segment.name for segment in segments(path)]


def told(path: Path, rules: TransactionRules = RULES) -> list[tuple[str | None, str, str | None, str | None]]:
    return [(one.field, one.reason, one.found, one.expected) for one in check(path, rules)]


def test_segments_have_numbers_elements_components_and_repetitions(tmp_path: Path) -> None:
    found = list(segments(written(tmp_path, GOOD)))
    assert [segment.number for segment in found] == list(range(1, 10))
    assert [segment.name for segment in found] == ["ISA", "GS", "ST", "BHT", "REF", "HI", "SE", "GE", "IEA"]
    reference = found[4]
    assert reference.element(1) == "AA"
    assert reference.element(9) == ""
    assert reference.components(2) == ["A", "B", "C"]
    assert reference.repetitions(3) == ["X", "Y"]
    assert reference.raw == b"REF*AA*A:B:C*X^Y"


def test_before_version_00402_there_is_no_repetition() -> None:
    old = isa("*U:~").replace("00501", "00401")
    assert separators_of(old).repetition is None
    assert Segment(1, ["REF", "X^Y"], separators_of(old)).repetitions(1) == ["X^Y"]


@pytest.mark.parametrize(("damage", "reason"), DAMAGES.values(), ids=DAMAGES)
def test_every_kind_of_damage(tmp_path: Path, damage: object, reason: str | None) -> None:
    path = written(tmp_path, damage(GOOD))  # type: ignore[operator]
    if reason is None:
        assert told(path) == []
        return
    with pytest.raises(RefusedDelivery) as refused:
        check(path, RULES)
    assert refused.value.reason_code == reason


@pytest.mark.parametrize("kept", range(0, len(GOOD) - 1, 7))
def test_whatever_is_cut_off_is_noticed(tmp_path: Path, kept: int) -> None:
    with pytest.raises(RefusedDelivery):
        check(written(tmp_path, GOOD[:kept]), RULES)


def test_several_interchanges_each_with_its_own_delimiters(tmp_path: Path) -> None:
    other = GOOD.translate(str.maketrans("*^:~", "|%>!"))
    path = written(tmp_path, GOOD + "\r\n" + other + GOOD)
    assert told(path) == []
    assert names(path) == names(written(tmp_path, GOOD, "one")) * 3
    assert [segment.number for segment in segments(path)] == list(range(1, 28))
    assert [segment.components(2) for segment in segments(path) if segment.name == "REF"] == [["A", "B", "C"]] * 3


def test_several_groups_and_sets(tmp_path: Path) -> None:
    one_set = GOOD[GOOD.index("ST*") : GOOD.index("GE*")]
    group = f"GS*HC*A*B*20220105*1200*2*X*005010X222A1~{one_set}{one_set}GE*2*2~"
    text = GOOD.replace("~IEA*1*", "~" + group + "IEA*2*")
    assert told(written(tmp_path, text)) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD.replace("SE*5*", "SE*4*"), ("SE01", "segment_count_off_by_one", "4", "5 as counted")),
        (GOOD.replace("SE*5*", "SE*6*"), ("SE01", "segment_count_off_by_one", "6", "5 as counted")),
        (GOOD.replace("GE*1*", "GE*0*"), ("GE01", "transaction_set_count_too_small", "0", "1 as counted")),
        (GOOD.replace("IEA*1*", "IEA*0*"), ("IEA01", "group_count_too_small", "0", "1 as counted")),
    ],
)
def test_a_count_that_loses_nothing_is_told(tmp_path: Path, text: str, expected: tuple[str, str, str, str]) -> None:
    assert told(written(tmp_path, text)) == [expected]


def test_a_test_is_read_where_tests_are_wanted(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD.replace("*0*P*:", "*0*T*:"))
    assert told(path, TransactionRules("837", ("005010X222",), tests=True)) == []


def test_a_refusal_says_where(tmp_path: Path) -> None:
    with pytest.raises(RefusedDelivery, match="inside of segment 6") as refused:
        check(written(tmp_path, GOOD[: GOOD.index("ABK:I10") + 5]), RULES)
    assert "I10" not in str(refused.value)


class Counting:
    """What was asked for arrives, transaction set by transaction set."""

    seen: list[list[str]] = []  # noqa: RUF012 - one list for all instances is what is looked at

    def __init__(self) -> None:
        self.seen.append([])

    def take(self, segment: Segment) -> None:
        self.seen[-1].append(segment.name)

    def judged(self, file: str) -> "list[Defect]":
        return [Defect(file, 1, None, "looked_at", b"")] if self.seen[-1] else []


def test_totals_see_the_segments_that_they_ask_for(tmp_path: Path) -> None:
    Counting.seen.clear()
    totals: type[ControlTotals] = Counting  # type: ignore[assignment]
    rules = TransactionRules("837", ("005010X222",), tests=False, watched=frozenset({"HI", "REF"}), totals=totals)
    one_set = GOOD[GOOD.index("ST*") : GOOD.index("GE*")]
    path = written(tmp_path, GOOD.replace("~GE*1*", "~" + one_set + "GE*2*"))
    assert [defect.reason for defect in check(path, rules)] == ["looked_at", "looked_at"]
    assert Counting.seen == [["REF", "HI"], ["REF", "HI"]]


def test_segments_that_lie_across_the_blocks_read(tmp_path: Path) -> None:
    body = [f"REF*AA*{number}" for number in range(40_000)]
    path = written(tmp_path, x12("837", "005010X222A1", body))
    assert path.stat().st_size > 6 * 64 * 1024
    read = [segment.element(2) for segment in segments(path) if segment.name == "REF"]
    assert read == [str(number) for number in range(40_000)]


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        path = written(tmp_path, x12("837", "005010X222A1", ["REF*AA*" + "X" * 200] * count), f"{count}")
        tracemalloc.start()
        try:
            assert told(path) == []
            assert sum(1 for _ in segments(path)) == count + 6
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(20_000) < 1.3 * peak(2_000)


def test_a_segment_without_end_is_not_collected(tmp_path: Path) -> None:
    path = written(tmp_path, isa() + "X" * 8_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(RefusedDelivery, match="segment_too_long"):
            check(path, RULES)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("start", [b"", b"I", b"hello", b"\xff\xfe", b"\x00\x01", b"ISQ*"])
def test_what_is_no_x12_has_no_beginning(start: bytes) -> None:
    assert beginning(start) is None


@pytest.mark.skipif(not SAMPLES.exists(), reason="the public samples are not here")
def test_every_public_sample_is_taken_apart_as_by_hand() -> None:
    paths = sorted(path for path in SAMPLES.rglob("*.txt"))
    assert len(paths) == 24
    for path in paths:
        by_hand = [part.strip().split("*") for part in path.read_text(encoding="latin-1").split("~") if part.strip()]
        assert [segment.elements for segment in segments(path)] == by_hand, path.name


@given(st.binary(max_size=400))
def test_random_bytes_are_refused(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    path = written(tmp_path_factory.mktemp("x12"), isa().encode() + noise)
    with pytest.raises(RefusedDelivery):
        check(path, RULES)


@given(st.integers(0, len(GOOD) - 1), st.characters(max_codepoint=255))
def test_one_character_changed_is_read_told_or_refused(
    tmp_path_factory: pytest.TempPathFactory, place: int, character: str
) -> None:
    path = written(tmp_path_factory.mktemp("x12"), GOOD[:place] + character + GOOD[place + 1 :])
    said = ""
    try:
        check(path, RULES)
    except RefusedDelivery as refused:
        said = str(refused)
    assert "I10" not in said
