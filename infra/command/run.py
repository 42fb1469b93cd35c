"""``tandem run``: one process of a service in the foreground, for supervisors and containers.

Everything is set by the environment (TANDEM_…); the exit code says how it ended, see services/runtime/exits.py.
"""

import asyncio
import os
import sys

import click

from contracts.topics import Service
from infra.command.services import CONSUMING, definition_of, gateway_router_of
from infra.local.installation import SERVICES
from services.runtime.exits import RuntimeFailure
from services.runtime.processes import Main, run_process
from services.runtime.settings import Settings, load_settings
from services.runtime.telemetry import configure_logging, serve_metrics


def _settings(**given: str) -> Settings:
    try:
        return load_settings(**given)
    except RuntimeFailure as failure:
        click.echo(f"{type(failure).__name__}: {failure}", err=True)
        sys.exit(int(failure.code))


def _run(main: Main, settings: Settings, *, metrics: bool = True) -> None:
    configure_logging(settings.log_level)
    if metrics:
        serve_metrics(settings.metrics_port, settings.metrics_host)
    sys.exit(run_process(main))


@click.group("run")
def command() -> None:
    """Run one process of a service in the foreground, set by TANDEM_… variables."""


@command.command("worker")
@click.argument("service", metavar="SERVICE", type=click.Choice(CONSUMING))
def worker(service: Service) -> None:
    """Apply events to the read model of SERVICE."""
    from services.runtime.worker import run_worker  # noqa: PLC0415 - Faust takes a second to load

    settings = _settings()
    _run(lambda stop: run_worker(definition_of(service), settings, stop), settings)


@command.command("relay")
@click.argument("service", metavar="SERVICE", type=click.Choice(SERVICES))
def relay(service: Service) -> None:
    """Send what SERVICE has to say to Kafka, and cut its deliveries."""
    from services.runtime.relay import run_relay  # noqa: PLC0415 - loaded only by those that need it

    settings = _settings()
    _run(lambda stop: run_relay(definition_of(service), settings, stop), settings)


@command.command("gateway", short_help="Answer questions about the read model of SERVICE.")
@click.argument("service", metavar="SERVICE", type=click.Choice(SERVICES))
def gateway(service: Service) -> None:
    """Answer questions about the read model of SERVICE over HTTP, with its own /metrics."""
    from services.runtime.gateway import run_gateway  # noqa: PLC0415 - FastAPI is only for gateways

    settings = _settings()
    _run(
        lambda stop: run_gateway(definition_of(service), gateway_router_of(service), settings, stop),
        settings,
        metrics=settings.issuer is not None,  # a protected gateway does not show them among its routes
    )


@command.command("states-gateway", short_help="Answer states and entities outside, with a token alone.")
def states_gateway() -> None:
    """Answer states and entities outside about their own figures. TANDEM_DATABASE_URL must be in the reading role."""
    from services.cost_shift.states.gateway import router  # noqa: PLC0415 - FastAPI is only for gateways
    from services.runtime.gateway import run_gateway  # noqa: PLC0415 - as above

    settings = _settings(access="token")
    _run(lambda stop: run_gateway(definition_of("cost-shift"), router, settings, stop, scope=None), settings)


@command.command("intake")
def intake() -> None:
    """Take deliveries from the inbox."""
    from services.intake.worker import run_intake  # noqa: PLC0415 - readers are only for intake

    settings = _settings()
    _run(lambda stop: run_intake(settings, stop), settings)


@command.command("topics")
@click.option("--replication", type=click.IntRange(min=1), default=1, show_default=True, help="Copies of each topic.")
def topics(replication: int) -> None:
    """Make the topics of the registry that are missing, then end."""
    from services.runtime.provisioning import provision_topics  # noqa: PLC0415 - loaded only by those that need it

    settings = _settings(database_url=os.environ.get("TANDEM_DATABASE_URL", "not needed for topics"))

    async def provision(_stop: asyncio.Event) -> None:
        await provision_topics(settings, replication=replication)

    _run(provision, settings, metrics=False)
