-- Signals belong to an entity, and are told to whoever sees people of it: row-level security of those rows decides.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['signal', 'signal_study'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY writer ON %I TO CURRENT_USER USING (true) WITH CHECK (true)', name);
        EXECUTE format('CREATE POLICY tenant ON %I FOR SELECT USING (EXISTS ('
            'SELECT FROM released_person_months AS seen WHERE seen.entity = %I.entity))', name, name);
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION grant_reading() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    reader text := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'revision'::regclass) || '_reader';
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = reader) THEN
        RETURN false;
    END IF;
    EXECUTE format('GRANT SELECT ON revision, arrival, told_cursor_key, cell_delta, person_month_delta, '
        'published_person_months, released_measure, released_person_months, signal, signal_study TO %I', reader);
    RETURN true;
END $$;
SELECT grant_reading();
