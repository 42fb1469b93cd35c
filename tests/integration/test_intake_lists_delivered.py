"""Lists from the file to the events about people, and once only."""

from pathlib import Path

import pytest
from intake_installation import installed

from contracts.alignment import DesignationRecorded, ProviderAlignmentReported, SharingPreferenceStated
from contracts.topics import DESIGNATIONS, SHARING_PREFERENCES

pytestmark = pytest.mark.broker

MBI, OTHER = "1EG4TE5MK73", "6U50TE7GG18"


def _csv(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("\n".join((*lines, f"TRL,{len(lines) - 1}")) + "\n")
    return path


def _preferences(folder: Path, *preferences: tuple[str, str]) -> Path:
    path = folder / "P#EFT.ON.ACO.NGD1800.DPRF.D220208.T1000001"
    rows = []
    for mbi, preference in preferences:
        row = [" "] * 459
        row[:11], row[354:362], row[362:367], row[368], row[384:389] = mbi, "20220207", "1-800", preference, "D9001"
        rows.append("".join(row))
    path.write_text("\n".join(("HDR_BENEDATASHR20220208", *rows, f"TRL_BENEDATASHR20220208{len(rows)}")) + "\n")
    return path


async def test_a_preference_reaches_whom_it_is_about(database_url: str, tmp_path: Path) -> None:
    async with installed(database_url) as intake:
        delivery = await intake.delivered(_preferences(tmp_path, (MBI, "N"), (OTHER, "Y"), (MBI, " ")))
        assert (delivery.status, delivery.records, delivery.quarantined) == ("completed", 2, 0)
        found = [event for event in await intake.events() if isinstance(event, SharingPreferenceStated)]
        assert sorted(event.data.shares_claims for event in found if event.data.shares_claims is not None) == [
            False, True,
        ]  # fmt: skip
        assert len({event.subject for event in found}) == 2
        assert SHARING_PREFERENCES.events == (SharingPreferenceStated,)
        assert not any(mbi.encode() in payload for payload in await intake.payloads() for mbi in (MBI, OTHER))


async def test_a_person_with_several_participants_is_one_statement(database_url: str, tmp_path: Path) -> None:
    path = _csv(
        tmp_path, "PROVIDER_ALIGNMENT_REPORT.D9001.2022Q1.D220210.csv",
        "RPT_PRD,DCE_ID,BENE_MBI_ID,PRTCPNT_NPI,ALGNMT_TYPE_CD",
        f"2022Q1,D9001,{MBI},1999900024,CLAIMS", f"2022Q1,D9001,{OTHER},1999900016,CLAIMS",
        f"2022Q1,D9001,{MBI},1999900016,CLAIMS",
    )  # fmt: skip
    async with installed(database_url) as intake:
        assert (await intake.delivered(path)).records == 3
        found = [event for event in await intake.events() if isinstance(event, ProviderAlignmentReported)]
        assert sorted(event.data.npis for event in found) == [("1999900016",), ("1999900016", "1999900024")]


async def test_the_answer_to_a_form_is_a_designation(database_url: str, tmp_path: Path) -> None:
    path = _csv(
        tmp_path, "VOLUNTARY_ALIGNMENT_RESPONSE.D9001.2022Q1.D220210.csv",
        "RSPNS_PRD,DCE_ID,BENE_MBI_ID,SGNTR_DT,CLNCN_NPI,RSPNS_CD,RJCT_RSN_CD",
        f"2022Q1,D9001,{MBI},20211201,1999900016,REJECTED,NOT_ON_LIST", f"2022Q1,D9001,{MBI},20220101,,ACCEPTED,",
    )  # fmt: skip
    async with installed(database_url) as intake:
        await intake.delivered(path)
        found = [event.data for event in await intake.events() if isinstance(event, DesignationRecorded)]
        assert [(data.response, data.rejection_reason) for data in found] == [
            ("rejected", "NOT_ON_LIST"), ("accepted", None),
        ]  # fmt: skip
        assert DESIGNATIONS.events == (DesignationRecorded,)


async def test_a_refused_list_leaves_nothing(database_url: str, tmp_path: Path) -> None:
    path = _preferences(tmp_path, (MBI, "N"))
    path.write_text(path.read_text().replace("TRL_BENEDATASHR202202081", "TRL_BENEDATASHR202202082"))
    async with installed(database_url) as intake:
        delivery = await intake.delivered(path)
        assert (delivery.status, delivery.reason_code) == ("refused", "wrong_record_count")
        assert not [event for event in await intake.events() if isinstance(event, SharingPreferenceStated)]
