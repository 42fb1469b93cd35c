-- The shape of what stood in the field, and what should have: never the text.
ALTER TABLE quarantined_line ADD COLUMN found text;
ALTER TABLE quarantined_line ADD COLUMN expected text;

-- held: it can be read, and lies still until somebody releases or rejects it. Nothing of it was published.
ALTER TABLE delivery DROP CONSTRAINT delivery_status_check;
ALTER TABLE delivery ADD CONSTRAINT delivery_status_check
    CHECK (status IN ('registered', 'staged', 'held', 'completed', 'refused'));
ALTER TABLE delivery DROP CONSTRAINT delivery_check;
ALTER TABLE delivery ADD CONSTRAINT delivery_reason_check
    CHECK ((status IN ('held', 'refused')) = (reason_code IS NOT NULL));
-- Somebody has released it: it is not held again.
ALTER TABLE delivery ADD COLUMN released boolean NOT NULL DEFAULT false;
-- Whom it names, and against the last delivery of its kind and source: who is new, gone, or told of otherwise.
-- Null: not read, or nothing to compare with.
ALTER TABLE delivery ADD COLUMN people bigint;
ALTER TABLE delivery ADD COLUMN people_added bigint;
ALTER TABLE delivery ADD COLUMN people_gone bigint;
ALTER TABLE delivery ADD COLUMN people_changed bigint;
ALTER TABLE delivery ADD COLUMN compared_with bigint;

-- What a delivery held: records by what they are about.
CREATE TABLE delivery_content (
    delivery_id text NOT NULL REFERENCES delivery (delivery_id),
    what text NOT NULL,
    records bigint NOT NULL,
    PRIMARY KEY (delivery_id, what)
);

-- Who decided about a held delivery, and why.
CREATE TABLE delivery_decision (
    delivery_id text NOT NULL REFERENCES delivery (delivery_id),
    held_sequence bigint NOT NULL,
    decision text NOT NULL CHECK (decision IN ('released', 'rejected')),
    -- The number under which a released delivery was taken again.
    sequence bigint,
    reason_code text NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (delivery_id, held_sequence)
);

-- Whom the deliveries of a kind and source name, and a hash of what is stated about each: from one delivery on, until
-- the one that says otherwise. People are pseudonyms. A delivery that is read again undoes its own rows first.
CREATE TABLE delivered_person (
    kind text NOT NULL,
    source text NOT NULL,
    person_id text COLLATE "C" NOT NULL,
    content bytea NOT NULL,
    since bigint NOT NULL,
    until bigint
);
CREATE UNIQUE INDEX delivered_person_now ON delivered_person (kind, source, person_id) WHERE until IS NULL;
CREATE INDEX delivered_person_since ON delivered_person (since);
CREATE INDEX delivered_person_until ON delivered_person (until) WHERE until IS NOT NULL;
