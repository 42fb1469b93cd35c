-- What was worked out about an entity when a reporting month closed, and from which cells: cells_digest tells whether somebody
-- who reads them again as of the revision reads the same.
CREATE TABLE signal_study (
    entity text COLLATE "C" NOT NULL,
    revision bigint NOT NULL REFERENCES revision (sequence),
    cells_digest text COLLATE "C" NOT NULL,
    study jsonb NOT NULL,
    PRIMARY KEY (entity, revision)
);

-- The level of attention of each channel, from the revision on until there is another row. Appended, never changed.
CREATE TABLE signal (
    signal_id text COLLATE "C" PRIMARY KEY,
    entity text COLLATE "C" NOT NULL,
    channel text COLLATE "C" NOT NULL,
    revision bigint NOT NULL REFERENCES revision (sequence),
    level text COLLATE "C" NOT NULL,
    told boolean NOT NULL,
    signal jsonb NOT NULL,
    UNIQUE (entity, channel, revision)
);
