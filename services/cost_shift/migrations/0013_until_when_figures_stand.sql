-- Until which revision a figure was the one to show; none: it still is. What is shown as of a revision is read as it is, without
-- looking for the newest showing of every figure among all before it.
ALTER TABLE released_measure ADD COLUMN until bigint;
UPDATE released_measure SET until = later.revision FROM released_measure AS later
WHERE (later.state, later.entity, later.cohort, later.payer, later.category, later.month, later.previous_revision)
    = (released_measure.state, released_measure.entity, released_measure.cohort, released_measure.payer,
        released_measure.category, released_measure.month, released_measure.revision);
CREATE INDEX released_measure_as_of ON released_measure (state, until);
