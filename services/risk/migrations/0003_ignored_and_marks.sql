-- What does not count is kept with its reason, so that a score can say what it ignored; marks, markers of frailty and
-- cents are what predictions are made of. marks and frailty: one bit each, see rules/claim_marks.py.
ALTER TABLE claim_record
    ADD COLUMN ignored_codes   text     NOT NULL DEFAULT '',
    ADD COLUMN ignored_reason  text,
    ADD COLUMN claim_type_code text,
    ADD COLUMN paid_cents      bigint   NOT NULL DEFAULT 0,
    ADD COLUMN marks           integer  NOT NULL DEFAULT 0,
    ADD COLUMN frailty         integer  NOT NULL DEFAULT 0,
    -- Numbers of the prevention quality indicators of an admission, separated by '|', whatever the person's age.
    ADD COLUMN indicators      text     NOT NULL DEFAULT '';
DROP INDEX claim_record_supporting;
-- What can bear on a score: diagnoses, counting or not, a transplant (2048) and dialysis (128).
CREATE INDEX claim_record_bearing ON claim_record (person_id) INCLUDE (claim_key)
    WHERE diagnosis_codes <> '' OR ignored_codes <> '' OR marks & 2176 <> 0;

ALTER TABLE statement
    ADD COLUMN medicare_status_code text,
    ADD COLUMN health_plan_contract text;

ALTER TABLE score
    ADD COLUMN tables_year   integer,
    ADD COLUMN periods       jsonb    NOT NULL DEFAULT '[]',
    ADD COLUMN ignored       jsonb    NOT NULL DEFAULT '[]',
    ADD COLUMN notes         text[]   NOT NULL DEFAULT '{}',
    ADD COLUMN kidney_status text,
    ADD COLUMN graft_month   integer;
ALTER TABLE score DROP CONSTRAINT score_model_check;
ALTER TABLE score ADD CONSTRAINT score_model_check CHECK (model IN ('V24', 'V28', 'ESRD_V24'));

-- Filled prescriptions of Part D; product is labeler and product of the NDC, the nearest to an ingredient that it tells.
CREATE TABLE drug_fill (
    person_id    text    NOT NULL,
    record_id    text    NOT NULL,
    version      bigint  NOT NULL,
    sequence     bigint  NOT NULL,
    state        text    NOT NULL,
    filled_on    date    NOT NULL,
    product      text    NOT NULL,
    cancellation boolean NOT NULL,
    since        bigint  NOT NULL,
    until        bigint,
    alias        text    NOT NULL,
    PRIMARY KEY (person_id, record_id, version, alias, since)
);
