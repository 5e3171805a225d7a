-- Passkeys: the public half of the key pairs that people sign in with.
CREATE TABLE passkeys (
    credential_id TEXT    NOT NULL PRIMARY KEY, -- as the device calls it, in base64url
    id            TEXT    NOT NULL UNIQUE,      -- as addresses call it
    user_id       TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name          TEXT    NOT NULL,
    synced        INTEGER NOT NULL, -- whether it can be copied to other devices; never changes
    backed_up     INTEGER NOT NULL, -- whether it had been, at the last use
    sign_count    BIGINT  NOT NULL, -- of the last use; 0 for those that do not count
    created_at    BIGINT  NOT NULL,
    used_at       BIGINT,
    warned_at     BIGINT,           -- when a use did not count on from the last; it opens nothing since
    record        TEXT    NOT NULL  -- the public key and what was said of it, as JSON
);
CREATE INDEX passkeys_by_user ON passkeys (user_id, created_at, id);
