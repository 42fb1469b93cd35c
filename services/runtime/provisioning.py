"""Topics are made from the registry, before anything reads or writes them."""

from collections.abc import Iterable, Sequence

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from contracts.topics import TOPICS, Topic
from services.runtime.exits import BrokerUnreachable, TopicsUnusable
from services.runtime.log import reading, require_topics
from services.runtime.settings import Settings
from services.runtime.telemetry import log

_ALREADY_THERE = TopicAlreadyExistsError.errno


def _as_new(topic: Topic, replication: int) -> NewTopic:
    policy = "compact" if topic.compacted else "delete"
    return NewTopic(
        name=topic.name,
        num_partitions=topic.partitions,
        replication_factor=replication,
        topic_configs={"cleanup.policy": policy, "retention.ms": str(topic.retention_ms)},
    )


async def provision_topics(settings: Settings, topics: Sequence[Topic] = TOPICS, *, replication: int = 1) -> int:
    """Create what is missing and check all partition counts. Returns how many were created.

    Raises :class:`BrokerUnreachable`, :class:`TopicsUnusable`.
    """
    async with reading(settings.bootstrap_servers(), settings.start_timeout_seconds) as reader:
        found = await reader.partitions(topic.name for topic in topics)
        missing = [topic for topic in topics if not found[topic.name]]
        if missing:
            await _create(settings.bootstrap_servers(), [_as_new(topic, replication) for topic in missing])
        await require_topics(reader, topics, settings.start_timeout_seconds)
    log("topics_provisioned", count=len(missing))
    return len(missing)


async def _create(servers: list[str], topics: Sequence[NewTopic]) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=servers)
    try:
        await client.start()
        response = await client.create_topics(topics)
    except (TimeoutError, KafkaError) as error:
        raise BrokerUnreachable(f"topics could not be created: {type(error).__name__}") from error
    finally:
        await client.close()
    _check(response.topic_errors)


def _check(errors: Iterable[Sequence[object]]) -> None:
    """Another process may have created a topic in between; that is as good."""
    faults = [f"{error[0]}: {for_code(error[1]).__name__}" for error in errors if error[1] not in (0, _ALREADY_THERE)]
    if faults:
        raise TopicsUnusable("; ".join(faults))
