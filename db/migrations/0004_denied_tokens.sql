-- The tokens that were ended before their time, by their jti, where tokens can
-- be ended one by one. An entry is dropped when its token has expired.

CREATE TABLE denied_tokens (
    jti        TEXT   NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX denied_tokens_by_end ON denied_tokens (expires_at);
