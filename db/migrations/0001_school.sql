-- The school: people, courses, and what people do with courses.
-- Portable between SQLite and PostgreSQL. Times are Unix milliseconds from
-- Go's clock, booleans are 0 and 1, ids are opaque text.

CREATE TABLE users (
    id            TEXT    NOT NULL PRIMARY KEY,
    email         TEXT    NOT NULL UNIQUE,
    name          TEXT    NOT NULL,
    role          TEXT    NOT NULL CHECK (role IN ('student', 'instructor', 'admin')),
    password_hash TEXT    NOT NULL,
    demo          INTEGER NOT NULL DEFAULT 0,
    created_at    BIGINT  NOT NULL,
    disabled_at   BIGINT
);
CREATE INDEX users_by_name ON users (name, id);

CREATE TABLE user_words (
    word    TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (word, user_id)
);
CREATE INDEX user_words_by_user ON user_words (user_id);

CREATE TABLE courses (
    id           TEXT    NOT NULL PRIMARY KEY,
    slug         TEXT    NOT NULL UNIQUE,
    title        TEXT    NOT NULL,
    summary      TEXT    NOT NULL,
    description  TEXT    NOT NULL,
    outcomes     TEXT    NOT NULL, -- one to a line
    topic        TEXT    NOT NULL,
    level        TEXT    NOT NULL,
    number       INTEGER NOT NULL,
    status       TEXT    NOT NULL CHECK (status IN ('draft', 'published')),
    owner_id     TEXT    NOT NULL REFERENCES users (id),
    version      INTEGER NOT NULL DEFAULT 1,
    created_at   BIGINT  NOT NULL,
    updated_at   BIGINT  NOT NULL,
    published_at BIGINT,
    deleted_at   BIGINT,
    -- kept in the transaction of what they count
    students     INTEGER NOT NULL DEFAULT 0,
    lessons      INTEGER NOT NULL DEFAULT 0,
    minutes      INTEGER NOT NULL DEFAULT 0,
    -- 1 while it stands in the catalogue: published and not deleted
    listed       INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX courses_by_number ON courses (listed, number, id);
CREATE INDEX courses_by_title ON courses (listed, title, id);
CREATE INDEX courses_by_age ON courses (listed, published_at, id);
CREATE INDEX courses_by_length ON courses (listed, minutes, id);
CREATE INDEX courses_by_owner ON courses (owner_id, updated_at);

-- The words by which a listed course is found: title, summary, instructor.
CREATE TABLE course_words (
    word      TEXT NOT NULL,
    course_id TEXT NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    PRIMARY KEY (word, course_id)
);
CREATE INDEX course_words_by_course ON course_words (course_id);

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
    position   INTEGER NOT NULL,
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
    body       TEXT    NOT NULL,
    status     TEXT    NOT NULL CHECK (status IN ('draft', 'published')),
    preview    INTEGER NOT NULL DEFAULT 0,
    minutes    INTEGER NOT NULL DEFAULT 1,
    position   INTEGER NOT NULL,
    version    INTEGER NOT NULL DEFAULT 1,
    created_at BIGINT  NOT NULL,
    updated_at BIGINT  NOT NULL,
    updated_by TEXT    NOT NULL REFERENCES users (id),
    deleted_at BIGINT,
    UNIQUE (course_id, slug)
);
CREATE INDEX lessons_by_chapter ON lessons (chapter_id, position);

CREATE TABLE enrolments (
    user_id     TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    course_id   TEXT    NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
    joined_at   BIGINT  NOT NULL,
    left_at     BIGINT,
    seen_at     BIGINT  NOT NULL,
    last_lesson TEXT,
    done        INTEGER NOT NULL DEFAULT 0, -- completions of published lessons
    finished_at BIGINT,
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
    actor_id   TEXT,
    actor_name TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    detail     TEXT   NOT NULL,
    session    TEXT   NOT NULL,
    address    TEXT   NOT NULL
);
CREATE INDEX audit_events_by_time ON audit_events (at, id);

CREATE TABLE settings (
    key        TEXT   NOT NULL PRIMARY KEY,
    value      TEXT   NOT NULL,
    updated_at BIGINT NOT NULL
);
