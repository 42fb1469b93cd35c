-- A month's standings from a delivery on, until a later row of the same month. A pure function of the facts.
CREATE TABLE arrangement_month (
    person_id text NOT NULL,
    month text NOT NULL,
    sequence bigint NOT NULL,
    state text NOT NULL,
    county_fips text,
    -- Arrangements of which the person is a member; none: in no arrangement.
    members text[] NOT NULL,
    -- Arrangement, standing, pack, way, enrolment, plan, reasons.
    standings json NOT NULL,
    open_reasons text[] NOT NULL,
    PRIMARY KEY (person_id, month, sequence)
);
CREATE INDEX arrangement_month_by_month ON arrangement_month (month, person_id, sequence);

-- Where CMS's report and our predicates differ about a month, from a delivery on; "agreed" ends a difference.
CREATE TABLE difference (
    person_id text NOT NULL,
    month text NOT NULL,
    sequence bigint NOT NULL,
    state text NOT NULL,
    entity_id text NOT NULL,
    outcome text NOT NULL,
    theirs boolean NOT NULL,
    their_reason text,
    their_evidence text[] NOT NULL,
    ours boolean NOT NULL,
    our_reasons text[] NOT NULL,
    our_evidence text[] NOT NULL,
    forecast text NOT NULL,
    PRIMARY KEY (person_id, month, sequence)
);
CREATE INDEX difference_by_month ON difference (month, person_id, sequence);

-- Months for which an entity's report has come: whom it does not name, it does not align.
CREATE TABLE reported_month (
    entity_id text NOT NULL,
    month text NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (entity_id, month, sequence)
);

-- Something to do about a person, from a delivery on; a row that is not open ends it.
CREATE TABLE work_item (
    person_id text NOT NULL,
    kind text NOT NULL,
    sequence bigint NOT NULL,
    state text NOT NULL,
    is_open boolean NOT NULL,
    month text,
    reasons text[] NOT NULL,
    evidence text[] NOT NULL,
    PRIMARY KEY (person_id, kind, sequence)
);

-- What people decided about differences, as the log tells it. Not a fact about a person that sources state, but it goes
-- with the person.
CREATE TABLE difference_closing (
    person_id text NOT NULL,
    since bigint NOT NULL,
    event_id uuid NOT NULL,
    sequence bigint NOT NULL,
    until bigint,
    alias text NOT NULL,
    entity_id text NOT NULL,
    month text NOT NULL,
    outcome text NOT NULL,
    resolution text NOT NULL,
    actor text NOT NULL,
    note text NOT NULL,
    closed_at timestamptz NOT NULL,
    PRIMARY KEY (person_id, since, event_id)
);

-- How many events of arrangements and of differences were published about a person.
CREATE TABLE told_arrangement_revision (
    person_id text PRIMARY KEY,
    arrangements integer NOT NULL,
    reconciliation integer NOT NULL
);
