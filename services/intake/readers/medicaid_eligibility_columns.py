"""The elements of T-MSIS eligibility, managed-care and waiver files that are read: annual tables and monthly rows.

Labels as in Enterprise-CMCS T-MSIS Analytic File Generation (TAF Flat Files Columns): twelve months a row in
TAF_ANN_DE_BASE, TAF_ANN_DE_MC and TAF_ANN_DE_WVR, one month a row in TAF_MON_BSF.
"""

from collections.abc import Callable
from typing import Any

from services.intake.readers.fields import Unreadable, digits, one_of, required, text, whole_number
from services.intake.readers.medicaid_elements import (
    Element,
    day_of_a_life,
    dual_status,
    mbi,
    plain,
    published,
    state,
)

MOST_PLANS, MOST_WAIVERS, MONTHS = 16, 10, range(1, 13)
_LONGEST_ID, _LONGEST_CODE, _MOST_DAYS = 20, 4, 31
_SEX = one_of(M="1", F="2", U="0")

KEY = (
    Element("state", ("SUBMTG_STATE_CD",), required(state)),
    Element("medicaid_id", ("MSIS_IDENT_NUM",), required(plain), repeats=False),
)


def _period(length: int) -> Callable[[str], str | None]:
    return required(digits(length, length))


def _days(field: str) -> int | None:
    count = whole_number(field)
    if count is not None and count > _MOST_DAYS:
        raise Unreadable("not_a_count_of_days")
    return count


def _fips(length: int) -> Callable[[str], str | None]:
    return digits(length, length)


def _person(*, synthetic: bool) -> tuple[Element, ...]:
    return (
        Element("mbi", ("MDCR_BENE_ID",), mbi(synthetic=synthetic), repeats=False),
        Element("birth_date", ("BIRTH_DT",), day_of_a_life, "day"),
        Element("death_date", ("DEATH_DT",), day_of_a_life, "day"),
        Element("sex", ("SEX_CD",), _SEX),
    )


_NAMES = (
    Element("family_name", ("ELGBL_LAST_NAME",), plain),
    Element("given_name", ("ELGBL_1ST_NAME",), plain),
)


def base(*, synthetic: bool) -> tuple[Element, ...]:
    """The annual base: who, and for each month how many days of what enrolment with which codes."""
    return (
        *KEY,
        Element("period", ("DE_FIL_DT",), _period(4)),
        *_person(synthetic=synthetic),
        Element("county", ("ELGBL_CNTY_CD",), _fips(3)),
        Element("county_state", ("ELGBL_STATE_CD",), _fips(2)),
        *(element for month in MONTHS for element in _month_of_base(month)),
    )


def _month_of_base(month: int) -> tuple[Element, ...]:
    return (
        Element(f"medicaid_days_{month}", (f"MDCD_ENRLMT_DAYS_{month:02d}",), required(_days), "number"),
        Element(f"chip_days_{month}", (f"CHIP_ENRLMT_DAYS_{month:02d}",), required(_days), "number"),
        Element(f"dual_{month}", (f"DUAL_ELGBL_CD_{month:02d}",), dual_status),
        Element(f"group_{month}", (f"ELGBLTY_GRP_CD_{month:02d}",), published(_LONGEST_CODE)),
        Element(f"restricted_{month}", (f"RSTRCTD_BNFTS_CD_{month:02d}",), published(_LONGEST_CODE)),
    )


CONTACT = (*KEY, Element("period", ("DE_FIL_DT",), _period(4)), *_NAMES)


def managed_care() -> tuple[Element, ...]:
    """Up to sixteen plans a month. A file with fewer places holds people with fewer plans."""
    return (
        *KEY,
        Element("period", ("DE_FIL_DT",), _period(4)),
        *_pairs("plan", "MC_PLAN_ID{place}_{month:02d}", "MC_PLAN_TYPE_CD{place}_{month:02d}", MOST_PLANS),
    )


def waivers() -> tuple[Element, ...]:
    """Up to ten waivers a month."""
    return (
        *KEY,
        Element("period", ("DE_FIL_DT",), _period(4)),
        *_pairs("waiver", "WVR_ID{place}_{month:02d}", "WVR_TYPE_CD{place}_{month:02d}", MOST_WAIVERS),
    )


def _pairs(name: str, identifier: str, kind: str, most: int) -> tuple[Element, ...]:
    return tuple(
        element
        for place in range(1, most + 1)
        for month in MONTHS
        for element in _pair(
            f"{name}_{month}_{place}",
            identifier.format(place=place, month=month),
            kind.format(place=place, month=month),
            optional=place > 1,
        )
    )


def _pair(name: str, identifier: str, kind: str, *, optional: bool) -> tuple[Element, Element]:
    return (
        Element(name, (identifier,), published(_LONGEST_ID), optional=optional),
        Element(f"{name}_type", (kind,), digits(2, 2), optional=optional),
    )


def monthly(*, synthetic: bool) -> tuple[Element, ...]:
    """One row a person and month; of several, the one that is marked as primary."""
    return (
        *KEY,
        Element("period", ("BSF_FIL_DT",), _period(6)),
        *_person(synthetic=synthetic),
        *(Element(one.name, one.labels, one.convert, optional=True) for one in _NAMES),
        Element("county", ("ELGBL_CNTY_CD_HOME",), _fips(3)),
        Element("county_state", ("ELGBL_STATE_CD_HOME",), _fips(2)),
        Element("primary", ("PRMRY_ELGBLTY_GRP_IND",), one_of(_0=False, _1=True)),
        Element("days", ("DAYS_ELIG_IN_MO_CNT",), required(_days), "number"),
        Element("chip", ("CHIP_CD",), text),
        Element("dual", ("DUAL_ELGBL_CD",), dual_status),
        Element("group", ("ELGBLTY_GRP_CD",), published(_LONGEST_CODE)),
        Element("restricted", ("RSTRCTD_BNFTS_CD",), published(_LONGEST_CODE)),
        Element("care_level", ("CARE_LVL_STUS_CD",), digits(1, 3), optional=True),
        Element("demonstration", ("SECT_1115A_DEMO_IND",), one_of(_0=False, _1=True), optional=True),
        *(
            element
            for place in range(1, MOST_PLANS + 1)
            for element in _pair(f"plan_0_{place}", f"MC_PLAN_ID{place}", f"MC_PLAN_TYPE_CD{place}", optional=place > 1)
        ),
        *(
            element
            for place in range(1, MOST_WAIVERS + 1)
            for element in _pair(f"waiver_0_{place}", f"WVR_ID{place}", f"WVR_TYPE_CD{place}", optional=place > 1)
        ),
    )


Values = dict[str, Any]
