-- Which delivery each sequence was, and when it was received: what turns a date into an "as of".
CREATE TABLE delivery (
    sequence bigint PRIMARY KEY,
    delivery_id text NOT NULL,
    received_at timestamptz NOT NULL
);

CREATE TABLE person (
    person_id text PRIMARY KEY,
    state text NOT NULL
);

-- How many decision events were published about a person. What was told depends on the order of arrival, so tables of it
-- are named told_ and no rebuild is expected to repeat them.
CREATE TABLE told_revision (
    person_id text PRIMARY KEY,
    revision integer NOT NULL
);

-- Appended, never updated: a statement and the delivery that made it known.
CREATE TABLE fact (
    person_id text NOT NULL,
    sequence bigint NOT NULL,
    event_id uuid NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    source text NOT NULL,
    stated_on date NOT NULL,
    entity_id text,
    body text NOT NULL,
    PRIMARY KEY (person_id, sequence, event_id)
);

-- A month's decision from a delivery on, until a later row of the same month. A pure function of the facts.
CREATE TABLE decision (
    person_id text NOT NULL,
    month text NOT NULL,
    sequence bigint NOT NULL,
    aligned boolean NOT NULL,
    basis text NOT NULL,
    change text NOT NULL,
    cohort text NOT NULL,
    entity_id text,
    county_fips text,
    dual_status_code text,
    reasons text[] NOT NULL,
    predicates json NOT NULL,
    PRIMARY KEY (person_id, month, sequence)
);
CREATE INDEX decision_by_month ON decision (month, person_id, sequence);

-- Changes that were published and, once earlier facts came in late, turned out to be none. Whoever heard of them is told
-- again whenever what held then changes once more.
CREATE TABLE told_restated (
    person_id text NOT NULL,
    month text NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (person_id, month, sequence)
);

-- A page of an entity's participant list; its counties make the service area.
CREATE TABLE roster_page (
    entity_id text NOT NULL,
    sequence bigint NOT NULL,
    page integer NOT NULL,
    stated_on date NOT NULL,
    counties text[] NOT NULL,
    PRIMARY KEY (entity_id, sequence, page)
);
