"""What a state or an entity outside may ask: figures that may be shown, of its own rows alone."""
