"""Reader of a delivery whose first resource is of this kind: FHIR Patient resources. See :mod:`services.intake.readers.fhir_delivery`."""

from services.intake.readers.fhir_delivery import read

__all__ = ["read"]
