"""CMS code sets. Source: CCW codebook, variable DUAL_01."""

from typing import get_args

import pytest

from contracts.codes import (
    DUAL_BENEFIT_LEVEL,
    PART_A_AND_B_CODES,
    BenefitLevel,
    CodeError,
    DualStatusCode,
    EntitlementBuyInCode,
    benefit_level,
    dual_status_code,
)

LEVELS = [
    ("NA", BenefitLevel.NONE),
    ("00", BenefitLevel.NONE),
    ("01", BenefitLevel.PARTIAL),
    ("02", BenefitLevel.FULL),
    ("03", BenefitLevel.PARTIAL),
    ("04", BenefitLevel.FULL),
    ("05", BenefitLevel.PARTIAL),
    ("06", BenefitLevel.PARTIAL),
    ("08", BenefitLevel.FULL),
    ("09", BenefitLevel.OTHER),
    ("10", BenefitLevel.OTHER),
    ("99", BenefitLevel.UNKNOWN),
    (None, BenefitLevel.UNKNOWN),
]


@pytest.mark.parametrize(("code", "level"), LEVELS)
def test_benefit_level(code: str | None, level: BenefitLevel) -> None:
    assert benefit_level(code) is level


def test_every_code_has_a_level_and_every_level_a_code() -> None:
    (literal, _) = get_args(DualStatusCode)
    assert set(get_args(literal)) == set(DUAL_BENEFIT_LEVEL)
    assert set(DUAL_BENEFIT_LEVEL.values()) == set(BenefitLevel)


WRITINGS = [
    ("02", "02"),
    ("2", "02"),
    (" 2 ", "02"),
    ("8", "08"),
    ("0", "00"),
    ("10", "10"),
    ("na", "NA"),
    ("NA", "NA"),
    ("", None),
    ("   ", None),
    ("*", "99"),
    ("**", "99"),
    ("~", "99"),
    ("xx", "99"),
    ("99", "99"),
]


@pytest.mark.parametrize(("text", "code"), WRITINGS)
def test_reads_every_source_s_writing(text: str, code: str | None) -> None:
    assert dual_status_code(text) == code


@pytest.mark.parametrize("text", ["07", "7", "11", "002", "QMB", "-1", "A"])
def test_refuses_what_cms_does_not_define(text: str) -> None:
    with pytest.raises(CodeError, match="2002" if "7" in text else "not a dual status"):
        dual_status_code(text)


def test_both_parts_with_and_without_state_buy_in() -> None:
    (literal, _) = get_args(EntitlementBuyInCode)
    assert PART_A_AND_B_CODES == {"3", "C"} < set(get_args(literal))
