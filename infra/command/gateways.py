"""What the gateways answer, page by page: the same that anybody else would be told."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from contracts.topics import Service
from infra.command.comparison import Measure
from infra.command.output import Failure
from infra.local.installation import Addresses

_SECONDS = 60.0
_PAGE = 5_000
_READY_SECONDS = 60.0
_LOOK_EVERY_SECONDS = 0.2


@dataclass(frozen=True)
class Gateways:
    """One client for all of them."""

    addresses: Addresses
    client: httpx.Client

    def get(self, service: Service, path: str, **parameters: Any) -> Any:  # noqa: ANN401 - JSON
        """One answer.

        Raises:
            Failure: no answer, or a problem instead of one.
        """
        try:
            answer = self.client.get(f"{self.addresses.gateways[service]}{path}", params=parameters)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise Failure(f"The gateway of {service} did not answer {path}: {error}") from error
        return answer.json()

    def wait_until_ready(self, tend: Callable[[], None]) -> None:
        """Wait until all of them can answer.

        Raises:
            Failure: not in time.
        """
        deadline = time.monotonic() + _READY_SECONDS
        waiting = set(self.addresses.gateways.values())
        while waiting:
            tend()
            waiting = {url for url in waiting if not self._is_ready(url)}
            if waiting and time.monotonic() > deadline:
                raise Failure(f"Not ready after {_READY_SECONDS:.0f} s: {', '.join(sorted(waiting))}")
            time.sleep(_LOOK_EVERY_SECONDS if waiting else 0)

    def _is_ready(self, url: str) -> bool:
        try:
            return self.client.get(f"{url}/ready").is_success
        except httpx.HTTPError:
            return False

    def measures(self) -> Iterator[Measure]:
        """Every published figure, by payer, category, month and cohort."""
        offset: int | None = 0
        while offset is not None:
            group_by = ["payer", "category", "month", "cohort"]
            answer = self.get("cost-shift", "/v1/measures", group_by=group_by, limit=_PAGE, offset=offset)
            for row in answer["measures"]:
                yield Measure(**{name: row[name] for name in Measure._fields})
            offset = answer["next_offset"]

    def person_months(self) -> dict[tuple[str, str], int]:
        """Published person-months by cohort and month."""
        answer = self.get("cost-shift", "/v1/person-months", group_by=["cohort", "month"])
        return {(row["cohort"], row["month"]): row["person_months"] for row in answer["person_months"]}

    def aligned_months(self) -> dict[str, frozenset[str]]:
        """The aligned months of everybody who has any."""
        aligned: dict[str, frozenset[str]] = {}
        after: str | None = ""
        while after is not None:
            answer = self.get("alignment", "/v1/alignment/persons", after=after, limit=_PAGE)
            aligned |= {row["person_id"]: frozenset(row["months"]) for row in answer["people"]}
            after = answer["next_after"]
        return aligned


def open_gateways(addresses: Addresses) -> Gateways:
    """To be closed by ``gateways.client``."""
    return Gateways(addresses, httpx.Client(timeout=_SECONDS))
