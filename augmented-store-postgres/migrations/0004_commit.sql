-- The one door. Everything a batch of instances changes is one call, hence one transaction and one round trip.
--
-- Statements see rows as of their own beginning, and the first takes the lock that fencing waits for; so whatever
-- follows is decided on rows no other node can change. The settings below keep plans what they are on empty tables,
-- on full ones and on those whose statistics are late: index look-ups from the arrays outward. `OFFSET 0` keeps a join in
-- that order; where the table is written, `LIMIT` has the planner expect one row of the array, not ten, or it would read
-- the whole of a table that just began to fill.

-- What most batches consist of goes past this function as whole rows, in one plain statement of the same effect.
CREATE TYPE aug_start_row AS (
    tenant uuid, id uuid, definition uuid, workflow text, vers text, stat text, seq bigint, owner uuid, signals integer,
    created timestamptz, started timestamptz, updated timestamptz, completed timestamptz, input jsonb, output jsonb,
    state jsonb, begun jsonb, trail jsonb, step text, error jsonb, more jsonb);
CREATE TYPE aug_task_row AS (
    tenant uuid, id uuid, definition uuid, instance uuid, workflow uuid, seq bigint, activation bigint, visit integer,
    attempt integer, stat text, kind text, created timestamptz, updated timestamptz, started timestamptz,
    ended timestamptz, duration bigint, step text, path text, outcome text, input jsonb, output jsonb, error jsonb,
    trail jsonb);
CREATE TYPE aug_update_row AS (
    tenant uuid, id uuid, stat text, seq bigint, owner uuid, signals integer, updated timestamptz, completed timestamptz,
    output jsonb, state jsonb, step text, error jsonb);

CREATE FUNCTION aug_commit(
    p_node uuid,
    -- What the writer believes of instances it has not just written itself; seq -1 is "no fact yet".
    v_tenant uuid[], v_id uuid[], v_owned boolean[], v_seq bigint[],
    -- Keys of starts: [{tenant, workflow, key, instance, hash}].
    p_keys jsonb,
    -- New instances.
    i_tenant uuid[], i_id uuid[], i_definition uuid[], i_workflow text[], i_version text[], i_status text[], i_seq bigint[],
    i_owner uuid[], i_signals integer[], i_created timestamptz[], i_started timestamptz[], i_updated timestamptz[],
    i_completed timestamptz[], i_input text[], i_output text[], i_state text[], i_start text[], i_trail text[],
    i_step text[], i_error text[], i_more text[],
    -- Instance rows written anew; where u_snapshot is false, the state stays and only counts and the start are set.
    u_tenant uuid[], u_id uuid[], u_owned boolean[], u_snapshot boolean[], u_status text[], u_seq bigint[], u_owner uuid[],
    u_signals integer[], u_started timestamptz[], u_updated timestamptz[], u_completed timestamptz[], u_output text[],
    u_state text[], u_start text[], u_trail text[], u_step text[], u_error text[], u_cancellation text[],
    u_progress boolean[],
    -- Finished tasks; those that may have a row already are t_known.
    t_tenant uuid[], t_id uuid[], t_definition uuid[], t_instance uuid[], t_workflow uuid[], t_seq bigint[],
    t_activation bigint[], t_visit integer[], t_attempt integer[], t_failures integer[], t_status text[], t_type text[],
    t_created timestamptz[], t_updated timestamptz[], t_started timestamptz[], t_ended timestamptz[], t_duration bigint[],
    t_step text[], t_path text[], t_outcome text[], t_input text[], t_output text[], t_error text[], t_trail text[],
    t_known boolean[],
    -- All other facts.
    h_tenant uuid[], h_instance uuid[], h_seq bigint[], h_kind text[], h_key text[], h_at timestamptz[], h_payload text[],
    h_trail text[],
    -- Failed attempts, as for aug_record_attempts.
    p_attempts jsonb,
    -- Mailbox rows whose effect this records.
    c_instance uuid[], c_id bigint[],
    -- Timers: without an instant disarmed, else armed.
    y_tenant uuid[], y_instance uuid[], y_kind text[], y_activation bigint[], y_fire timestamptz[],
    -- Children, as objects with the columns of their rows.
    p_children jsonb,
    -- Messages to others.
    m_tenant uuid[], m_instance uuid[], m_kind text[], m_key text[], m_payload text[]
) RETURNS jsonb
LANGUAGE plpgsql
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET cpu_tuple_cost = 1
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_bitmapscan = off
SET jit = off
AS $f$
DECLARE
    refused jsonb;
    expected integer;
    written integer;
    ended_tenant uuid[];
    ended_id uuid[];
BEGIN
    PERFORM FROM engine_nodes WHERE node_id = p_node AND fenced_at IS NULL FOR KEY SHARE;
    IF NOT FOUND THEN
        RETURN '{"fenced": true}';
    END IF;

    IF cardinality(v_id) > 0 THEN
        -- Several nodes may wake the same instances: in the order of ids, none waits for one that waits for it.
        PERFORM FROM (SELECT * FROM unnest(v_tenant, v_id) AS v(tenant, id) ORDER BY id) AS v
            CROSS JOIN LATERAL (SELECT w.id FROM workflow_instances w
                                WHERE w.tenant_id = v.tenant AND w.id = v.id FOR NO KEY UPDATE) AS w;
        SELECT jsonb_agg(v.id) INTO refused
        FROM unnest(v_tenant, v_id, v_owned, v_seq) AS v(tenant, id, owned, seq)
        LEFT JOIN workflow_instances w ON w.tenant_id = v.tenant AND w.id = v.id
        WHERE w.id IS NULL
           OR CASE WHEN v.owned THEN w.owner_node IS DISTINCT FROM p_node ELSE w.owner_node IS NOT NULL END
           OR aug_last_seq(w.id, w.version, w.start IS NOT NULL) <> v.seq;
        IF refused IS NOT NULL THEN
            RETURN jsonb_build_object('conflict', refused);
        END IF;
    END IF;

    IF p_keys IS NOT NULL THEN
        SELECT jsonb_agg(jsonb_build_object('instance', k.instance, 'holder', h.instance_id,
                   'same', h.input_hash IS NOT DISTINCT FROM decode(k.hash, 'hex'))) INTO refused
        FROM jsonb_to_recordset(p_keys) AS k(tenant uuid, workflow text, key text, instance uuid, hash text)
        CROSS JOIN LATERAL (
            SELECT h.instance_id, h.input_hash FROM workflow_idempotency_keys h
            WHERE h.tenant_id = k.tenant AND h.workflow_id = k.workflow AND h.idempotency_key = k.key OFFSET 0) AS h;
        IF refused IS NOT NULL THEN
            RETURN jsonb_build_object('taken', refused);
        END IF;
        INSERT INTO workflow_idempotency_keys (tenant_id, workflow_id, idempotency_key, instance_id, input_hash)
        SELECT k.tenant, k.workflow, k.key, k.instance, decode(k.hash, 'hex')
        FROM jsonb_to_recordset(p_keys) AS k(tenant uuid, workflow text, key text, instance uuid, hash text);
    END IF;

    IF cardinality(i_id) > 0 THEN
        INSERT INTO workflow_instances (
            tenant_id, id, workflow_definition_id, workflow_id, definition_version, status, version, owner_node,
            signals_kept, created_at, started_at, updated_at, completed_at, input, output, state, start, trail,
            current_step_id, error, priority, depth, expires_at, correlation_id, idempotency_key, trigger_id,
            trigger_event_id, parent_instance_id, parent_activation, parent_step_key, parent_waits, root_instance_id,
            initiator_id, trace_parent, metadata, cancellation)
        SELECT tenant, id, definition, workflow, vers, stat::instance_status, seq, owner,
            coalesce(signals, 0), created, started, updated, completed, input::jsonb, output::jsonb, state::jsonb,
            begun::jsonb, trail::jsonb, step, error::jsonb,
            coalesce((more ->> 'priority')::integer, 0), coalesce((more ->> 'depth')::smallint, 0),
            (more ->> 'expiresAt')::timestamptz, more ->> 'correlationId', more ->> 'idempotencyKey',
            more ->> 'triggerId', (more ->> 'triggerEventId')::uuid, (more ->> 'parentInstanceId')::uuid,
            (more ->> 'parentActivation')::bigint, more ->> 'parentStepKey', (more ->> 'parentWaits')::boolean,
            (more ->> 'rootInstanceId')::uuid, more ->> 'initiatorId', more ->> 'traceParent', more -> 'metadata',
            more -> 'cancellation'
        FROM (SELECT *, m::jsonb AS more
              FROM unnest(i_tenant, i_id, i_definition, i_workflow, i_version, i_status, i_seq, i_owner, i_signals,
                          i_created, i_started, i_updated, i_completed, i_input, i_output, i_state, i_start, i_trail,
                          i_step, i_error, i_more)
                AS i(tenant, id, definition, workflow, vers, stat, seq, owner, signals, created, started, updated,
                     completed, input, output, state, begun, trail, step, error, m)) AS i;
    END IF;

    IF cardinality(t_id) > 0 THEN
        INSERT INTO task_instances (
            tenant_id, id, task_definition_id, workflow_instance_id, workflow_definition_id, seq, activation, visit,
            attempt, failures, status, type, created_at, updated_at, started_at, ended_at, duration_ms, step_id,
            scope_path, outcome, input, output, error, trail)
        SELECT tenant, id, definition, instance, workflow, seq, activation, visit, attempt, coalesce(failures, 0),
            stat::task_status, kind::task_type, created, updated, started, ended, duration, step, path, outcome,
            input::jsonb, output::jsonb, error::jsonb, trail::jsonb
        FROM unnest(t_tenant, t_id, t_definition, t_instance, t_workflow, t_seq, t_activation, t_visit, t_attempt,
                    t_failures, t_status, t_type, t_created, t_updated, t_started, t_ended, t_duration, t_step, t_path,
                    t_outcome, t_input, t_output, t_error, t_trail, t_known)
          AS t(tenant, id, definition, instance, workflow, seq, activation, visit, attempt, failures, stat, kind,
               created, updated, started, ended, duration, step, path, outcome, input, output, error, trail, known)
        WHERE known IS NOT TRUE;
        IF cardinality(t_known) > 0 THEN
            INSERT INTO task_instances AS old (
                tenant_id, id, task_definition_id, workflow_instance_id, workflow_definition_id, seq, activation, visit,
                attempt, failures, status, type, created_at, updated_at, started_at, ended_at, duration_ms, step_id,
                scope_path, outcome, input, output, error, trail)
            SELECT tenant, id, definition, instance, workflow, seq, activation, visit, attempt, coalesce(failures, 0),
                stat::task_status, kind::task_type, created, updated, started, ended, duration, step, path, outcome,
                input::jsonb, output::jsonb, error::jsonb, trail::jsonb
            FROM unnest(t_tenant, t_id, t_definition, t_instance, t_workflow, t_seq, t_activation, t_visit, t_attempt,
                        t_failures, t_status, t_type, t_created, t_updated, t_started, t_ended, t_duration, t_step,
                        t_path, t_outcome, t_input, t_output, t_error, t_trail, t_known)
              AS t(tenant, id, definition, instance, workflow, seq, activation, visit, attempt, failures, stat, kind,
                   created, updated, started, ended, duration, step, path, outcome, input, output, error, trail, known)
            WHERE known
            ON CONFLICT (tenant_id, id) DO UPDATE SET
                seq = excluded.seq, attempt = excluded.attempt, failures = excluded.failures, status = excluded.status,
                status_reason = NULL, updated_at = excluded.updated_at, started_at = excluded.started_at,
                ended_at = excluded.ended_at, duration_ms = excluded.duration_ms, outcome = excluded.outcome,
                output = excluded.output, error = excluded.error, trail = excluded.trail, executor_id = NULL,
                version = old.version + 1
            -- A result that a handler recorded itself is the result.
            WHERE old.seq IS NULL AND (old.ended_at IS NULL OR old.status = excluded.status);
            GET DIAGNOSTICS written = ROW_COUNT;
            SELECT count(*) INTO expected FROM unnest(t_known) AS known WHERE known;
            IF written <> expected THEN
                RAISE EXCEPTION 'a task has its result already' USING ERRCODE = 'AU409';
            END IF;
        END IF;
    END IF;

    IF p_attempts IS NOT NULL THEN
        PERFORM aug_insert_attempts(p_attempts);
    END IF;

    IF cardinality(h_seq) > 0 THEN
        INSERT INTO workflow_history (tenant_id, instance_id, seq, kind, message_key, occurred_at, payload, trail)
        SELECT tenant, instance, seq, kind, key, at, payload::jsonb, trail::jsonb
        FROM unnest(h_tenant, h_instance, h_seq, h_kind, h_key, h_at, h_payload, h_trail)
          AS h(tenant, instance, seq, kind, key, at, payload, trail);
    END IF;

    IF cardinality(u_id) > 0 THEN
        UPDATE workflow_instances AS w SET
            status = CASE WHEN u.snapshot THEN u.stat::instance_status
                          WHEN w.status = 'CREATED' AND u.progress THEN 'RUNNING' ELSE w.status END,
            version = CASE WHEN u.snapshot THEN u.seq ELSE w.version END,
            owner_node = CASE WHEN u.snapshot THEN u.owner ELSE w.owner_node END,
            state = CASE WHEN u.snapshot THEN u.state::jsonb ELSE w.state END,
            signals_kept = coalesce(u.signals, 0),
            takeovers = CASE WHEN u.progress THEN 0 ELSE w.takeovers END,
            start = coalesce(w.start, u.begun::jsonb),
            trail = coalesce(w.trail, u.trail::jsonb),
            started_at = coalesce(u.started, w.started_at),
            updated_at = coalesce(u.updated, w.updated_at),
            completed_at = CASE WHEN u.snapshot THEN u.completed ELSE w.completed_at END,
            output = CASE WHEN u.snapshot THEN u.output::jsonb ELSE w.output END,
            error = CASE WHEN u.snapshot THEN u.error::jsonb ELSE w.error END,
            cancellation = coalesce(u.cancellation::jsonb, w.cancellation),
            paused_from = CASE WHEN NOT u.snapshot THEN w.paused_from
                               WHEN u.stat = 'PAUSED' THEN (u.state::jsonb #>> '{paused,from}')::instance_status END,
            current_step_id = coalesce(u.step, w.current_step_id)
        FROM (SELECT * FROM unnest(
                  u_tenant, u_id, u_owned, u_snapshot, u_status, u_seq, u_owner, u_signals, u_started, u_updated,
                  u_completed, u_output, u_state, u_start, u_trail, u_step, u_error, u_cancellation, u_progress)
                AS u(tenant, id, owned, snapshot, stat, seq, owner, signals, started, updated, completed, output, state,
                     begun, trail, step, error, cancellation, progress)
              LIMIT cardinality(u_id)) AS u
        WHERE w.tenant_id = u.tenant AND w.id = u.id
          AND w.owner_node IS NOT DISTINCT FROM CASE WHEN u.owned THEN p_node END;
        GET DIAGNOSTICS written = ROW_COUNT;
        IF written <> cardinality(u_id) THEN
            RAISE EXCEPTION 'an instance has another owner' USING ERRCODE = 'AU409';
        END IF;
    END IF;

    IF cardinality(c_id) > 0 THEN
        DELETE FROM workflow_mailbox AS m 
        USING (SELECT * FROM unnest(c_instance, c_id) AS c(instance, id) LIMIT cardinality(c_id)) AS c
        WHERE m.instance_id = c.instance AND m.id = c.id;
        GET DIAGNOSTICS written = ROW_COUNT;
        IF written <> cardinality(c_id) THEN
            RAISE EXCEPTION 'a message was taken already' USING ERRCODE = 'AU409';
        END IF;
    END IF;

    IF cardinality(y_instance) > 0 THEN
        DELETE FROM timers AS t 
        USING (SELECT * FROM unnest(y_tenant, y_instance, y_kind, y_activation, y_fire)
                 AS y(tenant, instance, kind, activation, fire)
               WHERE fire IS NULL LIMIT cardinality(y_instance)) AS y
        WHERE t.tenant_id = y.tenant AND t.instance_id = y.instance AND t.kind = y.kind AND t.activation = y.activation;
        INSERT INTO timers (tenant_id, instance_id, kind, activation, fire_at)
        SELECT tenant, instance, kind, activation, fire
        FROM unnest(y_tenant, y_instance, y_kind, y_activation, y_fire) AS y(tenant, instance, kind, activation, fire)
        WHERE fire IS NOT NULL
        ON CONFLICT (tenant_id, instance_id, kind, activation) DO UPDATE SET fire_at = excluded.fire_at;
    END IF;

    IF p_children IS NOT NULL THEN
        PERFORM aug_insert_children(p_children);
    END IF;

    IF cardinality(m_instance) > 0 THEN
        PERFORM aug_deliver(m_tenant, m_instance, m_kind, m_key, m_payload);
    END IF;

    -- Nothing of an instance that ended stays open, not even what came a moment ago.
    SELECT array_agg(e.tenant), array_agg(e.id) INTO ended_tenant, ended_id
    FROM (SELECT tenant, id FROM unnest(u_tenant, u_id, u_completed) AS u(tenant, id, completed) WHERE completed IS NOT NULL
          UNION ALL
          SELECT tenant, id FROM unnest(i_tenant, i_id, i_completed) AS i(tenant, id, completed) WHERE completed IS NOT NULL
         ) AS e;
    IF ended_id IS NOT NULL THEN
        DELETE FROM timers AS t 
        USING (SELECT * FROM unnest(ended_tenant, ended_id) AS e(tenant, id) LIMIT cardinality(ended_id)) AS e
        WHERE t.tenant_id = e.tenant AND t.instance_id = e.id;
        DELETE FROM workflow_mailbox AS m 
        USING (SELECT * FROM unnest(ended_id) AS e(id) LIMIT cardinality(ended_id)) AS e
        WHERE m.instance_id = e.id;
        UPDATE task_instances AS t SET
            status = 'CANCELLED', status_reason = 'INSTANCE_ENDED', ended_at = t.updated_at, executor_id = NULL,
            version = t.version + 1
        WHERE t.workflow_instance_id = ANY (ended_id) AND t.ended_at IS NULL
          AND t.id >= (SELECT aug_low_id(e.id) FROM unnest(ended_id) AS e(id) ORDER BY e.id LIMIT 1)
          AND t.id <= (SELECT aug_high_id(e.id) FROM unnest(ended_id) AS e(id) ORDER BY e.id DESC LIMIT 1);
    END IF;
    RETURN NULL;
END $f$;

-- Refuses the statement around it if not as many rows were written as should have been.
CREATE FUNCTION aug_expect(p_written bigint, p_expected bigint) RETURNS integer LANGUAGE plpgsql AS $f$
BEGIN
    IF p_written <> p_expected THEN
        RAISE EXCEPTION 'an instance has another owner' USING ERRCODE = 'AU409';
    END IF;
    RETURN 0;
END $f$;

-- The lowest and the highest id of the millisecond of an id: what belongs to one instance lies between them.
CREATE FUNCTION aug_low_id(p_id uuid) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $f$
    SELECT (left(p_id::text, 13) || '-0000-0000-000000000000')::uuid
$f$;
CREATE FUNCTION aug_high_id(p_id uuid) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path FROM CURRENT AS $f$
    SELECT (left(p_id::text, 13) || '-ffff-ffff-ffffffffffff')::uuid
$f$;

-- The last fact of an instance, -1 if there is none.
CREATE FUNCTION aug_last_seq(p_instance uuid, p_version bigint, p_started boolean) RETURNS bigint
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $f$
    SELECT greatest(
        coalesce(p_version, CASE WHEN p_started THEN 0 ELSE -1 END),
        (SELECT max(seq) FROM task_instances
         WHERE workflow_instance_id = p_instance AND seq IS NOT NULL
           AND id >= aug_low_id(p_instance) AND id <= aug_high_id(p_instance)),
        (SELECT max(seq) FROM workflow_history WHERE instance_id = p_instance))
$f$;

-- Attempts that did not end their task: [{tenant, task, attempt, started, ended, outcome, error, delay, next, checkpoint}].
CREATE FUNCTION aug_insert_attempts(p_attempts jsonb) RETURNS void LANGUAGE sql SET search_path FROM CURRENT AS $f$
    INSERT INTO task_attempts (
        tenant_id, task_instance_id, attempt, started_at, ended_at, outcome, error, delay_ms, next_attempt_at, checkpoint)
    SELECT tenant, task, attempt, started, ended, outcome, error, delay, next, checkpoint
    FROM jsonb_to_recordset(p_attempts) AS a(tenant uuid, task uuid, attempt integer, started timestamptz,
        ended timestamptz, outcome text, error jsonb, delay bigint, next timestamptz, checkpoint jsonb)
    ON CONFLICT (tenant_id, task_instance_id, attempt) DO NOTHING
$f$;

-- Attempts as they fail; each brings the row of its task along, which shows that it will be tried again.
CREATE FUNCTION aug_record_attempts(p_tasks jsonb, p_attempts jsonb) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off SET cpu_tuple_cost = 1 SET jit = off AS $f$
BEGIN
    -- The end of an instance closes its tasks: either it waits for this, or this sees it.
    PERFORM FROM (SELECT * FROM jsonb_to_recordset(p_tasks) AS p(tenant uuid, instance uuid) ORDER BY instance) AS p
        CROSS JOIN LATERAL (SELECT w.id FROM workflow_instances w
                            WHERE w.tenant_id = p.tenant AND w.id = p.instance FOR SHARE) AS w;
    INSERT INTO task_instances AS old (
        tenant_id, id, task_definition_id, workflow_instance_id, workflow_definition_id, activation, visit, attempt,
        failures, status, status_reason, type, created_at, updated_at, started_at, step_id, scope_path, input, error)
    SELECT p.tenant, p.task, p.definition, p.instance, w.workflow_definition_id, p.activation, p.visit, p.attempt,
        p.attempt, 'RETRY_PENDING', 'BACKOFF', p.type::task_type, p.created, p.updated, p.started, p.step, p.path,
        p.input, p.error
    FROM jsonb_to_recordset(p_tasks) AS p(tenant uuid, task uuid, definition uuid, instance uuid, activation bigint,
        visit integer, attempt integer, type text, created timestamptz, updated timestamptz, started timestamptz,
        step text, path text, input jsonb, error jsonb)
    CROSS JOIN LATERAL (
        SELECT w.workflow_definition_id FROM workflow_instances w
        WHERE w.tenant_id = p.tenant AND w.id = p.instance AND w.completed_at IS NULL OFFSET 0) AS w
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        attempt = excluded.attempt, failures = excluded.failures, status = 'RETRY_PENDING', status_reason = 'BACKOFF',
        updated_at = excluded.updated_at, started_at = excluded.started_at, error = excluded.error, executor_id = NULL,
        version = old.version + 1
    WHERE old.ended_at IS NULL AND old.attempt < excluded.attempt;
    PERFORM aug_insert_attempts((
        SELECT jsonb_agg(a.value) FROM jsonb_array_elements(p_attempts) AS a
        CROSS JOIN LATERAL (
            SELECT t.ended_at FROM task_instances t
            WHERE t.tenant_id = (a.value ->> 'tenant')::uuid AND t.id = (a.value ->> 'task')::uuid OFFSET 0) AS t
        WHERE t.ended_at IS NULL));
END $f$;

-- Records the result of a task in a transaction of the host; the fact follows from it. Answers NULL if it is recorded, else
-- the result that is there already, or that there is nothing to be completed any more.
CREATE FUNCTION aug_complete(p_tenant uuid, p_instance uuid, p_task uuid, p_row jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off SET cpu_tuple_cost = 1 SET jit = off AS $f$
DECLARE
    there jsonb;
BEGIN
    -- This lock does not make anybody wait; an instance that ends meanwhile finds the result as a late one.
    PERFORM FROM workflow_instances WHERE tenant_id = p_tenant AND id = p_instance AND completed_at IS NULL FOR KEY SHARE;
    IF NOT FOUND THEN
        RETURN '{"closed": true}';
    END IF;
    INSERT INTO task_instances AS old (
        tenant_id, id, task_definition_id, workflow_instance_id, workflow_definition_id, activation, visit, attempt,
        failures, status, type, created_at, updated_at, started_at, ended_at, duration_ms, step_id, scope_path, outcome,
        input, output)
    SELECT p_tenant, p_task, r.definition, p_instance, r.workflow, r.activation, r.visit, r.attempt, r.attempt - 1,
        'COMPLETED', r.type::task_type, r.created, r.ended, r.started, r.ended, r.duration, r.step, r.path, r.outcome,
        p_row -> 'input', p_row -> 'output'
    FROM jsonb_to_record(p_row) AS r(definition uuid, workflow uuid, activation bigint, visit integer, attempt integer,
        type text, created timestamptz, started timestamptz, ended timestamptz, duration bigint, step text, path text,
        outcome text)
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        attempt = excluded.attempt, failures = excluded.failures, status = 'COMPLETED', status_reason = NULL,
        updated_at = excluded.updated_at, started_at = excluded.started_at, ended_at = excluded.ended_at,
        duration_ms = excluded.duration_ms, outcome = excluded.outcome, output = excluded.output, error = NULL,
        executor_id = NULL, version = old.version + 1
    WHERE old.ended_at IS NULL;
    IF FOUND THEN
        RETURN NULL;
    END IF;
    SELECT CASE status WHEN 'COMPLETED' THEN jsonb_build_object('output', output, 'outcome', outcome)
                       ELSE '{"closed": true}' END INTO there
    FROM task_instances WHERE tenant_id = p_tenant AND id = p_task;
    RETURN there;
END $f$;

-- Children begin unowned, with their start waiting; one that is there already stays as it is.
CREATE FUNCTION aug_insert_children(p_children jsonb) RETURNS void LANGUAGE sql SET search_path FROM CURRENT AS $f$
    WITH child AS (
        SELECT * FROM jsonb_to_recordset(p_children) AS c(
            tenant uuid, id uuid, definition uuid, workflow text, version text, created timestamptz, input jsonb,
            more jsonb)
    ), born AS (
        INSERT INTO workflow_instances (
            tenant_id, id, workflow_definition_id, workflow_id, definition_version, status, created_at, updated_at, input,
            priority, depth, expires_at, correlation_id, idempotency_key, trigger_id, trigger_event_id, parent_instance_id,
            parent_activation, parent_step_key, parent_waits, root_instance_id, initiator_id, trace_parent, metadata)
        SELECT tenant, id, definition, workflow, version, 'CREATED', created, created, input,
            coalesce((more ->> 'priority')::integer, 0), coalesce((more ->> 'depth')::smallint, 0),
            (more ->> 'expiresAt')::timestamptz, more ->> 'correlationId', more ->> 'idempotencyKey',
            more ->> 'triggerId', (more ->> 'triggerEventId')::uuid, (more ->> 'parentInstanceId')::uuid,
            (more ->> 'parentActivation')::bigint, more ->> 'parentStepKey', (more ->> 'parentWaits')::boolean,
            (more ->> 'rootInstanceId')::uuid, more ->> 'initiatorId', more ->> 'traceParent', more -> 'metadata'
        FROM child
        ON CONFLICT (tenant_id, id) DO NOTHING
        RETURNING tenant_id, id
    )
    INSERT INTO workflow_mailbox (tenant_id, instance_id, kind, message_key, payload)
    SELECT tenant_id, id, 'START', 'start', '{"START": {"taskPins": []}}' FROM born
$f$;

-- Accepts new instances, as for aug_insert_children; answers which were refused because somebody has their key, as
-- aug_commit does, or NULL. It may be called in a transaction of the host, so it never fails because of a key.
CREATE FUNCTION aug_accept(p_keys jsonb, p_new jsonb) RETURNS jsonb
LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off SET cpu_tuple_cost = 1 SET jit = off AS $f$
DECLARE
    taken jsonb;
BEGIN
    IF p_keys IS NOT NULL THEN
        INSERT INTO workflow_idempotency_keys (tenant_id, workflow_id, idempotency_key, instance_id, input_hash)
        SELECT k.tenant, k.workflow, k.key, k.instance, decode(k.hash, 'hex')
        FROM jsonb_to_recordset(p_keys) AS k(tenant uuid, workflow text, key text, instance uuid, hash text)
        ORDER BY k.tenant, k.workflow, k.key
        ON CONFLICT (tenant_id, workflow_id, idempotency_key) DO NOTHING;
        SELECT jsonb_agg(jsonb_build_object('instance', k.instance, 'holder', h.instance_id,
                   'same', h.input_hash IS NOT DISTINCT FROM decode(k.hash, 'hex'))) INTO taken
        FROM jsonb_to_recordset(p_keys) AS k(tenant uuid, workflow text, key text, instance uuid, hash text)
        CROSS JOIN LATERAL (
            SELECT h.instance_id, h.input_hash FROM workflow_idempotency_keys h
            WHERE h.tenant_id = k.tenant AND h.workflow_id = k.workflow AND h.idempotency_key = k.key OFFSET 0) AS h
        WHERE h.instance_id <> k.instance;
    END IF;
    PERFORM aug_insert_children((
        SELECT jsonb_agg(n.value) FROM jsonb_array_elements(p_new) AS n
        WHERE taken IS NULL OR NOT EXISTS (
            SELECT FROM jsonb_array_elements(taken) AS t WHERE t.value ->> 'instance' = n.value ->> 'id')));
    RETURN taken;
END $f$;

-- Puts messages into mailboxes; answers the positions of those that were stored.
--
-- It takes no lock on the instance, so that parents and children never wait for each other. What it cannot exclude that
-- way is put right behind it: a message whose key was applied by a commit that ended meanwhile is taken out again, and
-- one that meets an instance that ended meanwhile is read once and dropped.
CREATE FUNCTION aug_deliver(m_tenant uuid[], m_instance uuid[], m_kind text[], m_key text[], m_payload text[])
RETURNS bigint[]
LANGUAGE plpgsql SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET cpu_tuple_cost = 1 SET enable_hashjoin = off SET enable_mergejoin = off
SET jit = off AS $f$
DECLARE
    stored bigint[];
    ids bigint[];
BEGIN
    WITH message AS (
        SELECT m.*, nextval(pg_get_serial_sequence('workflow_mailbox', 'id')) AS id
        FROM unnest(m_tenant, m_instance, m_kind, m_key, m_payload) WITH ORDINALITY
          AS m(tenant, instance, kind, key, payload, at)
        ORDER BY m.at
    ), put AS (
        INSERT INTO workflow_mailbox (id, tenant_id, instance_id, kind, message_key, payload)
        SELECT m.id, m.tenant, m.instance, m.kind, m.key, m.payload::jsonb
        FROM message m
        CROSS JOIN LATERAL (
            SELECT w.start FROM workflow_instances w
            WHERE w.tenant_id = m.tenant AND w.id = m.instance AND w.completed_at IS NULL OFFSET 0) AS w
        WHERE (m.key IS NULL OR NOT EXISTS (
            SELECT FROM workflow_history h WHERE h.instance_id = m.instance AND h.message_key = m.key))
          AND (m.kind <> 'START' OR w.start IS NULL)
        ON CONFLICT (instance_id, message_key) WHERE message_key IS NOT NULL DO NOTHING
        RETURNING id
    )
    SELECT array_agg(m.at), array_agg(m.id) INTO stored, ids FROM put JOIN message m USING (id);
    IF stored IS NULL THEN
        RETURN '{}';
    END IF;
    WITH late AS (
        DELETE FROM workflow_mailbox AS m
        USING (SELECT * FROM unnest(m_instance, m_key) AS x(instance, key) LIMIT cardinality(m_instance)) AS x
        WHERE m.instance_id = x.instance AND m.message_key = x.key AND m.id = ANY (ids)
          AND EXISTS (SELECT FROM workflow_history h WHERE h.instance_id = x.instance AND h.message_key = x.key)
        RETURNING m.id
    )
    SELECT coalesce(array_agg(s.at), '{}') INTO stored
    FROM unnest(stored, ids) AS s(at, id) WHERE s.id NOT IN (SELECT id FROM late);
    RETURN stored;
END $f$;

-- Sends messages; the answer names for each 0 = ignored, 1 = stored, 2 = the instance is full.
CREATE FUNCTION aug_send(
    m_tenant uuid[], m_instance uuid[], m_kind text[], m_key text[], m_payload text[], m_max integer[]
) RETURNS smallint[]
LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off SET cpu_tuple_cost = 1 SET jit = off AS $f$
DECLARE
    answers smallint[] := array_fill(0::smallint, ARRAY[cardinality(m_instance)]);
    stored bigint[];
    kept integer;
    waiting bigint;
    at integer;
BEGIN
    IF cardinality(m_max) = 0 THEN
        stored := aug_deliver(m_tenant, m_instance, m_kind, m_key, m_payload);
        FOREACH at IN ARRAY stored LOOP
            answers[at] := 1;
        END LOOP;
        RETURN answers;
    END IF;
    -- Counting and storing must be one: those who send with a limit take turns at the instance.
    PERFORM FROM (SELECT * FROM unnest(m_tenant, m_instance) AS m(tenant, instance) ORDER BY instance) AS m
        CROSS JOIN LATERAL (SELECT w.id FROM workflow_instances w
                            WHERE w.tenant_id = m.tenant AND w.id = m.instance FOR NO KEY UPDATE) AS w;
    FOR at IN 1 .. cardinality(m_instance) LOOP
        IF m_max[at] IS NOT NULL THEN
            SELECT w.signals_kept INTO kept FROM workflow_instances w
            WHERE w.tenant_id = m_tenant[at] AND w.id = m_instance[at] AND w.completed_at IS NULL;
            SELECT count(*) INTO waiting FROM workflow_mailbox
            WHERE instance_id = m_instance[at] AND kind = 'SIGNAL';
            IF kept + waiting >= m_max[at]
               AND NOT EXISTS (SELECT FROM workflow_mailbox
                               WHERE instance_id = m_instance[at] AND message_key = m_key[at])
               AND NOT EXISTS (SELECT FROM workflow_history
                               WHERE instance_id = m_instance[at] AND message_key = m_key[at]) THEN
                answers[at] := 2;
                CONTINUE;
            END IF;
        END IF;
        stored := aug_deliver(m_tenant[at:at], m_instance[at:at], m_kind[at:at], m_key[at:at], m_payload[at:at]);
        IF cardinality(stored) > 0 THEN
            answers[at] := 1;
        END IF;
    END LOOP;
    RETURN answers;
END $f$;

-- Turns due timers into messages, those of one instance together; other callers pass over what this one holds.
CREATE FUNCTION aug_fire_timers(p_now timestamptz, p_limit integer) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off SET cpu_tuple_cost = 1 SET jit = off AS $f$
DECLARE
    fired bigint;
BEGIN
    WITH due AS (
        SELECT ctid AS place FROM timers
        WHERE fire_at <= p_now ORDER BY fire_at LIMIT p_limit FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM timers AS t WHERE t.ctid = ANY (ARRAY(SELECT place FROM due))
        RETURNING t.tenant_id, t.instance_id, t.kind, t.activation, t.fire_at
    ), put AS (
        INSERT INTO workflow_mailbox (tenant_id, instance_id, kind, payload)
        SELECT tenant_id, instance_id, 'TIMER',
               jsonb_build_object('TIMER', jsonb_build_object('kind', kind, 'activation', activation))
        FROM gone ORDER BY fire_at
        RETURNING 1
    )
    SELECT count(*) INTO fired FROM put;
    RETURN fired;
END $f$;

-- Fences a node that was not heard of since; true if it is fenced. Waits for its commits under way.
CREATE FUNCTION aug_fence_node(p_node uuid, p_silent_since timestamptz) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT AS $f$
DECLARE
    node engine_nodes;
BEGIN
    SELECT * INTO node FROM engine_nodes WHERE node_id = p_node FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF node.fenced_at IS NULL AND node.heartbeat_at <= p_silent_since THEN
        UPDATE engine_nodes SET fenced_at = clock_timestamp() WHERE node_id = p_node;
        RETURN true;
    END IF;
    RETURN node.fenced_at IS NOT NULL;
END $f$;

-- Shows tasks as running: [{tenant, task, definition, instance, activation, visit, type, created, updated, started, step,
-- path, input, node, attempt}]. Those of instances that their node does not own, and those that are over, are passed over.
CREATE FUNCTION aug_record_running(p_tasks jsonb) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off SET cpu_tuple_cost = 1 SET jit = off AS $f$
BEGIN
    -- The end of an instance closes its tasks: either it waits for this, or this sees it.
    PERFORM FROM (SELECT * FROM jsonb_to_recordset(p_tasks) AS p(tenant uuid, instance uuid) ORDER BY instance) AS p
        CROSS JOIN LATERAL (SELECT w.id FROM workflow_instances w
                            WHERE w.tenant_id = p.tenant AND w.id = p.instance FOR SHARE) AS w;
    INSERT INTO task_instances AS old (
        tenant_id, id, task_definition_id, workflow_instance_id, workflow_definition_id, activation, visit, attempt,
        failures, status, type, created_at, updated_at, started_at, step_id, scope_path, input, executor_id)
    SELECT p.tenant, p.task, p.definition, p.instance, w.workflow_definition_id, p.activation, p.visit, p.attempt,
        p.attempt - 1, 'RUNNING', p.type::task_type, p.created, p.updated, p.started, p.step, p.path, p.input, p.node
    FROM jsonb_to_recordset(p_tasks) AS p(tenant uuid, task uuid, definition uuid, instance uuid, activation bigint,
        visit integer, attempt integer, type text, created timestamptz, updated timestamptz, started timestamptz,
        step text, path text, input jsonb, node uuid)
    CROSS JOIN LATERAL (
        SELECT w.workflow_definition_id FROM workflow_instances w
        WHERE w.tenant_id = p.tenant AND w.id = p.instance AND w.completed_at IS NULL AND w.owner_node = p.node OFFSET 0) AS w
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        attempt = excluded.attempt, status = 'RUNNING', status_reason = NULL, updated_at = excluded.updated_at,
        started_at = excluded.started_at, executor_id = excluded.executor_id, version = old.version + 1
    WHERE old.ended_at IS NULL AND old.attempt <= excluded.attempt;
END $f$;

-- Closes the tasks of instances that ended while somebody opened them.
CREATE FUNCTION aug_close_ended(p_ended uuid[]) RETURNS void
LANGUAGE sql SET search_path FROM CURRENT SET enable_seqscan = off SET cpu_tuple_cost = 1 SET jit = off AS $f$
    UPDATE task_instances AS t SET
        status = 'CANCELLED', status_reason = 'INSTANCE_ENDED', ended_at = t.updated_at, executor_id = NULL,
        version = t.version + 1
    WHERE t.workflow_instance_id = ANY (p_ended) AND t.ended_at IS NULL
      AND EXISTS (SELECT FROM workflow_instances w
                  WHERE w.tenant_id = t.tenant_id AND w.id = t.workflow_instance_id AND w.completed_at IS NOT NULL)
$f$;

-- Moves instances of a fenced node to another one that is not; answers which. What ran there is an attempt that was lost.
CREATE FUNCTION aug_take_over(p_from uuid, p_to uuid, p_limit integer, p_error jsonb)
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE plpgsql SET search_path FROM CURRENT SET enable_seqscan = off SET cpu_tuple_cost = 1 SET jit = off AS $f$
#variable_conflict use_column
DECLARE
    heard timestamptz;
    tenants uuid[];
    ids uuid[];
BEGIN
    SELECT heartbeat_at INTO heard FROM engine_nodes WHERE node_id = p_from AND fenced_at IS NOT NULL;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    -- An heir that is fenced meanwhile would keep what nobody looks for any more.
    PERFORM FROM engine_nodes WHERE node_id = p_to AND fenced_at IS NULL FOR KEY SHARE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    WITH mine AS (
        SELECT w.tenant_id, w.id FROM workflow_instances w WHERE w.owner_node = p_from
        LIMIT p_limit FOR NO KEY UPDATE SKIP LOCKED
    ), moved AS (
        UPDATE workflow_instances AS w SET owner_node = p_to, takeovers = least(w.takeovers + 1, 32767)
        FROM mine WHERE w.tenant_id = mine.tenant_id AND w.id = mine.id
        RETURNING w.tenant_id, w.id
    )
    SELECT array_agg(m.tenant_id), array_agg(m.id) INTO tenants, ids FROM moved m;
    WITH lost AS (
        UPDATE task_instances AS t SET
            status = 'RETRY_PENDING', status_reason = 'WORKER_LOST', failures = t.failures + 1, error = p_error,
            executor_id = NULL, updated_at = greatest(t.updated_at, heard), version = t.version + 1
        WHERE t.workflow_instance_id = ANY (ids) AND t.ended_at IS NULL AND t.status = 'RUNNING'
          AND t.executor_id = p_from
        RETURNING t.tenant_id, t.id, t.attempt, t.started_at
    )
    INSERT INTO task_attempts (
        tenant_id, task_instance_id, attempt, executor_id, started_at, ended_at, outcome, error, next_attempt_at)
    SELECT lost.tenant_id, lost.id, lost.attempt, p_from, lost.started_at, greatest(heard, lost.started_at), 'WORKER_LOST',
        p_error, greatest(heard, lost.started_at)
    FROM lost
    ON CONFLICT DO NOTHING;
    RETURN QUERY SELECT m.tenant, m.id FROM unnest(tenants, ids) AS m(tenant, id);
END $f$;
