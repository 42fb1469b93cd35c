"""The rules of every integrated-care arrangement: pure functions over what is known of a person's month."""
