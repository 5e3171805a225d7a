-- Mails and text messages: those that are to be sent, and for a day those that were.

CREATE TABLE messages (
    id         TEXT    NOT NULL PRIMARY KEY,
    channel    TEXT    NOT NULL, -- "mail" or "text"
    recipient  TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    -- Whose account it is about. The last message to somebody is still sent when
    -- their account is gone.
    user_id    TEXT    REFERENCES users (id) ON DELETE SET NULL,
    browser    BLOB,             -- a hash that names the browser which caused it
    at         BIGINT  NOT NULL,
    good_until BIGINT,           -- when it is of no use any more; NULL for never
    state      TEXT    NOT NULL CHECK (state IN ('waiting', 'sent', 'given up', 'none')),
    tries      INTEGER NOT NULL, -- that were begun
    -- When it may be tried. Whoever begins a try puts it off for longer than a try
    -- takes, so that nobody else begins one meanwhile; and if they die over it,
    -- somebody does later.
    due_at     BIGINT  NOT NULL,
    body       TEXT    NOT NULL  -- empty as soon as it is not needed any more
);
CREATE INDEX messages_due     ON messages (channel, due_at, id) WHERE state = 'waiting';
CREATE INDEX messages_by_time ON messages (at, id);
CREATE INDEX messages_by_user ON messages (user_id);
