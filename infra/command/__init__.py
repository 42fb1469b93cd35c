"""The ``tandem`` command: the composition root, the only place that sees everything."""
