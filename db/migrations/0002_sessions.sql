-- What the server remembers of each sign-in, where the session is a record.
-- The cookie holds the id; here stands only its SHA-256, so that a stolen
-- table opens no door.

CREATE TABLE sessions (
    id_hash      BLOB    NOT NULL PRIMARY KEY,
    user_id      TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role         TEXT    NOT NULL,
    methods      TEXT    NOT NULL, -- how the person proved who they are: "pwd"
    remember     INTEGER NOT NULL DEFAULT 0,
    auth_at      BIGINT  NOT NULL,
    created_at   BIGINT  NOT NULL,
    seen_at      BIGINT  NOT NULL,
    idle_until   BIGINT  NOT NULL,
    expires_at   BIGINT  NOT NULL,
    address      TEXT    NOT NULL,
    device       TEXT    NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (idle_until);
