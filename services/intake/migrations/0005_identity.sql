-- alias: the pseudonym of the identifier itself; it stays what it is, whoever the identifier turns out to name.
-- atom: the people whom numbers alone join. person_id: whom it names in the end, by number, by resemblance or by decision.
-- Of identifiers known before, nobody wrote down an alias: they cannot be told apart any more.
ALTER TABLE vault_identifier ADD COLUMN alias text COLLATE "C";
ALTER TABLE vault_identifier ADD COLUMN atom text COLLATE "C" REFERENCES vault_person (person_id);
-- The state that gave a Medicaid id. Null: no Medicaid id, or one known before.
ALTER TABLE vault_identifier ADD COLUMN issuer text;
UPDATE vault_identifier SET alias = person_id, atom = person_id;
ALTER TABLE vault_identifier ALTER COLUMN alias SET NOT NULL;
ALTER TABLE vault_identifier ALTER COLUMN atom SET NOT NULL;
CREATE INDEX vault_identifier_atom ON vault_identifier (atom);
CREATE INDEX vault_identifier_alias ON vault_identifier (alias);

-- Whom an atom without an MBI was found to be by name, birth date and sex. A function of vault_pair, of what the atoms
-- hold and of vault_apart.
ALTER TABLE vault_person ADD COLUMN linked_to text COLLATE "C" REFERENCES vault_person (person_id);
CREATE INDEX vault_person_linked ON vault_person (linked_to) WHERE linked_to IS NOT NULL;

-- Two identifiers that somebody decided are of two people, whatever files say.
CREATE TABLE vault_apart (
    alias text COLLATE "C" NOT NULL,
    other text COLLATE "C" NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (alias, other),
    CHECK (alias < other)
);
CREATE INDEX vault_apart_other ON vault_apart (other);

-- Every name, birth date and sex that sources gave with an identifier. Sealed; found by HMAC of parts of it.
CREATE TABLE vault_demographics (
    lookup bytea NOT NULL REFERENCES vault_identifier (lookup),
    fingerprint bytea NOT NULL,
    content_sealed bytea NOT NULL,
    first_sequence bigint NOT NULL,
    PRIMARY KEY (lookup, fingerprint)
);
CREATE TABLE vault_block (
    block bytea NOT NULL,
    lookup bytea NOT NULL,
    fingerprint bytea NOT NULL,
    PRIMARY KEY (block, lookup, fingerprint),
    FOREIGN KEY (lookup, fingerprint) REFERENCES vault_demographics (lookup, fingerprint)
);

-- A Medicaid id and an MBI that resemble each other enough to be looked at: the best of all that was ever compared.
CREATE TABLE vault_pair (
    lookup bytea NOT NULL REFERENCES vault_identifier (lookup),
    other bytea NOT NULL REFERENCES vault_identifier (lookup),
    score integer NOT NULL,
    -- Whether it may be linked without anybody looking at it.
    automatic boolean NOT NULL,
    -- Field, level of agreement and weight: nothing of what was compared.
    parts jsonb NOT NULL,
    rule text NOT NULL,
    PRIMARY KEY (lookup, other)
);
CREATE INDEX vault_pair_other ON vault_pair (other);

-- What was decided about who is who, by whom and why. Appended, never changed.
CREATE TABLE identity_trail (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sequence bigint NOT NULL,
    action text NOT NULL CHECK (action IN ('merged', 'split', 'linked', 'unlinked', 'not_linked', 'decided')),
    person_id text COLLATE "C" NOT NULL,
    other text COLLATE "C" NOT NULL,
    score integer,
    parts jsonb,
    rule text,
    actor text NOT NULL,
    reason text NOT NULL
);
CREATE INDEX identity_trail_person ON identity_trail (person_id);
CREATE INDEX identity_trail_other ON identity_trail (other);

CREATE UNLOGGED TABLE staged_demographics (
    lookup bytea NOT NULL,
    fingerprint bytea NOT NULL,
    content_sealed bytea NOT NULL,
    blocks bytea[] NOT NULL
);
-- A decision that a delivery carries: two people are one, or some identifiers of one are another's.
CREATE UNLOGGED TABLE staged_decision (
    verdict text NOT NULL,
    person_id text NOT NULL,
    other text,
    aliases text[] NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL
);
ALTER TABLE staged_identifier ADD COLUMN issuer text;
