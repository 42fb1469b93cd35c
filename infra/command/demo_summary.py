"""A screenful for newcomers: what was delivered, who is aligned, who is at risk, and the planted shift seen."""

from collections import Counter
from fractions import Fraction
from typing import Any

from rich.table import Table

from contracts.money import shown_cents
from contracts.months import add_months
from infra.command.gateways import Gateways
from infra.command.output import people
from infra.command.trial import Report

_KINDS = {
    "cclf": "Medicare claims (CCLF)",
    "medicaid_claims": "Medicaid claims (T-MSIS)",
    "enrolment_834": "Medicaid enrolment (X12 834)",
    "alignment_report": "alignment reports",
    "provider_roster": "provider rosters",
}
_TIERS = {1: "1 (lowest)", 4: "4 (highest)"}


def dollars(cents: int, *, signed: bool = False) -> str:
    """Cents as dollars, without a float."""
    sign = "-" if cents < 0 else "+" if signed else ""
    return f"{sign}${abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", min_width=None if number else 32)
    return table


def _delivered(found: Report) -> Table:
    kinds = [delivery["kind"] for delivery in found.truth["deliveries"]]
    rows: dict[str, Counter[str]] = {kind: Counter() for kind in _KINDS}
    for kind, outcome in zip(kinds, found.outcomes, strict=True):
        rows[kind]["files"] += 1
        rows[kind]["repeated"] += outcome.repeated
        if not outcome.repeated:
            rows[kind].update(records=outcome.records, claims=outcome.claims, quarantined=outcome.quarantined)
    table = _table("Delivered", "", "files", "twice", "records", "claims", "bad lines")
    for kind, counts in rows.items():
        numbers = (counts[name] for name in ("files", "repeated", "records", "claims", "quarantined"))
        table.add_row(_KINDS[kind], *(f"{number:,}" for number in numbers))
    return table


def _aligned(found: Report) -> Table:
    parameters = found.truth["parameters"]
    months = sorted({parameters["first_month"], found.truth["planted"]["month"] or "", parameters["last_month"]} - {""})
    table = _table("Who is aligned with the entity", "", *months)
    labels = {"aligned": "aligned", "comparison": "comparison (eligible, not aligned)", "excluded": "neither"}
    for cohort, label in labels.items():
        table.add_row(label, *(f"{found.said.person_months.get((cohort, month), 0):,}" for month in months))
    return table


def _tiers(gateways: Gateways) -> Table:
    counted = gateways.get("risk", "/v1/tiers")["tiers"]
    table = _table("Risk tiers (CMS-HCC)", "tier", "people")
    for row in counted:
        table.add_row(_TIERS.get(row["tier"], str(row["tier"])), f"{row['people']:,}")
    return table


def _per_month(cents: int, months: int) -> str:
    return dollars(shown_cents(Fraction(cents, months)), signed=True) if months else "-"


def _seen(effect: dict[str, Any] | None) -> str:
    return "-" if effect is None else dollars(effect["shown_cents"], signed=True)


def _categories(names: list[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)


def _meaning(planted: dict[str, Any]) -> str:
    """What the two rows of the shift say, for somebody who sees them for the first time."""
    of = planted["categories"]
    return (
        "[dim]Planted: dollars changed in the claims of aligned people: "
        f"Medicare {_categories(of['medicare'])}; Medicaid {_categories(of['medicaid'])}.\n"
        "Seen: in the published figures of all categories, how much more the cost of aligned people changed from "
        "before that month to after it than that of comparison people. It holds the shift and chance.[/]"
    )


def _shift(found: Report, gateways: Gateways) -> Table | None:
    planted, parameters = found.truth["planted"], found.truth["parameters"]
    if planted["month"] is None:
        return None
    windows = {
        "pre_from": parameters["first_month"],
        "pre_to": add_months(planted["month"], -1),
        "post_from": planted["month"],
        "post_to": parameters["last_month"],
    }
    answer = gateways.get("cost-shift", "/v1/descriptive-effects", entity=parameters["entity"], **windows)
    total = answer["pairs"][0]
    title = f"A shift {planted['direction'].replace('-', ' ')} was planted from {planted['month']} on"
    table = _table(title, "dollars a person-month", "Medicare", "Medicaid", "direction")
    table.add_row(
        "planted",
        _per_month(planted["medicare_cents"], planted["medicare_person_months"]),
        _per_month(planted["medicaid_cents"], planted["medicaid_person_months"]),
        planted["direction"].replace("-", " "),
    )
    seen = (_seen(total["medicare_effect"]), _seen(total["medicaid_effect"]))
    table.add_row("seen, aligned against comparison", *seen, (total["direction"] or "-").replace("_", " "))
    return table


def show_summary(found: Report, gateways: Gateways) -> None:
    """Print the screenful."""
    people.print()
    for table in (_delivered(found), _aligned(found), _tiers(gateways), _shift(found, gateways)):
        if table is not None:
            people.print(table)
            people.print()
    if found.truth["planted"]["month"] is not None:
        people.print(_meaning(found.truth["planted"]))


def show_differences(found: Report) -> None:
    """Whether all figures are those that are true, and where not."""
    told = found.as_object()
    claims = f"{told['claims_applied']:,} of {told['claims_expected']:,} claims in {told['seconds']:.0f} s"
    if found.right:
        people.print(f"[green]Equal to the truth[/]: {claims}, every cent, person-month and aligned month.")
        return
    people.print(f"[red]Not equal to the truth[/]: {claims}, {told['dead_letters']} dead letters")
    for example in found.differences.examples:
        people.print(f"  {example}")
