"""The monthly alignment report and the provider roster, version 1."""

from collections.abc import Iterator, Sequence
from datetime import date

from infra.simulator.period import Period
from infra.simulator.person import Person
from infra.simulator.world import ENTITY, STATE, Participant

ALIGNMENT_HEADING = (
    "REPORT_MONTH,DCE_ID,BENE_MBI_ID,ALGNMT_EFCTV_DT,ALGNMT_TERM_DT,RMVL_RSN_CD,ALGNMT_TYPE_CD,PRFRMNC_YR,"
    "DATA_SHRNG_OPT_OUT_IND\n"
)
ROSTER_HEADING = "DCE_ID,NPI,SPCLTY_CD,CNTY_FIPS_CD,EFCTV_DT,TERM_DT\n"
ALIGNMENT_TYPES = ("ROSTER", "ROSTER", "ROSTER", "CLAIMS", "VOLUNTARY")


def alignment_rows(person: Person, month: int) -> Iterator[str]:
    """Every span of the person as the report of the month knows it."""
    traits, life, period = person.traits, person.life, person.period
    for span in life.reported(month):
        last = span.last_as_known(month)
        ended = "" if last is None else f"{last_day_aligned(person, last):%Y%m%d}"
        row = (
            f"{period.first_days[month]:%Y%m}",
            ENTITY,
            traits.mbi(life.mbi_version(month - 1)),
            f"{period.first_days[span.first]:%Y%m%d}",
            ended,
            span.reason if ended else "",
            ALIGNMENT_TYPES[traits.index % len(ALIGNMENT_TYPES)],
            f"{period.first_days[month].year}",
            "Y" if life.opted_out else "N",
        )
        yield ",".join(row) + "\n"


def last_day_aligned(person: Person, month: int) -> date:
    """The last day of an aligned month: a death ends it."""
    death, end = person.life.death, person.period.last_days[month]
    return end if death is None else min(death, end)


def alignment_file_name(period: Period, month: int) -> str:
    """One report."""
    on = period.first_days[month].replace(day=10)
    return f"ALIGNMENT_REPORT.{ENTITY}.{on:%Y%m}.D{on:%y%m%d}.csv"


def roster_file_name(on: date) -> str:
    """One roster."""
    return f"PROVIDER_ROSTER.{ENTITY}.{STATE}.D{on:%y%m%d}.csv"


def roster_text(participants: Sequence[Participant]) -> str:
    """The whole roster."""
    rows = [
        f"{ENTITY},{row.npi},{row.specialty},{row.county},{row.began:%Y%m%d},"
        f"{'' if row.ended is None else f'{row.ended:%Y%m%d}'}\n"
        for row in participants
    ]
    return ROSTER_HEADING + "".join(rows) + trailer(len(rows))


def trailer(rows: int) -> str:
    """The last line of a report: how many rows stand above it."""
    return f"TRL,{rows}\n"
