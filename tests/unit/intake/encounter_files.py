"""Small 837 files, made for one test each."""

from collections.abc import Iterable
from pathlib import Path

from x12_files import defects, read, records, written, x12

from contracts.claims import MedicaidClaim
from contracts.delivery import DeliveryKind
from services.intake.reading import Reading

KIND = DeliveryKind.ENCOUNTER_837
MBI = "1EG4TE5MK73"
PROFESSIONAL, INSTITUTIONAL, DENTAL = "005010X222A1", "005010X223A2", "005010X224A2"
NO_AMOUNT = "encounters without a paid amount of the plan (AMT*D, SVD)"
NO_NUMBER = "encounters without the plan's number of the claim (REF*F8)"
COMMERCIAL = "claims for another payer than Medicaid (SBR09 CI)"

AROUND = (
    "BHT*0019*00*1*20220210*1200*RP~NM1*41*2*PLAN*****46*1~HL*1**20*1~NM1*85*2*CLINIC*****XX*1234567893~"
    "N4*GARY*IN*46401~HL*2*1*22*0~SBR*S*18*******MC~NM1*IL*1*PUBLIC*JANE****MI*MCD1~N4*COLUMBUS*OH*43004~"
    "DMG*D8*19500203*F~NM1*PR*2*MEDICAID*****PI*STATE"
)
HEAD = "CLM*A1*300***11:B:1*Y*A*Y*Y"
CODES = "HI*ABK:I5023*ABF:E119"
PLAN = "SBR*P*18*******MC~AMT*D*120.5~OI***Y***Y~NM1*IL*1*PUBLIC*JANE****MI*MCD1~NM1*PR*2*PLAN*****PI*MCO1"
DECIDED = "DTP*573*D8*20220131~REF*F8*ICN1"
LINES = (
    "LX*1~SV1*HC:99213:25*200*UN*1***1~DTP*472*D8*20220103~LX*2~SV1*HC:T1019*100*UN*4***1~DTP*472*RD8*20220104-20220107"
)
DECIDED_LINES = (
    "LX*1~SV1*HC:99213*200*UN*1***1~DTP*472*D8*20220103~SVD*MCO1*90.25*HC:99213**1~CAS*CO*45*109.75~DTP*573*D8*20220130~"
    "SVD*00882*50*HC:99213**1~CAS*PR*2*12.5~DTP*573*D8*20220115~"
    "LX*2~SV1*HC:T1019*100*UN*4***1~DTP*472*D8*20220104~SVD*MCO1*30.25*HC:T1019**1~CAS*CO*45*69.75~DTP*573*D8*20220131"
)
MEDICARE = (
    "SBR*P*18*******MB~CAS*PR*1*50*0*2*25.5~CAS*CO*45*100~AMT*D*124.5~OI***Y***Y~"
    f"NM1*IL*1*PUBLIC*JANE****MI*{MBI}~NM1*PR*2*MEDICARE*****PI*00882"
)


def parts(*more: str) -> str:
    return "~".join(part for part in more if part)


CLAIM = parts(HEAD, CODES, PLAN, DECIDED, LINES)


def file_of(*claims: str, around: str = AROUND, guide: str = PROFESSIONAL) -> str:
    return x12("837", guide, parts(around, *claims).split("~"))


def of(folder: Path, text: str, *, synthetic: bool = False) -> list[Reading]:
    return read(KIND, written(folder, text), synthetic=synthetic)


def claims(readings: Iterable[Reading]) -> list[MedicaidClaim]:
    return [record.payload for record in records(readings) if isinstance(record.payload, MedicaidClaim)]


def only(folder: Path, text: str) -> MedicaidClaim:
    readings = of(folder, text)
    assert defects(readings) == []
    (claim,) = claims(readings)
    return claim


GOOD = file_of(CLAIM)
