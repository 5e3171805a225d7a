-- What the office needs: who is invited, who has a second step, and a log that can
-- be asked about those to whom something was done.

-- One for each answer to whether somebody is asked for a second step.
CREATE INDEX users_in_two_steps ON users (name_key, id) WHERE two_step = 1;
CREATE INDEX users_in_one_step  ON users (name_key, id) WHERE two_step = 0;

-- Invitations to open an account. The token travels in a letter; here is its
-- SHA-256. A row stays when it is over, so that the list tells what became of it.
CREATE TABLE invitations (
    id          TEXT   NOT NULL PRIMARY KEY,
    token_hash  TEXT   NOT NULL UNIQUE,
    email       TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    role        TEXT   NOT NULL CHECK (role IN ('student', 'instructor', 'admin')),
    by_id       TEXT   NOT NULL, -- who invited them, and may be gone
    by_name     TEXT   NOT NULL,
    made_at     BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    accepted_at BIGINT,
    revoked_at  BIGINT
);
CREATE INDEX invitations_by_time ON invitations (made_at, id);
CREATE INDEX invitations_open ON invitations (email) WHERE accepted_at IS NULL AND revoked_at IS NULL;

-- To whom something was done: empty where it was no account, where it was their own
-- doing, and in lines that are older than this column.
ALTER TABLE audit_events ADD COLUMN subject_id TEXT NOT NULL DEFAULT '';
CREATE INDEX audit_events_by_whom    ON audit_events (subject_id, at, id);
CREATE INDEX audit_events_by_subject ON audit_events (LOWER(subject), at, id);
CREATE INDEX audit_events_by_session ON audit_events (session, at, id);
