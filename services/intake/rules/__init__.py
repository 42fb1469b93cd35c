"""What intake decides about single records: pure, one rule a module."""
