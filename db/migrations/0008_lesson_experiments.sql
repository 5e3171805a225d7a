-- Which experiments of the session lab the text of a lesson embeds, whatever its
-- kind. Kept in the transaction of the text; those of lessons that were there before
-- are read when this step is taken.
CREATE TABLE lesson_experiments (
    lesson_id  TEXT NOT NULL REFERENCES lessons (id) ON DELETE CASCADE,
    experiment TEXT NOT NULL,
    PRIMARY KEY (lesson_id, experiment)
);
CREATE INDEX lesson_experiments_by_experiment ON lesson_experiments (experiment, lesson_id);
