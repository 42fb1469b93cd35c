-- A fact counts under its person from since until another delivery said that it is somebody else's. alias: by which
-- identifier the source named the person. sequence stays the delivery that stated it.
ALTER TABLE statement ADD COLUMN since bigint, ADD COLUMN until bigint, ADD COLUMN alias text;
UPDATE statement SET since = sequence, alias = person_id;
ALTER TABLE statement ALTER COLUMN since SET NOT NULL, ALTER COLUMN alias SET NOT NULL;
ALTER TABLE statement DROP CONSTRAINT statement_pkey;
ALTER TABLE statement ADD PRIMARY KEY (person_id, event_id, ordinal, since);

ALTER TABLE claim_record ADD COLUMN since bigint, ADD COLUMN until bigint, ADD COLUMN alias text;
UPDATE claim_record SET since = sequence, alias = person_id;
ALTER TABLE claim_record ALTER COLUMN since SET NOT NULL, ALTER COLUMN alias SET NOT NULL;
ALTER TABLE claim_record DROP CONSTRAINT claim_record_pkey;
ALTER TABLE claim_record ADD PRIMARY KEY (person_id, record_id, version, alias, since);

ALTER TABLE facility_stay ADD COLUMN since bigint, ADD COLUMN until bigint, ADD COLUMN alias text;
UPDATE facility_stay SET since = sequence, alias = person_id;
ALTER TABLE facility_stay ALTER COLUMN since SET NOT NULL, ALTER COLUMN alias SET NOT NULL;
ALTER TABLE facility_stay DROP CONSTRAINT facility_stay_pkey;
ALTER TABLE facility_stay ADD PRIMARY KEY (person_id, record_id, version, alias, since);

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
