-- Classes of the session lab: an instructor asks, and everybody in the room
-- predicts without a name. Everything here is gone after a day.
CREATE TABLE lab_classes (
    code       TEXT    NOT NULL PRIMARY KEY,
    owner_id   TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    opened_at  BIGINT  NOT NULL,
    ended_at   BIGINT,
    experiment TEXT    NOT NULL, -- what is asked; empty before the first
    round      INTEGER NOT NULL, -- how many have been asked
    phase      TEXT    NOT NULL, -- "waiting", "asking", "running" or "ran"
    changed_at BIGINT  NOT NULL, -- when the phase began
    run_id     TEXT    NOT NULL, -- the run that everybody saw; empty before it
    hidden     INTEGER NOT NULL  -- whether the tally is kept from the screen
);
CREATE INDEX lab_classes_by_owner ON lab_classes (owner_id, opened_at);
CREATE INDEX lab_classes_by_age ON lab_classes (opened_at);

-- What a learner predicted last, and in which round. A learner is a hash of a
-- random number and the code: nobody can tell who it is, nor that the same
-- telephone was in two classes.
CREATE TABLE lab_class_learners (
    code    TEXT    NOT NULL REFERENCES lab_classes (code) ON DELETE CASCADE,
    learner TEXT    NOT NULL,
    round   INTEGER NOT NULL,
    jwt     TEXT    NOT NULL, -- "accepted", "refused", or nothing
    server  TEXT    NOT NULL,
    hybrid  TEXT    NOT NULL,
    PRIMARY KEY (code, learner)
);
