-- What the measured transaction writes: every claim once by version, and a total by person.
CREATE TABLE claim (
    record_id text PRIMARY KEY,
    version bigint NOT NULL,
    person_id text NOT NULL,
    service_month text NOT NULL,
    paid_cents bigint NOT NULL
);

CREATE TABLE person_total (
    person_id text PRIMARY KEY,
    claims bigint NOT NULL,
    paid_cents bigint NOT NULL
);
