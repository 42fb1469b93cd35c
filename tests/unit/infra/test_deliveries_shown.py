"""A list of deliveries is whole on every width, and in a pipe a line a delivery."""

import io
from datetime import date

import pytest
from rich.console import Console

from infra.command import deliveries_shown
from infra.command.output import results
from services.intake.shown import CountShown, DeliveryShown

_NAME = "ALIGNMENT_REPORT.D9001.202202.D220210.csv"


def _delivery(**told: object) -> DeliveryShown:
    plain = {
        "delivery_id": "d" + "0" * 32,
        "sequence": 17,
        "kind": "alignment_report",
        "source": "D9001",
        "name": _NAME,
        "dated": date(2022, 2, 10),
        "received_at": None,
        "status": "completed",
    }
    return DeliveryShown.model_validate(plain | told)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> io.StringIO:
    written = io.StringIO()
    console = Console(file=written, width=request.param, highlight=False)
    monkeypatch.setattr(deliveries_shown, "results", console)
    return written


@pytest.mark.parametrize("shown", [200], indirect=True)
def test_where_there_is_room_a_delivery_is_a_line(shown: io.StringIO) -> None:
    deliveries_shown.show_deliveries([_delivery(records=1200), _delivery(status="refused", reason_code="wrong_period")])
    head, first, second = shown.getvalue().splitlines()
    assert head.split()[:3] == ["number", "dated", "kind"]
    assert first.split() == ["17", "2022-02-10", "alignment_report", "D9001", _NAME, "completed", "1,200", "0"]
    assert "refused wrong_period" in second


@pytest.mark.parametrize("shown", [80, 40], indirect=True)
def test_where_there_is_none_nothing_is_cropped(shown: io.StringIO) -> None:
    deliveries_shown.show_deliveries(
        [_delivery(records=1200, people=3, people_gone=1), _delivery(sequence=None, status="pending", kind=None)]
    )
    assert shown.getvalue().splitlines() == [
        "17  2022-02-10  alignment_report from D9001: completed",
        f"    {_NAME}",
        "    1,200 records, 3 people, 1 gone",
        "    2022-02-10  a file of no known kind from D9001: pending",
        f"    {_NAME}",
        "    nothing read",
    ]


@pytest.mark.parametrize("shown", [100], indirect=True)
@pytest.mark.parametrize(("reason", "advised"), [("not_an_mbi", True), ("not_a_date", False)])
def test_made_up_identifiers_are_told_how_to_be_read(shown: io.StringIO, reason: str, *, advised: bool) -> None:
    counts = [CountShown(delivery_id="d" + "0" * 32, file=f"ZC{number}", field="BENE", reason=reason, lines=2)
              for number in (1, 8)]  # fmt: skip
    deliveries_shown.show_faults(counts)
    assert shown.getvalue().count("tandem up --synthetic") == int(advised)


def test_a_pipe_has_no_width() -> None:
    # As everywhere where standard output is no terminal; a terminal tells its own.
    assert results.width > 1000 or results.is_terminal
