"""The benchmark: Tandem's worker beside a plain loop, textbook Faust and bare consumption, on Apache Kafka."""
