"""``tandem train-risk``: fits the model of avoidable admissions, judges it on other people, and writes its coefficients."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import click
from rich.table import Table

from infra.command.delivering import require_ready
from infra.command.output import Failure, folder_option, json_option, print_json, results
from infra.command.risk_training.history import HORIZON_DAYS, History, Planted
from infra.command.risk_training.judging import Judged, by_group, judge, tenths
from infra.command.risk_training.own_history import newest_day, own_histories
from infra.command.risk_training.simulated_history import simulated_histories
from infra.command.risk_training.training import predict, train, train_alone
from infra.local.installation import Installation, schema_of
from services.risk.prediction_pack import written
from services.risk.rules.avoidable_admission import CoefficientPack
from services.risk.rules.predictors import PREDICTORS, predictors_of
from services.runtime.database import connected

_SOURCE: Final = "tandem train-risk"
_LEAST_EVENTS: Final = 20
_LEAST_PEOPLE: Final = 200
_DIGITS: Final = 4


def _ceilings(planted: Sequence[Planted], observed: Sequence[bool]) -> dict[str, Judged]:
    """What the truth itself would do, where it is known: no model of these people can do better."""
    if len(planted) < len(observed):
        return {}
    return {
        "true risk": judge([one.probability for one in planted], observed),
        "true risk as of the day": judge([one.foreseeable for one in planted], observed),
    }


def _judgements(trained: Sequence[History], others: Sequence[History], pack: CoefficientPack) -> dict[str, Judged]:
    """The model beside its two rivals, each trained on the same people and judged on the same others."""
    observed = [one.avoidable for one in others]
    score = train_alone(trained, lambda one: one.candidate.raw_score)
    spend = train_alone(trained, lambda one: predictors_of(one.candidate)[0])
    return {
        **_ceilings([one.planted for one in others if one.planted is not None], observed),
        "all predictors": judge(predict(pack, others), observed),
        "HCC score alone": judge([score.predict(one.candidate.raw_score) for one in others], observed),
        "prior cost alone": judge([spend.predict(predictors_of(one.candidate)[0]) for one in others], observed),
    }


def _report(trained: Sequence[History], others: Sequence[History], pack: CoefficientPack) -> dict[str, Any]:
    predicted, observed = predict(pack, others), [one.avoidable for one in others]
    return {
        "horizon_days": HORIZON_DAYS,
        "trained_on_people": len(trained),
        "judged_on_people": len(others),
        "models": {name: asdict(one) for name, one in _judgements(trained, others, pack).items()},
        "tenths": [asdict(one) for one in tenths(predicted, observed)],
        "groups": [asdict(one) for one in by_group(others, predicted)],
        "coefficients": dict(zip(PREDICTORS, pack.coefficients, strict=True)),
        "intercept": pack.intercept,
    }


def _models_table(report: dict[str, Any]) -> Table:
    table = Table(
        "judged on others", "people", "events", "c-statistic", "Brier", "captured", "observed/expected", box=None
    )
    for name, one in report["models"].items():
        table.add_row(
            name,
            f"{one['people']:,}",
            str(one["events"]),
            f"{one['c_statistic']:.3f}",
            f"{one['brier']:.4f}",
            f"{one['captured']:.0%}",
            f"{one['observed_to_expected']:.2f}",
        )
    return table


def _tenths_table(report: dict[str, Any]) -> Table:
    table = Table("tenth of people", "predicted", "observed", box=None)
    for number, one in enumerate(report["tenths"], 1):
        table.add_row(str(number), f"{one['predicted']:.1%}", f"{one['observed']:.1%}")
    return table


def _groups_table(report: dict[str, Any]) -> Table:
    table = Table("group", "people", "events", "observed/expected", "c-statistic", "flagged", "of events", box=None)
    for one in report["groups"]:
        judged = one["judged"]
        few = judged["events"] < _LEAST_EVENTS
        table.add_row(
            f"{one['characteristic']}: {one['name']}",
            f"{judged['people']:,}",
            str(judged["events"]),
            f"{judged['observed_to_expected']:.2f}{' *' if few else ''}",
            f"{judged['c_statistic']:.3f}{' *' if few else ''}",
            f"{one['flagged']:.0%}",
            f"{one['flagged_of_events']:.0%}",
        )
    return table


def _show(report: dict[str, Any]) -> None:
    results.print(
        f"Trained on {report['trained_on_people']:,} people, judged on {report['judged_on_people']:,} others: an "
        f"avoidable admission within {report['horizon_days']} days."
    )
    for table in (_models_table(report), _tenths_table(report), _groups_table(report)):
        results.print()
        results.print(table)
    results.print("\ncaptured, of events: share of events among the fifth with the highest predictions.")
    results.print(f"* fewer than {_LEAST_EVENTS} events: chance may be all that it shows.")


def _measures(report: dict[str, Any]) -> dict[str, Any]:
    best = report["models"]["all predictors"]
    return {
        "people_trained": report["trained_on_people"],
        "people_judged": report["judged_on_people"],
        **{name: round(best[name], _DIGITS) for name in ("c_statistic", "brier", "captured", "observed_to_expected")},
    }


def _pack_text(report: dict[str, Any], pack: CoefficientPack) -> str:
    return written(
        {
            "dated": pack.dated,
            "trained_on": pack.trained_on,
            "source": _SOURCE,
            "status": "unconfirmed",
            "intercept": pack.intercept,
            "measures": _measures(report),
            "coefficients": report["coefficients"],
            "typical": dict(zip(PREDICTORS, pack.typical, strict=True)),
        }
    )


def _split(histories: Sequence[History]) -> Iterator[list[History]]:
    """The first half of people to train on, the other to judge by."""
    middle = len(histories) // 2
    for first, last in pairwise((0, middle, len(histories))):
        yield list(histories[first:last])


async def _of_installation(installation: Installation) -> tuple[date, list[History]]:
    async with connected(installation.database_url("risk"), schema_of("risk")) as connection:
        day = await newest_day(connection)
        if day is None:
            raise Failure("No hospital admission is known: deliver claims first.")
        return day, await own_histories(connection, day)


def _own(installation: Installation) -> tuple[list[History], str]:
    require_ready(installation)
    day, histories = asyncio.run(_of_installation(installation))
    # Pseudonyms order people as chance would: no half has the older ones.
    if len(histories) < _LEAST_PEOPLE:
        raise Failure(f"{len(histories)} people with a score of {day.year}: at least {_LEAST_PEOPLE} are needed.")
    return histories, f"{len(histories) // 2} people of this installation, as of {day}"


def _simulated(people: int, seed: int) -> tuple[list[History], str]:
    histories = list(simulated_histories(seed, people))
    return histories, f"{len(histories) // 2} simulated people of seed {seed}"


@click.command("train-risk")
@click.option(
    "--people", type=click.IntRange(_LEAST_PEOPLE), default=6_000, show_default=True, help="Simulated people."
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same coefficients.")
@click.option("--own-history", is_flag=True, help="Learn from this installation's people instead of simulated ones.")
@click.option(
    "--dated", type=click.DateTime(["%Y-%m-%d"]), help="Day to write into the coefficients; today if not given."
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Where to write the coefficients.")
@folder_option
@json_option
def command(
    installation: Installation,
    people: int,
    seed: int,
    own_history: bool,
    dated: datetime | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Fit the model of avoidable admissions on half of the people and judge it on the other half.

    Shows discrimination, calibration and both by group, beside the HCC score alone and prior cost alone.
    """
    histories, trained_on = _own(installation) if own_history else _simulated(people, seed)
    trained, others = _split(histories)
    day = date.today() if dated is None else dated.date()  # noqa: DTZ011 - a day on the calendar of whoever trains
    pack = train(trained, day.isoformat(), trained_on)
    report = _report(trained, others, pack)
    if output is not None:
        try:
            output.write_text(_pack_text(report, pack), encoding="utf-8")
        except OSError as error:
            raise Failure(f"{output}: {error.strerror}") from None
    if as_json:
        print_json(report)
    else:
        _show(report)
