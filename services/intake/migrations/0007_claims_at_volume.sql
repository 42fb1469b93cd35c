-- Claims of one person are staged many to a row, joined as an event has them.
ALTER TABLE staged_record ADD COLUMN claims smallint NOT NULL DEFAULT 1;
-- How far the reading of a long delivery has come, in bytes of its files.
ALTER TABLE delivery ADD COLUMN read_bytes bigint NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN total_bytes bigint NOT NULL DEFAULT 0;
