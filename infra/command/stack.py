"""The whole of Tandem on this machine: PostgreSQL, a broker, and every worker, relay and gateway.

Composes the servers with the supervisor; what a process does once it runs is the command's business.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Literal

from contracts.topics import Service
from infra.kafka.apache_kafka import ApacheKafka
from infra.local.embedded_broker import EmbeddedBroker
from infra.local.installation import SERVICES, Addresses, Installation, reading_role_of, role_of
from infra.local.ports import StartError, free_port
from infra.local.postgresql import PostgreSQL
from infra.local.provisioning import DATABASE, provision_database
from infra.local.supervisor import ProcessSpecification, Supervisor
from services.runtime.provisioning import provision_topics
from services.runtime.settings import load_settings

BrokerKind = Literal["embedded", "kafka"]
_RUN = (sys.executable, "-m", "infra.command", "run")
# Short: a killed worker's partitions wait this long for its successor where it does not come back under its slot.
_SESSION_TIMEOUT_SECONDS = "6"


def preferred_broker() -> BrokerKind:
    """Apache Kafka where this machine can run it: it keeps its log."""
    return "kafka" if shutil.which("java") and shutil.which("mvn") else "embedded"


@dataclass
class Stack:
    """One installation, running. Owned by one thread, which calls :meth:`tend` while it waits for anything."""

    installation: Installation
    broker_kind: BrokerKind
    durable: bool
    synthetic_identifiers: bool
    state: str = "OH"
    tell: Callable[[str], None] = print
    supervisor: Supervisor = field(init=False)
    _states_port: int = field(init=False)
    postgresql: PostgreSQL = field(init=False)
    broker: ApacheKafka | EmbeddedBroker = field(init=False)

    def start(self) -> None:
        """Bring everything up.

        Raises:
            StartError: it runs already, or something does not start.
        """
        if self.installation.is_running():
            raise StartError(f"Tandem is already running from {self.installation.folder}.")
        if self.broker_kind == "embedded":
            self._forget()
        self.installation.prepare()
        folder = self.installation.folder
        self.postgresql = PostgreSQL(folder, durable=self.durable)
        self.broker = ApacheKafka(folder / "kafka") if self.broker_kind == "kafka" else EmbeddedBroker(folder)
        self.tell("starting PostgreSQL 18")
        self.postgresql.start()
        self.tell(f"starting {'Apache Kafka' if self.broker_kind == 'kafka' else 'the embedded broker'}")
        self.broker.start()
        asyncio.run(self._provision())
        self.tell("starting workers, relays and gateways")
        gateways = {service: free_port() for service in SERVICES}
        self._states_port = free_port()
        specifications = (*self._specifications(gateways), self._states_gateway())
        self.supervisor = Supervisor(specifications, self.installation.logs)
        self.installation.announce(self._addresses(gateways, specifications))
        self.supervisor.start()

    def _forget(self) -> None:
        """The embedded broker starts with an empty log, so positions and rows of an older one must go with it."""
        for name in ("postgresql", "inbox"):
            shutil.rmtree(self.installation.folder / name, ignore_errors=True)

    async def _provision(self) -> None:
        kept = self.installation.secrets
        reading: dict[Service, str] = {"cost-shift": kept.reading_password or ""}
        await provision_database(self.postgresql.url, kept.passwords, reading)
        await provision_topics(load_settings(database_url=self.postgresql.url, brokers=self.broker.address))

    def _addresses(self, gateways: dict[Service, int], specifications: Sequence[ProcessSpecification]) -> Addresses:
        urls = {service: f"http://127.0.0.1:{port}" for service, port in gateways.items()}
        database = self.postgresql.address("{role}", "{password}", DATABASE)
        metrics = {one.name: _metrics_of(one) for one in specifications}
        return Addresses(os.getpid(), self.broker.address, database, urls, metrics, self._states_url())

    def _specifications(self, gateways: dict[Service, int]) -> tuple[ProcessSpecification, ...]:
        gateway_processes = [
            self._specification(f"{service}-gateway", ("gateway", service), service, killable=False, port=port)
            for service, port in gateways.items()
        ]
        relays = [self._specification(f"{service}-relay", ("relay", service), service) for service in SERVICES]
        workers = [
            self._specification(f"{service}-worker", ("worker", service), service)
            for service in SERVICES
            if service != "intake"
        ]
        return (*workers, *relays, *gateway_processes, self._intake_worker())

    def _states_url(self) -> str:
        return f"http://127.0.0.1:{self._states_port}"

    def _states_gateway(self) -> ProcessSpecification:
        """Cost shift's figures for others: in a role that owns nothing, and for nobody without a token."""
        kept = self.installation.secrets
        gateway = self._specification("states-gateway", ("states-gateway",), "cost-shift", killable=False)
        reading = self.postgresql.address(reading_role_of("cost-shift"), kept.reading_password or "", DATABASE)
        own = {
            "TANDEM_DATABASE_URL": reading,
            "TANDEM_GATEWAY_PORT": str(self._states_port),
            "TANDEM_METRICS_PORT": str(free_port()),
            "TANDEM_ACCESS": "token",
            "TANDEM_ISSUER": self._states_url(),
            "TANDEM_SIGNING_KEY": kept.signing_key or "",
        }
        return replace(gateway, environment={**gateway.environment, **own})

    def _intake_worker(self) -> ProcessSpecification:
        # Nobody else, intake's own relay and gateway included, may turn an identifier into a person.
        own = {"TANDEM_PSEUDONYM_KEY": self.installation.secrets.pseudonym_key}
        worker = self._specification("intake-worker", ("intake",), "intake")
        return replace(worker, environment={**worker.environment, **own})

    def _specification(
        self, name: str, words: tuple[str, ...], service: Service, *, killable: bool = True, port: int | None = None
    ) -> ProcessSpecification:
        environment = self._environment(service)
        if service == "intake":  # its worker takes from there what its gateway puts there
            environment["TANDEM_INBOX"] = str(self.installation.inbox)
        port_of = "TANDEM_METRICS_PORT" if port is None else "TANDEM_GATEWAY_PORT"
        environment[port_of] = str(port or free_port())
        return ProcessSpecification(name, (*_RUN, *words), environment, killable)

    def _environment(self, service: Service) -> dict[str, str]:
        kept = self.installation.secrets
        return {
            "TANDEM_DATABASE_URL": self.postgresql.address(role_of(service), kept.passwords[service], DATABASE),
            "TANDEM_BROKERS": self.broker.address,
            "TANDEM_STATE": self.state,
            "TANDEM_SYNTHETIC_IDENTIFIERS": str(self.synthetic_identifiers).lower(),
            "TANDEM_PAYLOAD_KEY": kept.payload_key,
            # Empty: none.
            "TANDEM_PREVIOUS_PAYLOAD_KEY": kept.previous_payload_key or "",
            "TANDEM_SESSION_TIMEOUT_SECONDS": _SESSION_TIMEOUT_SECONDS,
        }

    def tend(self) -> None:
        """Start again what has ended. Raises :class:`StartError` where something keeps failing."""
        self.supervisor.tend()

    def stop(self) -> None:
        """Stop everything that was started, in order, however far :meth:`start` came."""
        if hasattr(self, "supervisor"):  # else the addresses are those of somebody else, or nobody's
            self.installation.withdraw()
        for part in ("supervisor", "broker", "postgresql"):
            if hasattr(self, part):
                getattr(self, part).stop()


def _metrics_of(process: ProcessSpecification) -> str:
    """A gateway answers them beside its routes; every other process on a port for them alone."""
    environment = process.environment
    port = environment.get("TANDEM_METRICS_PORT") or environment["TANDEM_GATEWAY_PORT"]
    return f"http://127.0.0.1:{port}/metrics"


@contextmanager
def running(stack: Stack) -> Iterator[Stack]:
    """The stack, while it runs."""
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()
