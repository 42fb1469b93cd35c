"""Which partition a key belongs to: murmur2, as Kafka's own clients do it, so that topics stay co-partitioned."""

from functools import lru_cache

from aiokafka.partitioner import murmur2

_POSITIVE = 0x7FFFFFFF


# Pure Python takes ten microseconds a key, and the same people come again and again.
@lru_cache(maxsize=65_536)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key in a topic with so many partitions."""
    return int(murmur2(key) & _POSITIVE) % partitions
