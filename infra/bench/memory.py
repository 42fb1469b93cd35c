"""The most memory that this process has held."""

from pathlib import Path

_KILOBYTES_A_MEGABYTE = 1024


def peak_megabytes() -> float:
    """Of resident memory, since the process began (Linux)."""
    # Not getrusage: what it tells begins with the memory of the process that started this one.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(one for one in status.splitlines() if one.startswith("VmHWM"))
    return int(line.split()[1]) / _KILOBYTES_A_MEGABYTE
