"""Health check of a container: ``python -m infra.compose.alive PORT PATH`` ends with 0 when the answer is 200."""

import sys
from http import HTTPStatus
from http.client import HTTPConnection


def alive(port: int, path: str) -> bool:
    """Ask this container's own HTTP port. Raises :class:`OSError` when nobody listens."""
    connection = HTTPConnection("127.0.0.1", port, timeout=4)
    connection.request("GET", path)
    return connection.getresponse().status == HTTPStatus.OK


if __name__ == "__main__":
    sys.exit(0 if alive(int(sys.argv[1]), sys.argv[2]) else 1)
