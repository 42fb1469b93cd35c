-- What is kept of a record of a physician's claim: its lines that a pack may count, as JSON, cancelled ones below zero.
-- Appended; a newer version of a record takes the place of an older one when visits are read as known at a delivery.
CREATE TABLE visit_record (
    person_id text NOT NULL,
    record_id text NOT NULL,
    version bigint NOT NULL,
    -- The delivery that stated it; since and until, as of a fact: between which deliveries it counts under this person.
    sequence bigint NOT NULL,
    since bigint NOT NULL,
    until bigint,
    alias text NOT NULL,
    lines text NOT NULL,
    PRIMARY KEY (person_id, record_id, version, alias, since)
);

-- Who is an entity's participant, by its list; months as text, both included, no last month as an empty text.
CREATE TABLE roster_participant (
    entity_id text NOT NULL,
    sequence bigint NOT NULL,
    npi text NOT NULL,
    first_month text NOT NULL,
    last_month text NOT NULL,
    PRIMARY KEY (entity_id, sequence, npi, first_month, last_month)
);

-- What changed since a delivery, in the order of deliveries.
CREATE INDEX decision_by_delivery ON decision (sequence, person_id, month);
