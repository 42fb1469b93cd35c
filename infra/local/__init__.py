"""The embedded stack: PostgreSQL and a broker from pip wheels, and the supervisor of local processes."""
