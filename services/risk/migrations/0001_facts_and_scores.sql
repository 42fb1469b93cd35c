-- Facts are appended with the sequence of the delivery that made them known; scores and tiers are what follows from
-- the facts known at a sequence. No column holds the time of a clock.

CREATE TABLE known_delivery (
    partition   integer     NOT NULL,
    sequence    bigint      NOT NULL,
    delivery_id text        NOT NULL,
    time        timestamptz NOT NULL,
    PRIMARY KEY (partition, sequence)
);

CREATE TABLE statement (
    person_id                 text     NOT NULL,
    event_id                  uuid     NOT NULL,
    ordinal                   smallint NOT NULL,
    sequence                  bigint   NOT NULL,
    state                     text     NOT NULL,
    payer                     text     NOT NULL CHECK (payer IN ('medicare', 'medicaid')),
    stated_on                 date     NOT NULL,
    birth_date                date,
    sex_code                  text,
    original_entitlement_code text,
    death_date                date,
    part_b_began              date,
    first_month               text,
    last_month                text,
    dual_status_code          text,
    long_term_care_level      text,
    PRIMARY KEY (person_id, event_id, ordinal)
);

-- One row a version of a Medicare claim record. diagnosis_codes: eligible and mapped ones only, separated by '|'.
CREATE TABLE claim_record (
    person_id       text     NOT NULL,
    record_id       text     NOT NULL,
    version         bigint   NOT NULL,
    sequence        bigint   NOT NULL,
    state           text     NOT NULL,
    claim_key       text     NOT NULL,
    cancellation    boolean  NOT NULL,
    admission       boolean  NOT NULL,
    service_from    date     NOT NULL,
    service_through date     NOT NULL,
    diagnosis_codes text     NOT NULL,
    PRIMARY KEY (person_id, record_id, version)
);
CREATE INDEX claim_record_supporting ON claim_record (person_id) INCLUDE (claim_key) WHERE diagnosis_codes <> '';
CREATE INDEX claim_record_key ON claim_record (person_id, claim_key);
CREATE INDEX claim_record_admission ON claim_record (sequence) WHERE admission;

CREATE TABLE facility_stay (
    person_id text    NOT NULL,
    record_id text    NOT NULL,
    version   bigint  NOT NULL,
    sequence  bigint  NOT NULL,
    state     text    NOT NULL,
    first_day date    NOT NULL,
    last_day  date    NOT NULL,
    counts    boolean NOT NULL,
    PRIMARY KEY (person_id, record_id, version)
);

CREATE TABLE score (
    person_id         text          NOT NULL,
    model             text          NOT NULL CHECK (model IN ('V24', 'V28')),
    payment_year      integer       NOT NULL,
    sequence          bigint        NOT NULL,
    state             text          NOT NULL,
    segment           text          NOT NULL,
    raw_score         numeric(6, 3) NOT NULL,
    demographic_score numeric(6, 3),
    completeness      text          NOT NULL CHECK (completeness IN ('complete', 'disease_only')),
    categories        jsonb         NOT NULL,
    interactions      text[]        NOT NULL,
    fingerprint       bytea         NOT NULL,
    PRIMARY KEY (person_id, model, payment_year, sequence)
);
CREATE INDEX score_sequence ON score (sequence);

CREATE TABLE tier (
    person_id     text     NOT NULL,
    sequence      bigint   NOT NULL,
    state         text     NOT NULL,
    tier          smallint NOT NULL CHECK (tier BETWEEN 1 AND 4),
    previous_tier smallint,
    reasons       text[]   NOT NULL,
    PRIMARY KEY (person_id, sequence)
);
