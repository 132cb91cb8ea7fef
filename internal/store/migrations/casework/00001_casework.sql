-- One schema for both engines. {{.Text}} is text that sorts by bytes, times are
-- Unix microseconds.

-- +goose Up
CREATE TABLE case_events (
    seq     {{.Serial}} PRIMARY KEY,
    case_id {{.Text}} NOT NULL,
    n       BIGINT NOT NULL,
    type    {{.Text}} NOT NULL,
    at      BIGINT NOT NULL,
    by_who  {{.Text}} NOT NULL,
    data    {{.Text}} NOT NULL,
    prev    {{.Text}} NOT NULL,
    hash    {{.Text}} NOT NULL,
    UNIQUE (case_id, n)
);

-- The end of the chain: what the last event must be, so that cutting events
-- off the end shows.
CREATE TABLE event_head (
    one  BIGINT PRIMARY KEY CHECK (one = 1),
    seq  BIGINT NOT NULL,
    hash {{.Text}} NOT NULL
);
INSERT INTO event_head (one, seq, hash)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');

-- The projection: body is the case as JSON, the columns are for finding it.
CREATE TABLE cases (
    id       {{.Text}} PRIMARY KEY,
    status   {{.Text}} NOT NULL,
    risk     DOUBLE PRECISION NOT NULL,
    level    {{.Text}} NOT NULL,
    language {{.Text}} NOT NULL,
    story    {{.Text}} NOT NULL,
    version  BIGINT NOT NULL,
    body     {{.Text}} NOT NULL
);
CREATE INDEX cases_by_risk ON cases (risk DESC, id);
CREATE INDEX cases_by_status ON cases (status, risk DESC, id);
CREATE INDEX cases_by_story ON cases (story);

CREATE TABLE users (
    login      {{.Text}} PRIMARY KEY,
    name       {{.Text}} NOT NULL,
    role       {{.Text}} NOT NULL,
    locale     {{.Text}} NOT NULL,
    hash       {{.Text}} NOT NULL,
    disabled   BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE cursors (
    name  {{.Text}} PRIMARY KEY,
    value {{.Bytes}} NOT NULL
);

-- token is the SHA-256 of the session token. A session that was ended stays as
-- a mark until it expires, so that a request still under way cannot revive it.
CREATE TABLE sessions (
    token   {{.Bytes}} PRIMARY KEY,
    data    {{.Bytes}} NOT NULL,
    expires BIGINT NOT NULL,
    ended   BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX sessions_by_expires ON sessions (expires);

CREATE TABLE links (
    hash    {{.Bytes}} PRIMARY KEY,
    login   {{.Text}} NOT NULL REFERENCES users (login) ON DELETE CASCADE,
    expires BIGINT NOT NULL
);
CREATE INDEX links_by_expires ON links (expires);

-- +goose Down
DROP TABLE links;
DROP TABLE sessions;
DROP TABLE cursors;
DROP TABLE users;
DROP TABLE cases;
DROP TABLE event_head;
DROP TABLE case_events;
