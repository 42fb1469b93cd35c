-- What a decision says of the person besides where the month counts. Empty or null: not said.
ALTER TABLE assignment ADD COLUMN dual_status text COLLATE "C" NOT NULL DEFAULT '', ADD COLUMN in_health_plan boolean;

-- Risk's score of a person for a payment year, as known from a delivery on, in thousandths.
CREATE TABLE person_risk (
    person_id text COLLATE "C" NOT NULL,
    payment_year integer NOT NULL,
    sequence bigint NOT NULL,
    thousandths integer NOT NULL,
    under_65 boolean,
    long_term boolean NOT NULL,
    PRIMARY KEY (person_id, payment_year, sequence)
);
