"""All pages of what the gateways answer, and words instead of a traceback where one does not answer."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from infra.command import gateways as module
from infra.command.comparison import Measure
from infra.command.gateways import Gateways
from infra.command.output import Failure
from infra.local.installation import SERVICES, Addresses

Answer = Callable[[httpx.Request], httpx.Response]
URLS = {service: f"http://{service}.test" for service in SERVICES}


def _gateways(answer: Answer) -> Gateways:
    return Gateways(Addresses(1, "h:1", "postgresql:///", URLS), httpx.Client(transport=httpx.MockTransport(answer)))


def _row(month: str, cents: int) -> dict[str, Any]:
    measure = Measure("medicare", "inpatient", month, "aligned", cents, 1, 0, 0)._asdict()
    return measure | {"pbpm": None, "person_months": 3, "basis": "services"}


def test_figures_are_read_to_the_last_page() -> None:
    pages = {"0": ([_row("2022-01", 5)], 1), "1": ([_row("2022-02", 6)], 2), "2": ([], None)}
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "cost-shift.test"
        assert request.url.params.get_list("group_by") == ["payer", "category", "month", "cohort"]
        asked.append(request.url.params["offset"])
        rows, following = pages[request.url.params["offset"]]
        return httpx.Response(200, json={"measures": rows, "next_offset": following})

    found = list(_gateways(answer).measures())
    assert asked == ["0", "1", "2"]
    assert [(measure.month, measure.cents) for measure in found] == [("2022-01", 5), ("2022-02", 6)]


def test_aligned_people_are_read_to_the_last_page() -> None:
    pages = {"": ("p1", ["2022-01"], "p1"), "p1": ("p2", ["2022-02", "2022-03"], None)}

    def answer(request: httpx.Request) -> httpx.Response:
        person, months, following = pages[request.url.params["after"]]
        return httpx.Response(200, json={"people": [{"person_id": person, "months": months}], "next_after": following})

    assert _gateways(answer).aligned_months() == {
        "p1": frozenset({"2022-01"}),
        "p2": frozenset({"2022-02", "2022-03"}),
    }


def test_person_months_are_told_apart_by_cohort_and_month() -> None:
    rows = [
        {"cohort": "aligned", "month": "2022-01", "person_months": 4},
        {"cohort": "comparison", "month": "2022-01", "person_months": 9},
    ]
    found = _gateways(lambda _request: httpx.Response(200, json={"person_months": rows})).person_months()
    assert found == {("aligned", "2022-01"): 4, ("comparison", "2022-01"): 9}


def _refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


@pytest.mark.parametrize(
    "answer", [_refuse, lambda _request: httpx.Response(503), lambda _request: httpx.Response(404)]
)
def test_a_gateway_that_does_not_answer_is_named_with_what_was_asked(answer: Answer) -> None:
    with pytest.raises(Failure, match="gateway of risk did not answer /v1/tiers"):
        _gateways(answer).get("risk", "/v1/tiers")


def test_each_gateway_is_waited_for_until_it_is_ready_and_asked_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_EVERY_SECONDS", 0)
    looks = dict.fromkeys(SERVICES, 0)
    late = {"risk": 3, "alignment": 2}

    def answer(request: httpx.Request) -> httpx.Response:
        service = request.url.host.removesuffix(".test")
        looks[service] += 1
        if looks[service] < late.get(service, 1):
            return _refuse(request) if service == "risk" else httpx.Response(503)
        return httpx.Response(200)

    tended: list[int] = []
    _gateways(answer).wait_until_ready(lambda: tended.append(1))
    assert looks == {"intake": 1, "alignment": 2, "risk": 3, "cost-shift": 1}
    assert len(tended) == 3


def test_waiting_for_gateways_has_an_end_and_names_who_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_READY_SECONDS", -1.0)
    silent = _gateways(lambda request: httpx.Response(503 if "risk" in request.url.host else 200))
    with pytest.raises(Failure) as raised:
        silent.wait_until_ready(lambda: None)
    assert "http://risk.test" in str(raised.value)
    assert "http://intake.test" not in str(raised.value)
