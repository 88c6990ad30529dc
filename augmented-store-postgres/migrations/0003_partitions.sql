-- Slices of time. The bounds are ids: the first 48 bits of a UUIDv7 are milliseconds since 1970.

CREATE FUNCTION aug_first_id(p_at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $f$
    SELECT (lpad(to_hex(floor(extract(epoch FROM p_at) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
$f$;
COMMENT ON FUNCTION aug_first_id IS 'The lowest id of its millisecond';

-- Of one instance, fact numbers are unique; all its tasks lie in one slice, because they share its time.
CREATE FUNCTION aug_make_slice(p_suffix text, p_bounds text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $f$
DECLARE
    base text;
BEGIN
    FOREACH base IN ARRAY ARRAY['workflow_instances', 'task_instances', 'task_attempts', 'workflow_history'] LOOP
        EXECUTE format('CREATE TABLE %I PARTITION OF %I %s', base || p_suffix, base, p_bounds);
    END LOOP;
    -- An instance is written once more at least, when it parks or ends: the new version fits beside the old one.
    EXECUTE format('ALTER TABLE %I SET (fillfactor = 45)', 'workflow_instances' || p_suffix);
    EXECUTE format('CREATE UNIQUE INDEX %I ON %I (workflow_instance_id, seq) WHERE seq IS NOT NULL',
                   'task_instances' || p_suffix || '_fact', 'task_instances' || p_suffix);
END $f$;

SELECT aug_make_slice('_default', 'DEFAULT');
