"""Medicaid eligibility from the file to the events about people: once, by whichever file it comes."""

import zipfile
from pathlib import Path

import pytest
from intake_installation import installed

from contracts.medicaid import EnrolmentSource, MedicaidEnrolmentStated
from services.intake.contents import contents_of

pytestmark = pytest.mark.broker

MBI = "1EG4TE5MK73"
STATE_NAME = "STATE_ELIGIBILITY.OH.202202.D220215.csv"
STATE = (
    "MEDICAID_ID,MEDICARE_ID,LAST_NAME,FIRST_NAME,BIRTH_DATE,DEATH_DATE,SEX,COUNTY_FIPS,PROGRAMME,DUAL_STATUS,AID_CODE,"
    "PLAN_ID,PLAN_TYPE,BEGIN_DATE,END_DATE\n"
    f"M1,{MBI},DOE,JO,19450612,,F,39049,QMB_PLUS,,,MCO9001,01,20220101,\n"
    "M2,,ROE,JO,19500101,,M,39049,QMBPLUS,,,,,20220101,\n"
    "TRL,2\n"
)
MONTHLY = (
    "SUBMTG_STATE_CD,MSIS_IDENT_NUM,BSF_FIL_DT,MDCR_BENE_ID,BIRTH_DT,DEATH_DT,SEX_CD,ELGBL_CNTY_CD_HOME,"
    "ELGBL_STATE_CD_HOME,PRMRY_ELGBLTY_GRP_IND,DAYS_ELIG_IN_MO_CNT,CHIP_CD,DUAL_ELGBL_CD,ELGBLTY_GRP_CD,"
    "RSTRCTD_BNFTS_CD,MC_PLAN_ID1,MC_PLAN_TYPE_CD1,WVR_ID1,WVR_TYPE_CD1\n"
    f"39,M1,202201,{MBI},19450612,,F,049,39,1,31,1,02,11,1,MCO9001,01,,\n"
)


def state_file(folder: Path) -> Path:
    path = folder / STATE_NAME
    path.write_text(STATE)
    return path


def monthly(folder: Path) -> Path:
    path = folder / "TMSIS.OH.ELIGIBILITY.D220216.T120000.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("TMSIS_CONTROL.csv", "FILE_NAME,RECORD_COUNT\nTMSIS_BSF.csv,1\n")
        archive.writestr("TMSIS_BSF.csv", MONTHLY)
    return path


async def test_both_files_are_about_one_person_and_each_says_so_by_its_own_name(
    database_url: str, tmp_path: Path
) -> None:
    async with installed(database_url) as intake:
        first = await intake.delivered(state_file(tmp_path))
        second = await intake.delivered(monthly(tmp_path))
        assert [(one.status, one.records, one.quarantined) for one in (first, second)] == [
            ("completed", 1, 1), ("completed", 1, 0),
        ]  # fmt: skip
        found = [event for event in await intake.events() if isinstance(event, MedicaidEnrolmentStated)]
        assert [event.data.source for event in found] == [EnrolmentSource.STATE_FILE, EnrolmentSource.TMSIS]
        assert len({event.data.person_id for event in found}) == 1
        assert [event.data.known_through for event in found] == ["2022-02", "2022-01"]
        assert found[0].data.spans[0].programme == "qmb_plus"
        assert not any(b"M1" in payload or MBI.encode() in payload for payload in await intake.payloads())


async def test_what_a_delivery_tells_of_itself_is_kept(database_url: str, tmp_path: Path) -> None:
    async with installed(database_url) as intake:
        delivery = await intake.delivered(state_file(tmp_path))
        assert await contents_of(intake.writing, delivery.delivery_id) == {
            "enrolment": 1,
            "known through 2022-02": 1,
            "mapping generic, confirmed, valid from 2017-01-01": 1,
            "people_by_name": 1,
            "unknown code in PROGRAMME: 7 characters: 7 letters": 1,
        }


async def test_the_same_file_twice_is_one_delivery(database_url: str, tmp_path: Path) -> None:
    async with installed(database_url) as intake:
        first = await intake.delivered(state_file(tmp_path))
        before = await intake.payloads()
        copy = tmp_path / "again"
        copy.mkdir()
        again = await intake.take(state_file(copy))
        assert (again.delivery_id, again.known) == (first.delivery_id, True)
        assert await intake.payloads() == before
