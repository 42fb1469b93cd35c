-- Of when the delivery is, by its sender's word: how long after a month its claims came in.
ALTER TABLE revision ADD COLUMN dated date;
UPDATE revision SET dated = known_at::date;
ALTER TABLE revision ALTER COLUMN dated SET NOT NULL;
