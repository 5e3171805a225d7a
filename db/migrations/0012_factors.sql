-- What people prove with, beside a password, who they are.

-- Whether somebody who signs in is asked for a second thing.
ALTER TABLE users ADD COLUMN two_step INTEGER NOT NULL DEFAULT 0;

-- One authenticator app for each person. The secret is sealed under a key that
-- is not in this file. last_step is the last step of thirty seconds whose code
-- was accepted: no code of it or of an earlier one is accepted again
-- (RFC 6238 §5.2).
CREATE TABLE authenticators (
    user_id   TEXT   NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret    TEXT   NOT NULL,
    last_step BIGINT NOT NULL,
    added_at  BIGINT NOT NULL,
    used_at   BIGINT
);

-- Recovery codes. The first four characters find the row, the rest is hashed
-- like a password.
CREATE TABLE recovery_codes (
    user_id TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    finder  TEXT   NOT NULL,
    hash    TEXT   NOT NULL,
    made_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, finder)
);

-- A telephone that codes are sent to, once it has been shown to be theirs.
CREATE TABLE phones (
    user_id  TEXT   NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    number   TEXT   NOT NULL,
    added_at BIGINT NOT NULL,
    used_at  BIGINT
);

-- When each way to sign in was last used that has no row of its own.
CREATE TABLE method_uses (
    user_id TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    method  TEXT   NOT NULL, -- "password" or "email-code"
    used_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, method)
);

-- Where somebody was signed in before: a browser, as it calls itself, and a
-- network. It is kept so that they can be told of a place that is new.
CREATE TABLE known_places (
    user_id TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device  TEXT   NOT NULL,
    network TEXT   NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, device, network)
);

-- The browsers in which somebody was signed in, in a demonstration, whose inbox
-- shows there what they were sent: a hash, as messages have it.
CREATE TABLE known_browsers (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    browser BLOB NOT NULL,
    PRIMARY KEY (user_id, browser)
);
CREATE INDEX known_places_by_time ON known_places (user_id, seen_at);

-- Who somebody is at a provider that vouches for them: the provider's issuer and
-- the subject that it knows them by. Nothing else says who it is; an address is
-- kept for its owner to recognise it by.
CREATE TABLE identities (
    id       TEXT   NOT NULL PRIMARY KEY,
    user_id  TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider TEXT   NOT NULL, -- its slug in our addresses
    issuer   TEXT   NOT NULL,
    subject  TEXT   NOT NULL,
    email    TEXT   NOT NULL, -- as the provider says, which proves nothing
    added_at BIGINT NOT NULL,
    used_at  BIGINT,
    UNIQUE (issuer, subject)
);
CREATE INDEX identities_by_user ON identities (user_id, added_at);
