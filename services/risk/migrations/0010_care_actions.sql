-- What care actions follow from, and the actions. signals: 'name=day=detail' separated by '|'; empty where a version shows
-- nothing, for it may take back what an older one showed. facility_npi: of a long-term-care claim.
CREATE TABLE care_claim (
    person_id       text    NOT NULL,
    record_id       text    NOT NULL,
    version         bigint  NOT NULL,
    alias           text    NOT NULL,
    since           bigint  NOT NULL,
    until           bigint,
    sequence        bigint  NOT NULL,
    state           text    NOT NULL,
    payer           text    NOT NULL CHECK (payer IN ('medicare', 'medicaid')),
    claim_key       text    NOT NULL,
    cancellation    boolean NOT NULL,
    service_from    date    NOT NULL,
    service_through date    NOT NULL,
    signals         text    NOT NULL,
    facility_npi    text,
    PRIMARY KEY (person_id, record_id, version, alias, since)
);
CREATE INDEX care_claim_showing ON care_claim (person_id) INCLUDE (claim_key) WHERE signals <> '';
CREATE INDEX care_claim_key ON care_claim (person_id, claim_key);
CREATE INDEX care_claim_since ON care_claim (since);
CREATE INDEX care_claim_facility ON care_claim (facility_npi, service_through) WHERE facility_npi IS NOT NULL;

-- What alignment decided of a month; the newest of the newest delivery stands.
CREATE TABLE care_alignment (
    person_id   text    NOT NULL,
    month       text    NOT NULL,
    sequence    bigint  NOT NULL,
    revision    integer NOT NULL,
    state       text    NOT NULL,
    aligned     boolean NOT NULL,
    entity_id   text,
    county_fips text,
    PRIMARY KEY (person_id, month, sequence, revision)
);
CREATE INDEX care_alignment_sequence ON care_alignment (sequence);

-- Whether the person's claims may be shared with the entity.
CREATE TABLE care_sharing (
    person_id text    NOT NULL,
    event_id  uuid    NOT NULL,
    alias     text    NOT NULL,
    since     bigint  NOT NULL,
    until     bigint,
    sequence  bigint  NOT NULL,
    entity_id text    NOT NULL,
    effective date    NOT NULL,
    stated_on date    NOT NULL,
    shares    boolean NOT NULL,
    PRIMARY KEY (person_id, event_id, since)
);
CREATE INDEX care_sharing_since ON care_sharing (since);

CREATE TABLE care_participant (
    entity_id      text    NOT NULL,
    sequence       bigint  NOT NULL,
    stated_on      date    NOT NULL,
    npi            text    NOT NULL,
    specialty_code text,
    county_fips    text,
    first_month    text    NOT NULL,
    last_month     text,
    service_area   boolean NOT NULL,
    PRIMARY KEY (entity_id, sequence, npi, first_month)
);

-- The day that a cut stands for: the newest that any delivery up to it is dated.
CREATE TABLE care_day (
    sequence bigint PRIMARY KEY,
    day      date NOT NULL
);

CREATE TABLE care_action (
    action_id   text     PRIMARY KEY,
    person_id   text     NOT NULL,
    kind        text     NOT NULL,
    occasion    text     NOT NULL,
    sequence    bigint   NOT NULL,
    state       text     NOT NULL,
    entity_id   text     NOT NULL,
    county_fips text,
    tier        smallint,
    owner       text     NOT NULL,
    facility_npi text,
    raised_on   date     NOT NULL,
    due_on      date     NOT NULL,
    lapses_on   date     NOT NULL,
    reason      text     NOT NULL,
    evidence    jsonb    NOT NULL,
    clinicians  jsonb    NOT NULL
);
CREATE INDEX care_action_person ON care_action (person_id);

-- An action is closed once: done as a claim shows, lapsed, or withdrawn because its reason is gone.
CREATE TABLE care_closing (
    action_id text   PRIMARY KEY,
    person_id text   NOT NULL,
    sequence  bigint NOT NULL,
    outcome   text   NOT NULL CHECK (outcome IN ('done', 'lapsed', 'withdrawn')),
    closed_on date   NOT NULL,
    done_on   date,
    reason    text   NOT NULL,
    evidence  jsonb  NOT NULL
);

-- What people said has become of an action; from the topic of reports.
CREATE TABLE care_report (
    report_id        uuid        PRIMARY KEY,
    action_id        text        NOT NULL,
    person_id        text        NOT NULL,
    sequence         bigint      NOT NULL,
    reported_at      timestamptz NOT NULL,
    verdict          text        NOT NULL CHECK (verdict IN ('done', 'dismissed', 'reopened')),
    done_on          date,
    dismissal_reason text,
    reported_by      text        NOT NULL
);
CREATE INDEX care_report_action ON care_report (action_id);

CREATE TABLE facility_rate (
    facility_npi       text    NOT NULL,
    sequence           bigint  NOT NULL,
    state              text    NOT NULL,
    first_day          date    NOT NULL,
    last_day           date    NOT NULL,
    residents          integer NOT NULL,
    resident_days      integer NOT NULL,
    admissions         integer NOT NULL,
    expected           numeric(12, 4) NOT NULL,
    ratio              numeric(10, 4) NOT NULL,
    ratio_low          numeric(10, 4) NOT NULL,
    ratio_high         numeric(10, 4) NOT NULL,
    rate               numeric(10, 4) NOT NULL,
    above_reference    boolean NOT NULL,
    PRIMARY KEY (facility_npi, sequence)
);
