"""Where each service declares itself: the one place that names all of them."""

import importlib
from typing import TYPE_CHECKING

from contracts.topics import Service
from infra.local.installation import SERVICES, schema_of
from services.runtime.service import ServiceDefinition

if TYPE_CHECKING:
    from fastapi import APIRouter

# Intake takes files, not topics, so it has no worker of the runtime.
CONSUMING: tuple[Service, ...] = tuple(service for service in SERVICES if service != "intake")


def definition_of(service: Service) -> ServiceDefinition:
    """What a service declares; only its own code is loaded."""
    module = importlib.import_module(f"services.{schema_of(service)}.worker")
    definition: ServiceDefinition = module.SERVICE
    return definition


def gateway_router_of(service: Service) -> "APIRouter":
    """The routes of a service."""
    module = importlib.import_module(f"services.{schema_of(service)}.gateway")
    router: APIRouter = module.router
    return router
