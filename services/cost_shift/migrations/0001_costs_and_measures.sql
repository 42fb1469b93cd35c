-- What is known of each person's costs, where it counts, and what was published of it.
-- Texts compare byte by byte: they are codes and pseudonyms, never prose. Empty text: no entity, unknown county.

-- One row for each part of each version of each claim; sequence is the first delivery that held the version, state
-- the one that this delivery gave the person: costs without a decision count there.
CREATE TABLE claim_contribution (
    person_id text COLLATE "C" NOT NULL,
    payer text COLLATE "C" NOT NULL,
    record_id text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    part smallint NOT NULL,
    sequence bigint NOT NULL,
    state text COLLATE "C" NOT NULL,
    withdrawn boolean NOT NULL,
    category text COLLATE "C" NOT NULL,
    crossover boolean NOT NULL,
    basis text COLLATE "C" NOT NULL,
    month text COLLATE "C" NOT NULL,
    cents bigint NOT NULL,
    claims integer NOT NULL,
    PRIMARY KEY (person_id, payer, record_id, version, part)
);

-- What each delivery changed of a person-month's costs. A row of zeros is no row.
CREATE TABLE person_month_cost (
    person_id text COLLATE "C" NOT NULL,
    month text COLLATE "C" NOT NULL,
    payer text COLLATE "C" NOT NULL,
    category text COLLATE "C" NOT NULL,
    crossover boolean NOT NULL,
    basis text COLLATE "C" NOT NULL,
    sequence bigint NOT NULL,
    cause text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL,
    cents bigint NOT NULL,
    claims bigint NOT NULL,
    PRIMARY KEY (person_id, month, sequence, payer, category, crossover, basis, cause, state)
);

-- The decision for a person-month as known at a sequence: of several, the one of the greatest revision.
CREATE TABLE assignment (
    person_id text COLLATE "C" NOT NULL,
    month text COLLATE "C" NOT NULL,
    sequence bigint NOT NULL,
    revision bigint NOT NULL,
    state text COLLATE "C" NOT NULL,
    county text COLLATE "C" NOT NULL,
    entity text COLLATE "C" NOT NULL,
    cohort text COLLATE "C" NOT NULL,
    PRIMARY KEY (person_id, month, sequence)
);

-- A cell as known at a delivery is the sum of its rows up to that sequence. The shard is the partition number,
-- so that no two workers ever write the same row.
CREATE TABLE cell_delta (
    sequence bigint NOT NULL,
    state text COLLATE "C" NOT NULL,
    entity text COLLATE "C" NOT NULL,
    cohort text COLLATE "C" NOT NULL,
    payer text COLLATE "C" NOT NULL,
    category text COLLATE "C" NOT NULL,
    month text COLLATE "C" NOT NULL,
    county text COLLATE "C" NOT NULL,
    crossover boolean NOT NULL,
    basis text COLLATE "C" NOT NULL,
    cause text COLLATE "C" NOT NULL,
    shard smallint NOT NULL,
    cents bigint NOT NULL,
    claims bigint NOT NULL,
    PRIMARY KEY (sequence, state, entity, cohort, payer, category, month, county, crossover, basis, cause, shard)
) WITH (fillfactor = 50);  -- rows of the newest deliveries are added to again and again: leave room beside them

CREATE TABLE person_month_delta (
    sequence bigint NOT NULL,
    state text COLLATE "C" NOT NULL,
    entity text COLLATE "C" NOT NULL,
    cohort text COLLATE "C" NOT NULL,
    month text COLLATE "C" NOT NULL,
    county text COLLATE "C" NOT NULL,
    shard smallint NOT NULL,
    person_months bigint NOT NULL,
    PRIMARY KEY (sequence, state, entity, cohort, month, county, shard)
);

-- How many claims (or month decisions) each delivery brought, and what became of them.
CREATE TABLE arrival (
    sequence bigint NOT NULL,
    source text COLLATE "C" NOT NULL,
    shard smallint NOT NULL,
    received bigint NOT NULL,
    repeated bigint NOT NULL,
    older bigint NOT NULL,
    PRIMARY KEY (sequence, source, shard)
);

-- The deliveries whose cut has been published, with the time that the event of the delivery carries.
CREATE TABLE revision (
    sequence bigint PRIMARY KEY,
    delivery_id text COLLATE "C" NOT NULL,
    known_at timestamptz NOT NULL
);

-- Published figures: appended, never changed. The figure at revision r is the row of the greatest revision <= r.
CREATE TABLE published_measure (
    state text COLLATE "C" NOT NULL,
    entity text COLLATE "C" NOT NULL,
    cohort text COLLATE "C" NOT NULL,
    payer text COLLATE "C" NOT NULL,
    category text COLLATE "C" NOT NULL,
    month text COLLATE "C" NOT NULL,
    revision bigint NOT NULL REFERENCES revision (sequence),
    cents bigint NOT NULL,
    claims bigint NOT NULL,
    crossover_cents bigint NOT NULL,
    crossover_claims bigint NOT NULL,
    previous_revision bigint,
    previous_cents bigint,
    PRIMARY KEY (state, entity, cohort, payer, category, month, revision)
);

CREATE INDEX published_measure_revision ON published_measure (revision);

CREATE TABLE published_person_months (
    state text COLLATE "C" NOT NULL,
    entity text COLLATE "C" NOT NULL,
    cohort text COLLATE "C" NOT NULL,
    month text COLLATE "C" NOT NULL,
    revision bigint NOT NULL REFERENCES revision (sequence),
    person_months bigint NOT NULL,
    PRIMARY KEY (state, entity, cohort, month, revision)
);

-- Why a published figure moved: over the causes of one revision, the difference from the figure before.
CREATE TABLE restatement (
    state text COLLATE "C" NOT NULL,
    entity text COLLATE "C" NOT NULL,
    cohort text COLLATE "C" NOT NULL,
    payer text COLLATE "C" NOT NULL,
    category text COLLATE "C" NOT NULL,
    month text COLLATE "C" NOT NULL,
    revision bigint NOT NULL REFERENCES revision (sequence),
    cause text COLLATE "C" NOT NULL,
    cents bigint NOT NULL,
    claims bigint NOT NULL,
    crossover_cents bigint NOT NULL,
    crossover_claims bigint NOT NULL,
    PRIMARY KEY (state, entity, cohort, payer, category, month, revision, cause)
);

CREATE INDEX restatement_revision ON restatement (revision);
