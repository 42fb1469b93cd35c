"""How Tandem is run: locally, on Apache Kafka, in containers; and the simulator. Imported by nothing but its own commands and tests."""
