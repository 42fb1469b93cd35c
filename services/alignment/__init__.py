"""Alignment: who belongs to which entity, in which month, why, and since when that is known."""
