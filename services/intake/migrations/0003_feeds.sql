-- By which feed a claim came: one delivery may hold FHIR of several generations.
ALTER TABLE staged_record ADD COLUMN feed text;
-- Whether the sender takes records about substance use out. Null: nobody knows.
ALTER TABLE delivery ADD COLUMN substance_use_withheld boolean;
