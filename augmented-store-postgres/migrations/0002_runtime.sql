-- Tables of running workflows. Applied with the schema of the store as search_path.

-- The order matters: what has ended comes last, from COMPLETED on.
CREATE TYPE instance_status AS ENUM (
    'CREATED', 'RUNNING', 'WAITING_FOR_EVENT', 'PAUSED', 'CANCELLING', 'COMPENSATING',
    'COMPLETED', 'FAILED', 'CANCELLED');
CREATE TYPE task_status AS ENUM (
    'PENDING', 'ASSIGNED', 'RUNNING', 'WAITING', 'RETRY_PENDING',
    'COMPLETED', 'FAILED', 'CANCELLED', 'TIMED_OUT');
CREATE TYPE task_type AS ENUM ('AUTOMATED', 'MANUAL', 'INTEGRATION');
CREATE TYPE task_priority AS ENUM ('LOW', 'MEDIUM', 'HIGH', 'CRITICAL');

CREATE TABLE engine_nodes (
    node_id uuid PRIMARY KEY,
    role varchar(64) NOT NULL DEFAULT 'ENGINE',
    started_at timestamptz NOT NULL,
    heartbeat_at timestamptz NOT NULL,
    fenced_at timestamptz,
    address text
);
COMMENT ON TABLE engine_nodes IS 'Engine processes; the lock on a row decides who may write';
COMMENT ON COLUMN engine_nodes.heartbeat_at IS 'When the node was last heard of';
COMMENT ON COLUMN engine_nodes.fenced_at IS 'Since when the node may write nothing; final';

-- Everything of an instance carries the creation time of the instance at the beginning of its id, tasks included, and
-- the tables are split by it: a slice of time can be dropped as a whole once nothing in it goes on.
CREATE TABLE workflow_instances (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    workflow_definition_id uuid NOT NULL,
    workflow_id varchar(255) NOT NULL,
    definition_version varchar(255) NOT NULL,
    status instance_status NOT NULL,
    version bigint,
    owner_node uuid,
    takeovers smallint NOT NULL DEFAULT 0,
    signals_kept integer NOT NULL DEFAULT 0,
    priority integer NOT NULL DEFAULT 0,
    depth smallint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    updated_at timestamptz NOT NULL,
    completed_at timestamptz,
    expires_at timestamptz,
    input jsonb NOT NULL,
    output jsonb,
    state jsonb,
    start jsonb,
    trail jsonb,
    current_step_id varchar(64),
    error jsonb,
    correlation_id varchar(255),
    idempotency_key varchar(255),
    trigger_id varchar(255),
    trigger_event_id uuid,
    replay_id uuid,
    schedule_id varchar(255),
    parent_instance_id uuid,
    parent_activation bigint,
    parent_step_key text,
    parent_waits boolean,
    root_instance_id uuid,
    cancellation jsonb,
    compensation_state jsonb,
    paused_from instance_status,
    dead_letter_reason text,
    initiator_id varchar(255),
    run_as varchar(255),
    trace_parent varchar(255),
    metadata jsonb,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_workflow_instances_end CHECK ((status >= 'COMPLETED') = (completed_at IS NOT NULL)),
    CONSTRAINT ck_workflow_instances_owner CHECK (owner_node IS NULL OR completed_at IS NULL),
    CONSTRAINT ck_workflow_instances_parent CHECK ((parent_instance_id IS NULL) = (parent_activation IS NULL))
) PARTITION BY RANGE (id);
COMMENT ON TABLE workflow_instances IS 'Workflow instances: written at start, when one parks or wakes, at snapshots, and at its end';
COMMENT ON COLUMN workflow_instances.version IS 'seq of the last fact contained in state';
COMMENT ON COLUMN workflow_instances.state IS 'Snapshot; absent where the facts alone say it';
COMMENT ON COLUMN workflow_instances.start IS 'The start fact (seq 0): task versions and limits it pinned; absent until it is decided';
COMMENT ON COLUMN workflow_instances.trail IS 'The steps crossed by the start fact: e step.visit entered, w step.visit waiting, c step.visit.attempt completed, x step.visit cancelled, t from.to.rule transition; steps count from 0; the rest in words';
COMMENT ON COLUMN workflow_instances.owner_node IS 'The engine node that may write this instance; NULL is parked';
COMMENT ON COLUMN workflow_instances.takeovers IS 'Take-overs since the last fact';
COMMENT ON COLUMN workflow_instances.signals_kept IS 'Signals held in the state for later steps';
COMMENT ON COLUMN workflow_instances.root_instance_id IS 'The topmost ancestor; NULL is the instance itself';

-- Ids are in the order of creation, so the primary key lists all instances of a tenant, and this one those of a workflow;
-- both grow at their end, which is what an index does best. The workflow leads, so that nobody ever looks for an instance
-- by (tenant_id, id) here: on tables that just began to fill, an index that also begins with the tenant costs as much as
-- the primary key, and such a plan is kept.
CREATE INDEX workflow_instances_by_workflow ON workflow_instances (workflow_id, tenant_id, id);
CREATE INDEX workflow_instances_by_correlation ON workflow_instances (tenant_id, correlation_id) WHERE correlation_id IS NOT NULL;
CREATE INDEX workflow_instances_by_parent ON workflow_instances (parent_instance_id) WHERE parent_instance_id IS NOT NULL;
CREATE INDEX workflow_instances_owned ON workflow_instances (owner_node) WHERE owner_node IS NOT NULL;
CREATE INDEX workflow_instances_expiring ON workflow_instances (expires_at) WHERE expires_at IS NOT NULL AND completed_at IS NULL;
-- Those that wait in the database alone; of the others the index of owners knows. Open by status, not by completed_at: a
-- look-up of one instance that must not have ended would else scan all of this.
CREATE INDEX workflow_instances_parked ON workflow_instances (tenant_id, status, priority, created_at)
    WHERE owner_node IS NULL AND status NOT IN ('COMPLETED', 'FAILED', 'CANCELLED');
CREATE INDEX workflow_instances_failed ON workflow_instances (tenant_id, updated_at) WHERE status = 'FAILED';

CREATE TABLE workflow_idempotency_keys (
    tenant_id uuid NOT NULL,
    workflow_id varchar(255) NOT NULL,
    idempotency_key varchar(255) NOT NULL,
    instance_id uuid NOT NULL,
    input_hash bytea,
    PRIMARY KEY (tenant_id, workflow_id, idempotency_key)
);
COMMENT ON TABLE workflow_idempotency_keys IS 'Which instance was started under which key; apart from the instances, which are split by time';

CREATE TABLE task_instances (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    task_definition_id uuid NOT NULL,
    workflow_instance_id uuid,
    workflow_definition_id uuid,
    seq bigint,
    activation bigint,
    visit integer,
    attempt integer NOT NULL DEFAULT 0,
    failures integer NOT NULL DEFAULT 0,
    version integer NOT NULL DEFAULT 1,
    status task_status NOT NULL,
    type task_type NOT NULL,
    priority task_priority NOT NULL DEFAULT 'MEDIUM',
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    started_at timestamptz,
    ended_at timestamptz,
    step_id varchar(64),
    scope_path varchar(2048),
    outcome varchar(255),
    input jsonb NOT NULL,
    output jsonb,
    error jsonb,
    trail jsonb,
    status_reason varchar(64),
    parent_task_instance_id uuid,
    origin_task_instance_id uuid,
    queue varchar(64),
    handler varchar(300),
    executor_id uuid,
    concurrency_key varchar(512),
    title varchar(255),
    manual_config jsonb,
    eligibility jsonb,
    assignee_id varchar(255),
    owner_id varchar(255),
    retry_policy jsonb,
    total_deadline_at timestamptz,
    attempt_deadline_at timestamptz,
    available_at timestamptz,
    rank_at timestamptz,
    wake_at timestamptz,
    lease_token uuid,
    heartbeat_at timestamptz,
    checkpoint jsonb,
    cancel_requested_at timestamptz,
    cancel_reason text,
    due_at timestamptz,
    expires_at timestamptz,
    reminders_sent integer,
    escalation_level integer,
    duration_ms bigint,
    execution_environment text,
    usage jsonb,
    integration_metadata jsonb,
    task_reference varchar(255),
    ui_pins jsonb,
    correlation_id varchar(255),
    trace_parent varchar(255),
    idempotency_key varchar(255),
    input_hash bytea,
    created_by varchar(255),
    completed_by varchar(255),
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT ck_task_instances_step CHECK (
        num_nulls(workflow_instance_id, step_id, visit, activation) % 4 = 0),
    -- Each check is read anew for every statement, so these are short.
    CONSTRAINT ck_task_instances_end CHECK ((status >= 'COMPLETED') = (ended_at IS NOT NULL)),
    CONSTRAINT ck_task_instances_result CHECK (
        CASE WHEN status = 'COMPLETED' THEN output IS NOT NULL
             ELSE status NOT IN ('FAILED', 'TIMED_OUT') OR error IS NOT NULL END),
    CONSTRAINT ck_task_instances_counts CHECK (attempt >= 0 AND failures >= 0 AND version > 0)
) PARTITION BY RANGE (id);
COMMENT ON TABLE task_instances IS 'Tasks; a finished task of a workflow is the journal entry of its instance';
COMMENT ON COLUMN task_instances.seq IS 'The fact number in the workflow instance, once its result is consumed';
COMMENT ON COLUMN task_instances.activation IS 'The entry of the step that the result answers';
COMMENT ON COLUMN task_instances.trail IS 'The steps crossed after the result; see workflow_instances.trail';
COMMENT ON COLUMN task_instances.updated_at IS 'When the row was last written; of a journal entry, when the fact was applied';

CREATE INDEX task_instances_open ON task_instances (workflow_instance_id) WHERE ended_at IS NULL;
CREATE INDEX task_instances_recorded ON task_instances (workflow_instance_id) WHERE seq IS NULL AND status = 'COMPLETED';
CREATE INDEX task_instances_running ON task_instances (executor_id) WHERE executor_id IS NOT NULL AND ended_at IS NULL;
CREATE INDEX task_instances_failed ON task_instances (tenant_id, ended_at) WHERE status IN ('FAILED', 'TIMED_OUT');

CREATE TABLE task_attempts (
    tenant_id uuid NOT NULL,
    task_instance_id uuid NOT NULL,
    attempt integer NOT NULL,
    executor_id uuid,
    lease_token uuid,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    outcome varchar(16) NOT NULL CHECK (outcome IN ('FAILED', 'TIMED_OUT', 'WORKER_LOST', 'RELEASED', 'CANCELLED')),
    error jsonb,
    delay_ms bigint NOT NULL DEFAULT 0,
    next_attempt_at timestamptz,
    checkpoint jsonb,
    diagnostics jsonb,
    usage jsonb,
    PRIMARY KEY (tenant_id, task_instance_id, attempt)
) PARTITION BY RANGE (task_instance_id);
COMMENT ON TABLE task_attempts IS 'Attempts that did not end their task; the last attempt stands on the task';

CREATE TABLE workflow_history (
    tenant_id uuid NOT NULL,
    instance_id uuid NOT NULL,
    seq bigint NOT NULL,
    kind varchar(32) NOT NULL,
    message_key varchar(600),
    step_id varchar(64),
    scope_path varchar(2048),
    visit integer,
    actor varchar(255),
    occurred_at timestamptz NOT NULL,
    payload jsonb NOT NULL,
    trail jsonb NOT NULL,
    trace_id varchar(64),
    PRIMARY KEY (instance_id, seq)
) PARTITION BY RANGE (instance_id);
COMMENT ON TABLE workflow_history IS 'Facts that are no task results, one row each; append-only';
CREATE UNIQUE INDEX workflow_history_message ON workflow_history (instance_id, message_key) WHERE message_key IS NOT NULL;

CREATE TABLE workflow_mailbox (
    id bigint GENERATED BY DEFAULT AS IDENTITY,
    tenant_id uuid NOT NULL,
    instance_id uuid NOT NULL,
    kind varchar(32) NOT NULL,
    message_key varchar(600),
    payload jsonb NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    trace_parent varchar(255),
    PRIMARY KEY (instance_id, id)
);
COMMENT ON TABLE workflow_mailbox IS 'Messages that wait for their instance; a row goes with the commit of its effect';
CREATE UNIQUE INDEX workflow_mailbox_message ON workflow_mailbox (instance_id, message_key) WHERE message_key IS NOT NULL;
CREATE INDEX workflow_mailbox_oldest ON workflow_mailbox (id);

CREATE TABLE timers (
    tenant_id uuid NOT NULL,
    instance_id uuid NOT NULL,
    kind varchar(32) NOT NULL,
    activation bigint NOT NULL,
    fire_at timestamptz NOT NULL,
    timer_key varchar(64) NOT NULL GENERATED ALWAYS AS (kind || ':' || activation::text) STORED,
    payload jsonb,
    PRIMARY KEY (tenant_id, instance_id, kind, activation)
);
COMMENT ON TABLE timers IS 'Instants that instances wait for; a row goes when it fires or is disarmed';
CREATE INDEX timers_due ON timers (fire_at);

-- Rows of the open tables come and go: empty pages are reused sooner this way.
ALTER TABLE workflow_mailbox SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);
ALTER TABLE timers SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);

CREATE FUNCTION aug_refuse() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $f$
BEGIN
    RAISE EXCEPTION '% %: % cannot become %: what ended does not move again', TG_ARGV[0], OLD.id, OLD.status, NEW.status
        USING ERRCODE = 'AU002', CONSTRAINT = TG_NAME;
END $f$;

-- A failed instance may be taken up again by an operator; nothing else moves once it ended. After the update, because a
-- trigger before it has every row locked first, with a record of that in the log.
CREATE TRIGGER workflow_instances_end_is_final AFTER UPDATE ON workflow_instances FOR EACH ROW
    WHEN (OLD.completed_at IS NOT NULL AND NEW.status <> OLD.status
          AND NOT (OLD.status = 'FAILED' AND NEW.status IN ('RUNNING', 'COMPENSATING')))
    EXECUTE FUNCTION aug_refuse('workflow instance');
CREATE TRIGGER task_instances_end_is_final AFTER UPDATE ON task_instances FOR EACH ROW
    WHEN (OLD.ended_at IS NOT NULL AND NEW.status <> OLD.status)
    EXECUTE FUNCTION aug_refuse('task instance');

CREATE FUNCTION aug_refuse_input() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $f$
BEGIN
    RAISE EXCEPTION '% %: the input cannot be changed', TG_ARGV[0], OLD.id USING ERRCODE = 'AU002', CONSTRAINT = TG_NAME;
END $f$;
CREATE TRIGGER task_instances_input_is_final AFTER UPDATE OF input ON task_instances FOR EACH ROW
    WHEN (OLD.input IS DISTINCT FROM NEW.input)
    EXECUTE FUNCTION aug_refuse_input('task instance');
