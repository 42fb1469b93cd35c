"""Intake's process, which ends itself as kill -9 does at a point of its work. Started by ``test_intake_killed.py``."""

import argparse
import asyncio
import base64
from datetime import UTC, datetime

from runtime_tally import killer

from services.intake import pipeline
from services.intake.worker import run_intake
from services.runtime.settings import load_settings
from services.runtime.transactions import no_probe

RECEIVED_AT = datetime(2022, 6, 10, 6, tzinfo=UTC)


def main() -> None:
    """Take what lies in the inbox until killed, by oneself or by others."""
    parser = argparse.ArgumentParser()
    for name in ("database_url", "schema", "inbox"):
        parser.add_argument(name)
    parser.add_argument("--die-at", default="")
    arguments = parser.parse_args()
    # Every file is small here: as many points as a large one has.
    pipeline.EVENTS_A_CHUNK = 3
    settings = load_settings(
        database_url=arguments.database_url,
        schema_name=arguments.schema,
        brokers="127.0.0.1:1",
        pseudonym_key=base64.b64encode(b"k" * 32).decode(),
        payload_key=base64.b64encode(b"s" * 32).decode(),
        synthetic_identifiers=True,
        inbox=arguments.inbox,
        inbox_settle_seconds=0,
    )
    probe = killer(arguments.die_at, 1) if arguments.die_at else no_probe
    asyncio.run(run_intake(settings, asyncio.Event(), clock=lambda: RECEIVED_AT, probe=probe))


if __name__ == "__main__":
    main()
