"""What a person is from the start: age, sex, entitlement, chronic conditions, setting, cost level."""

import math
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Literal

from infra.simulator.world import COUNTIES, SERVICE_AREA

Setting = Literal["community", "home_and_community", "nursing_facility"]


@dataclass(frozen=True, slots=True)
class Condition:
    """A chronic condition: how common it is, the ICD-10-CM codes it is billed with, what it does to cost."""

    name: str
    share: float
    institutional_share: float
    diagnosis_codes: tuple[str, ...]
    cost: float


CONDITIONS: tuple[Condition, ...] = (
    Condition("hypertension", 0.65, 0.75, ("I10",), 1.0),
    Condition("diabetes", 0.35, 0.38, ("E119", "E1122", "E1142", "E1165"), 1.15),
    Condition("heart_failure", 0.16, 0.30, ("I509", "I5032", "I5022"), 1.5),
    Condition("kidney_disease", 0.15, 0.22, ("N184", "N1832", "N185"), 1.4),
    Condition("chronic_obstructive_pulmonary_disease", 0.18, 0.25, ("J449", "J441"), 1.3),
    Condition("schizophrenia", 0.08, 0.10, ("F200", "F209", "F259"), 1.2),
    Condition("depression", 0.25, 0.35, ("F331", "F322"), 1.1),
    Condition("dementia", 0.10, 0.55, ("G309", "F0390"), 1.15),
    Condition("arrhythmia", 0.14, 0.22, ("I4891", "I480"), 1.2),
    Condition("vascular_disease", 0.12, 0.20, ("I739", "I7020"), 1.15),
    Condition("pressure_ulcer", 0.02, 0.10, ("L89154", "L89153"), 1.7),
    Condition("cancer", 0.06, 0.05, ("C3490", "C50919", "C7951"), 1.6),
    Condition("obesity", 0.15, 0.12, ("E6601",), 1.05),
    Condition("seizure", 0.06, 0.10, ("G40909",), 1.15),
)
# Behavioural-health conditions that only Medicaid records show: Medicare's feeds leave substance use out.
SUBSTANCE_USE = ("F1020", "F1120")
END_STAGE_RENAL_DISEASE = ("N186", "Z992")
# Few people are in hospital again and again; the sicker, the likelier.
HIGH_NEED_SHARES: dict[Setting, float] = {"community": 0.09, "home_and_community": 0.17, "nursing_facility": 0.32}


@dataclass(frozen=True, slots=True)
class Traits:
    """One person before anything happens."""

    index: int
    birth: date
    sex: str
    race: str
    original_entitlement: str
    renal_failure: bool
    setting: Setting
    home_county: str
    diagnosis_codes: tuple[str, ...]
    behavioural: bool
    substance_use: bool
    medicare_level: float
    medicaid_level: float
    high_need: bool
    phase: float
    part_a_began: date
    part_b_began: date

    @property
    def medicaid_id(self) -> str:
        """The state's own number for the person."""
        return f"39{self.index:010d}"

    def mbi(self, version: int) -> str:
        """The person's Medicare identifier; CMS gives a new ``version`` after theft or fraud."""
        return f"1S{version:02d}{self.index:07d}"


def _birth(random: Random, first: date, setting: Setting) -> date:
    young = random.random() < (0.12 if setting == "nursing_facility" else 0.40)
    age = random.uniform(21, 64.9) if young else min(100.0, 65 + random.expovariate(1 / 10.5))
    return first - timedelta(days=int(age * 365.25) + 1)


def _conditions(random: Random, setting: Setting) -> tuple[Condition, ...]:
    institutional = setting == "nursing_facility"
    return tuple(
        condition
        for condition in CONDITIONS
        if random.random() < (condition.institutional_share if institutional else condition.share)
    )


def _levels(random: Random, conditions: tuple[Condition, ...]) -> tuple[float, float]:
    """Two heavy-tailed, correlated cost levels whose means are near one."""
    frailty = random.gauss(0, 1)
    burden = math.prod(condition.cost for condition in conditions) / 1.9
    medicare = 0.65 * (0.6 * frailty + 0.8 * random.gauss(0, 1))
    medicaid = 0.50 * (0.6 * frailty + 0.8 * random.gauss(0, 1))
    return (
        min(8.0, burden * math.exp(medicare - 0.21)),
        min(8.0, burden**0.4 * math.exp(medicaid - 0.125)),
    )


def _setting(random: Random) -> Setting:
    draw = random.random()
    if draw < 0.14:  # noqa: PLR2004 - the institutional share among full duals
        return "nursing_facility"
    return "home_and_community" if draw < 0.40 else "community"  # noqa: PLR2004 - about half use long-term care


def draw_traits(random: Random, index: int, first: date) -> Traits:
    """Invent one person."""
    setting = _setting(random)
    birth = _birth(random, first, setting)
    age = (first - birth).days / 365.25
    conditions = _conditions(random, setting)
    renal = random.random() < 0.02  # noqa: PLR2004 - few people have end-stage renal disease
    disabled = age < 65 or random.random() < 0.12  # noqa: PLR2004 - entitlement by age begins at 65
    medicare_level, medicaid_level = _levels(random, conditions)
    codes = [random.choice(condition.diagnosis_codes) for condition in conditions]
    began = first - timedelta(days=random.randint(400, 4000))
    return Traits(
        index=index,
        birth=birth,
        sex=random.choice("12"),
        race=random.choice("1111225460"),
        original_entitlement=("3" if renal else "1") if disabled else "0",
        renal_failure=renal,
        setting=setting,
        home_county=random.choice(SERVICE_AREA if random.random() < 0.3 else COUNTIES),  # noqa: PLR2004
        diagnosis_codes=(*codes, *(END_STAGE_RENAL_DISEASE if renal else ())) or ("Z0000",),
        behavioural=any(condition.name in {"schizophrenia", "depression"} for condition in conditions),
        substance_use=random.random() < 0.06,  # noqa: PLR2004 - share with a substance use disorder
        medicare_level=medicare_level * (2.0 if renal else 1.0),
        medicaid_level=medicaid_level,
        high_need=random.random() < min(0.9, HIGH_NEED_SHARES[setting] * medicare_level),
        phase=random.random(),
        part_a_began=began,
        part_b_began=began if random.random() < 0.9 else began + timedelta(days=180),  # noqa: PLR2004
    )
