-- Events are appended one by one, and never changed: the engine refuses the
-- rest. Whoever owns the database can drop these triggers; the hash chain then
-- shows what was done.

-- +goose Up
{{if .Postgres}}
-- +goose StatementBegin
CREATE FUNCTION case_events_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.seq = (SELECT coalesce(max(seq), 0) + 1 FROM case_events) THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'case_events: seq % leaves a gap', NEW.seq;
    END IF;
    RAISE EXCEPTION 'case_events is append-only';
END $$;
-- +goose StatementEnd
CREATE TRIGGER case_events_insert BEFORE INSERT ON case_events
    FOR EACH ROW EXECUTE FUNCTION case_events_append_only();
CREATE TRIGGER case_events_update BEFORE UPDATE ON case_events
    FOR EACH ROW EXECUTE FUNCTION case_events_append_only();
CREATE TRIGGER case_events_delete BEFORE DELETE ON case_events
    FOR EACH ROW EXECUTE FUNCTION case_events_append_only();
CREATE TRIGGER case_events_truncate BEFORE TRUNCATE ON case_events
    FOR EACH STATEMENT EXECUTE FUNCTION case_events_append_only();
{{else}}
-- +goose StatementBegin
CREATE TRIGGER case_events_insert BEFORE INSERT ON case_events
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM case_events)
  OR EXISTS (SELECT 1 FROM case_events WHERE case_id = NEW.case_id AND n = NEW.n)
BEGIN
    SELECT RAISE(ABORT, 'case_events: an event must come after the last one');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER case_events_update BEFORE UPDATE ON case_events
BEGIN
    SELECT RAISE(ABORT, 'case_events is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER case_events_delete BEFORE DELETE ON case_events
BEGIN
    SELECT RAISE(ABORT, 'case_events is append-only');
END;
-- +goose StatementEnd
{{end}}

-- +goose Down
DROP TRIGGER case_events_insert{{if .Postgres}} ON case_events{{end}};
DROP TRIGGER case_events_update{{if .Postgres}} ON case_events{{end}};
DROP TRIGGER case_events_delete{{if .Postgres}} ON case_events{{end}};
{{if .Postgres}}
DROP TRIGGER case_events_truncate ON case_events;
DROP FUNCTION case_events_append_only();
{{end}}
