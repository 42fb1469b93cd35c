-- A version counts under its person from since until another delivery said that it is somebody else's. alias: by which
-- identifier the source named the person. sequence stays the delivery that held it first.
ALTER TABLE claim_contribution ADD COLUMN since bigint, ADD COLUMN until bigint, ADD COLUMN alias text COLLATE "C";
UPDATE claim_contribution SET since = sequence, alias = person_id;
ALTER TABLE claim_contribution ALTER COLUMN since SET NOT NULL, ALTER COLUMN alias SET NOT NULL;
ALTER TABLE claim_contribution DROP CONSTRAINT claim_contribution_pkey;
ALTER TABLE claim_contribution ADD PRIMARY KEY (person_id, payer, record_id, version, alias, since, sequence, part);

-- Who turned out to be whom, and whether what follows from it has been put in order.
CREATE TABLE person_move (
    sequence bigint NOT NULL,
    source text COLLATE "C" NOT NULL,
    target text COLLATE "C" NOT NULL,
    -- Null: everything that lies under the source.
    aliases text[],
    settled boolean NOT NULL DEFAULT false,
    PRIMARY KEY (sequence, source, target)
);
CREATE INDEX person_move_source ON person_move (source, sequence);
CREATE INDEX person_move_target ON person_move (target, sequence);
CREATE INDEX person_move_waiting ON person_move (sequence) WHERE NOT settled;

-- Deliveries between which somebody is known to be somebody else: no month of theirs is counted.
CREATE TABLE gone (
    person_id text COLLATE "C" NOT NULL,
    since bigint NOT NULL,
    until bigint,
    PRIMARY KEY (person_id, since)
);
