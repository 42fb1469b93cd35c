-- Every series' chart as of the last study: the next goes on from the first month that was restated since.
CREATE TABLE signal_chart (
    entity text COLLATE "C" NOT NULL,
    payer text COLLATE "C" NOT NULL,
    category text COLLATE "C" NOT NULL,
    chart jsonb NOT NULL,
    PRIMARY KEY (entity, payer, category)
);
