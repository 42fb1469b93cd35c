-- Of when a delivery is, by its sender's word. Null: it is only known that it was refused.
ALTER TABLE runtime_vector ADD COLUMN dated date;
