"""Dated parameters with their source and status."""
