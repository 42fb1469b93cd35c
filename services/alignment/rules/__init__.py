"""One rule a module: pure functions over what is known about one person's month."""
