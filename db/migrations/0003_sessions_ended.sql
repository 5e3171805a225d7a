-- When somebody's sessions were last ended all at once. A token cannot be
-- ended, but one issued before this moment is not exchanged for anything new.

ALTER TABLE users ADD COLUMN sessions_ended_at BIGINT;
