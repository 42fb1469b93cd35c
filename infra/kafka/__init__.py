"""Apache Kafka itself, one KRaft node from Maven Central, for development and tests."""
