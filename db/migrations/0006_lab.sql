-- What the session lab remembers.

-- How far a person has come with an experiment: what they predicted for each
-- family of sessions ("accepted", "refused", or nothing), the run they saw, and
-- when they found the reason.
CREATE TABLE lab_progress (
    user_id      TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    experiment   TEXT    NOT NULL,
    jwt          TEXT    NOT NULL,
    server       TEXT    NOT NULL,
    hybrid       TEXT    NOT NULL,
    run_id       TEXT    NOT NULL, -- empty before the first run
    asked        INTEGER NOT NULL, -- how many predictions the run put to the proof
    guessed      INTEGER NOT NULL, -- and how many of them came true
    explained_at BIGINT,
    updated_at   BIGINT  NOT NULL,
    PRIMARY KEY (user_id, experiment)
);

-- Runs, so that an address shows what it showed. They are cleared away by age.
CREATE TABLE lab_runs (
    id         TEXT   NOT NULL PRIMARY KEY,
    experiment TEXT   NOT NULL,
    ran_at     BIGINT NOT NULL,
    result     BLOB   NOT NULL -- JSON, compressed
);
CREATE INDEX lab_runs_by_age ON lab_runs (ran_at);

-- What was last measured on this installation, for each column of each
-- experiment.
CREATE TABLE lab_figures (
    experiment  TEXT   NOT NULL,
    name        TEXT   NOT NULL, -- of the column
    measured_at BIGINT NOT NULL,
    machine     TEXT   NOT NULL,
    figures     TEXT   NOT NULL, -- JSON: a number for each measure
    PRIMARY KEY (experiment, name)
);
