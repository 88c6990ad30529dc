-- What keeps the tables in shape for years: words for every column, slices of time, retention.

-- Words for every column that has none yet. Of '*', the tables that have such a column.
DO $do$
DECLARE
    word record;
    place record;
BEGIN
    FOR word IN SELECT * FROM (VALUES
        ('*', 'tenant_id', 'Whose it is'),

        ('definition_index', 'id', 'Row id of the version, the same as in the table of its kind'),
        ('definition_index', 'kind', 'Kind of the definition, as documents write it'),
        ('definition_index', 'business_id', 'Business id, the same over all versions'),
        ('definition_index', 'version', 'Semantic version'),
        ('definition_index', 'name', 'Name shown to people'),
        ('definition_index', 'status', 'DRAFT, PUBLISHED, DEPRECATED or ARCHIVED'),
        ('definition_refs', 'from_id', 'The version that refers'),
        ('definition_refs', 'pointer', 'JSON Pointer to the reference in its document'),
        ('definition_refs', 'to_kind', 'Kind of the target'),
        ('definition_refs', 'to_business_id', 'Business id of the target'),
        ('definition_refs', 'to_id', 'The version found; NULL where a range is meant, nothing is found yet, or it is shipped'),
        ('definitions', 'kind', 'Kind of the definition, as documents write it'),
        ('definitions', 'id', 'Row id; running work pins it'),
        ('definitions', 'business_id', 'Business id, the same over all versions'),
        ('definitions', 'version', 'Semantic version'),
        ('definitions', 'status', 'DRAFT, PUBLISHED, DEPRECATED or ARCHIVED'),
        ('definitions', 'content_hash', 'SHA-256 of the canonical document'),
        ('definitions', 'created_at', 'When it was first stored'),
        ('definitions', 'updated_at', 'When it was last changed'),
        ('definitions', 'published_at', 'When it was first published'),
        ('definitions', 'deprecation_note', 'What was said when it was deprecated'),
        ('definitions', 'deprecation_replacement', 'The version to use instead'),
        ('definitions', 'document', 'The document, rebuilt from the columns'),

        ('schema_migrations', 'version', 'Number of the migration, from 1 on without a gap'),
        ('schema_migrations', 'name', 'What it brings'),
        ('schema_migrations', 'checksum', 'SHA-256 of its text, so that a changed one is noticed'),
        ('schema_migrations', 'applied_at', 'When it was applied'),

        ('engine_nodes', 'node_id', 'The node; a fenced one comes back under another id'),
        ('engine_nodes', 'role', 'What the process is for'),
        ('engine_nodes', 'started_at', 'When it registered'),
        ('engine_nodes', 'address', 'Where it can be reached, if it says so'),

        ('workflow_instances', 'id', 'Row id; its first 48 bits are the milliseconds of the creation'),
        ('workflow_instances', 'workflow_definition_id', 'The definition it runs, pinned at the start'),
        ('workflow_instances', 'workflow_id', 'Business id of the workflow'),
        ('workflow_instances', 'definition_version', 'Version of the workflow, pinned at the start'),
        ('workflow_instances', 'status', 'Where it stands, as of the last write'),
        ('workflow_instances', 'priority', 'Higher first'),
        ('workflow_instances', 'depth', 'Ancestors above it'),
        ('workflow_instances', 'created_at', 'When it was accepted'),
        ('workflow_instances', 'started_at', 'When it began'),
        ('workflow_instances', 'updated_at', 'When the row was last written'),
        ('workflow_instances', 'completed_at', 'When it ended; retention counts from here'),
        ('workflow_instances', 'expires_at', 'When it times out'),
        ('workflow_instances', 'input', 'What it was started with'),
        ('workflow_instances', 'output', 'What it ended with'),
        ('workflow_instances', 'current_step_id', 'The step entered last, for display'),
        ('workflow_instances', 'error', 'Why it failed'),
        ('workflow_instances', 'correlation_id', 'What it is found by from outside'),
        ('workflow_instances', 'idempotency_key', 'The key it was started under; workflow_idempotency_keys holds it unique'),
        ('workflow_instances', 'trigger_id', 'Business id of the trigger that started it'),
        ('workflow_instances', 'trigger_event_id', 'The event that started it'),
        ('workflow_instances', 'replay_id', 'The replay that started it'),
        ('workflow_instances', 'schedule_id', 'Business id of the schedule that started it'),
        ('workflow_instances', 'parent_instance_id', 'The instance that started it as a sub-workflow'),
        ('workflow_instances', 'parent_activation', 'The entry of the step in the parent'),
        ('workflow_instances', 'parent_step_key', 'The step in the parent, with its scope'),
        ('workflow_instances', 'parent_waits', 'Whether the parent waits for its end'),
        ('workflow_instances', 'cancellation', 'Who cancelled it, when and why'),
        ('workflow_instances', 'compensation_state', 'How far compensation got'),
        ('workflow_instances', 'paused_from', 'The status to go back to when it is resumed'),
        ('workflow_instances', 'dead_letter_reason', 'Why it was given up'),
        ('workflow_instances', 'initiator_id', 'Who started it'),
        ('workflow_instances', 'run_as', 'Whose permissions its calls use'),
        ('workflow_instances', 'trace_parent', 'Trace context of the start'),
        ('workflow_instances', 'metadata', 'Free data of the caller'),

        ('workflow_idempotency_keys', 'workflow_id', 'Business id of the workflow'),
        ('workflow_idempotency_keys', 'idempotency_key', 'The key of the caller'),
        ('workflow_idempotency_keys', 'instance_id', 'The instance started under it'),
        ('workflow_idempotency_keys', 'input_hash', 'SHA-256 of its input, so that another input is noticed'),

        ('task_instances', 'id', 'Row id; of a task of a workflow, its first 48 bits are those of the instance'),
        ('task_instances', 'task_definition_id', 'The definition, pinned'),
        ('task_instances', 'workflow_instance_id', 'The instance it belongs to; NULL for a task of its own'),
        ('task_instances', 'workflow_definition_id', 'The workflow definition of that instance'),
        ('task_instances', 'visit', 'The entry of the step in its scope, from 1 on'),
        ('task_instances', 'attempt', 'The attempt it is at, from 1 on'),
        ('task_instances', 'failures', 'Attempts that failed'),
        ('task_instances', 'version', 'Counts the writes of the row'),
        ('task_instances', 'status', 'Where it stands'),
        ('task_instances', 'type', 'Who does the work'),
        ('task_instances', 'priority', 'Which comes first among those that wait'),
        ('task_instances', 'created_at', 'When it was created'),
        ('task_instances', 'started_at', 'When the current attempt began'),
        ('task_instances', 'ended_at', 'When it ended'),
        ('task_instances', 'step_id', 'The step of the workflow'),
        ('task_instances', 'scope_path', 'The branches and iterations around the step'),
        ('task_instances', 'outcome', 'The outcome its worker chose'),
        ('task_instances', 'input', 'What is to be worked on; never changes'),
        ('task_instances', 'output', 'The result'),
        ('task_instances', 'error', 'The last error'),
        ('task_instances', 'status_reason', 'Why it is in this status'),
        ('task_instances', 'parent_task_instance_id', 'The task it is a part of'),
        ('task_instances', 'origin_task_instance_id', 'The task whose failure made it'),
        ('task_instances', 'queue', 'The queue workers take it from'),
        ('task_instances', 'handler', 'The handler that does the work'),
        ('task_instances', 'executor_id', 'The node or worker that is at it'),
        ('task_instances', 'concurrency_key', 'Tasks with the same key share a limit'),
        ('task_instances', 'title', 'Title shown to people'),
        ('task_instances', 'manual_config', 'Settings of human work, pinned'),
        ('task_instances', 'eligibility', 'Who may take it'),
        ('task_instances', 'assignee_id', 'Who works on it'),
        ('task_instances', 'owner_id', 'Who answers for it'),
        ('task_instances', 'retry_policy', 'How failed attempts are repeated, pinned'),
        ('task_instances', 'total_deadline_at', 'When all attempts together have taken too long'),
        ('task_instances', 'attempt_deadline_at', 'When the current attempt has taken too long'),
        ('task_instances', 'available_at', 'From when on it may be taken'),
        ('task_instances', 'rank_at', 'Its place among those of the same priority'),
        ('task_instances', 'wake_at', 'When it is to be looked at again'),
        ('task_instances', 'lease_token', 'Proves that a worker still holds it'),
        ('task_instances', 'heartbeat_at', 'When its worker was last heard of'),
        ('task_instances', 'checkpoint', 'How far the work got, for the next attempt'),
        ('task_instances', 'cancel_requested_at', 'Since when its worker is asked to stop'),
        ('task_instances', 'cancel_reason', 'Why'),
        ('task_instances', 'due_at', 'When people should be done'),
        ('task_instances', 'expires_at', 'When it times out'),
        ('task_instances', 'reminders_sent', 'Reminders sent so far'),
        ('task_instances', 'escalation_level', 'Escalations so far'),
        ('task_instances', 'duration_ms', 'How long the last attempt took, in milliseconds'),
        ('task_instances', 'execution_environment', 'Where it ran'),
        ('task_instances', 'usage', 'What it used'),
        ('task_instances', 'integration_metadata', 'The record of an integration call'),
        ('task_instances', 'task_reference', 'What it is found by from outside'),
        ('task_instances', 'ui_pins', 'Versions of the UI components that show it'),
        ('task_instances', 'correlation_id', 'What its work is found by from outside'),
        ('task_instances', 'trace_parent', 'Trace context of its creation'),
        ('task_instances', 'idempotency_key', 'The key it was created under'),
        ('task_instances', 'input_hash', 'SHA-256 of the input'),
        ('task_instances', 'created_by', 'Who created it'),
        ('task_instances', 'completed_by', 'Who ended it'),

        ('task_attempts', 'task_instance_id', 'The task'),
        ('task_attempts', 'attempt', 'Number of the attempt, from 1 on'),
        ('task_attempts', 'executor_id', 'The node or worker that was at it'),
        ('task_attempts', 'lease_token', 'The lease it worked under'),
        ('task_attempts', 'started_at', 'When it began'),
        ('task_attempts', 'ended_at', 'When it ended'),
        ('task_attempts', 'outcome', 'How it ended'),
        ('task_attempts', 'error', 'Why it failed'),
        ('task_attempts', 'delay_ms', 'The pause after it, in milliseconds'),
        ('task_attempts', 'next_attempt_at', 'When the next one is due'),
        ('task_attempts', 'checkpoint', 'How far the work got'),
        ('task_attempts', 'diagnostics', 'What its worker reported besides'),
        ('task_attempts', 'usage', 'What it used'),

        ('workflow_history', 'instance_id', 'The instance'),
        ('workflow_history', 'seq', 'Number of the fact, shared with the tasks of the instance'),
        ('workflow_history', 'kind', 'Kind of the message'),
        ('workflow_history', 'message_key', 'What makes the message unique; applied once'),
        ('workflow_history', 'step_id', 'The step it is about'),
        ('workflow_history', 'scope_path', 'The branches and iterations around the step'),
        ('workflow_history', 'visit', 'The entry of the step in its scope'),
        ('workflow_history', 'actor', 'Who did it'),
        ('workflow_history', 'occurred_at', 'When it was applied'),
        ('workflow_history', 'payload', 'The message'),
        ('workflow_history', 'trail', 'The steps crossed after it'),
        ('workflow_history', 'trace_id', 'Trace it belongs to'),

        ('workflow_mailbox', 'id', 'Order of arrival'),
        ('workflow_mailbox', 'instance_id', 'Whom it is for'),
        ('workflow_mailbox', 'kind', 'Kind of the message'),
        ('workflow_mailbox', 'message_key', 'What makes it unique; accepted once'),
        ('workflow_mailbox', 'payload', 'The message'),
        ('workflow_mailbox', 'attempts', 'How often it could not be applied'),
        ('workflow_mailbox', 'created_at', 'When it arrived'),
        ('workflow_mailbox', 'trace_parent', 'Trace context of the sender'),

        ('timers', 'instance_id', 'Whom it wakes'),
        ('timers', 'kind', 'What it is for'),
        ('timers', 'activation', 'The entry of the step it belongs to'),
        ('timers', 'fire_at', 'When it is due'),
        ('timers', 'timer_key', 'Kind and activation in one, for display'),
        ('timers', 'payload', 'What it brings along')
    ) AS words(of_table, of_column, says)
    LOOP
        FOR place IN
            SELECT c.relname, a.attname FROM pg_class c
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
              AND (c.relname = word.of_table OR word.of_table = '*') AND a.attname = word.of_column
              AND col_description(c.oid, a.attnum) IS NULL
        LOOP
            EXECUTE format('COMMENT ON COLUMN %I.%I IS %L', place.relname, place.attname, word.says);
        END LOOP;
    END LOOP;
END $do$;

-- Tasks of their own go by their own end; those of workflows go with their instance.
CREATE INDEX task_instances_alone ON task_instances (ended_at) WHERE workflow_instance_id IS NULL;

-- The tables that are split, each with the column of the id it is split by.
CREATE FUNCTION aug_split_tables() RETURNS TABLE (base text, key text)
LANGUAGE sql IMMUTABLE SET search_path FROM CURRENT AS $f$
    VALUES ('workflow_instances', 'id'), ('task_instances', 'id'), ('task_attempts', 'task_instance_id'),
           ('workflow_history', 'instance_id')
$f$;
COMMENT ON FUNCTION aug_split_tables IS 'The tables that are split by time, and the column they are split by';

-- The four tables of a slice have the same suffix and bounds; a bound is NULL where there is none.
CREATE FUNCTION aug_slices() RETURNS TABLE (suffix text, low uuid, high uuid, is_default boolean)
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $f$
    SELECT substr(c.relname, length('workflow_instances') + 1),
           (regexp_match(b.bound, 'FROM \(''([^'']+)''\)'))[1]::uuid,
           (regexp_match(b.bound, 'TO \(''([^'']+)''\)'))[1]::uuid,
           b.bound = 'DEFAULT'
    FROM pg_inherits h
    JOIN pg_class c ON c.oid = h.inhrelid
    CROSS JOIN LATERAL pg_get_expr(c.relpartbound, c.oid) AS b(bound)
    WHERE h.inhparent = 'workflow_instances'::regclass
    ORDER BY 4, 3
$f$;
COMMENT ON FUNCTION aug_slices IS 'The slices of time there are, oldest first, the default one last';

-- Locks what a change of slices needs, all at once; each lock waits no longer than it may.
CREATE FUNCTION aug_lock_slices(p_suffix text, p_wait_ms integer, p_parents boolean) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $f$
DECLARE
    split record;
BEGIN
    PERFORM set_config('lock_timeout', greatest(p_wait_ms / 8, 1)::text, true);
    FOR split IN SELECT * FROM aug_split_tables() LOOP
        IF p_parents THEN
            EXECUTE format('LOCK TABLE ONLY %I IN ACCESS EXCLUSIVE MODE', split.base);
        END IF;
        EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', split.base || p_suffix);
    END LOOP;
END $f$;
COMMENT ON FUNCTION aug_lock_slices IS 'Locks the four tables of a slice, with the tables they belong to if asked';

-- A table that can become a slice: the columns, checks and indexes of its table, and none of its rights.
CREATE FUNCTION aug_new_slice_table(p_base text, p_name text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $f$
BEGIN
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', p_name, p_base);
    IF p_base = 'workflow_instances' THEN
        EXECUTE format('ALTER TABLE %I SET (fillfactor = 45)', p_name);
    ELSIF p_base = 'task_instances' THEN
        EXECUTE format('CREATE UNIQUE INDEX %I ON %I (workflow_instance_id, seq) WHERE seq IS NOT NULL',
                       p_name || '_fact', p_name);
    END IF;
    -- Whoever gets at the slice itself meets no policy, hence no row.
    IF (SELECT relrowsecurity FROM pg_class WHERE oid = p_base::regclass) THEN
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', p_name);
    END IF;
END $f$;
COMMENT ON FUNCTION aug_new_slice_table IS 'Makes a table that can become a slice of another one';

-- Makes a slice. What the default slice holds of its time moves over in the same transaction, and the default slice is
-- locked and read meanwhile: it must be small. Answers how many rows moved.
CREATE FUNCTION aug_add_slice(p_suffix text, p_low uuid, p_high uuid, p_wait_ms integer) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT AS $f$
DECLARE
    split record;
    moved bigint;
    total bigint := 0;
BEGIN
    FOR split IN SELECT * FROM aug_split_tables() LOOP
        PERFORM aug_new_slice_table(split.base, split.base || p_suffix);
    END LOOP;
    PERFORM aug_lock_slices('_default', p_wait_ms, false);
    FOR split IN SELECT * FROM aug_split_tables() LOOP
        EXECUTE format('WITH gone AS (DELETE FROM %1$I WHERE %2$I >= %3$L AND %2$I < %4$L RETURNING *)
                        INSERT INTO %5$I SELECT * FROM gone',
                       split.base || '_default', split.key, p_low, p_high, split.base || p_suffix);
        GET DIAGNOSTICS moved = ROW_COUNT;
        total := total + moved;
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                       split.base, split.base || p_suffix, p_low, p_high);
    END LOOP;
    RETURN total;
END $f$;
COMMENT ON FUNCTION aug_add_slice IS 'Makes a slice of time and moves what belongs to it';

-- How much the default slice holds, in bytes.
CREATE FUNCTION aug_default_size() RETURNS bigint
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $f$
    SELECT sum(pg_relation_size((base || '_default')::regclass))::bigint FROM aug_split_tables()
$f$;
COMMENT ON FUNCTION aug_default_size IS 'Bytes of the default slice, without indexes';

-- Where the default slice is being closed: the first id that it refuses; NULL if it is not.
CREATE FUNCTION aug_closing_at() RETURNS uuid
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $f$
    SELECT max((regexp_match(pg_get_constraintdef(k.oid), '< ''([0-9a-f-]{36})'''))[1])::uuid
    FROM pg_constraint k JOIN aug_split_tables() s ON k.conrelid = (s.base || '_default')::regclass
    WHERE k.conname = 'ck_slice_closing'
$f$;
COMMENT ON FUNCTION aug_closing_at IS 'The first id that the closing default slice refuses';

-- A default slice that grew large becomes a slice of its own, without moving a row, in three steps. First: it takes
-- nothing more from a future instant on.
CREATE FUNCTION aug_begin_closing(p_low uuid, p_high uuid, p_wait_ms integer) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $f$
DECLARE
    split record;
BEGIN
    PERFORM aug_lock_slices('_default', p_wait_ms, false);
    FOR split IN SELECT * FROM aug_split_tables() LOOP
        EXECUTE format('ALTER TABLE %1$I ADD CONSTRAINT ck_slice_closing CHECK (%2$s %3$I < %4$L) NOT VALID',
                       split.base || '_default',
                       CASE WHEN p_low IS NULL THEN '' ELSE format('%I >= %L AND', split.key, p_low) END,
                       split.key, p_high);
    END LOOP;
END $f$;
COMMENT ON FUNCTION aug_begin_closing IS 'Lets the default slice take nothing from an instant on';

-- Undoes the first step.
CREATE FUNCTION aug_end_closing(p_wait_ms integer) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $f$
DECLARE
    split record;
BEGIN
    PERFORM aug_lock_slices('_default', p_wait_ms, false);
    FOR split IN SELECT * FROM aug_split_tables() LOOP
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT IF EXISTS ck_slice_closing', split.base || '_default');
    END LOOP;
END $f$;
COMMENT ON FUNCTION aug_end_closing IS 'Lets the default slice take everything again';

-- Second: every row is read and found to belong there; work goes on meanwhile.
CREATE FUNCTION aug_check_closing(p_base text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $f$
BEGIN
    EXECUTE format('ALTER TABLE %I VALIDATE CONSTRAINT ck_slice_closing', p_base || '_default');
END $f$;
COMMENT ON FUNCTION aug_check_closing IS 'Reads one table of the closing default slice';

-- Third: it gets its bounds, and an empty default slice takes its place.
CREATE FUNCTION aug_close_default(p_suffix text, p_low uuid, p_high uuid, p_wait_ms integer) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $f$
DECLARE
    split record;
    was text;
    becomes text;
BEGIN
    PERFORM aug_lock_slices('_default', p_wait_ms, true);
    FOR split IN SELECT * FROM aug_split_tables() LOOP
        was := split.base || '_default';
        becomes := split.base || p_suffix;
        EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', split.base, was);
        EXECUTE format('ALTER TABLE %I RENAME TO %I', was, becomes);
        IF split.base = 'task_instances' THEN
            EXECUTE format('ALTER INDEX %I RENAME TO %I', was || '_fact', becomes || '_fact');
        END IF;
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%L)',
                       split.base, becomes, coalesce(quote_literal(p_low), 'MINVALUE'), p_high);
        EXECUTE format('ALTER TABLE %I DROP CONSTRAINT ck_slice_closing', becomes);
        PERFORM aug_new_slice_table(split.base, was);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I DEFAULT', split.base, was);
    END LOOP;
END $f$;
COMMENT ON FUNCTION aug_close_default IS 'Gives the default slice bounds and puts an empty one in its place';

-- Why a slice must stay: 'OPEN' work, 'YOUNG' rows, 'FAILED' instances that could be taken up again; NULL if it may go.
CREATE FUNCTION aug_slice_holds(
    p_suffix text, p_completed timestamptz, p_failed timestamptz, p_cancelled timestamptz, p_tasks timestamptz)
RETURNS text
LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off AS $f$
DECLARE
    holds boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %1$I
                                WHERE owner_node IS NULL AND status NOT IN (''COMPLETED'', ''FAILED'', ''CANCELLED''))
                        OR EXISTS (SELECT FROM %1$I WHERE owner_node IS NOT NULL)
                        OR EXISTS (SELECT FROM %2$I WHERE workflow_instance_id IS NULL AND ended_at IS NULL)',
                   'workflow_instances' || p_suffix, 'task_instances' || p_suffix) INTO holds;
    IF holds THEN
        RETURN 'OPEN';
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE workflow_instance_id IS NULL AND (ended_at <= $4) IS NOT TRUE)
                        OR EXISTS (SELECT FROM %I w
                                   WHERE (w.completed_at <= CASE w.status WHEN ''COMPLETED'' THEN $1 WHEN ''FAILED'' THEN $2
                                                                          ELSE $3 END) IS NOT TRUE)
                        OR EXISTS (SELECT FROM %2$I w
                                   JOIN workflow_instances p ON p.tenant_id = w.tenant_id AND p.id = w.parent_instance_id
                                   WHERE w.parent_instance_id IS NOT NULL
                                     AND p.status NOT IN (''COMPLETED'', ''FAILED'', ''CANCELLED''))',
                   'task_instances' || p_suffix, 'workflow_instances' || p_suffix)
        USING p_completed, p_failed, p_cancelled, p_tasks INTO holds;
    IF holds THEN
        RETURN 'YOUNG';
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE status = ''FAILED'')', 'workflow_instances' || p_suffix) INTO holds;
    RETURN CASE WHEN holds THEN 'FAILED' END;
END $f$;
COMMENT ON FUNCTION aug_slice_holds IS 'Why a slice must stay; NULL if it may be dropped';

-- Drops a slice that holds nothing any more; false if it does. Ended instances stay as they are but for those that
-- failed, so under the lock only these and open ones need be looked for, and an index knows both.
CREATE FUNCTION aug_drop_slice(p_suffix text, p_wait_ms integer) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT AS $f$
DECLARE
    split record;
    holds boolean;
BEGIN
    IF p_suffix = '_default' THEN
        RETURN false;
    END IF;
    PERFORM aug_lock_slices('_default', p_wait_ms, true);
    PERFORM aug_lock_slices(p_suffix, p_wait_ms, false);
    EXECUTE format('SELECT EXISTS (SELECT FROM %1$I
                                WHERE owner_node IS NULL AND status NOT IN (''COMPLETED'', ''FAILED'', ''CANCELLED''))
                        OR EXISTS (SELECT FROM %1$I WHERE owner_node IS NOT NULL)
                        OR EXISTS (SELECT FROM %1$I WHERE status = ''FAILED'')
                        OR EXISTS (SELECT FROM %2$I WHERE workflow_instance_id IS NULL AND ended_at IS NULL)',
                   'workflow_instances' || p_suffix, 'task_instances' || p_suffix) INTO holds;
    IF holds THEN
        RETURN false;
    END IF;
    FOR split IN SELECT * FROM aug_split_tables() LOOP
        EXECUTE format('DROP TABLE %I', split.base || p_suffix);
    END LOOP;
    RETURN true;
END $f$;
COMMENT ON FUNCTION aug_drop_slice IS 'Drops a slice in which nothing is open';

-- Deletes instances whose time is over, with everything of theirs, from some pages of a slice. Rows that somebody holds
-- are left for another time.
CREATE FUNCTION aug_purge(
    p_suffix text, p_page bigint, p_pages bigint, p_limit integer,
    p_completed timestamptz, p_failed timestamptz, p_cancelled timestamptz,
    OUT instances bigint, OUT tasks bigint, OUT attempts bigint, OUT facts bigint)
LANGUAGE plpgsql SET search_path FROM CURRENT
SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $f$
DECLARE
    tenants uuid[];
    ids uuid[];
    task_tenants uuid[];
    task_ids uuid[];
BEGIN
    EXECUTE format(
        'WITH over AS MATERIALIZED (
             SELECT w.ctid AS place FROM %1$I w
             WHERE w.ctid >= ''(%2$s,0)'' AND w.ctid < ''(%3$s,0)'' AND w.completed_at IS NOT NULL
               AND (w.completed_at <= CASE w.status WHEN ''COMPLETED'' THEN $2 WHEN ''FAILED'' THEN $3 ELSE $4 END)
               AND (w.parent_instance_id IS NULL OR NOT EXISTS (
                    SELECT FROM workflow_instances p WHERE p.tenant_id = w.tenant_id AND p.id = w.parent_instance_id
                      AND p.status NOT IN (''COMPLETED'', ''FAILED'', ''CANCELLED'')))
             LIMIT $1 FOR UPDATE SKIP LOCKED
         ), gone AS (
             DELETE FROM %1$I w WHERE w.ctid = ANY (ARRAY(SELECT place FROM over)) RETURNING w.tenant_id, w.id
         ) SELECT array_agg(tenant_id), array_agg(id) FROM gone',
        'workflow_instances' || p_suffix, p_page, p_page + p_pages)
        USING p_limit, p_completed, p_failed, p_cancelled INTO tenants, ids;
    instances := coalesce(cardinality(ids), 0);
    tasks := 0;
    attempts := 0;
    facts := 0;
    IF instances = 0 THEN
        RETURN;
    END IF;
    SET LOCAL enable_seqscan = off;
    EXECUTE format(
        'WITH gone AS (
             DELETE FROM %I t USING unnest($1, $2) AS i(tenant, id)
             WHERE t.tenant_id = i.tenant AND t.id >= aug_low_id(i.id) AND t.id <= aug_high_id(i.id)
               AND t.workflow_instance_id = i.id
             RETURNING t.tenant_id, t.id
         ) SELECT array_agg(tenant_id), array_agg(id) FROM gone',
        'task_instances' || p_suffix) USING tenants, ids INTO task_tenants, task_ids;
    tasks := coalesce(cardinality(task_ids), 0);
    EXECUTE format(
        'DELETE FROM %I a USING unnest($1, $2) AS t(tenant, id) WHERE a.tenant_id = t.tenant AND a.task_instance_id = t.id',
        'task_attempts' || p_suffix) USING task_tenants, task_ids;
    GET DIAGNOSTICS attempts = ROW_COUNT;
    EXECUTE format(
        'DELETE FROM %I h USING unnest($1) AS i(id) WHERE h.instance_id = i.id', 'workflow_history' || p_suffix) USING ids;
    GET DIAGNOSTICS facts = ROW_COUNT;
    DELETE FROM workflow_mailbox m USING unnest(ids) AS i(id) WHERE m.instance_id = i.id;
    DELETE FROM timers t USING unnest(tenants, ids) AS i(tenant, id) WHERE t.tenant_id = i.tenant AND t.instance_id = i.id;
    SET LOCAL enable_seqscan = on;
END $f$;
COMMENT ON FUNCTION aug_purge IS 'Deletes ended instances, with everything of theirs, from some pages of a slice';

-- Deletes ended tasks that belong to no instance.
CREATE FUNCTION aug_purge_tasks(p_suffix text, p_limit integer, p_before timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off SET cpu_tuple_cost = 1 SET jit = off AS $f$
DECLARE
    tenants uuid[];
    ids uuid[];
BEGIN
    EXECUTE format(
        'WITH gone AS (
             DELETE FROM %1$I t WHERE t.ctid = ANY (ARRAY(
                 SELECT ctid FROM %1$I WHERE workflow_instance_id IS NULL AND ended_at <= $2
                 LIMIT $1 FOR UPDATE SKIP LOCKED))
             RETURNING t.tenant_id, t.id
         ) SELECT array_agg(tenant_id), array_agg(id) FROM gone',
        'task_instances' || p_suffix) USING p_limit, p_before INTO tenants, ids;
    EXECUTE format(
        'DELETE FROM %I a USING unnest($1, $2) AS t(tenant, id) WHERE a.tenant_id = t.tenant AND a.task_instance_id = t.id',
        'task_attempts' || p_suffix) USING tenants, ids;
    RETURN coalesce(cardinality(ids), 0);
END $f$;
COMMENT ON FUNCTION aug_purge_tasks IS 'Deletes ended tasks that belong to no instance';

-- Deletes idempotency keys of instances that ended before, or that are gone, from some pages.
CREATE FUNCTION aug_purge_keys(p_page bigint, p_pages bigint, p_before timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $f$
DECLARE
    gone bigint;
BEGIN
    EXECUTE format(
        'DELETE FROM workflow_idempotency_keys k
         WHERE k.ctid >= ''(%s,0)'' AND k.ctid < ''(%s,0)'' AND k.instance_id < aug_first_id($1)
           AND NOT EXISTS (SELECT FROM workflow_instances w WHERE w.tenant_id = k.tenant_id AND w.id = k.instance_id
                             AND (w.completed_at <= $1) IS NOT TRUE)',
        p_page, p_page + p_pages) USING p_before;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $f$;
COMMENT ON FUNCTION aug_purge_keys IS 'Deletes idempotency keys past their time from some pages';

-- Deletes open work of instances that are gone, and index rows of definitions that are.
CREATE FUNCTION aug_purge_leftovers(p_limit integer, OUT messages bigint, OUT timers bigint, OUT definitions bigint)
LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off AS $f$
#variable_conflict use_column
BEGIN
    DELETE FROM workflow_mailbox WHERE ctid = ANY (ARRAY(
        SELECT m.ctid FROM workflow_mailbox m
        WHERE NOT EXISTS (SELECT FROM workflow_instances w WHERE w.tenant_id = m.tenant_id AND w.id = m.instance_id)
        LIMIT p_limit FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS messages = ROW_COUNT;
    DELETE FROM timers WHERE ctid = ANY (ARRAY(
        SELECT t.ctid FROM timers t
        WHERE NOT EXISTS (SELECT FROM workflow_instances w WHERE w.tenant_id = t.tenant_id AND w.id = t.instance_id)
        LIMIT p_limit FOR UPDATE SKIP LOCKED));
    GET DIAGNOSTICS timers = ROW_COUNT;
    DELETE FROM definition_index i
    WHERE NOT EXISTS (SELECT FROM definitions d WHERE d.tenant_id = i.tenant_id AND d.id = i.id)
      AND NOT EXISTS (SELECT FROM definition_refs r WHERE r.tenant_id = i.tenant_id AND r.to_id = i.id);
    GET DIAGNOSTICS definitions = ROW_COUNT;
END $f$;
COMMENT ON FUNCTION aug_purge_leftovers IS 'Deletes messages, timers and index rows whose owner is gone';

-- Deletes nodes that were fenced long ago and own nothing. A process that comes back as one of them is refused as
-- before: to a commit, a node that is not there is as good as fenced.
CREATE FUNCTION aug_purge_nodes(p_before timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT SET jit = off AS $f$
DECLARE
    gone bigint;
BEGIN
    DELETE FROM engine_nodes n
    WHERE n.node_id IN (SELECT node_id FROM engine_nodes WHERE fenced_at <= p_before FOR UPDATE SKIP LOCKED)
      AND NOT EXISTS (SELECT FROM workflow_instances w WHERE w.owner_node = n.node_id)
      AND NOT EXISTS (SELECT FROM task_instances t WHERE t.executor_id = n.node_id AND t.ended_at IS NULL);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $f$;
COMMENT ON FUNCTION aug_purge_nodes IS 'Deletes fenced nodes that own nothing';

-- Row-level security, for sessions of the host. The owner of the tables is not bound, so that the engine goes on: its
-- statements find work of all tenants at once.
CREATE FUNCTION aug_enable_row_security(p_roles text[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $f$
DECLARE
    place record;
    roles text := (SELECT string_agg(quote_ident(role), ', ') FROM unnest(p_roles) AS role);
BEGIN
    -- Ahead of slices, whose tables are locked with theirs.
    FOR place IN
        SELECT c.relname, c.relispartition, EXISTS (
            SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped) AS owned
        FROM pg_class c
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'schema_migrations'
        ORDER BY c.relispartition, c.relname
    LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', place.relname);
        -- A slice is reached through its table, whose policies hold then; nodes are the engine's.
        CONTINUE WHEN place.relispartition OR NOT place.owned;
        EXECUTE format('DROP POLICY IF EXISTS aug_tenant ON %I', place.relname);
        EXECUTE format('DROP POLICY IF EXISTS aug_shipped ON %I', place.relname);
        -- A setting that was local to a transaction comes back as an empty text, not as NULL.
        EXECUTE format(
            'CREATE POLICY aug_tenant ON %I TO %s
             USING (tenant_id = (SELECT nullif(current_setting(''augmented.tenant_id'', true), '''')::uuid))
             WITH CHECK (tenant_id = (SELECT nullif(current_setting(''augmented.tenant_id'', true), '''')::uuid))',
            place.relname, roles);
        IF place.relname IN (SELECT conrelid::regclass::text FROM pg_constraint
                             WHERE confrelid = 'definition_index'::regclass)
           OR place.relname = 'definition_index' THEN
            -- What is shipped belongs to the system tenant and is there for all to read.
            EXECUTE format(
                'CREATE POLICY aug_shipped ON %I FOR SELECT TO %s
                 USING (tenant_id = ''00000000-0000-0000-0000-000000000000'')', place.relname, roles);
        END IF;
    END LOOP;
END $f$;
COMMENT ON FUNCTION aug_enable_row_security IS 'Shows sessions of these roles the rows of their tenant only';

CREATE FUNCTION aug_disable_row_security() RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $f$
DECLARE
    place record;
BEGIN
    FOR place IN
        SELECT c.relname FROM pg_class c
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND c.relrowsecurity
        ORDER BY c.relispartition, c.relname
    LOOP
        EXECUTE format('DROP POLICY IF EXISTS aug_tenant ON %I', place.relname);
        EXECUTE format('DROP POLICY IF EXISTS aug_shipped ON %I', place.relname);
        EXECUTE format('ALTER TABLE %I DISABLE ROW LEVEL SECURITY', place.relname);
    END LOOP;
END $f$;
COMMENT ON FUNCTION aug_disable_row_security IS 'Undoes aug_enable_row_security';
