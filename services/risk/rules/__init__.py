"""One rule a module: pure functions over frozen values."""
