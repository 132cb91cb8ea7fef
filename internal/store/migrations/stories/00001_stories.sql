-- What is remembered of documents, to place later ones.

-- +goose Up
-- id is small and never changes, so that a posting is four bytes.
CREATE TABLE story_docs (
    id   {{.Serial}} PRIMARY KEY,
    doc  {{.Text}} NOT NULL UNIQUE,
    body {{.Bytes}} NOT NULL
);

-- docs is the list of story_docs.id under one key, four bytes each.
CREATE TABLE story_keys (
    key  {{.Serial}} PRIMARY KEY,
    docs {{.Bytes}} NOT NULL
);

-- +goose Down
DROP TABLE story_keys;
DROP TABLE story_docs;
