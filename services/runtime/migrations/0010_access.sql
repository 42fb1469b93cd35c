-- Who may read through a gateway. These tables belong to this installation: no read model.

CREATE TABLE runtime_client (
    client_id text COLLATE "C" PRIMARY KEY,
    -- Whose rows it sees. Without a state it is an operator's, and sees everybody's.
    state text COLLATE "C",
    entity text COLLATE "C" CHECK (entity IS NULL OR state IS NOT NULL),
    scopes text[] NOT NULL,
    revoked boolean NOT NULL DEFAULT false
);

-- Public keys alone. A key that was replaced stays good until its end, so that a client can change over.
CREATE TABLE runtime_client_key (
    client_id text COLLATE "C" NOT NULL REFERENCES runtime_client (client_id),
    kid text COLLATE "C" NOT NULL,
    jwk text NOT NULL,
    until timestamptz,
    PRIMARY KEY (client_id, kid)
);

-- Who changed what about a client.
CREATE TABLE runtime_client_action (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client_id text COLLATE "C" NOT NULL REFERENCES runtime_client (client_id),
    action text NOT NULL CHECK (action IN ('add', 'rotate', 'revoke')),
    actor text NOT NULL,
    acted_at timestamptz NOT NULL DEFAULT now()
);

-- Numbers of assertions that were used, until they would have expired anyway. Digests: a client chooses its numbers.
CREATE TABLE runtime_assertion (
    client_id text COLLATE "C" NOT NULL,
    number bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (client_id, number)
);
CREATE INDEX runtime_assertion_expires ON runtime_assertion (expires_at);

-- Every read through a protected gateway: who, what, when, with what outcome. Rows form a chain: each holds the digest of
-- the one before it, so that none can be changed or left out without every later one showing it.
CREATE TABLE runtime_audit (
    number bigint PRIMARY KEY,
    read_at timestamptz NOT NULL,
    client_id text COLLATE "C" NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    route text COLLATE "C" NOT NULL,
    -- Names of what was asked for, never values.
    parameters text COLLATE "C" NOT NULL,
    status integer NOT NULL,
    request_id text COLLATE "C" NOT NULL,
    digest bytea NOT NULL,
    CHECK (strpos(client_id || tenant || route || parameters || request_id, chr(31)) = 0)
);

CREATE TABLE runtime_audit_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    number bigint NOT NULL,
    digest bytea NOT NULL
);
INSERT INTO runtime_audit_head (number, digest) VALUES (0, sha256('tandem audit'));

CREATE FUNCTION runtime_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the record of reads is only ever added to' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER runtime_audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON runtime_audit
    FOR EACH STATEMENT EXECUTE FUNCTION runtime_audit_refuse();

-- The only way for a reading role to write: it can add reads, and neither choose their digests nor see them.
CREATE FUNCTION runtime_audit_append(
    moments timestamptz[], clients text[], tenants text[], routes text[], asked text[], statuses integer[], requests text[]
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    last bigint;
    chain bytea;
BEGIN
    SELECT number, digest INTO last, chain FROM runtime_audit_head FOR UPDATE;
    FOR i IN 1 .. cardinality(clients) LOOP
        last := last + 1;
        chain := sha256(chain || convert_to(concat_ws(
            chr(31), last, (extract(epoch FROM moments[i]) * 1000000)::bigint, clients[i], tenants[i], routes[i], asked[i],
            statuses[i], requests[i]
        ), 'UTF8'));
        INSERT INTO runtime_audit VALUES
            (last, moments[i], clients[i], tenants[i], routes[i], asked[i], statuses[i], requests[i], chain);
    END LOOP;
    UPDATE runtime_audit_head SET number = last, digest = chain;
    RETURN last;
END $$;
REVOKE EXECUTE ON FUNCTION runtime_audit_append FROM PUBLIC;

-- It runs with its owner's rights: whoever calls it must not choose which tables its names mean.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION runtime_audit_append SET search_path = %I, pg_temp', current_schema());
END $$;

-- What a role that only reads needs of the runtime: health, clients, used numbers, and the record of reads. Queued events
-- hold everybody's figures: of those it may see that there are some. Returns whether there is such a role.
CREATE FUNCTION runtime_grant_reading() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    reader text := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'runtime_client'::regclass) || '_reader';
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = reader) THEN
        RETURN false;
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), reader);
    EXECUTE format('GRANT SELECT ON runtime_position, runtime_vector, runtime_relayed, runtime_client, '
        'runtime_client_key TO %I', reader);
    EXECUTE format('GRANT SELECT (id) ON runtime_outbox TO %I', reader);
    EXECUTE format('GRANT SELECT, INSERT, DELETE ON runtime_assertion TO %I', reader);
    EXECUTE format('GRANT EXECUTE ON FUNCTION runtime_audit_append TO %I', reader);
    RETURN true;
END $$;
SELECT runtime_grant_reading();
