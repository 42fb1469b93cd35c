-- What cursors of the changes are signed with: made once, so that a reader can go on after any restart. 244 random bits
-- of two version 4 UUIDs. Told to readers in a way, and of this installation only: no read model.
CREATE TABLE told_cursor_key (secret bytea NOT NULL);
INSERT INTO told_cursor_key
SELECT decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex');
