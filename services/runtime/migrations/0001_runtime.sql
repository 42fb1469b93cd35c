-- Where the service has come on every topic-partition it reads. Compare-and-set moves next_offset.
CREATE TABLE runtime_position (
    topic text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL CHECK (next_offset >= 0),
    -- Fingerprint and broker time of the message before next_offset: a log that was recreated holds another there.
    last_digest bytea,
    last_time timestamptz,
    -- Messages parked one after the other, so that a restart does not forget them.
    parked_run integer NOT NULL DEFAULT 0,
    PRIMARY KEY (topic, partition)
);

-- Events on their way to the log, sent in the order of id and deleted when the broker has them.
CREATE TABLE runtime_outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    partition integer NOT NULL,
    key bytea NOT NULL,
    payload bytea NOT NULL,
    -- A fence is sent when everything before it is on the log, and says so: the relay fills in data.end_offsets.
    fence boolean NOT NULL DEFAULT false,
    queued_at timestamptz NOT NULL DEFAULT now()
);

-- Offset after the last event that this service wrote, by partition.
CREATE TABLE runtime_relayed (
    topic text NOT NULL,
    partition integer NOT NULL,
    end_offset bigint NOT NULL,
    PRIMARY KEY (topic, partition)
);

-- How far each service had written when it was done with a delivery.
CREATE TABLE runtime_vector (
    sequence bigint NOT NULL,
    service text NOT NULL,
    delivery_id text NOT NULL,
    event_time timestamptz NOT NULL,
    quarantined boolean NOT NULL DEFAULT false,
    -- Null: the delivery is announced and not complete yet, so no later one may be cut.
    end_offsets jsonb,
    PRIMARY KEY (sequence, service)
);

-- Deliveries that this service has applied, in order.
CREATE TABLE runtime_cut (
    sequence bigint PRIMARY KEY,
    delivery_id text NOT NULL,
    event_time timestamptz NOT NULL
);

CREATE TABLE runtime_dead_letter (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    partition integer NOT NULL,
    message_offset bigint NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    event_type text,
    delivery_id text,
    delivery_sequence bigint,
    occurred_at timestamptz,
    payload bytea,
    payload_key_id text NOT NULL,
    payload_bytes integer NOT NULL,
    truncated boolean NOT NULL,
    status text NOT NULL DEFAULT 'parked' CHECK (status IN ('parked', 'replayed', 'dropped')),
    UNIQUE (topic, partition, message_offset)
);

-- Who did what with a dead letter, and what came of it.
CREATE TABLE runtime_dead_letter_action (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dead_letter_id bigint NOT NULL REFERENCES runtime_dead_letter (id),
    action text NOT NULL CHECK (action IN ('replay', 'drop')),
    outcome text NOT NULL,
    actor text NOT NULL,
    acted_at timestamptz NOT NULL DEFAULT now()
);
