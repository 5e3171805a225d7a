-- How often somebody tried what may be tried only so often: passwords and codes,
-- for each account and each network, whether or not there is such an account; and
-- from which networks an account was signed in. No address stands here, neither of a
-- person nor of a network, but a hash of them that only this site's key makes.
CREATE TABLE tries (
    id        BLOB    NOT NULL PRIMARY KEY, -- of what is counted, of whom, and from where
    account   BLOB,                         -- of whom, where only the latest rows are kept
    n         INTEGER NOT NULL,
    moment    BIGINT  NOT NULL,
    forget_at BIGINT  NOT NULL              -- when the row says nothing any more
);
CREATE INDEX tries_by_account ON tries (account) WHERE account IS NOT NULL;
CREATE INDEX tries_by_end ON tries (forget_at);
