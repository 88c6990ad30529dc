-- What the roles may do with the tables of running workflows. Facts are only ever added.
DO $f$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'aug_app') THEN
        GRANT USAGE ON SCHEMA $schema TO aug_app;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA $schema TO aug_app;
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA $schema TO aug_app;
        REVOKE UPDATE, DELETE ON workflow_history FROM aug_app;
        REVOKE INSERT, UPDATE, DELETE ON schema_migrations FROM aug_app;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'aug_read') THEN
        GRANT USAGE ON SCHEMA $schema TO aug_read;
        GRANT SELECT ON ALL TABLES IN SCHEMA $schema TO aug_read;
    END IF;
END $f$;

-- Slices are reached through their tables only.
DO $do$
DECLARE
    slice regclass;
    role text;
BEGIN
    FOR slice IN SELECT inhrelid::regclass FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhparent
                 WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'p' LOOP
        FOREACH role IN ARRAY ARRAY['aug_app', 'aug_read'] LOOP
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
                EXECUTE format('REVOKE ALL ON %s FROM %I', slice, role);
            END IF;
        END LOOP;
    END LOOP;
END $do$;
