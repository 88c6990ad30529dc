-- Fills the tables of a schema with instances as the engine leaves them: ended ones of three steps, and ones that wait
-- for a signal with a timer behind it. Variables: first and last number, and one in how many waits.
INSERT INTO engine_nodes (node_id, started_at, heartbeat_at, fenced_at)
VALUES ('00000000-0000-7000-8000-0000000000ff', now(), now(), now()) ON CONFLICT DO NOTHING;
CREATE TEMPORARY TABLE made AS
SELECT i, at, i % :waits = 0 AS waits,
    (left(aug_first_id(at)::text, 14) || '7' || substr(gen_random_uuid()::text, 16))::uuid AS id
FROM (SELECT i, now() - interval '100 days' + i * interval '700 milliseconds' AS at
      FROM generate_series(:first::bigint, :last::bigint) i) AS i;
BEGIN;
INSERT INTO workflow_instances (tenant_id, id, workflow_definition_id, workflow_id, definition_version, status, version,
    created_at, started_at, updated_at, completed_at, input, output, start, trail, current_step_id, correlation_id, state)
SELECT '00000000-0000-0000-0000-000000000001', id, ('01900000-0000-7000-8000-00000000000' || i % 10)::uuid, 'order-' || i % 10, '1.0.0',
    CASE WHEN waits THEN 'WAITING_FOR_EVENT' ELSE 'COMPLETED' END::instance_status, 3, at, at, at,
    CASE WHEN NOT waits THEN at END, jsonb_build_object('number', i), CASE WHEN NOT waits THEN jsonb_build_object('number', i) END,
    '{"limits": {"stepSemantics": 1, "expressionSemantics": 1}, "taskPins": [{"id": "00000000-0000-7d87-bc2f-abeb92e70472", "taskId": "bench", "version": "1.0.0"}]}',
    '["e0.1"]', 's3', CASE WHEN i % 10 = 0 THEN 'c' || i END,
    CASE WHEN waits THEN jsonb_build_object('status', 'WAITING_FOR_EVENT', 'filler', repeat('x', 600)) END
FROM made ORDER BY i;
INSERT INTO task_instances (tenant_id, id, task_definition_id, workflow_instance_id, workflow_definition_id, seq, activation,
    visit, attempt, status, type, created_at, updated_at, started_at, ended_at, duration_ms, step_id, input, output, trail)
SELECT '00000000-0000-0000-0000-000000000001', (left(id::text, 18) || '-' || substr(gen_random_uuid()::text, 20))::uuid,
    '00000000-0000-7d87-bc2f-abeb92e70472', id, ('01900000-0000-7000-8000-00000000000' || i % 10)::uuid, n, n, 1, 1, 'COMPLETED',
    'AUTOMATED', at, at, at, at, 0, 's' || n, jsonb_build_object('number', i), jsonb_build_object('number', i),
    '["c0.1.1", "t0.1.0", "e1.1"]'
FROM made, generate_series(1, 3) n ORDER BY i, n;
INSERT INTO timers (tenant_id, instance_id, kind, activation, fire_at)
SELECT '00000000-0000-0000-0000-000000000001', id, 'WAIT', 4, now() + interval '100 days' + i * interval '1 second'
FROM made WHERE waits;
COMMIT;
DROP TABLE made;
