"""``tandem policy``: the dated parameters of every service, checked, and what differs between two months."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import click
from pydantic import TypeAdapter, ValidationError

import services
from contracts.months import Month
from infra.command.output import Failure, json_option, print_json, results
from services.alignment.paths_policy import PATHS_POLICY, PathsPolicy
from services.alignment.programme import POLICY, programme, read_programme
from services.cost_shift.chart_policy import chart_policy
from services.cost_shift.estimate_policy import estimate_policy
from services.runtime.policy import Parameter, PolicyError, in_force, parameters_of

ROOT = Path(services.__file__).parent
# What a service refuses beyond the form: a name that it does not ask for, one that is missing.
_OWN_CHECKS: Mapping[Path, Callable[[Path], object]] = {
    POLICY: read_programme,
    PATHS_POLICY: lambda path: PathsPolicy(parameters_of(path.read_text(encoding="utf-8"))),
    ROOT / "cost_shift" / "policy" / "charts.toml": lambda _path: chart_policy(),
    ROOT / "cost_shift" / "policy" / "estimates.toml": lambda _path: estimate_policy(),
}
_MOST_SHOWN = 140
_MONTH: TypeAdapter[str] = TypeAdapter(Month)


class Entry(NamedTuple):
    """A parameter and where it stands."""

    service: str
    file: str
    parameter: Parameter


def files(service: str | None = None) -> Iterator[tuple[str, Path]]:
    """Every policy file with its service, in order."""
    for folder in sorted(ROOT.glob("*/policy")):
        if service in {None, folder.parent.name.replace("_", "-")}:
            for path in sorted(folder.rglob("*.toml")):
                yield folder.parent.name.replace("_", "-"), path


def problem_of(path: Path) -> str | None:
    """What is wrong with a file, in one line; ``None`` for nothing."""
    try:
        parameters_of(path.read_text(encoding="utf-8"))
        if path in _OWN_CHECKS:
            _OWN_CHECKS[path](path)
    except (PolicyError, TypeError, KeyError, ValueError) as error:
        return str(error) or type(error).__name__
    return None


def _entries(service: str | None) -> list[Entry]:
    found = []
    for name, path in files(service):
        try:
            parameters = parameters_of(path.read_text(encoding="utf-8"))
        except PolicyError as error:
            raise Failure(f"{path.name}: {error}. 'tandem policy check' looks at every file.") from None
        found += [Entry(name, str(path.relative_to(ROOT)), parameter) for parameter in parameters]
    return found


def _month(text: str | None) -> str | None:
    """A month, or the first one of a performance year."""
    if text is None:
        return None
    named = next((year.first_month for year in programme().performance_years if year.name == text), text)
    try:
        return _MONTH.validate_python(named)
    except ValidationError:
        raise Failure(f"{text} is neither a month (2022-03) nor a performance year (PY2022).", exit_code=2) from None


def _holding(entries: list[Entry], month: str | None) -> list[Entry]:
    if month is None:
        return entries
    by_file: dict[tuple[str, str], list[Parameter]] = {}
    for entry in entries:
        by_file.setdefault((entry.service, entry.file), []).append(entry.parameter)
    return [
        Entry(service, file, parameter)
        for (service, file), parameters in by_file.items()
        for parameter in in_force(parameters, month).values()
    ]


def _as_object(entry: Entry) -> dict[str, Any]:
    one = entry.parameter
    return {
        "service": entry.service,
        "file": entry.file,
        "name": one.name,
        "value": json.loads(_shown(one.value)),
        "source": one.source,
        "status": one.status,
        "first_month": one.first_month,
        "last_month": one.last_month,
    }


def _shown(value: object) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)


def _short(value: object) -> str:
    text = _shown(value)
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 1] + "…"


def _place(entry: Entry) -> str:
    """The service and the file, without what is the same for all."""
    return f"{entry.service} {Path(*Path(entry.file).parts[2:]).with_suffix('')}"


def _months(one: Parameter) -> str:
    return "" if one.first_month is None else f"{one.first_month} to {one.last_month or 'now'}"


_service = click.option("--service", help="Only of this service, for example alignment.")


@click.group("policy")
def command() -> None:
    """What may differ by state, year or programme: each value with its source, and whether that confirms it."""


@command.command("show")
@click.argument("name", required=False)
@_service
@click.option("--at", "at", metavar="MONTH", help="Only what holds in a month (2022-03) or performance year (PY2022).")
@click.option("--unconfirmed", is_flag=True, help="Only what no public document confirms.")
@json_option
def show(name: str | None, service: str | None, at: str | None, *, unconfirmed: bool, as_json: bool) -> None:
    """Show every parameter, or those whose name begins with NAME."""
    entries = [
        entry
        for entry in _holding(_entries(service), _month(at))
        if entry.parameter.name.startswith(name or "") and not (unconfirmed and entry.parameter.status == "confirmed")
    ]
    if as_json:
        print_json([_as_object(entry) for entry in entries])
        return
    if not entries:
        raise Failure("No parameter is like that: 'tandem policy show' lists all.")
    for entry in entries:
        one = entry.parameter
        results.print(f"{_place(entry)}  {one.name}  {_months(one)}".rstrip() + f"  {one.status}", soft_wrap=True)
        results.print(f"  {_short(one.value)}\n  {one.source}", soft_wrap=True, markup=False)


@command.command("check")
@json_option
def check(*, as_json: bool) -> None:
    """Refuse a file with a value that has no source or status, with dates that overlap, or with an unknown name."""
    looked_at = list(files())
    found = {str(path.relative_to(ROOT)): problem for _, path in looked_at if (problem := problem_of(path))}
    if as_json:
        print_json({"files": len(looked_at), "problems": found})
    else:
        for file, problem in found.items():
            results.print(f"{file}: {problem}", soft_wrap=True)
        results.print(f"{len(looked_at)} files, {len(found)} with something wrong.")
    if found:
        raise SystemExit(1)


@command.command("diff")
@click.argument("before", metavar="MONTH")
@click.argument("after", metavar="MONTH")
@_service
@json_option
def diff(before: str, after: str, service: str | None, *, as_json: bool) -> None:
    """Show what holds otherwise in the second MONTH than in the first; either may be a performance year (PY2022)."""
    entries = _entries(service)
    earlier, later = (
        {(entry.service, entry.file, entry.parameter.name): entry for entry in _holding(entries, _month(text))}
        for text in (before, after)
    )
    keys = [key for key in {**earlier, **later} if _value(earlier.get(key)) != _value(later.get(key))]
    if as_json:
        sides = {"before": earlier, "after": later}
        print_json([{side: _object_of(found.get(key)) for side, found in sides.items()} for key in keys])
        return
    for key in keys:
        newest = (later.get(key) or earlier[key]).parameter
        results.print(f"{_place(later.get(key) or earlier[key])}  {key[2]}  {newest.status}", soft_wrap=True)
        for text, found in ((before, earlier), (after, later)):
            held = _short(found[key].parameter.value) if key in found else "nothing"
            results.print(f"  {text}: {held}", soft_wrap=True, markup=False)
        results.print(f"  {newest.source}", soft_wrap=True, markup=False)
    if not keys:
        results.print("Nothing differs.")


def _object_of(entry: Entry | None) -> dict[str, Any] | None:
    return None if entry is None else _as_object(entry)


def _value(entry: Entry | None) -> object:
    return entry and _shown(entry.parameter.value)
