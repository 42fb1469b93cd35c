"""Who may read through a gateway: clients, tokens, tenants, limits, and a record of every read."""
