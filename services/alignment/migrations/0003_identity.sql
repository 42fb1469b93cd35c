-- A fact counts under its person from since until another delivery said that it is somebody else's. alias: by which
-- identifier the source named the person. sequence stays the delivery that stated it: by it statements compete.
ALTER TABLE fact ADD COLUMN since bigint;
ALTER TABLE fact ADD COLUMN until bigint;
ALTER TABLE fact ADD COLUMN alias text;
UPDATE fact SET since = sequence, alias = person_id;
ALTER TABLE fact ALTER COLUMN since SET NOT NULL;
ALTER TABLE fact ALTER COLUMN alias SET NOT NULL;
ALTER TABLE fact DROP CONSTRAINT fact_pkey;
ALTER TABLE fact ADD PRIMARY KEY (person_id, since, event_id);

-- Who turned out to be whom, and whether what follows from it has been put in order.
CREATE TABLE person_move (
    sequence bigint NOT NULL,
    source text NOT NULL,
    target text NOT NULL,
    -- Null: everything that lies under the source.
    aliases text[],
    settled boolean NOT NULL DEFAULT false,
    PRIMARY KEY (sequence, source, target)
);
CREATE INDEX person_move_source ON person_move (source, sequence);
CREATE INDEX person_move_target ON person_move (target, sequence);
CREATE INDEX person_move_waiting ON person_move (sequence) WHERE NOT settled;
