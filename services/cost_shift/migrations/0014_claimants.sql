-- Whose costs changed a figure since it was last shown to others: no more of them than it takes to know that there are enough.
-- Of what waits already it is not known: it is shown with what is of enough people by itself.
CREATE TABLE waiting_claimant (
    state text COLLATE "C" NOT NULL,
    payer text COLLATE "C" NOT NULL,
    month text COLLATE "C" NOT NULL,
    entity text COLLATE "C" NOT NULL,
    cohort text COLLATE "C" NOT NULL,
    category text COLLATE "C" NOT NULL,
    crossover boolean NOT NULL,
    person_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (state, payer, month, entity, cohort, category, crossover, person_id)
);

-- Rows of a delivery lie together: a summary of each stretch finds them, and costs next to nothing to keep.
CREATE INDEX person_month_cost_sequence ON person_month_cost USING brin (sequence) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX assignment_sequence ON assignment USING brin (sequence) WITH (pages_per_range = 32, autosummarize = on);
