"""``python -m infra.bench.contestant NAME MESSAGES``: one contestant, one run, one line of JSON on standard output."""

import asyncio
import sys

from infra.bench.contestants import CONTESTANTS
from services.runtime.settings import load_settings
from services.runtime.telemetry import configure_logging

if __name__ == "__main__":
    _, name, count = sys.argv
    configure_logging("warning")
    outcome = asyncio.run(CONTESTANTS[name](load_settings(), int(count)))
    sys.stdout.write(outcome.text() + "\n")
