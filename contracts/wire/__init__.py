"""Published record layouts of the wire formats, as data: positions 1-based and inclusive."""
