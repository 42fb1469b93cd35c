"""How deliveries look on a terminal."""

from collections.abc import Iterator, Sequence

from rich.measure import Measurement
from rich.table import Table

from infra.command.output import people, results
from services.intake.shown import CountShown, DeliveryDetail, DeliveryShown, LineShown

_ANY_WIDTH = 10_000
# Of substance use: whether the sender leaves such records out of its files.
_WITHHELD = {True: "withheld by the sender", False: "included", None: "not known whether withheld"}


def status_of(one: DeliveryShown) -> str:
    """The status, with the reason where there is one."""
    if one.reason_code is None:
        return one.status
    colour = "yellow" if one.status == "held" else "red"
    return f"[{colour}]{one.status}[/] {one.reason_code}"


def _count(count: int | None) -> str:
    return "" if count is None else f"{count:,}"


# What to do about a reason, where it is not to ask the sender.
_ADVICE = {
    "not_an_mbi": "Made-up identifiers (S in second place, as in CMS's samples and 'tandem simulate') are read by an "
    "installation that was started with 'tandem up --synthetic'. Never with real data.",
}
_COUNTED = ("records", "people", "added", "gone", "changed", "quarantined")


def show_deliveries(found: Sequence[DeliveryShown]) -> None:
    """A line a delivery, or three where the terminal is too narrow for that."""
    if not found:
        people.print("There is no such delivery.")
        return
    table = Table("number", "dated", "kind", "source", "file", "status", box=None)
    for column in _COUNTED:
        table.add_column(column, justify="right")
    for one in found:
        table.add_row(*_named(one), status_of(one), *map(_count, _counts(one)))
    if _natural_width(table) <= results.width:
        results.print(table)
    else:
        for one in found:
            _show_narrow(one)


def _natural_width(table: Table) -> int:
    return Measurement.get(results, results.options.update(max_width=_ANY_WIDTH), table).maximum


def _show_narrow(one: DeliveryShown) -> None:
    number, dated, kind, source, name = _named(one)
    what = f"{kind or 'a file of no known kind'} from {source}"
    results.print(f"[bold]{number:2}[/]  {dated}  {what}: {status_of(one)}", soft_wrap=True)
    results.print(f"    {name}", soft_wrap=True)
    counted = [f"{_count(count)} {what}" for what, count in zip(_COUNTED, _counts(one), strict=True) if count]
    results.print(f"    {', '.join(counted) or 'nothing read'}", soft_wrap=True)


def _named(one: DeliveryShown) -> tuple[str, str, str, str, str]:
    return str(one.sequence or ""), str(one.dated or ""), one.kind or "", one.source, one.name


def _counts(one: DeliveryShown) -> tuple[int | None, ...]:
    return one.records, one.people, one.people_added, one.people_gone, one.people_changed, one.quarantined


def show_detail(one: DeliveryDetail) -> None:
    """Everything about one delivery."""
    table = Table(box=None, show_header=False)
    for what, told in _facts(one):
        table.add_row(what, told)
    results.print(table)
    if one.faults:
        show_faults(one.faults)
    if one.first_lines:
        results.print(f"\nFirst of {one.quarantined:,} lines that could not be read; their text is sealed:")
        show_lines(one.first_lines)


def _facts(one: DeliveryDetail) -> Iterator[tuple[str, str]]:
    yield "delivery", f"{one.sequence}  {one.delivery_id}"
    yield "file", one.name
    yield "what", f"{one.kind or 'of no known kind'} from {one.source}, dated {one.dated or 'unknown'}"
    yield "received", f"{one.received_at:%Y-%m-%d %H:%M} UTC" if one.received_at else ""
    yield "status", status_of(one)
    if one.reason_detail:
        yield "", one.reason_detail
    yield "substance use", _WITHHELD[one.substance_use_withheld]
    for what, records in one.contents.items():
        yield f"held {what.replace('_', ' ')}", f"{records:,}"
    yield "quarantined", f"{one.quarantined:,}"
    yield "people", _people(one)
    for decision in one.decisions:
        then = f", then delivery {decision.sequence}" if decision.sequence else ""
        why = f": {decision.reason}" if decision.reason else ""
        yield f"{decision.decision} as {decision.about_sequence}", f"by {decision.actor}{why}{then}"


def _people(one: DeliveryDetail) -> str:
    if one.people is None:
        return "not read"
    if one.compared_with is None:
        return f"{one.people:,}; the first of its kind and source"
    return (
        f"{one.people:,}; against delivery {one.compared_with}: {one.people_added:,} added, {one.people_gone:,} gone, "
        f"{one.people_changed:,} changed"
    )


def show_faults(faults: Sequence[CountShown]) -> None:
    """Lines by what is wrong with them."""
    table = Table("file", "field", "reason", box=None)
    table.add_column("lines", justify="right")
    for fault in faults:
        table.add_row(fault.file, fault.field or "", fault.reason, f"{fault.lines:,}")
    results.print(table)
    for reason in dict.fromkeys(fault.reason for fault in faults):
        if reason in _ADVICE:
            results.print(_ADVICE[reason], soft_wrap=True)


def show_lines(lines: Sequence[LineShown]) -> None:
    """Lines by their place: what should stand there, and the shape of what does."""
    table = Table("file", "line", "field", "reason", "found", "expected", box=None)
    for line in lines:
        told = (line.field, line.reason, line.found, line.expected)
        table.add_row(line.file, str(line.line), *(text or "" for text in told))
    results.print(table if lines else "No line of it is in quarantine.")


def show_overview(refused: Sequence[DeliveryShown], counts: Sequence[CountShown]) -> None:
    """Everything that is in quarantine."""
    if not refused and not counts:
        people.print("Nothing is in quarantine.")
        return
    table = Table("delivery", "file", "field", "reason", "lines", box=None)
    for one in refused:
        table.add_row(one.delivery_id, one.name, "", f"{status_of(one)}: {one.reason_detail}", "all")
    for count in counts:
        table.add_row(count.delivery_id, count.file, count.field or "", count.reason, f"{count.lines:,}")
    results.print(table)
