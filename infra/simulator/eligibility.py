"""Medicaid eligibility besides the 834: T-MSIS annual tables and monthly rows, and a state's own file, of the same people.

Each says what is known in its month of every month until then, from the same course of life as the 834, and draws
nothing: a population with these files is the population without them.
"""

import zipfile
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Literal

from contracts.delivery import DeliveryKind
from infra.simulator.care import CARE_COLUMNS, stretches
from infra.simulator.life import Enrolment, alive
from infra.simulator.period import Period, compact
from infra.simulator.person import Person
from infra.simulator.spool import Spool
from infra.simulator.world import FEE_FOR_SERVICE_PLAN, STATE, STATE_FIPS

Eligibility = Literal["tmsis-annual", "tmsis-monthly", "state-file", "state-care"]
PARTS = ("DE_BASE", "DE_MC", "DE_WVR", "DE_CNTCT_DTLS")
MANAGED_CARE_TYPE, WAIVER, WAIVER_TYPE = "01", "OH0198", "06"
ISSUED_ON = 20
MONTHS_AT_ONCE = 3
ARCHIVE_TIME = (2022, 1, 1, 0, 0, 0)
_MONTHS = [f"{month:02d}" for month in range(1, 13)]
_KEY = ("SUBMTG_STATE_CD", "MSIS_IDENT_NUM", "DE_FIL_DT")
_OF_BASE = ("MDCD_ENRLMT_DAYS", "CHIP_ENRLMT_DAYS", "DUAL_ELGBL_CD", "ELGBLTY_GRP_CD", "RSTRCTD_BNFTS_CD")
HEADINGS: dict[str, tuple[str, ...]] = {
    "DE_BASE": (
        *_KEY, "MDCR_BENE_ID", "BIRTH_DT", "DEATH_DT", "SEX_CD", "ELGBL_CNTY_CD", "ELGBL_STATE_CD",
        *(f"{label}_{month}" for label in _OF_BASE for month in _MONTHS),
    ),
    "DE_MC": (*_KEY, *(f"{label}1_{month}" for label in ("MC_PLAN_ID", "MC_PLAN_TYPE_CD") for month in _MONTHS)),
    "DE_WVR": (*_KEY, *(f"{label}1_{month}" for label in ("WVR_ID", "WVR_TYPE_CD") for month in _MONTHS)),
    "DE_CNTCT_DTLS": (*_KEY, "ELGBL_LAST_NAME", "ELGBL_1ST_NAME"),
    "BSF": (
        "SUBMTG_STATE_CD", "MSIS_IDENT_NUM", "BSF_FIL_DT", "MDCR_BENE_ID", "ELGBL_LAST_NAME", "ELGBL_1ST_NAME", "BIRTH_DT",
        "DEATH_DT", "SEX_CD", "ELGBL_CNTY_CD_HOME", "ELGBL_STATE_CD_HOME", "PRMRY_ELGBLTY_GRP_IND",
        "DAYS_ELIG_IN_MO_CNT", "CHIP_CD", "DUAL_ELGBL_CD", "ELGBLTY_GRP_CD", "RSTRCTD_BNFTS_CD", "MC_PLAN_ID1",
        "MC_PLAN_TYPE_CD1", "WVR_ID1", "WVR_TYPE_CD1",
    ),
    "STATE": (
        "MEDICAID_ID", "MEDICARE_ID", "LAST_NAME", "FIRST_NAME", "BIRTH_DATE", "DEATH_DATE", "SEX", "COUNTY_FIPS",
        "PROGRAMME", "DUAL_STATUS", "AID_CODE", "PLAN_ID", "PLAN_TYPE", "BEGIN_DATE", "END_DATE",
    ),
}  # fmt: skip
HEADINGS["CARE"] = (*HEADINGS["STATE"], *CARE_COLUMNS)
PROGRAMMES = {
    "01": "QMB", "02": "QMB_PLUS", "03": "SLMB", "04": "SLMB_PLUS", "05": "QDWI", "06": "QI", "08": "FULL_DUAL",
}  # fmt: skip


def enrolment_of(person: Person, month: int, delivery: int) -> Enrolment | None:
    """What held in the month as known in the month of delivery; ``None`` without Medicaid."""
    life = person.life
    if not life.entry <= month <= delivery or not alive(life, month, person.period):
        return None
    known = life.as_known(month, delivery)
    return known if known.dual is not None else None


def plan_of(enrolment: Enrolment) -> str:
    """The managed-care plan; blank in fee-for-service."""
    return "" if enrolment.plan in {None, FEE_FOR_SERVICE_PLAN} else enrolment.plan or ""


def years_of(period: Period, delivery: int) -> tuple[int, ...]:
    """The years whose annual files come in a month: the month's own, and the one before while news of it comes."""
    year = int(period.texts[delivery][:4])
    return (year,) if year == int(period.texts[0][:4]) else (year - 1, year)


def spool_eligibility(spool: Spool, person: Person, kinds: Sequence[Eligibility]) -> None:
    """Everything that the files of every month say of a person."""
    for delivery in range(person.life.entry, person.period.last_delivery + 1):
        if "tmsis-annual" in kinds:
            for year in years_of(person.period, delivery):
                for part, row in annual_rows(person, year, delivery):
                    spool.append(("eligibility", part, year, delivery), row)
        for kind, (part, rows) in _ROWS.items():
            if kind in kinds:
                for row in rows(person, delivery):
                    spool.append(("eligibility", part, 0, delivery), row)


def _row(cells: Sequence[str]) -> str:
    return ",".join(cells) + "\n"


def _who(person: Person, delivery: int) -> tuple[str, str, str, str]:
    death = person.life.death
    known = death is not None and person.period.number(death) <= delivery
    return (
        person.traits.mbi(person.life.mbi_version(delivery)),
        compact(person.traits.birth),
        compact(death) if death is not None and known else "",
        "M" if person.traits.sex == "1" else "F",
    )


def _name(person: Person) -> tuple[str, str]:
    return f"SYNTHETIC{person.traits.index}", f"GIVEN{person.traits.index}"


def _waiver(person: Person) -> tuple[str, str]:
    return (WAIVER, WAIVER_TYPE) if person.traits.setting == "home_and_community" else ("", "")


def annual_rows(person: Person, year: int, delivery: int) -> Iterator[tuple[str, str]]:
    """The row of each annual table about a person, as known in the month of delivery."""
    period = person.period
    january = (year - int(period.texts[0][:4])) * 12 + 1 - int(period.texts[0][5:])
    months = [january + place for place in range(12)]
    said = [enrolment_of(person, month, delivery) for month in months]
    key = (STATE_FIPS, person.traits.medicaid_id, str(year))
    county = person.life.counties[delivery]
    days = [str(period.last_days[m].day) if one else "0" for m, one in zip(months, said, strict=True)]
    fixed = [
        _each(said, "0"),
        [one.dual or "" if one else "" for one in said],
        _each(said, "", "11"),
        _each(said, "", "1"),
    ]
    cells = [cell for column in (days, *fixed) for cell in column]
    yield "DE_BASE", _row((*key, *_who(person, delivery), county[2:], county[:2], *cells))
    plans = [plan_of(one) if one else "" for one in said]
    yield "DE_MC", _row((*key, *plans, *(MANAGED_CARE_TYPE if plan else "" for plan in plans)))
    waiver = _waiver(person)
    yield "DE_WVR", _row((*key, *_each(said, "", waiver[0]), *_each(said, "", waiver[1])))
    yield "DE_CNTCT_DTLS", _row((*key, *_name(person)))


def _each(said: Sequence[Enrolment | None], nothing: str, something: str | None = None) -> list[str]:
    return [nothing if one is None or something is None else something for one in said]


def monthly_rows(person: Person, delivery: int) -> Iterator[str]:
    """A row for each of the last months: whoever has none in a month is not enrolled in it."""
    for month in range(max(0, delivery - MONTHS_AT_ONCE + 1), delivery + 1):
        one = enrolment_of(person, month, delivery)
        if one is not None:
            yield _monthly_row(person, month, delivery, one)


def _monthly_row(person: Person, month: int, delivery: int, one: Enrolment) -> str:
    period, county, plan = person.period, person.life.counties[delivery], plan_of(one)
    mbi, *rest = _who(person, delivery)
    return _row(
        (
            STATE_FIPS, person.traits.medicaid_id, period.texts[month].replace("-", ""), mbi, *_name(person), *rest,
            county[2:], county[:2], "1", str(period.last_days[month].day), "1", one.dual or "", "11", "1", plan,
            MANAGED_CARE_TYPE if plan else "", *_waiver(person),
        )
    )  # fmt: skip


def state_rows(person: Person, delivery: int) -> Iterator[str]:
    """A row for every stretch of months that are alike; the last is open while it holds."""
    period, life = person.period, person.life
    months = [(month, enrolment_of(person, month, delivery)) for month in range(life.entry, delivery + 1)]
    for one, stretch in groupby(months, key=lambda item: (item[1], life.counties[item[0]])):
        enrolment, county = one
        if enrolment is None:
            continue
        numbers = [month for month, _ in stretch]
        end = "" if numbers[-1] == delivery else compact(period.last_days[numbers[-1]])
        mbi, *rest = _who(person, delivery)
        plan = plan_of(enrolment)
        yield _row(
            (
                person.traits.medicaid_id, mbi, *_name(person), *rest, county, PROGRAMMES[enrolment.dual or ""],
                enrolment.dual or "", "", plan, MANAGED_CARE_TYPE if plan else "", compact(period.first_days[numbers[0]]),
                end,
            )
        )  # fmt: skip


def care_rows(person: Person, delivery: int) -> Iterator[str]:
    """A row for every stretch of months that are alike and for every plan of it; the last is open while it holds."""
    period, life = person.period, person.life
    months = [(month, enrolment_of(person, month, delivery)) for month in range(life.entry, delivery + 1)]
    mbi, *rest = _who(person, delivery)
    for stretch in stretches(months, life.counties, person.care, delivery):
        dual, end = stretch.enrolment.dual or "", period.last_days[stretch.last]
        for plan, kind in stretch.plans():
            yield _row(
                (
                    person.traits.medicaid_id, mbi, *_name(person), *rest, stretch.county, PROGRAMMES[dual], dual, "",
                    plan, kind, compact(period.first_days[stretch.first]), "" if stretch.last == delivery else compact(end),
                    *stretch.care(),
                )
            )  # fmt: skip


_ROWS: dict[Eligibility, tuple[str, Callable[[Person, int], Iterator[str]]]] = {
    "tmsis-monthly": ("BSF", monthly_rows),
    "state-file": ("STATE", state_rows),
    "state-care": ("CARE", care_rows),
}


def write_eligibility(
    folder: Path, month: int, period: Period, spool: Spool, kinds: Sequence[Eligibility]
) -> Iterator[tuple[Path, DeliveryKind]]:
    """The files of one month."""
    on = period.first_days[month].replace(day=ISSUED_ON)
    if "tmsis-annual" in kinds:
        for number, year in enumerate(years_of(period, month)):
            path = folder / f"TMSIS.{STATE}.ELIGIBILITY.D{on:%y%m%d}.T1{number}0000.zip"
            _write_archive(path, [(part, ("eligibility", part, year, month)) for part in PARTS], spool)
            yield path, DeliveryKind.MEDICAID_ELIGIBILITY
    if "tmsis-monthly" in kinds:
        path = folder / f"TMSIS.{STATE}.ELIGIBILITY.D{on:%y%m%d}.T150000.zip"
        _write_archive(path, [("BSF", ("eligibility", "BSF", 0, month))], spool)
        yield path, DeliveryKind.MEDICAID_ELIGIBILITY
    for kind, name, part in (("state-file", "STATE_ELIGIBILITY", "STATE"), ("state-care", "STATE_CARE", "CARE")):
        if kind in kinds:
            path = folder / f"{name}.{STATE}.{period.texts[month].replace('-', '')}.D{on:%y%m%d}.csv"
            key = ("eligibility", part, 0, month)
            with path.open("w", encoding="ascii", newline="") as file:
                file.write(_row(HEADINGS[part]))
                file.writelines(spool.take(key))
                file.write(f"TRL,{spool.count(key)}\n")
            yield path, DeliveryKind.STATE_ELIGIBILITY


def _write_archive(path: Path, parts: Sequence[tuple[str, tuple[str, str, int, int]]], spool: Spool) -> None:
    control = "".join(f"TMSIS_{part}.csv,{spool.count(key)}\n" for part, key in parts)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        _write_member(archive, "TMSIS_CONTROL.csv", ["FILE_NAME,RECORD_COUNT\n", control])
        for part, key in parts:
            _write_member(archive, f"TMSIS_{part}.csv", [_row(HEADINGS[part]), *spool.take(key)])


def _write_member(archive: zipfile.ZipFile, name: str, texts: Sequence[str]) -> None:
    entry = zipfile.ZipInfo(name, ARCHIVE_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    with archive.open(entry, "w") as file:
        for text in texts:
            file.write(text.encode("ascii"))
