"""Deliveries that carry people's data where none belongs: in bad lines, in other columns, in names of files."""

import gzip
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

Replace = Callable[[str], str]


@dataclass(frozen=True)
class Victim:
    """Whose data the poison is made of."""

    mbi: str
    medicaid_id: str
    first: str
    last: str


def poisoned(folder: Path, clean: Path, victim: Victim) -> list[Path]:
    """Write them, each in a folder of its own; ``clean`` is a folder of one month's good deliveries."""
    made = [file for make in _ALL for file in make(folder / make.__name__, clean, victim)]
    assert len(made) == len({file.read_bytes() for file in made})
    return made


def _new(folder: Path, name: str, content: str | bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def _one(clean: Path, pattern: str) -> Path:
    return min(clean.glob(pattern))


def _rezipped(folder: Path, archive: Path, replace: dict[str, Replace]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive) as given, zipfile.ZipFile(folder / archive.name, "w") as made:
        for name in given.namelist():
            text = given.read(name).decode()
            changed = [change for part, change in replace.items() if part in name]
            made.writestr(name, changed[0](text) if changed else text)
    return folder / archive.name


def _in_column(label: str, value: str) -> Replace:
    """Write a value into a column of every row of a CSV file."""

    def change(text: str) -> str:
        header, *rows = [line.split(",") for line in text.splitlines()]
        place = header.index(label)
        changed = [[*row[:place], value, *row[place + 1 :]] for row in rows]
        return "".join(",".join(row) + "\n" for row in (header, *changed))

    return change


def _copied(source: str, label: str) -> Replace:
    """Write one column of a CSV file into another as well."""

    def change(text: str) -> str:
        header, *rows = [line.split(",") for line in text.splitlines()]
        place, taken = header.index(label), header.index(source)
        changed = [[*row[:place], row[taken], *row[place + 1 :]] for row in rows]
        return "".join(",".join(row) + "\n" for row in (header, *changed))

    return change


def _reports(folder: Path, _clean: Path, victim: Victim) -> Iterator[Path]:
    header = (
        "REPORT_MONTH,DCE_ID,BENE_MBI_ID,ALGNMT_EFCTV_DT,ALGNMT_TERM_DT,RMVL_RSN_CD,ALGNMT_TYPE_CD,PRFRMNC_YR,"
        "DATA_SHRNG_OPT_OUT_IND"
    )
    rows = (
        f"202207,D9001,{victim.last},20220101,,,ROSTER,2022,N",
        f"202207,D9001,{victim.mbi},{victim.mbi},,,ROSTER,2022,N",
        f"202207,D9001,{victim.mbi},20220101,,{victim.mbi},ROSTER,2022,N",
        f"202207,D9001,{victim.mbi},20220101,,,{victim.first},2022,N",
        f"202207,D9001,{victim.mbi},20220101,,,ROSTER,{victim.last},{victim.first}",
        f"202207,{victim.mbi}",
    )
    name = "ALIGNMENT_REPORT.D9001.202207.D220710.csv"
    yield _new(folder, name, "\n".join((header, *rows, f"TRL,{len(rows)}", "")))
    yield _new(folder / "cut", name, "\n".join((header, *rows[:3])))
    yield _new(folder / "header", name, "\n".join((victim.mbi, *rows, f"TRL,{len(rows)}", "")))


def _rosters(folder: Path, _clean: Path, victim: Victim) -> Iterator[Path]:
    rows = (
        f"D9001,{victim.mbi},08,39043,20220101,",
        f"D9001,1900020433,{victim.mbi},39043,20220101,",
        f"D9001,1900020433,08,{victim.first},20220101,",
        f"D9001,1900020433,08,39043,{victim.last},",
    )
    header = "DCE_ID,NPI,SPCLTY_CD,CNTY_FIPS_CD,EFCTV_DT,TERM_DT"
    yield _new(folder, "PROVIDER_ROSTER.D9001.OH.D220705.csv", "\n".join((header, *rows, f"TRL,{len(rows)}", "")))


def _enrolments(folder: Path, clean: Path, victim: Victim) -> Iterator[Path]:
    good = _one(clean, "834.MCO*.txt")
    text = good.read_text()
    before, member, after = text.split("INS*", 2)
    own = member.split("NM1*IL*1*", 1)[1].split("*", 1)[0]
    changes = {
        "plan": ("HD*001**HLT*MCO", f"HD*001**HLT*{victim.mbi};MCO"),
        "named_plan": ("HD*001**HLT*MCO", f"HD*001**HLT*{own};MCO"),
        "dates": ("DTP*348*D8*2022", f"DTP*348*D8*{victim.last}"),
        "birth": ("DMG*D8*19", f"DMG*D8*{victim.mbi}"),
        "county": ("**CY*39", f"**CY*{victim.last}"),
        "dual": ("REF*F5*", f"REF*RB*{victim.first}~\nREF*F5*{victim.mbi}"),
        "contract": ("REF*F5*", f"REF*DX*{victim.first};001;20220101~\nREF*F5*"),
        "segment": ("DMG*", f"{victim.mbi}*{victim.last}~\nDMG*"),
        "identifier": ("REF*6P*", f"REF*6P*{victim.first}{victim.mbi}"),
    }
    for name, (old, new) in changes.items():
        changed = "INS*".join((before, member.replace(old, new), after))
        assert changed != text, name
        ending = changed.rindex("SE*")
        counted = changed[changed.index("ST*") : ending].count("~") + 1
        rest = changed[ending:].split("*", 2)[2]
        yield _new(folder / name, good.name, f"{changed[:ending]}SE*{counted}*{rest}")
    yield _new(folder / "cut", good.name, text[: len(text) // 2])
    yield _new(folder / "headless", good.name, text.replace("ISA*00*", f"ISA*{victim.mbi}*", 1))


def _claims(folder: Path, clean: Path, victim: Victim) -> Iterator[Path]:
    good = _one(clean, "TMSIS.*.zip")

    for label, value in (("MC_PLAN_ID", victim.mbi), ("ICN_ORIG", victim.mbi), ("CLM_TYPE_CD", victim.first)):
        yield _rezipped(folder / label, good, {"OT_HEADER": _in_column(label, value)})
    for label, value in (("TOS_CD", victim.first), ("REV_CD", victim.mbi), ("MDCD_PD_AMT", victim.last)):
        yield _rezipped(folder / label, good, {"OT_LINE": _in_column(label, value)})
    for label in ("ICN_ORIG", "MC_PLAN_ID"):
        change = _copied("MSIS_IDENT_NUM", label)
        yield _rezipped(
            folder / f"{label} copied", good, {"OT_HEADER": change, "OT_LINE": change if label == "ICN_ORIG" else str}
        )
    yield _rezipped(folder / "control", good, {"CONTROL": lambda text: text.replace("TMSIS_OT_HEADER", victim.mbi)})
    yield _rezipped(folder / "counts", good, {"CONTROL": lambda text: f"{text}{victim.mbi},{victim.last}\n"})
    yield _new(folder / "cut", good.name, good.read_bytes()[:2000])


def _feeds(folder: Path, clean: Path, victim: Victim) -> Iterator[Path]:
    good = _one(clean, "P.D9001.*")
    yield _rezipped(folder / "cut_inside", good, {".ZC8Y": lambda text: text[:-300]})
    yield _rezipped(folder / "shifted", good, {".ZC8Y": lambda text: text.replace("\n", f"{victim.last}\n")})
    yield _rezipped(folder / "dates", good, {".ZC8Y": lambda text: text.replace("19", victim.first[:2])})
    yield _rezipped(folder / "control", good, {".ZC0Y": lambda text: text.replace("|  437", f"|{victim.mbi}")})
    yield _new(folder / "cut", good.name, good.read_bytes()[:1500])


def _explanations(folder: Path, _clean: Path, victim: Victim) -> Iterator[Path]:
    claim = {
        "resourceType": "ExplanationOfBenefit",
        "id": victim.mbi,
        "patient": {"reference": f"Patient/{victim.mbi}"},
    }
    lines = (
        f'{{"resourceType": "ExplanationOfBenefit", "id": "{victim.mbi}"',
        json.dumps(claim),
        json.dumps(claim | {"status": victim.last, "billablePeriod": {"start": victim.mbi, "end": victim.first}}),
        json.dumps({victim.mbi: victim.last}),
    )
    text = "{}\n" + "\n".join(lines) + "\n"
    yield _new(folder, "claims.ndjson", text)
    yield _new(folder, "claims.ndjson.gz", gzip.compress(text.encode())[:-20])


def _named(folder: Path, _clean: Path, victim: Victim) -> Iterator[Path]:
    yield _new(folder, f"letter about {victim.mbi}.txt", "Dear Sir")
    card = f"{victim.mbi[:4]}-{victim.mbi[4:7]}-{victim.mbi[7:]}"
    yield _new(folder, f"claims of {card}.ndjson", '{"resourceType": "ExplanationOfBenefit"}\n')
    yield _new(folder / victim.mbi, "834.MCO9001.D220710.T060000.txt", "ISA*00*")
    yield _new(folder, f"834.{victim.mbi}.D220710.T060000.txt", "ISA*01*ST*834")


_ALL = (_reports, _rosters, _enrolments, _claims, _feeds, _explanations, _named)
