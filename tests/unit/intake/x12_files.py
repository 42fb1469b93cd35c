"""Small X12 files, made for one test each, and ways to damage them."""

from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

from contracts.delivery import DeliveryKind
from services.intake.readers import encounter_837, enrolment_834, premium_payment_820
from services.intake.reading import Defect, Observation, PersonRecord, Reading, Source

READERS = {
    DeliveryKind.ENROLMENT_834: enrolment_834.read,
    DeliveryKind.ENCOUNTER_837: encounter_837.read,
    DeliveryKind.PREMIUM_PAYMENT_820: premium_payment_820.read,
}
DATED = date(2022, 3, 1)
SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "x12"


def isa(separators: str = "*^:~", *, control: str = "000000007", usage: str = "P") -> str:
    """An ISA segment."""
    element, repetition, component, terminator = separators
    fields = ["ISA", "00", " " * 10, "00", " " * 10, "ZZ", "STATE".ljust(15), "ZZ", "PLAN".ljust(15)]
    fields += ["220105", "1200", repetition, "00501", control, "0", usage, component]
    return element.join(fields) + terminator


def x12(code: str, guide: str, body: Iterable[str], group: str = "HC") -> str:
    """One interchange with one transaction set, whose counts are right."""
    segments = [f"ST*{code}*0001*{guide}", *body]
    segments.append(f"SE*{len(segments) + 1}*0001")
    around = [f"GS*{group}*STATE*PLAN*20220105*1200*1*X*{guide}", *segments, "GE*1*1", "IEA*1*000000007"]
    return isa() + "~".join(around) + "~"


def written(folder: Path, text: str | bytes, name: str = "file.x12") -> Path:
    """The text as a file."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("latin-1"))
    return path


def read(kind: DeliveryKind, path: Path, *, synthetic: bool = False, state: str = "OH") -> list[Reading]:
    """What the reader of a kind makes of a file."""
    return list(READERS[kind](Source(kind, path.name, (path,), DATED, synthetic, state)))


def records(readings: Iterable[Reading]) -> list[PersonRecord]:
    """The records about people."""
    return [reading for reading in readings if isinstance(reading, PersonRecord)]


def defects(readings: Iterable[Reading]) -> list[tuple[str | None, str]]:
    """Field and reason of every defect."""
    return [(found.field, found.reason) for found in readings if isinstance(found, Defect)]


def observations(readings: Iterable[Reading]) -> dict[str, int]:
    """What was told of the delivery."""
    return {found.what: found.count for found in readings if isinstance(found, Observation)}


Damage = Callable[[str], str | bytes]


def without(text: str, name: str) -> str:
    """The text without its first segment of a name."""
    start = text.index(f"~{name}*") + 1
    return text[:start] + text[text.index("~", start) + 1 :]


# What damages any X12 file, and the code by which it is refused; ``None``: it is read as if nothing were wrong.
DAMAGES: dict[str, tuple[Damage, str | None]] = {
    "empty": (lambda _: "", "not_x12"),
    "another format": (lambda _: "REPORT_MONTH,DCE_ID\n" * 20, "not_x12"),
    "half of ISA": (lambda text: text[:60], "not_x12"),
    "half a segment": (lambda text: text[: text.index("~SE*") - 3], "truncated"),
    "cut between segments": (lambda text: text[: text.index("~SE*") + 1], "truncated"),
    "no SE": (lambda text: without(text, "SE"), "truncated"),
    "no GE": (lambda text: without(text, "GE"), "truncated"),
    "no IEA": (lambda text: text[: text.index("IEA*")], "truncated"),
    "no GS": (lambda text: without(text, "GS"), "envelope_broken"),
    "no ST": (lambda text: without(text, "ST"), "envelope_broken"),
    "ISA of another length": (lambda text: text.replace("STATE  ", "STATE ", 1), "wrong_delimiters"),
    "letters as delimiters": (lambda text: text[:104] + "A" + text[105:], "wrong_delimiters"),
    "the same delimiter twice": (lambda text: text[:104] + "~" + text[105:], "wrong_delimiters"),
    "other delimiters than declared": (lambda text: text[:106] + text[106:].replace("*", "|"), "envelope_broken"),
    "another terminator than declared": (lambda text: text[:106] + text[106:].replace("~", "!"), "truncated"),
    "too many segments counted": (lambda text: _counted(text, 5), "truncated"),
    "too few segments counted": (lambda text: _counted(text, -2), "wrong_count"),
    "a count that is none": (lambda text: text.replace("~GE*1*", "~GE*one*"), "envelope_broken"),
    "a group too many counted": (lambda text: text.replace("~IEA*1*", "~IEA*2*"), "truncated"),
    "a set too many counted": (lambda text: text.replace("~GE*1*", "~GE*2*"), "truncated"),
    "control number of the interchange": (lambda text: text.replace("*000000007~", "*000000008~"), "envelope_broken"),
    "control number of the group": (lambda text: text.replace("~GE*1*1~", "~GE*1*9~"), "envelope_broken"),
    "control number of the set": (lambda text: text.replace("*0001~GE", "*0009~GE"), "envelope_broken"),
    "a segment outside": (lambda text: text.replace("~GE*", "~NTE*ADD*X~GE*"), "envelope_broken"),
    "a segment behind the end": (lambda text: text + "NTE*ADD*X~", "envelope_broken"),
    "an interchange within": (lambda text: text.replace("~GE*", "~" + isa() + "GE*"), "envelope_broken"),
    "another guide": (lambda text: text.replace("*005010X", "*004010X"), "wrong_implementation"),
    "another transaction set": (lambda text: text.replace("~ST*8", "~ST*2"), "wrong_transaction_set"),
    "a sender's test": (lambda text: text.replace("*0*P*:", "*0*T*:", 1), "test_interchange"),
    "neither test nor production": (lambda text: text.replace("*0*P*:", "*0*X*:", 1), "envelope_broken"),
    "EBCDIC": (lambda text: text.encode("cp037"), "wrong_encoding"),
    "UTF-16 with its mark": (lambda text: text.encode("utf-16"), "wrong_encoding"),
    "UTF-16 without": (lambda text: text.encode("utf-16-le"), "wrong_encoding"),
    "UTF-16 the other way": (lambda text: text.encode("utf-16-be"), "wrong_encoding"),
    "a segment without end": (lambda text: text.replace("~SE*", "X" * 100_000 + "~SE*"), "segment_too_long"),
    # Odd, and harmless.
    "byte-order mark": (lambda text: b"\xef\xbb\xbf" + text.encode(), None),
    "lines that end as in Windows": (lambda text: text.replace("~", "~\r\n"), None),
    "lines": (lambda text: text.replace("~", "~\n"), None),
    "blank lines around": (lambda text: "\r\n\n" + text + "\n\n", None),
    "an old end-of-file mark": (lambda text: text + "\r\n\x1a", None),
    "empty segments": (lambda text: text.replace("~SE*", "~~~SE*"), None),
    "an acknowledgement": (lambda text: text.replace("~GS*", "~TA1*000000001*220105*1200*A*000~GS*"), None),
    "other delimiters": (lambda text: text.translate(str.maketrans("*^:~", "|%>!")), None),
    "line ends as terminators": (lambda text: text.replace("~", "\n"), None),
}


def _counted(text: str, off: int) -> str:
    start = text.index("~SE*") + len("~SE*")
    end = text.index("*", start)
    return f"{text[:start]}{int(text[start:end]) + off}{text[end:]}"
