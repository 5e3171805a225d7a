-- Proofs that take more than one request: a code that was sent, a second step,
-- a challenge for a passkey. They lie here for every kind of session, because
-- what may be used once has to be remembered by somebody who cannot be talked
-- into forgetting it.
--
-- Neither the id nor the browser's secret can be read off a row; both are
-- SHA-256. A row is gone when it is used, and is swept when its time is over.
CREATE TABLE flows (
    id_hash      TEXT    NOT NULL PRIMARY KEY,
    browser_hash TEXT    NOT NULL,
    purpose      TEXT    NOT NULL,
    step         TEXT    NOT NULL,
    user_id      TEXT    NOT NULL, -- empty where nobody has the address that was typed
    tries        INTEGER NOT NULL DEFAULT 0,
    began_at     BIGINT  NOT NULL,
    expires_at   BIGINT  NOT NULL,
    state        TEXT    NOT NULL
);
CREATE INDEX flows_by_end ON flows (expires_at);
