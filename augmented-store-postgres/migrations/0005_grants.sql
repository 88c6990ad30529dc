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
