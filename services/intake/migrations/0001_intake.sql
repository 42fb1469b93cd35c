-- Deliveries in the order in which they were taken. received_at is told by the process, once, at registration.
CREATE TABLE delivery (
    delivery_id text PRIMARY KEY,
    sequence bigint NOT NULL UNIQUE,
    -- Null: refused before its kind was known.
    kind text,
    source text NOT NULL,
    name text NOT NULL,
    path text NOT NULL,
    dated date,
    received_at timestamptz NOT NULL,
    -- registered: to be read. staged: read, people known, being published. completed, refused: done with.
    status text NOT NULL CHECK (status IN ('registered', 'staged', 'completed', 'refused')),
    reason_code text,
    reason_detail text,
    records bigint NOT NULL DEFAULT 0,
    claims bigint NOT NULL DEFAULT 0,
    quarantined bigint NOT NULL DEFAULT 0,
    staged_records bigint NOT NULL DEFAULT 0,
    events bigint NOT NULL DEFAULT 0,
    -- Everything about people up to this one, in their order, is in the outbox.
    published_through text COLLATE "C" NOT NULL DEFAULT '',
    CHECK ((status = 'refused') = (reason_code IS NOT NULL))
);
CREATE INDEX delivery_waiting ON delivery (sequence) WHERE status IN ('registered', 'staged');

-- Lines that could not be read. The line itself is sealed: it may hold personal data.
CREATE TABLE quarantined_line (
    delivery_id text NOT NULL REFERENCES delivery (delivery_id),
    number bigint NOT NULL,
    file text NOT NULL,
    line bigint NOT NULL,
    field text,
    reason text NOT NULL,
    raw_sealed bytea NOT NULL,
    PRIMARY KEY (delivery_id, number)
);

-- The vault: who a person is. Nothing outside of intake may read it.
CREATE TABLE vault_person (
    person_id text COLLATE "C" PRIMARY KEY,
    state text,
    created_sequence bigint NOT NULL,
    created_ordinal bigint NOT NULL
);
CREATE TABLE vault_identifier (
    -- HMAC of the identifier: it can be looked up, not read.
    lookup bytea PRIMARY KEY,
    kind text NOT NULL,
    person_id text COLLATE "C" NOT NULL REFERENCES vault_person (person_id),
    value_sealed bytea NOT NULL,
    first_sequence bigint NOT NULL,
    obsolete_on date
);
CREATE INDEX vault_identifier_person ON vault_identifier (person_id);
CREATE TABLE vault_merge (
    retired text COLLATE "C" PRIMARY KEY,
    kept text COLLATE "C" NOT NULL REFERENCES vault_person (person_id),
    sequence bigint NOT NULL
);

-- One delivery at a time lies here between reading and publishing. Unlogged: after a crash of the server it is empty,
-- which is noticed, and the delivery is read again.
CREATE UNLOGGED TABLE staged_record (
    lookup bytea NOT NULL,
    topic smallint NOT NULL,
    ordinal bigint NOT NULL,
    state text,
    payload bytea NOT NULL
);
CREATE UNLOGGED TABLE staged_entity (
    ordinal bigint NOT NULL,
    payload bytea NOT NULL
);
CREATE UNLOGGED TABLE staged_identifier (
    lookup bytea NOT NULL,
    kind text NOT NULL,
    person_id text COLLATE "C" NOT NULL,
    value_sealed bytea NOT NULL,
    ordinal bigint NOT NULL
);
CREATE UNLOGGED TABLE staged_link (
    lookup bytea NOT NULL,
    other bytea NOT NULL,
    -- Set where the link is a change of MBI and "lookup" is the old one.
    obsolete_on date
);
