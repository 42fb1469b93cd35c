-- What of the published figures may be shown to a state or an entity outside, and whose rows a reader sees.

-- What was added to a figure since it was last shown. A row of zeros is no row.
CREATE TABLE waiting_measure (
    state text COLLATE "C" NOT NULL,
    payer text COLLATE "C" NOT NULL,
    month text COLLATE "C" NOT NULL,
    entity text COLLATE "C" NOT NULL,
    cohort text COLLATE "C" NOT NULL,
    category text COLLATE "C" NOT NULL,
    cents bigint NOT NULL,
    claims bigint NOT NULL,
    crossover_cents bigint NOT NULL,
    crossover_claims bigint NOT NULL,
    -- Why: names alone, because amounts by cause would tell apart what came when.
    causes text[] NOT NULL,
    PRIMARY KEY (state, payer, month, entity, cohort, category)
);

-- As published_measure, of figures that may be shown. grouped: only together with the other grouped categories of its
-- entity, cohort, payer and month; group_name tells which those are. split_hidden: its crossover part is not shown.
CREATE TABLE released_measure (
    state text COLLATE "C" NOT NULL,
    entity text COLLATE "C" NOT NULL,
    cohort text COLLATE "C" NOT NULL,
    payer text COLLATE "C" NOT NULL,
    category text COLLATE "C" NOT NULL,
    month text COLLATE "C" NOT NULL,
    revision bigint NOT NULL REFERENCES revision (sequence),
    cents bigint NOT NULL,
    claims bigint NOT NULL,
    crossover_cents bigint NOT NULL,
    crossover_claims bigint NOT NULL,
    group_name text COLLATE "C",
    split_hidden boolean NOT NULL,
    causes text[] NOT NULL,
    previous_revision bigint,
    previous_cents bigint,
    PRIMARY KEY (state, entity, cohort, payer, category, month, revision)
);
CREATE INDEX released_measure_revision ON released_measure (state, revision);

CREATE TABLE released_person_months (
    state text COLLATE "C" NOT NULL,
    entity text COLLATE "C" NOT NULL,
    cohort text COLLATE "C" NOT NULL,
    month text COLLATE "C" NOT NULL,
    revision bigint NOT NULL REFERENCES revision (sequence),
    person_months bigint NOT NULL,
    PRIMARY KEY (state, entity, cohort, month, revision)
);

-- Revisions that were looked at, though they may have shown nothing.
CREATE TABLE released_revision (revision bigint PRIMARY KEY REFERENCES revision (sequence));

-- Rows belong to a state, and some to an entity in it. Whoever reads as a tenant (tandem.state, tandem.entity; see
-- services/runtime/access/tenancy.py) sees that tenant's rows, and whoever is none sees nothing: an unset name equals no state.
-- An entity sees its own rows and those of the comparison people of its state. The owner, who writes them, sees all.
-- Called again by every later migration that makes a table with a state.
CREATE FUNCTION protect_tenants() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    found record;
    of_entity text;
    done integer := 0;
BEGIN
    FOR found IN
        SELECT class.oid::regclass AS name,
            bool_or(attname = 'entity') AS has_entity,
            bool_or(attname = 'cohort') AS has_cohort
        FROM pg_class AS class JOIN pg_attribute ON attrelid = class.oid AND attnum > 0 AND NOT attisdropped
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND NOT relrowsecurity
        GROUP BY class.oid
        -- Rows about single persons are filled by COPY, which row-level security forbids; no reader has any right to them.
        HAVING bool_or(attname = 'state') AND NOT bool_or(attname = 'person_id') AND NOT bool_or(attname = 'scopes')
    LOOP
        of_entity := '(SELECT current_setting(''tandem.entity'', true)) = ''''';
        IF found.has_entity THEN
            of_entity := of_entity || ' OR entity = (SELECT current_setting(''tandem.entity'', true))';
        END IF;
        IF found.has_cohort THEN
            of_entity := of_entity || ' OR cohort = ''comparison''';
        END IF;
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', found.name);
        EXECUTE format('CREATE POLICY writer ON %s TO CURRENT_USER USING (true) WITH CHECK (true)', found.name);
        EXECUTE format(
            'CREATE POLICY tenant ON %s FOR SELECT USING '
            '(state = (SELECT nullif(current_setting(''tandem.state'', true), '''')) AND (%s))', found.name, of_entity);
        done := done + 1;
    END LOOP;
    RETURN done;
END $$;
SELECT protect_tenants();

-- What the reading role may read: figures by row-level security, and what is nobody's. Called again as above.
CREATE FUNCTION grant_reading() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    reader text := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'revision'::regclass) || '_reader';
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = reader) THEN
        RETURN false;
    END IF;
    EXECUTE format('GRANT SELECT ON revision, arrival, told_cursor_key, cell_delta, person_month_delta, published_person_months, '
        'released_measure, released_person_months TO %I', reader);
    RETURN true;
END $$;
SELECT grant_reading();
