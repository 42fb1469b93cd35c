"""Mapping files: which one reads a file, what they must say, and what a state brings of its own."""

import csv
from collections import Counter
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest
from state_files import COUNTY_LIKE, NAME, county, county_row, faults, generic, read_all, row, statements, told

from contracts.delivery import DeliveryKind
from services.intake.readers.state_mapping import FOLDER_VARIABLE, MappingError, choose, mappings, read_mapping
from services.intake.reading import RefusedDelivery
from services.intake.registry import recognise
from services.intake.rules.covering_programme import ContradictionError, Covered, ProgrammeRow, covering_programme
from services.runtime.exits import SettingsInvalid
from services.runtime.settings import load_settings

TODAY = date(2022, 7, 20)
SHARED = Path(__file__).parents[4] / "shared" / "data"
GENERIC = files("services.intake.policy").joinpath("state_eligibility/generic.toml").read_text(encoding="utf-8")
shared_data = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared samples are not here")


def own_folder(folder: Path, monkeypatch: pytest.MonkeyPatch, **mappings_by_name: str) -> None:
    for name, text in mappings_by_name.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))


# Which mapping.


def test_recognised_by_name_and_by_header(tmp_path: Path) -> None:
    by_name = recognise(generic(tmp_path, [row()]), TODAY)
    assert (by_name.kind, by_name.source, by_name.dated) == (
        DeliveryKind.STATE_ELIGIBILITY, "OH:generic", date(2022, 7, 15),
    )  # fmt: skip
    by_header = recognise(county(tmp_path, [county_row()]), TODAY)
    assert (by_header.source, by_header.dated) == ("WA:county_like", TODAY)


def test_the_mapping_that_was_chosen_is_told(tmp_path: Path) -> None:
    assert told(read_all(generic(tmp_path, [row()])))["mapping generic, confirmed, valid from 2017-01-01"] == 1


def test_two_mappings_for_one_file_refuse_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_folder(tmp_path, monkeypatch, mine=GENERIC.replace('name = "generic"', 'name = "mine"'))
    with pytest.raises(RefusedDelivery) as refused:
        recognise(generic(tmp_path, [row()]), TODAY)
    assert refused.value.reason_code == "ambiguous_mapping"
    assert "generic, mine" in refused.value.detail


def test_a_newer_version_of_a_mapping_reads_from_its_day_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = GENERIC.replace("2017-01-01", "2022-07-01").replace("QMB_PLUS =", "Q2 =")
    own_folder(tmp_path, monkeypatch, newer=newer)
    june, july = "STATE_ELIGIBILITY.OH.202205.D220615.csv", NAME
    assert faults(read_all(generic(tmp_path, [row(PROGRAMME="Q2")], name=june), date(2022, 6, 15)))
    assert not faults(read_all(generic(tmp_path, [row(PROGRAMME="Q2")], name=july)))
    assert faults(read_all(generic(tmp_path, [row()], name=july)))


def test_a_states_own_mapping_of_the_same_name_and_day_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_folder(tmp_path, monkeypatch, generic=GENERIC.replace("QMB_PLUS =", "Q2 ="))
    assert not faults(read_all(generic(tmp_path, [row(PROGRAMME="Q2")])))


def test_a_mapping_that_is_not_valid_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = GENERIC.replace('"generic"', '"later"').replace("2017-01-01", "2030-01-01").replace("STATE_ELIG", "OUR_ELIG")
    own_folder(tmp_path, monkeypatch, later=text)
    path = generic(tmp_path, [row()], name=NAME.replace("STATE_ELIG", "OUR_ELIG"))
    with pytest.raises(RefusedDelivery) as refused:
        recognise(path, TODAY)
    assert refused.value.reason_code == "mapping_not_in_force"


def test_a_mapping_that_cannot_be_read_refuses_files_rather_than_reading_them_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_folder(tmp_path, monkeypatch, broken="name = ")
    with pytest.raises(RefusedDelivery) as refused:
        recognise(generic(tmp_path, [row()]), TODAY)
    assert refused.value.reason_code == "unreadable_mapping"
    resources = tmp_path / "a.ndjson"
    resources.write_text('{"resourceType": "ExplanationOfBenefit"}\n', encoding="utf-8")
    assert recognise(resources, TODAY).kind is DeliveryKind.EXPLANATION_OF_BENEFIT


@pytest.mark.parametrize("count", [len(COUNTY_LIKE) - 1, len(COUNTY_LIKE) - 4])
def test_a_header_that_lacks_columns_of_a_mapping_is_not_another_file(tmp_path: Path, count: int) -> None:
    path = county(tmp_path, [county_row()], COUNTY_LIKE[:count])
    with pytest.raises(RefusedDelivery) as refused:
        recognise(path, TODAY)
    assert refused.value.reason_code == "missing_column"


def test_columns_in_another_order_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedDelivery) as refused:
        recognise(county(tmp_path, [county_row()], COUNTY_LIKE[::-1]), TODAY)
    assert refused.value.reason_code == "unknown_column"


def test_a_file_of_quite_other_columns_is_no_states_file() -> None:
    assert choose("any.csv", ["A", "B"], TODAY) is None


def test_the_folder_of_mappings_must_be_there(tmp_path: Path) -> None:
    given = {"database_url": "postgresql://x", "brokers": "b:1"}
    assert load_settings(**given, state_mappings=tmp_path).state_mappings == tmp_path
    with pytest.raises(SettingsInvalid, match="TANDEM_STATE_MAPPINGS"):
        load_settings(**given, state_mappings=tmp_path / "none")


# What a mapping must say.

FAULTS = [
    ("no name", ('name = "generic"', 'name = "GENERIC!"'), "name, source and status"),
    ("status", ('status = "confirmed"', 'status = "sure"'), "status"),
    ("valid from", ("valid_from = 2017-01-01", 'valid_from = "2017"'), "valid_from"),
    ("another part", ("[file]", "[files]\nx = 1\n[file]"), "files"),
    ("part missing", ("[horizon]", "[horizons]"), "horizon"),
    ("column missing", ('programme = "PROGRAMME"\n', ""), "columns.programme"),
    ("column unknown", ('sex = "SEX"', 'gender = "SEX"'), "columns.gender"),
    ("label twice", ('"AID_CODE"', '"PLAN_ID"'), "twice"),
    ("no state", ("(?P<state>[A-Z]{2})", "[A-Z]{2}"), "state"),
    ("bad pattern", (r"(?P<state>[A-Z]{2})", "("), "generic"),
    ("two ways", ("file_name =", 'header = ["A"]\nfile_name ='), "file_name or header"),
    ("programme not ranked", ('["chip"],', ""), "precedence"),
    ("programme ranked twice", ('["chip"],', '["chip"], ["chip"],'), "precedence"),
    ("dual status", ('dual_status = "01"', 'dual_status = "11"'), "dual status"),
    ("expired dual status", ('dual_status = "01"', 'dual_status = "07"'), "dual status"),
    ("sex", ('M = "1"', 'M = "male"'), "codes.sex"),
    ("table missing", ("[codes.sex]", "[codes.benefit_level]"), "codes.sex"),
    ("unknown table", ("[codes.sex]", '[codes.colour]\na = "b"\n[codes.sex]'), "codes.colour"),
    ("programme's part", ("QMB = { programme", 'QMB = { what = "x", programme'), "programme"),
    ("horizon rule", ('rule = "file_name"', 'rule = "guess"'), "horizon.rule"),
    ("horizon of a trailer", ('rule = "file_name"', 'rule = "trailer"'), ""),
    ("horizon without group", ("(?P<through>\\d{6})", "\\d{6}"), "through"),
    ("horizon percent", ('rule = "file_name"', 'rule = "file_name"\nleast_percent = 0'), "least_percent"),
    ("dates", ('formats = ["%Y%m%d"]', "formats = []"), "dates.formats"),
    ("not TOML", ("[columns]", "[columns"), "generic"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "change", "said"), FAULTS, ids=[case for case, *_ in FAULTS])
def test_a_mapping_that_says_too_little_or_too_much(case: str, change: tuple[str, str], said: str) -> None:
    assert change[0] in GENERIC, case
    text = GENERIC.replace(*change)
    if case == "horizon of a trailer":
        text, said = text.replace("trailer = true", "trailer = false"), "trailer"
    with pytest.raises(MappingError, match=r"^generic\.toml: ") as error:
        read_mapping("generic.toml", text)
    assert said in str(error.value)


def test_every_mapping_that_is_shipped_can_be_read() -> None:
    assert {mapping.name for mapping in mappings()} >= {"generic", "county_like"}


# How far a file knows.

HORIZONS = [
    ('rule = "delivery_month"', "TRL,1", "2022-07"),
    ('rule = "month_before_delivery"', "TRL,1", "2022-06"),
    ('rule = "trailer"', "TRL,1,202205", "2022-05"),
    ('rule = "latest_covered_month"\nleast_percent = 50', "TRL,1", "2022-04"),
]


@pytest.mark.parametrize(("rule", "trailer", "through"), HORIZONS)
def test_how_far_a_file_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rule: str, trailer: str, through: str
) -> None:
    own_folder(tmp_path, monkeypatch, generic=GENERIC.replace('rule = "file_name"', rule))
    (statement,) = statements(read_all(generic(tmp_path, [row(END_DATE="20220430")], trailer=trailer)))
    assert statement.known_through == through


@pytest.mark.parametrize("trailer", ["TRL,1", "TRL,1,202213", "TRL,1,2022-5", "TRL,1,"])
def test_a_trailer_that_does_not_say_how_far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trailer: str) -> None:
    own_folder(tmp_path, monkeypatch, generic=GENERIC.replace('rule = "file_name"', 'rule = "trailer"'))
    with pytest.raises(RefusedDelivery) as refused:
        read_all(generic(tmp_path, [row()], trailer=trailer))
    assert refused.value.reason_code == "horizon_not_stated"


def test_a_file_of_which_no_month_can_be_read_knows_of_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_folder(tmp_path, monkeypatch, generic=GENERIC.replace('"file_name"', '"latest_covered_month"'))
    with pytest.raises(RefusedDelivery) as refused:
        read_all(generic(tmp_path, [row(BEGIN_DATE="x")]))
    assert refused.value.reason_code == "horizon_not_stated"


def test_a_date_that_can_be_read_in_two_ways_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_folder(tmp_path, monkeypatch, generic=GENERIC.replace('["%Y%m%d"]', '["%m/%d/%Y", "%d/%m/%Y", "%Y%m%d"]'))
    rows = [row(BEGIN_DATE="02/03/2022"), row(BEGIN_DATE="13/03/2022", MEDICAID_ID="M2", MEDICARE_ID="")]
    readings = read_all(generic(tmp_path, rows))
    assert faults(readings) == [(2, "BEGIN_DATE", "ambiguous_date")]
    assert statements(readings)[0].spans[0].first_month == "2022-03"


# The rule itself.

RANKS = (frozenset({"a", "b"}), frozenset({"c"}))


def said(number: int, programme: str, dual: str | None = None) -> ProgrammeRow:
    return ProgrammeRow(number, programme.upper(), programme, dual)


@pytest.mark.parametrize(
    ("rows", "answer"),
    [
        ([said(2, "a", "02")], Covered("a", "02", (2,), "row 2 says A")),
        ([said(2, "c", "00"), said(3, "a", "02")], Covered("a", "02", (3,), "row 3 says A, ranked before row 2: C")),
        ([said(2, "a", "02"), said(3, "a")], Covered("a", "02", (2, 3), "row 2 and 1 more says A")),
        ([said(2, "c"), said(5, "c")], Covered("c", None, (2, 5), "row 2 and 1 more says C")),
    ],
)
def test_one_programme_covers(rows: list[ProgrammeRow], answer: Covered) -> None:
    assert covering_programme(rows, RANKS) == answer


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([said(2, "a", "02"), said(3, "b", "02")], "contradicting_programmes"),
        ([said(2, "a", "02"), said(3, "a", "04"), said(4, "c", "00")], "contradicting_dual_status"),
    ],
)
def test_what_nothing_ranks_stays_undecided(rows: list[ProgrammeRow], reason: str) -> None:
    with pytest.raises(ContradictionError) as contradiction:
        covering_programme(rows, RANKS)
    assert (contradiction.value.reason, contradiction.value.rows) == (reason, (2, 3))


def test_a_basis_is_never_longer_than_its_field() -> None:
    long = [ProgrammeRow(number, f"CODE{number}" * 4, "c", None) for number in range(3, 40)]
    answer = covering_programme([said(2, "a"), *long], RANKS)
    assert answer.basis == "row 2 says A, ranked before 37 other rows"


# Public samples: a warehouse's table of dual status, in which types contradict codes, and files that are no feed.

IDR = """
name = "idr"
status = "unconfirmed"
source = "Columns of CMSgov/beneficiary-fhir-data, apps/bfd-model-idr; BENE_SK is no Medicaid number"
valid_from = 2017-01-01
[recognised_by]
header = ["BENE_SK", "IDR_LTST_TRANS_FLG", "BENE_DUAL_STUS_CD", "BENE_DUAL_TYPE_CD", "GEO_USPS_STATE_CD",
  "BENE_MDCD_ELGBLTY_BGN_DT", "BENE_MDCD_ELGBLTY_END_DT", "IDR_TRANS_EFCTV_TS", "IDR_INSRT_TS", "IDR_UPDT_TS",
  "IDR_TRANS_OBSLT_TS"]
[file]
delimiter = ","
encoding = "utf-8"
trailer = false
[columns]
medicaid_id = "BENE_SK"
state = "GEO_USPS_STATE_CD"
programme = "IDR_LTST_TRANS_FLG"
dual_status = "BENE_DUAL_STUS_CD"
benefit_level = "BENE_DUAL_TYPE_CD"
first_day = "BENE_MDCD_ELGBLTY_BGN_DT"
last_day = "BENE_MDCD_ELGBLTY_END_DT"
ignored = ["IDR_TRANS_EFCTV_TS", "IDR_INSRT_TS", "IDR_UPDT_TS", "IDR_TRANS_OBSLT_TS"]
[dates]
formats = ["%Y-%m-%d"]
open_end = ["9999-12-31"]
[codes.programme]
Y = { programme = "medicaid" }
[codes.benefit_level]
F = "full"
P = "partial"
N = "none"
U = "unknown"
[precedence]
programmes = [["medicaid"]]
[horizon]
rule = "delivery_month"
"""
LEVELS = {
    **dict.fromkeys(("02", "04", "08"), "F"), **dict.fromkeys(("01", "03", "05", "06"), "P"),
    **dict.fromkeys(("00", "NA"), "N"),
}  # fmt: skip
UNKNOWN_CODES = frozenset({"*", "~", "XX", "99", "**"})


@shared_data
@pytest.mark.parametrize(("folder", "rows"), [("idr-synthetic", 10_552), ("idr-test-samples", None)])
def test_types_that_contradict_codes_are_defects_and_never_guessed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, rows: int | None
) -> None:
    """Recounted from the sample itself: a code that is one, and a type that is unknown or that of the code."""
    own_folder(tmp_path, monkeypatch, idr=IDR)
    path = SHARED / "bfd" / folder / "SYNTHETIC_BENE_CMBND_DUAL_MDCR.csv"
    with path.open(encoding="utf-8", newline="") as file:
        sample = list(csv.DictReader(file))
    assert rows in {None, len(sample)}
    expected = Counter(_verdict(one["BENE_DUAL_STUS_CD"], one["BENE_DUAL_TYPE_CD"], one) for one in sample)
    readings = read_all(path)
    found = Counter(reason for _, _, reason in faults(readings))
    found["read"] = len(statements(readings))
    assert found == expected
    assert recognise(path, TODAY).kind is DeliveryKind.STATE_ELIGIBILITY


def _verdict(code: str, level: str, sample: dict[str, str]) -> str:
    if sample["GEO_USPS_STATE_CD"] in {"", "~"}:
        return "missing"
    if code == "07" or level in {"XX", "*"}:
        return "not_in_code_list"
    if level in {"U", "~", ""} or code == "~":
        return "read"
    stated = "U" if code in UNKNOWN_CODES else LEVELS.get(code, "other")
    return "read" if stated == level else "contradicts_the_code"


@shared_data
@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("bfd/idr-synthetic/SYNTHETIC_BENE_CMBND_DUAL_MDCR.csv", "warehouse_extract"),
        ("tuva/seeds/*.csv", "normalised_extract"),
        ("bfd/rif-synthea/beneficiary_*.csv", "research_file"),
        ("bfd/rif-synthea/carrier.csv", "research_file"),
        ("bfd/rif-synthea/inpatient.csv", "research_file"),
        ("bfd/rif-static/*.txt", "research_file"),
    ],
)
def test_what_is_no_feed_is_refused_by_what_it_is(pattern: str, reason: str) -> None:
    paths = sorted(SHARED.glob(pattern))
    assert paths
    for path in paths:
        with pytest.raises(RefusedDelivery) as refused:
            recognise(path, TODAY)
        assert refused.value.reason_code == reason, path.name
