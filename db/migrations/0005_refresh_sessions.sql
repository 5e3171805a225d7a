-- What the server remembers of each sign-in, where the session is a short token
-- that is exchanged for the next one. Of the number that leads here and of the
-- secret that is good for the next exchange only the SHA-256 is kept. The secret
-- before the last exchange is known by its hash, and the salt is what makes the
-- one out of the other in the hands of whoever has it.

CREATE TABLE refresh_sessions (
    id_hash       BLOB    NOT NULL PRIMARY KEY,
    user_id       TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role          TEXT    NOT NULL,
    methods       TEXT    NOT NULL,
    remember      INTEGER NOT NULL DEFAULT 0,
    auth_at       BIGINT  NOT NULL,
    created_at    BIGINT  NOT NULL,
    seen_at       BIGINT  NOT NULL,
    idle_until    BIGINT  NOT NULL,
    expires_at    BIGINT  NOT NULL,
    address       TEXT    NOT NULL,
    device        TEXT    NOT NULL,
    current_hash  BLOB    NOT NULL,
    previous_hash BLOB,            -- none before the first exchange
    salt          BLOB,
    rotated_at    BIGINT  NOT NULL
);
CREATE INDEX refresh_sessions_by_user ON refresh_sessions (user_id);
CREATE INDEX refresh_sessions_by_end ON refresh_sessions (idle_until);
