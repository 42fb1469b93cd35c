-- What people are ranked by beyond scores. A tier that is null has ended: who died is in none.
CREATE INDEX claim_record_since ON claim_record (since);
ALTER TABLE score ADD COLUMN age smallint;
ALTER TABLE tier
    ALTER COLUMN tier DROP NOT NULL,
    ADD COLUMN ended       text,
    ADD COLUMN score       numeric(6, 4),
    ADD COLUMN spend_cents bigint,
    ADD COLUMN probability numeric(6, 4);

-- By which day and payment year people were ranked at a cut.
CREATE TABLE ranking (
    sequence     bigint  PRIMARY KEY,
    day          date    NOT NULL,
    payment_year integer NOT NULL,
    people       integer NOT NULL
);
