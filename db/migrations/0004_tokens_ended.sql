-- Ways to end a token before its time.
--
-- The first moments at which a session of a person, and a token, may be dated
-- after their sessions, or their tokens alone, were ended: both are dated by
-- whole seconds, so it is not quite the moment of the end.

ALTER TABLE users ADD COLUMN sessions_from BIGINT;
ALTER TABLE users ADD COLUMN tokens_from BIGINT;

UPDATE users
   SET sessions_from = (sessions_ended_at / 1000 + 1) * 1000,
       tokens_from = (sessions_ended_at / 1000 + 1) * 1000
 WHERE sessions_ended_at IS NOT NULL;

-- The tokens that were ended one by one, by their jti. An entry is dropped when
-- its token has expired.

CREATE TABLE denied_tokens (
    jti        TEXT   NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX denied_tokens_by_end ON denied_tokens (expires_at);
