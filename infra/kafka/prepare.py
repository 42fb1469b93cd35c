"""Fetch Apache Kafka's jars before anything needs them: ``python -m infra.kafka.prepare``."""

import sys

from infra.kafka.apache_kafka import jars
from infra.local.ports import StartError


def main() -> int:
    """Fetch them, or say why not."""
    try:
        jars()
    except StartError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
