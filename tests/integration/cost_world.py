"""Small simulated populations whose files come in many orders, with more emergency visits written into them than the simulator invents."""

import csv
import io
import random
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from infra.simulator import simulate

EMERGENCY: Final = "0450"
_REVENUE_LINE_LENGTH: Final = 199


def deliveries(folder: Path, seed: int, people: int, months: int, *, late: bool, aligned: bool) -> list[Path]:
    """Files in the order in which they are to be taken; ``late``: some feeds come weeks behind the others, some files out of turn."""
    simulate(folder, people=people, months=months, seed=seed, shift="medicare-to-medicaid")
    files = sorted((folder / "deliveries").glob("*/*"))
    for path in files:
        if path.name.startswith(("P.", "TMSIS.")):
            _with_emergencies(path)
    files = _late(files, random.Random(seed)) if late else files
    later = (_later_word_on_dual_status(files), _later_word_on_residence(files), _obituary(files))
    return [*files, *later, _two_who_are_one(files, aligned=aligned)]


def _late(files: list[Path], chance: random.Random) -> list[Path]:
    """Every feed keeps its own delay in months; of each month's files the order is chance, and one in ten comes a month later still."""
    delays: dict[str, float] = {}
    due = []
    for path in files:
        feed = ".".join(path.name.split(".")[:2])
        delay = delays.setdefault(feed, chance.choice((0, 0, 0, 1, 2)))
        month = int(path.parent.name[:3])
        due.append((month + delay + (chance.random() < 0.1), chance.random(), path))
    return [path for _, _, path in sorted(due)]


def _later_word_on_dual_status(files: list[Path]) -> Path:
    """The state says of everybody in the other plan that in two early months only premiums were covered."""
    last = max((path for path in files if path.name.startswith("834.MCO9002")), key=lambda path: path.name)
    segments = last.read_text(encoding="ascii").split("~\n")
    said, inside = [], False
    for segment in segments:
        inside = (inside or segment.startswith("HD*")) and not segment.startswith(("INS*", "SE*"))
        said += [] if inside else [segment]
        if segment.startswith("DMG*"):
            for month, days in (("202202", 28), ("202203", 31)):
                said += ["HD*001**HLT*MCO9002;01", f"DTP*348*D8*{month}01", f"DTP*349*D8*{month}{days}", "REF*F5*03"]
    count = said.index(next(one for one in said if one.startswith("SE*"))) - said.index(
        next(one for one in said if one.startswith("ST*"))
    )
    said = [f"SE*{count + 1}*0001" if one.startswith("SE*") else one for one in said]
    path = last.with_name(last.name.replace(".T06", ".T18"))
    path.write_text("~\n".join(said), encoding="ascii")
    return path


def _later_word_on_residence(files: list[Path]) -> Path:
    """Medicare says, in a file that is older than others which are known, that everybody in one feed lived elsewhere in an early month."""
    second = sorted((path for path in files if path.name.startswith("P.D9900")), key=lambda path: path.name)[1]
    told = {"8": [f"{line[:24]}{int(line[24:27]) + 2:03d}{line[27:]}" for line in _of(_members(second), "8")]}
    return _written(second, told, lambda day: f"{day[:4]}28")


def _obituary(files: list[Path]) -> Path:
    """Medicare says that somebody died before the claims that it cancels with the same delivery: costs go and move at once."""
    feeds = sorted((path for path in files if path.name.startswith("P.D9900")), key=lambda path: path.name)
    claims, people = {}, {}
    for path in feeds:
        members = _members(path)
        claims.update({line[:13]: line for line in _of(members, "1") if line[148] == "0" and not line[79:81].strip()})
        people.update({line[:11]: line for line in _of(members, "8")})
    ours = {mbi: [line for line in claims.values() if line[19:30] == mbi] for mbi in people}
    mbi = max(ours, key=lambda one: (len(ours[one]), one))
    died = min(line[53:63] for line in ours[mbi])[:8] + "01"
    died = f"{int(died[:4]) - (died[5:7] == '01')}-{(int(died[5:7]) - 2) % 12 + 1:02d}-15"
    cancelled = [f"9{line[1:148]}1{line[149:]}" for line in ours[mbi]]
    told = {"1": cancelled, "8": [people[mbi][:51] + died + people[mbi][61:]]}
    return _written(feeds[-1], told, lambda day: f"{int(day[:2]) + 1}{day[2:]}")


def _two_who_are_one(files: list[Path], *, aligned: bool) -> Path:
    """Medicare says that two people of whom it told side by side, each with months and claims, are one.

    ``aligned``: the same alignment report names both, with other months for each: one statement about one person from then on.
    """
    feeds = sorted((path for path in files if path.name.startswith("P.D9900")), key=lambda path: path.name)
    newest = max((path for path in files if path.name.startswith("ALIGNMENT")), key=lambda path: path.name)
    spans: dict[str, list[str]] = {}
    for row in newest.read_text(encoding="ascii").splitlines()[1:-1]:
        spans.setdefault(row.split(",")[2], []).append(",".join(row.split(",")[3:5]))
    if aligned:
        previous, current = min((-(spans[a] != spans[b]), a, b) for a in spans for b in spans if a < b)[1:]
    else:
        told = {line[:11] for line in _of(_members(feeds[-1]), "8")} - spans.keys()
        claims = Counter(line[19:30] for path in feeds for line in _of(_members(path), "1"))
        previous, current = sorted(told, key=lambda mbi: (-claims[mbi], mbi))[:2]
    return _written(
        feeds[-1],
        {"9": [f"M{current}{previous}2018-01-012021-12-31{'':12}"]},
        lambda day: f"{int(day[:2]) + 1}{day[2:4]}20",
    )


def _written(like: Path, told: dict[str, list[str]], on: Callable[[str], str]) -> Path:
    """A delivery of CCLF as another, of another day and with these records alone."""
    day = like.name.split(".D")[-1][:6]
    members = _members(like)
    heading, *rows = _of(members, "0")
    records = {"0": [heading, *(f"{row[:52]}{len(told.get(row[4], [])):>11}{row[63:]}" for row in rows)], **told}
    path = like.with_name(like.name.replace(f".D{day}", f".D{on(day)}"))
    _write(
        path,
        {
            name.replace(f".D{day}", f".D{on(day)}"): "".join(
                f"{row}\n" for row in records.get(name.split(".ZC")[1][0], [])
            )
            for name in members
        },
    )
    return path


def _members(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode("ascii") for name in archive.namelist()}


def _of(members: dict[str, str], file: str) -> list[str]:
    return next((text for name, text in members.items() if f".ZC{file}Y" in name), "").splitlines()


def _write(path: Path, members: dict[str, str]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            # No clock in it: the same content again is the same bytes again.
            archive.writestr(zipfile.ZipInfo(name, (2022, 1, 1, 0, 0, 0)), text)


def _with_emergencies(path: Path) -> None:
    members = _members(path)
    (_emergencies_of_medicaid if path.name.startswith("TMSIS.") else _emergencies_of_medicare)(members)
    _write(path, members)


def _emergencies_of_medicare(members: dict[str, str]) -> None:
    """Every other outpatient claim without a line gets one of an emergency room, every third two."""
    claims = next(name for name in members if ".ZC1Y" in name)
    told = _of(members, "2")
    having = {line[:13] for line in told}
    lines = told + [
        f"{claim[:13]}{number:>10}{claim[19:30]}{'':11}{claim[41:43]}{claim[43:63]}{EMERGENCY}".ljust(
            _REVENUE_LINE_LENGTH
        )
        for claim in members[claims].splitlines()
        if claim[41:43] == "40" and int(claim[:13]) % 2 and claim[:13] not in having
        for number in range(1, 2 + (int(claim[:13]) % 3 == 0))
    ]
    members[claims.replace(".ZC1Y", ".ZC2Y")] = "".join(f"{line}\n" for line in lines)
    control = next(name for name in members if ".ZC0Y" in name)
    rows = [
        f"{row[:52]}{len(lines):>11}{row[63:]}" if row.startswith("CCLF2") else row
        for row in members[control].splitlines()
    ]
    members[control] = "".join(f"{row}\n" for row in rows)


def _emergencies_of_medicaid(members: dict[str, str]) -> None:
    """Every third outpatient line is of an emergency room."""
    name = "TMSIS_OT_LINE.csv"
    rows = list(csv.DictReader(io.StringIO(members[name])))
    for row in rows:
        if row["TOS_CD"] == "002" and int(row["ICN_ORIG"]) % 3 == 0:
            row["REV_CD"] = EMERGENCY
    written = io.StringIO()
    writer = csv.DictWriter(written, members[name].split("\n", 1)[0].split(","), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    members[name] = written.getvalue()
