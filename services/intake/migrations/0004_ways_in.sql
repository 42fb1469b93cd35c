-- The shape of what stood in the field, and what should have: never the text.
ALTER TABLE quarantined_line ADD COLUMN found text;
ALTER TABLE quarantined_line ADD COLUMN expected text;
