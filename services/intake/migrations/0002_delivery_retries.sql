-- Refused deliveries that somebody had taken again: who decided it, and what had been wrong.
CREATE TABLE delivery_retry (
    delivery_id text NOT NULL REFERENCES delivery (delivery_id),
    refused_sequence bigint NOT NULL,
    sequence bigint NOT NULL,
    reason_code text NOT NULL,
    actor text NOT NULL,
    PRIMARY KEY (delivery_id, sequence)
);
