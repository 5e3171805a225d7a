-- The school: people, courses, and what people do with courses.
--
-- Portable between SQLite and PostgreSQL. Times are Unix milliseconds from
-- Go's clock, booleans are 0 and 1, ids are opaque text. Columns that end in
-- _key hold text as it is sorted and searched: lower case, without accents.
-- Long texts stand last in their row, so that reading the columns before them
-- never walks through them.

CREATE TABLE users (
    id            TEXT    NOT NULL PRIMARY KEY,
    email         TEXT    NOT NULL UNIQUE,
    name          TEXT    NOT NULL,
    name_key      TEXT    NOT NULL,
    role          TEXT    NOT NULL CHECK (role IN ('student', 'instructor', 'admin')),
    password_hash TEXT    NOT NULL,
    demo          INTEGER NOT NULL DEFAULT 0,
    created_at    BIGINT  NOT NULL,
    disabled_at   BIGINT
);
-- One for each filter of the list of people, so that a page of it is read
-- straight off an index.
CREATE INDEX users_by_name          ON users (name_key, id);
CREATE INDEX users_by_role          ON users (role, name_key, id);
CREATE INDEX users_enabled          ON users (name_key, id)       WHERE disabled_at IS NULL;
CREATE INDEX users_disabled         ON users (name_key, id)       WHERE disabled_at IS NOT NULL;
CREATE INDEX users_enabled_by_role  ON users (role, name_key, id) WHERE disabled_at IS NULL;
CREATE INDEX users_disabled_by_role ON users (role, name_key, id) WHERE disabled_at IS NOT NULL;

-- The words by which a person is found: name and e-mail address.
CREATE TABLE user_words (
    word    TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (word, user_id)
);
CREATE INDEX user_words_by_user ON user_words (user_id, word);

-- How many people there are, by role and by whether they may sign in.
CREATE TABLE user_counts (
    role     TEXT    NOT NULL,
    disabled INTEGER NOT NULL,
    people   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (role, disabled)
);

CREATE TABLE courses (
    id           TEXT    NOT NULL PRIMARY KEY,
    slug         TEXT    NOT NULL UNIQUE,
    title        TEXT    NOT NULL,
    title_key    TEXT    NOT NULL,
    summary      TEXT    NOT NULL,
    topic        TEXT    NOT NULL,
    level        TEXT    NOT NULL,
    number       INTEGER NOT NULL,
    status       TEXT    NOT NULL CHECK (status IN ('draft', 'published')),
    owner_id     TEXT    NOT NULL REFERENCES users (id),
    version      INTEGER NOT NULL DEFAULT 1,
    created_at   BIGINT  NOT NULL,
    updated_at   BIGINT  NOT NULL, -- of anything in the course
    published_at BIGINT,           -- for the first time
    deleted_at   BIGINT,
    -- kept in the transaction of what they count
    students     INTEGER NOT NULL DEFAULT 0,
    lessons      INTEGER NOT NULL DEFAULT 0,
    minutes      INTEGER NOT NULL DEFAULT 0,
    -- 1 while it stands in the catalogue: published and not deleted
    listed       INTEGER NOT NULL DEFAULT 0,
    outcomes     TEXT    NOT NULL, -- one to a line
    description  TEXT    NOT NULL
);
-- One for each filter and each order of the catalogue, so that a page of it is
-- read straight off an index.
CREATE INDEX courses_by_number       ON courses (listed, number, id);
CREATE INDEX courses_by_age          ON courses (listed, published_at, id);
CREATE INDEX courses_by_length       ON courses (listed, minutes, id);
CREATE INDEX courses_by_title        ON courses (listed, title_key, id);
CREATE INDEX courses_topic_by_number ON courses (listed, topic, number, id);
CREATE INDEX courses_topic_by_age    ON courses (listed, topic, published_at, id);
CREATE INDEX courses_topic_by_length ON courses (listed, topic, minutes, id);
CREATE INDEX courses_topic_by_title  ON courses (listed, topic, title_key, id);
CREATE INDEX courses_level_by_number ON courses (listed, level, number, id);
CREATE INDEX courses_level_by_age    ON courses (listed, level, published_at, id);
CREATE INDEX courses_level_by_length ON courses (listed, level, minutes, id);
CREATE INDEX courses_level_by_title  ON courses (listed, level, title_key, id);
CREATE INDEX courses_shelf_by_number ON courses (listed, topic, level, number, id);
CREATE INDEX courses_shelf_by_age    ON courses (listed, topic, level, published_at, id);
CREATE INDEX courses_shelf_by_length ON courses (listed, topic, level, minutes, id);
CREATE INDEX courses_shelf_by_title  ON courses (listed, topic, level, title_key, id);
-- For the lists of those who teach.
CREATE INDEX courses_by_edit           ON courses (updated_at)           WHERE deleted_at IS NULL;
CREATE INDEX courses_by_owner          ON courses (owner_id, updated_at) WHERE deleted_at IS NULL;
CREATE INDEX courses_deleted           ON courses (deleted_at)           WHERE deleted_at IS NOT NULL;
CREATE INDEX courses_deleted_by_owner  ON courses (owner_id, deleted_at) WHERE deleted_at IS NOT NULL;

-- The words by which a listed course is found: title, summary, instructor.
CREATE TABLE course_words (
    word      TEXT NOT NULL,
    course_id TEXT NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    PRIMARY KEY (word, course_id)
);
CREATE INDEX course_words_by_course ON course_words (course_id, word);

-- How many courses stand in the catalogue, by shelf.
CREATE TABLE course_counts (
    topic  TEXT    NOT NULL,
    level  TEXT    NOT NULL,
    listed INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (topic, level)
);

CREATE TABLE chapters (
    id         TEXT    NOT NULL PRIMARY KEY,
    course_id  TEXT    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    title      TEXT    NOT NULL,
    position   INTEGER NOT NULL, -- 0, 1, 2, … among those not deleted
    deleted_at BIGINT
);
CREATE INDEX chapters_by_course ON chapters (course_id, position);

CREATE TABLE lessons (
    id         TEXT    NOT NULL PRIMARY KEY,
    course_id  TEXT    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    chapter_id TEXT    NOT NULL REFERENCES chapters (id) ON DELETE CASCADE,
    slug       TEXT    NOT NULL,
    title      TEXT    NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('reading', 'quiz', 'lab')),
    status     TEXT    NOT NULL CHECK (status IN ('draft', 'published')),
    preview    INTEGER NOT NULL DEFAULT 0,
    minutes    INTEGER NOT NULL DEFAULT 1,
    position   INTEGER NOT NULL, -- 0, 1, 2, … among those not deleted in its chapter
    version    INTEGER NOT NULL DEFAULT 1,
    created_at BIGINT  NOT NULL,
    updated_at BIGINT  NOT NULL,
    updated_by TEXT    NOT NULL REFERENCES users (id),
    deleted_at BIGINT,
    -- 1 while it counts: published, and neither it nor its chapter deleted
    visible    INTEGER NOT NULL DEFAULT 0,
    body       TEXT    NOT NULL,
    UNIQUE (course_id, slug)
);
CREATE INDEX lessons_by_chapter ON lessons (chapter_id, position);
CREATE INDEX lessons_by_course ON lessons (course_id, visible, minutes);

CREATE TABLE enrolments (
    user_id     TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    course_id   TEXT    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    joined_at   BIGINT  NOT NULL,
    left_at     BIGINT,
    seen_at     BIGINT  NOT NULL,
    last_lesson TEXT    NOT NULL DEFAULT '', -- the lesson last opened
    done        INTEGER NOT NULL DEFAULT 0,  -- completions of visible lessons
    finished_at BIGINT,                      -- the last of them, once there is one for each
    PRIMARY KEY (user_id, course_id)
);
CREATE INDEX enrolments_by_course ON enrolments (course_id, left_at);

CREATE TABLE completions (
    user_id   TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    lesson_id TEXT   NOT NULL REFERENCES lessons (id) ON DELETE CASCADE,
    course_id TEXT   NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    done_at   BIGINT NOT NULL,
    PRIMARY KEY (user_id, lesson_id)
);
CREATE INDEX completions_by_lesson ON completions (lesson_id);
CREATE INDEX completions_by_course ON completions (course_id, user_id);

CREATE TABLE audit_events (
    id         TEXT   NOT NULL PRIMARY KEY,
    at         BIGINT NOT NULL,
    action     TEXT   NOT NULL,
    actor_id   TEXT   NOT NULL, -- empty when nobody was signed in
    actor_name TEXT   NOT NULL,
    actor_key  TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    detail     TEXT   NOT NULL,
    session    TEXT   NOT NULL,
    address    TEXT   NOT NULL
);
CREATE INDEX audit_events_by_time   ON audit_events (at, id);
CREATE INDEX audit_events_by_action ON audit_events (action, at, id);
CREATE INDEX audit_events_by_actor  ON audit_events (actor_id, at, id);
CREATE INDEX audit_events_by_name   ON audit_events (actor_key, at, id);

CREATE TABLE settings (
    key        TEXT   NOT NULL PRIMARY KEY,
    value      TEXT   NOT NULL,
    updated_at BIGINT NOT NULL
);

-- The ids of the people, courses, chapters and lessons of the demo school,
-- which a reset brings back. Empty in a school that was never seeded.
CREATE TABLE seeded (
    id TEXT NOT NULL PRIMARY KEY
);
