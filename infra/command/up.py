"""``tandem up``: an installation on this machine, in the foreground."""

import signal
import threading
from types import FrameType

import click
from rich.table import Table

from infra.command.output import folder_option, people, state_option
from infra.command.stack import BrokerKind, Stack, preferred_broker, running
from infra.local.installation import Installation

_TEND_EVERY_SECONDS = 0.5


def stop_on_signal() -> None:
    """Let SIGTERM end the command as Ctrl-C does: everything that was started is stopped."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


def stop_signal() -> threading.Event:
    """An event that Ctrl-C and SIGTERM set."""
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    return stopping


def show_addresses(installation: Installation) -> None:
    """Where everything answers."""
    addresses = installation.addresses()
    table = Table(title="Tandem is up", show_header=False, title_justify="left")
    for service, url in addresses.gateways.items():
        table.add_row(service, f"{url}/openapi.json")
    table.add_row("for states, with a token", f"{addresses.states}/openapi.json")
    table.add_row("broker", addresses.brokers)
    table.add_row("logs", str(installation.logs))
    people.print(table)


def stay_up(stack: Stack) -> None:
    """Keep everything running until a signal."""
    stopping = stop_signal()
    people.print("Ctrl-C stops everything.")
    while not stopping.wait(_TEND_EVERY_SECONDS):
        stack.tend()
    people.print("Stopping …")


@click.command("up")
@folder_option
@click.option(
    "--broker",
    type=click.Choice(["embedded", "kafka"]),
    default=preferred_broker,
    help="Apache Kafka keeps its log; the embedded broker needs no Java and starts empty each time. "
    "[default: kafka where Java and Maven are installed]",
)
@state_option("The state that this installation serves.")
@click.option("--synthetic", is_flag=True, help="Admit the impossible identifiers of test data. Never with real data.")
def command(installation: Installation, broker: BrokerKind, state: str, synthetic: bool) -> None:
    """Start an installation on this machine and keep it running until Ctrl-C.

    Its data stay in the folder. Deliver files from another terminal: tandem deliver FILE…
    """
    stop_on_signal()
    if broker == "embedded":
        people.print("The embedded broker keeps nothing: this installation starts empty.")
    stack = Stack(installation, broker, durable=True, synthetic_identifiers=synthetic, state=state, tell=people.print)
    with running(stack):
        show_addresses(installation)
        stay_up(stack)
