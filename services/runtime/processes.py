"""Running something until a signal comes, and saying by exit code how it ended."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

from services.runtime.exits import ExitCode, RuntimeFailure
from services.runtime.telemetry import log

Main = Callable[[asyncio.Event], Awaitable[None]]


async def until_signalled(main: Main) -> ExitCode:
    """Run ``main`` with an event that SIGTERM or SIGINT sets, and turn its end into an exit code."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await main(stop)
    except RuntimeFailure as failure:
        log("stopped", level="error", reason=str(failure), exit_code=int(failure.code), error=type(failure).__name__)
        return failure.code
    return ExitCode.STOPPED


def run_process(main: Main) -> int:
    """For a command: run ``main`` to its end and return the exit code."""
    return int(asyncio.run(until_signalled(main)))
