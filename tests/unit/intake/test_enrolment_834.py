"""The 834 reader on public samples and on small interchanges made here, each with one thing wrong or odd."""

from datetime import date
from pathlib import Path

import pytest

from contracts.delivery import DeliveryKind
from services.intake.readers.enrolment_834 import read
from services.intake.readers.x12_segments import segments
from services.intake.reading import UNRESOLVED_PERSON, Defect, PersonRecord, Reading, RefusedDelivery, Source

SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "x12" / "834"
needs_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="the public samples are not here")

FFS, ADVANTAGE = "none", "medicare_advantage"


def source_of(path: Path, *, synthetic: bool = False) -> Source:
    return Source(DeliveryKind.ENROLMENT_834, path.name, (path,), date(2022, 1, 1), synthetic, "OH")


def isa(separators: str = "*^:~") -> str:
    element, repetition, component, terminator = separators
    fields = ["ISA", "00", " " * 10, "00", " " * 10, "ZZ", "STATE".ljust(15), "ZZ", "PLAN".ljust(15)]
    fields += ["220105", "1200", repetition, "00501", "000000007", "0", "P", component]
    return element.join(fields) + terminator


def interchange(*members: str, stated: str = "20220105", miscount: int = 0) -> str:
    body = ["ST*834*0001*005010X220A1", f"BGN*00*1*{stated}*1200****2"]
    body += [segment for member in members for segment in member.strip("~").split("~")]
    body += [f"SE*{len(body) + 1 + miscount}*0001"]
    group = ["GS*BE*STATE*PLAN*20220105*1200*1*X*005010X220A1", *body, "GE*1*1", "IEA*1*000000007"]
    return isa() + "~".join(group) + "~"


def member(*segments_of_it: str, mbi: str = "1EG4TE5MK73", medicaid: str = "MCD1", maintenance: str = "001") -> str:
    head = [f"INS*Y*18*{maintenance}***FT***AC", f"REF*6P*{mbi}", f"REF*1D*{medicaid}", "NM1*IL*1*A*B"]
    head += ["N4*COLUMBUS*OH*43004**CY*39049", "DMG*D8*19500203*F"]
    return "~".join((*head, *segments_of_it))


def read_text(folder: Path, text: str, *, synthetic: bool = False) -> list[Reading]:
    path = folder / "834.MCO9001.D220105.T120000.txt"
    path.write_bytes(text.encode("latin-1"))
    return list(read(source_of(path, synthetic=synthetic)))


def records(readings: list[Reading]) -> list[PersonRecord]:
    return [reading for reading in readings if isinstance(reading, PersonRecord)]


def defects(readings: list[Reading]) -> list[tuple[int, str | None, str]]:
    return [(reading.line, reading.field, reading.reason) for reading in readings if isinstance(reading, Defect)]


def spans_of(record: PersonRecord) -> list[tuple[object, ...]]:
    return [
        (
            span.first_month,
            span.last_month,
            span.enrolled,
            span.plan_id,
            span.aid_code,
            span.dual_status_code,
            span.health_plan.value if span.health_plan else None,
        )
        for span in record.payload.spans  # type: ignore[union-attr]
    ]


EXPECTED = {
    "sample_834_01.txt": [
        ("CA:TESTMCD000000001", [("2024-01", None, True, "MEDI-CAL", None, "02", ADVANTAGE)]),
        ("CA:TESTMCD000000002", [("2024-01", None, True, "MEDI-CAL", "4M", "01", ADVANTAGE)]),
        (
            "CA:TESTMCD000000003",
            [
                ("2022-01", "2025-02", True, "MEDI-CAL", None, "04", FFS),
                ("2025-03", None, False, None, None, None, None),
            ],
        ),
        ("CA:TESTMCD000000004", [("2025-01", None, True, "MEDI-CAL", None, None, FFS)]),
        ("CA:MBR005", []),
    ],
    "sample_834_02.txt": [("CA:randomCIN1", [("2025-01", "2025-01", True, "010", "10", None, FFS)])],
    "sample_834_03.txt": [("CA:randomCIN2", [("2025-08", "2025-08", True, "957", "60", None, ADVANTAGE)])],
    # The health plan begins a month after this coverage: about the month before, the state says nothing.
    "sample_834_04.txt": [("CA:randomCIN3", [("2025-10", "2025-10", True, "957", "16", None, None)])],
    "sample_834_05.txt": [("CA:randomCIN4", [("2025-10", "2025-10", False, None, None, None, None)])],
    "sample_834_06.txt": [
        (
            "CA:randomCIN5",
            [
                ("2025-01", "2025-01", True, "010", "60", None, FFS),
                ("2025-02", "2025-02", False, None, None, None, None),
            ],
        ),
        # REF*DX holds a drug plan only, so this person is in fee-for-service.
        ("CA:randomCIN6", [("2025-02", "2025-02", True, "010", "10", None, FFS)]),
    ],
}

DEFECTS = {
    "sample_834_01.txt": [
        (69, "SE01", "segment_count_off_by_one"),
        (11, "REF6P", "mbi_format"),
        (25, "REF6P", "mbi_format"),
        (38, "REF6P", "mbi_format"),
        (62, "REF6P", "mbi_format"),
        (60, "HD04", "medicare_plan_without_medicaid_coverage"),
    ],
    "sample_834_02.txt": [(20, "DMG02", "not_a_date")],
    "sample_834_03.txt": [(16, "REFF6", "mbi_format"), (23, "DMG02", "not_a_date")],
    "sample_834_04.txt": [(16, "REFF6", "mbi_format"), (23, "DMG02", "not_a_date")],
    "sample_834_05.txt": [(16, "REFF6", "mbi_format"), (23, "DMG02", "not_a_date")],
    "sample_834_06.txt": [
        (21, "DMG02", "not_a_date"),
        (49, "REFF6", "mbi_format"),
        (56, "DMG02", "not_a_date"),
    ],
}


@needs_samples
@pytest.mark.parametrize("name", EXPECTED)
def test_public_samples(name: str) -> None:
    readings = list(read(source_of(SAMPLES / name)))
    found = [([str(r.value) for r in record.references], spans_of(record)) for record in records(readings)]
    assert found == [([reference], spans) for reference, spans in EXPECTED[name]]
    assert defects(readings) == DEFECTS[name]
    assert all(record.payload.person_id == UNRESOLVED_PERSON for record in records(readings))  # type: ignore[union-attr]
    assert {record.state for record in records(readings)} == {"CA"}


def test_a_member_read_in_full(tmp_path: Path) -> None:
    text = member(
        "DTP*435*D8*20220211",
        "HD*021**HMO*MCO9001;STAR",
        "DTP*348*D8*20210101",
        "REF*F5*2",
        "REF*RB*60",
        "REF*DX*H1234;001;20211101",
    )
    [record] = records(read_text(tmp_path, interchange(text)))
    assert [(r.kind, r.value) for r in record.references] == [("mbi", "1EG4TE5MK73"), ("medicaid", "OH:MCD1")]
    stated = record.payload.model_dump(mode="json", exclude_none=True)
    assert stated == {
        "person_id": UNRESOLVED_PERSON,
        "state": "OH",
        "source": "enrolment_834",
        "stated_on": "2022-01-05",
        "birth_date": "1950-02-03",
        "sex_code": "2",
        "death_date": "2022-02-11",
        "spans": [
            {
                "first_month": "2021-01",
                "last_month": "2021-10",
                "enrolled": True,
                "plan_id": "MCO9001",
                "aid_code": "60",
                "dual_status_code": "02",
                "county_fips": "39049",
                "waiver_ids": [],
                "waiver_type_codes": [],
            },
            {
                "first_month": "2021-11",
                "enrolled": True,
                "plan_id": "MCO9001",
                "aid_code": "60",
                "dual_status_code": "02",
                "county_fips": "39049",
                "health_plan": ADVANTAGE,
                "health_plan_contract": "H1234",
                "health_plan_package": "001",
                "waiver_ids": [],
                "waiver_type_codes": [],
            },
        ],
    }


def loop(begin: str, end: str = "", *more: str, maintenance: str = "001", plan: str = "MCO9001;A") -> str:
    dated = [f"DTP*348*D8*{begin}"] + ([f"DTP*349*D8*{end}"] if end else [])
    return "~".join((f"HD*{maintenance}**HMO*{plan}", *dated, *more))


@pytest.mark.parametrize(
    ("case", "loops", "maintenance", "expected"),
    [
        ("open", [loop("20220101")], "001", [("2022-01", None, True)]),
        ("end of time is open", [loop("20220101", "99991231")], "001", [("2022-01", None, True)]),
        ("closed", [loop("20220101", "20220331")], "001", [("2022-01", "2022-03", True)]),
        ("void", [loop("20220301", "20220228")], "001", [("2022-03", "2022-03", False)]),
        (
            "cancelled by HD01",
            [loop("20220101", "20220331", maintenance="024")],
            "001",
            [("2022-01", "2022-03", True), ("2022-04", None, False)],
        ),
        (
            "cancelled by INS03",
            [loop("20220101", "20220331")],
            "024",
            [("2022-01", "2022-03", True), ("2022-04", None, False)],
        ),
        (
            "one plan left for another",
            [
                loop("20220101", "20220331", maintenance="024"),
                loop("20220401", "20220630", maintenance="021", plan="MCO9002;A"),
            ],
            "001",
            [("2022-01", "2022-03", True), ("2022-04", "2022-06", True), ("2022-07", None, False)],
        ),
        (
            "a void beside another plan in the same month",
            [loop("20220301", "20220228"), loop("20220301", plan="MCO9002;A")],
            "001",
            [("2022-03", None, True)],
        ),
    ],
)
def test_coverage_loops(
    tmp_path: Path, case: str, loops: list[str], maintenance: str, expected: list[tuple[str, str | None, bool]]
) -> None:
    [record] = records(read_text(tmp_path, interchange(member(*loops, maintenance=maintenance))))
    assert [span[:3] for span in spans_of(record)] == expected, case


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("REF*F5*2", "02"),
        ("REF*F5*08", "08"),
        ("REF*ABB*QMB", "01"),
        ("REF*ABB*QMB+", "02"),
        ("REF*ABB*SLMBPLUS", "04"),
        ("REF*ABB*QI", "06"),
        ("REF*ABB*QMB~REF*F5*8", "08"),
        ("REF*F5*99", "99"),
    ],
)
@pytest.mark.parametrize("inside", [True, False])
def test_dual_status(tmp_path: Path, reference: str, expected: str, *, inside: bool) -> None:
    parts = (loop("20220101"), reference) if inside else (reference, loop("20220101"))
    readings = read_text(tmp_path, interchange(member(*parts)))
    assert spans_of(records(readings)[0])[0][5] == expected
    assert defects(readings) == []


def test_the_loops_own_dual_status_goes_before_the_members(tmp_path: Path) -> None:
    [record] = records(
        read_text(tmp_path, interchange(member("REF*F5*2", loop("20220101", "20220131", "REF*ABB*QMB"))))
    )
    assert spans_of(record)[0][5] == "01"


@pytest.mark.parametrize(
    ("case", "bad", "field", "reason", "spans"),
    [
        ("begin missing", "HD*001**HMO*MCO9001;A", "DTP348", "begin_missing", 1),
        ("begin unreadable", loop("2022-1-1"), "DTP348", "not_a_date", 1),
        ("no such day", loop("20220230"), "DTP348", "not_a_date", 1),
        ("no day at all", loop("10000101"), "DTP348", "begin_missing", 1),
        ("absurd year", loop("18990101"), "DTP348", "date_out_of_range", 1),
        ("end unreadable", loop("20220101", "20229999"), "DTP349", "not_a_date", 1),
        ("plan begin unreadable", loop("20220101", "", "REF*DX*H1;1;x"), "REFDX", "not_a_date", 1),
        ("dual status unknown", loop("20220101", "", "REF*F5*77"), "REFF5", "dual_status_unknown", 2),
        ("dual status 07", loop("20220101", "", "REF*F5*07"), "REFF5", "dual_status_unknown", 2),
        ("plan too long", loop("20220101", plan="P" * 21), "HD04", "code_too_long", 2),
        ("aid code too long", loop("20220101", "", "REF*RB*123456789"), "REFRB", "code_too_long", 2),
    ],
)
def test_a_bad_loop_is_a_defect_and_the_rest_goes_on(
    tmp_path: Path, *, case: str, bad: str, field: str, reason: str, spans: int
) -> None:
    readings = read_text(tmp_path, interchange(member(loop("20210101", "20211231"), bad), member(loop("20220101"))))
    assert [(found, why) for _, found, why in defects(readings)] == [(field, reason)], case
    assert [len(spans_of(record)) for record in records(readings)] == [spans, 1]


def test_a_defect_names_file_and_segment_and_keeps_the_raw_text(tmp_path: Path) -> None:
    readings = read_text(tmp_path, interchange(member(loop("20220101"), mbi="0EG4TE5MK73")))
    [defect] = [reading for reading in readings if isinstance(reading, Defect)]
    assert defect == Defect(
        "834.MCO9001.D220105.T120000.txt",
        6,
        "REF6P",
        "mbi_format",
        b"REF*6P*0EG4TE5MK73",
        "11 characters: 5 digits, 6 letters",
        "a Medicare Beneficiary Identifier",
    )
    assert [r.kind for r in records(readings)[0].references] == ["medicaid"]


def test_synthetic_mbis_only_where_allowed(tmp_path: Path) -> None:
    text = interchange(member(loop("20220101"), mbi="1S00E00AA00"))
    kinds = [
        [r.kind for r in records(read_text(tmp_path, text, synthetic=allowed))[0].references]
        for allowed in (False, True)
    ]
    assert kinds == [["medicaid"], ["mbi", "medicaid"]]


def test_a_member_without_any_identifier_is_a_defect(tmp_path: Path) -> None:
    readings = read_text(tmp_path, interchange(f"INS*Y*18*001~{loop('20220101')}", member(loop("20220101"))))
    assert defects(readings) == [(5, "REF", "no_identifier")]
    assert len(records(readings)) == 1


@pytest.mark.parametrize(
    ("kinds", "state", "expected"),
    [
        ("1D 1L 23 0F", "CA", "1D"),
        ("0F 1L 23", "CA", "1L"),
        ("0F 1L 23", "TX", "23"),
        # The number of a group or a policy: half of the file would be one person.
        ("0F 1L", "TX", "0F"),
        ("0F", "CA", "0F"),
    ],
)
def test_which_medicaid_identifier(tmp_path: Path, kinds: str, state: str, expected: str) -> None:
    given_ids = "~".join(f"REF*{kind}*ID{kind}" for kind in kinds.split())
    residence = f"NM1*IL*1*A*B~N4*ANYTOWN*{state}*00000"
    [record] = records(read_text(tmp_path, interchange(f"INS*Y*18*001~{given_ids}~{residence}~{loop('20220101')}")))
    assert [r.value for r in record.references] == [f"{state}:ID{expected}"]


def test_without_a_residence_the_state_is_the_installations(tmp_path: Path) -> None:
    [record] = records(read_text(tmp_path, interchange(f"INS*Y*18*001~REF*1D*X1~{loop('20220101')}")))
    assert ([r.value for r in record.references], record.state) == (["OH:X1"], None)


def test_a_member_without_coverage_still_tells_of_a_death(tmp_path: Path) -> None:
    readings = read_text(tmp_path, interchange(member("DTP*435*D8*20220102")))
    assert records(readings)[0].payload.death_date == date(2022, 1, 2)  # type: ignore[union-attr]
    assert defects(readings) == [(5, "HD", "no_coverage_loop")]


def test_the_mailing_address_is_no_residence(tmp_path: Path) -> None:
    text = member("NM1*31*1", "N4*GARY*IN*46401**CY*18089", loop("20220101"))
    [record] = records(read_text(tmp_path, interchange(text)))
    assert record.state == "OH"
    assert {span.county_fips for span in record.payload.spans} == {"39049"}  # type: ignore[union-attr]


GOOD = interchange(member(loop("20220101")))


@pytest.mark.parametrize(
    ("case", "text", "reason"),
    [
        ("members lost", interchange(member(loop("20220101")), miscount=2), "truncated"),
        ("a claim", GOOD.replace("ST*834", "ST*837"), "wrong_transaction_set"),
        ("no date", interchange(member(loop("20220101")), stated=""), "no_statement_date"),
    ],
)
def test_refused_whole(tmp_path: Path, case: str, text: str, reason: str) -> None:
    yielded: list[Reading] = []
    path = tmp_path / "834.txt"
    path.write_text(text)
    with pytest.raises(RefusedDelivery) as refused:
        yielded.extend(read(source_of(path)))
    assert refused.value.reason_code == reason, case
    assert yielded == []


@pytest.mark.parametrize("miscount", [-1, 1])
def test_a_count_off_by_one_is_reported_and_tolerated(tmp_path: Path, miscount: int) -> None:
    readings = read_text(tmp_path, interchange(member(loop("20220101")), miscount=miscount))
    assert [(field, reason) for _, field, reason in defects(readings)] == [("SE01", "segment_count_off_by_one")]
    assert len(records(readings)) == 1


def test_delimiters_come_from_the_header_and_lines_may_break_between_segments(tmp_path: Path) -> None:
    text = (isa("|^:!") + GOOD[len(isa()) :].replace("*", "|").replace("~", "!")).replace("!", "!\r\n")
    assert read_text(tmp_path, text) == read_text(tmp_path, GOOD)


def test_segments_across_chunks(tmp_path: Path) -> None:
    many = [member(loop("20220101"), medicaid=f"MCD{number}") for number in range(2000)]
    path = tmp_path / "834.txt"
    path.write_text(interchange(*many))
    assert path.stat().st_size > 3 * 64 * 1024
    assert [segment.number for segment in segments(path)] == list(range(1, 2000 * 8 + 8))
    values = [record.references[1].value for record in records(list(read(source_of(path))))]
    assert values == [f"OH:MCD{number}" for number in range(2000)]
