"""Dated parameters of intake, as data."""
