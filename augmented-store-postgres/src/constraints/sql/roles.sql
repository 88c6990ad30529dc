-- Roles belong to the whole cluster: they are made once, by whoever may.
DO $do$
DECLARE
    role text;
    place text := current_schema();
BEGIN
    FOREACH role IN ARRAY ARRAY['aug_owner', 'aug_app', 'aug_read'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', role);
            EXCEPTION
                WHEN insufficient_privilege THEN
                    RAISE NOTICE 'role % is absent and this user may not create it: its rights are left out', role;
                WHEN duplicate_object OR unique_violation THEN NULL;
            END;
        END IF;
    END LOOP;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'aug_app') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO aug_app', place);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO aug_app', place);
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE ON %I.schema_migrations FROM aug_app', place);
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'aug_read') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO aug_read', place);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO aug_read', place);
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'aug_owner') THEN
        EXECUTE format('GRANT ALL ON SCHEMA %I TO aug_owner', place);
        EXECUTE format('GRANT ALL ON ALL TABLES IN SCHEMA %I TO aug_owner', place);
    END IF;
END
$do$;
