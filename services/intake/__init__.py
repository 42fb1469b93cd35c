"""Intake: files in, events about people out. The only service that knows who a person is."""
