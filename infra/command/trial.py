"""One run of the whole system on a made-up population, held against the truth: what ``tandem demo`` does."""

import asyncio
import json
import random
import time
from base64 import b64decode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.command.comparison import Differences, Stated, all_months, compare, truth_of
from infra.command.delivering import (
    Handed,
    Outcome,
    Progress,
    hand_over,
    outcomes,
    wait_until_published,
    wait_until_ready,
)
from infra.command.gateways import Gateways
from infra.command.stack import Stack
from infra.command.status import read_all
from infra.local.installation import Installation, schema_of
from services.intake.sealing import IdentityKeys
from services.intake.vault import persons_of_mbis
from services.runtime.database import connected

# Kills come before this share of the deliveries is published, so that something is still going on.
_KILLS_WITHIN = 0.9


@dataclass
class Kills:
    """When to kill -9 a random process: at so many published deliveries each, drawn beforehand."""

    thresholds: list[int]
    choice: random.Random
    tell: Callable[[str], None]
    victims: list[str] = field(default_factory=list)

    @staticmethod
    def planned(kills: int, deliveries: int, seed: int, tell: Callable[[str], None]) -> "Kills":
        """Drawn from the seed, spread over the deliveries."""
        choice = random.Random(seed)
        latest = max(1, int(deliveries * _KILLS_WITHIN))
        return Kills(sorted(choice.randrange(latest) for _ in range(kills)), choice, tell)

    def strike(self, published: int, stack: Stack) -> None:
        """At most one a look, so that a killed process may come back in between."""
        if self.thresholds and published >= self.thresholds[0]:
            victim = stack.supervisor.kill_one_of(self.choice)
            if victim is not None:
                self.thresholds.pop(0)
                self.victims.append(victim)
                self.tell(f"kill -9 {victim}")


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a run showed. ``differences`` decides whether it was right."""

    truth: dict[str, Any]
    said: Stated
    differences: Differences
    outcomes: Sequence[Outcome]
    claims_applied: int
    dead_letters: int
    kills: int
    seconds: float

    def as_object(self) -> dict[str, Any]:
        """The one line for machines."""
        expected = self.truth["totals"]["claims"]
        fresh = [one for one in self.outcomes if not one.repeated]
        return {
            "people": self.truth["parameters"]["people"],
            "deliveries": len(self.outcomes),
            "events": sum(one.events for one in fresh),
            "claims_expected": expected,
            "claims_applied": self.claims_applied,
            "cents_expected": sum(row["cents"] for row in self.truth["measures"]),
            "cents_applied": sum(measure.cents for measure in self.said.measures),
            "cents_difference": self.differences.cents,
            "claims_difference": self.differences.claims,
            "crossover_difference": self.differences.crossover,
            "person_months_difference": self.differences.person_months,
            "alignment_months_different": self.differences.alignment_months,
            "dead_letters": self.dead_letters,
            "quarantined": sum(one.quarantined for one in fresh) + sum(one.status == "refused" for one in fresh),
            "kills": self.kills,
            "seconds": round(self.seconds, 1),
            "claims_per_second": round(self.claims_applied / self.seconds) if self.seconds else None,
        }

    @property
    def right(self) -> bool:
        """Whether every difference is 0, nothing was parked, and every claim was applied once."""
        return self.differences.none and not self.dead_letters and self.claims_applied == self.truth["totals"]["claims"]


def deliver_all(
    stack: Stack, truth: dict[str, Any], files: Path, kills: Kills, tell: Callable[[Progress], None]
) -> tuple[list[Handed], float]:
    """Hand everything over in its order, and wait until the last is published. The seconds that it took."""
    installation = stack.installation
    wait_until_ready(installation, tend=stack.tend)
    started = time.monotonic()
    paths = [files / delivery["path"] for delivery in truth["deliveries"]]
    handed = asyncio.run(hand_over(installation, paths, keep_copies=False))
    last = max(one.registration.sequence for one in handed)

    def look(progress: Progress) -> None:
        kills.strike(progress.slowest, stack)
        tell(progress)

    wait_until_published(installation, last, tend=stack.tend, tell=look)
    return handed, time.monotonic() - started


async def people_of(installation: Installation, truth: dict[str, Any]) -> dict[str, str]:
    """The person of each MBI of the truth, from intake's vault, in intake's role."""
    kept = installation.secrets
    keys = IdentityKeys(b64decode(kept.pseudonym_key), *kept.payload_keys())
    mbis = [mbi for row in truth["alignment"] for mbi in row["mbis"]]
    async with connected(installation.database_url("intake"), schema_of("intake")) as connection:
        return await persons_of_mbis(connection, keys, mbis, synthetic=True)


# Repeats and superseded versions are kept once each, so the count is of what was delivered, not of what stands.
_CLAIMS = "SELECT count(*) FROM (SELECT DISTINCT payer, person_id, record_id, version FROM claim_contribution) AS claim"


async def _claims_applied(installation: Installation) -> int:
    async with connected(installation.database_url("cost-shift"), schema_of("cost-shift")) as connection:
        return int(await connection.fetchval(_CLAIMS))


def report(
    stack: Stack, gateways: Gateways, truth: dict[str, Any], handed: Sequence[Handed], kills: Kills, seconds: float
) -> Report:
    """Ask the gateways for everything, and hold it against the truth."""
    installation = stack.installation
    gateways.wait_until_ready(stack.tend)
    said = Stated(tuple(gateways.measures()), gateways.person_months(), gateways.aligned_months())
    true = truth_of(truth, asyncio.run(people_of(installation, truth)))
    parked = sum(sum(status.dead_letters.values()) for status in asyncio.run(read_all(installation)))
    return Report(
        truth,
        said,
        compare(true, said, all_months(truth)),
        asyncio.run(outcomes(installation, handed)),
        asyncio.run(_claims_applied(installation)),
        parked,
        len(kills.victims),
        seconds,
    )


def read_truth(simulation: Path) -> dict[str, Any]:
    """What the simulator wrote down."""
    truth: dict[str, Any] = json.loads((simulation / "truth.json").read_text())
    return truth
