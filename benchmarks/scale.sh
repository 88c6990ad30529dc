#!/usr/bin/env bash
# Measures what one PostgreSQL does at scale, with workflows of three steps: two processes beside one, tables with millions
# of instances beside empty ones, and what a step costs in processor time, log and rows.
#
#   DATABASE_URL  the server, on this machine [default: postgres://postgres@127.0.0.1:5432/postgres]; schemas of its own only
#   ROUNDS        how many [default: 3]     WORKFLOWS  of each measurement [default: 100000]
#   FINISHED      instances to fill with [default: 10000000]     PARKED  of those that wait [default: 1000000]
#   KEEP=1        leaves the filled schema, augmented_filled, and uses one that is there
#   PARTS         what to measure [default: "costs processes filled"]     QUICK=1  proves in a minute that everything works
set -euo pipefail
cd "$(dirname "$0")"
url=${DATABASE_URL:-postgres://postgres@127.0.0.1:5432/postgres}
rounds=${ROUNDS:-3} workflows=${WORKFLOWS:-100000} finished=${FINISHED:-10000000} parked=${PARKED:-1000000}
parts=${PARTS:-costs processes filled}
[ -n "${QUICK:-}" ] && rounds=1 workflows=3000 finished=20000 parked=2000
case $url in *\?*) plain="$url&sslmode=disable" ;; *) plain="$url?sslmode=disable" ;; esac

cargo build --quiet --release --locked --manifest-path ../Cargo.toml -p augmented-console
ours=$(cargo metadata --format-version 1 --no-deps --manifest-path ../Cargo.toml | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release/augmented
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
sql() { psql -qAtX -v ON_ERROR_STOP=1 "$plain" "$@"; }
number() { sed -n "s/.*\"$1\": *\([0-9.]*\).*/\1/p" "$2" | head -1; }
# In flight, workflows, then more options; leaves its figures in a file.
bench() { local to=$1; shift && "$ours" bench --store "$plain" --steps 3 --in-flight "$1" --workflows "$2" --warm-up $((workflows / 10)) --format json "${@:3}" >"$to"; }
median() { sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
busy() { awk '/^cpu /{ print $2 + $3 + $4 + $7 + $8 }' /proc/stat; }

echo "$(uname -m), $(nproc) cores, $(sql -c "select 'PostgreSQL ' || current_setting('server_version') || ', fsync ' || current_setting('fsync') || ', synchronous_commit ' || current_setting('synchronous_commit')")"
for part in $parts; do case $part in
costs)
    echo "costs of a step, 512 in flight"
    for round in $(seq "$rounds"); do
        sql -c "DROP SCHEMA IF EXISTS augmented_costs CASCADE" 2>/dev/null
        "$ours" bench --store "$plain" --in-flight 8 --workflows 8 --schema augmented_costs --format json >/dev/null
        sql -c CHECKPOINT
        from=$(sql -c "select pg_current_wal_insert_lsn()") cpu=$(busy)
        "$ours" bench --store "$plain" --steps 3 --in-flight 512 --workflows "$workflows" --schema augmented_costs --format json >"$work/costs"
        cpu=$((($(busy) - cpu) * 10000 / (workflows * 3)))
        wal=$(sql -c "select round((pg_current_wal_insert_lsn() - '$from') / ($workflows * 3.0))")
        payload=$(sql -c "select round(sum(pg_column_size(input) + pg_column_size(output)) / ($workflows * 3.0)) from augmented_costs.task_instances")
        versions=$(sql -c "select round((pg_stat_get_tuples_inserted('augmented_costs.workflow_instances_default'::regclass) + pg_stat_get_tuples_updated('augmented_costs.workflow_instances_default'::regclass) + pg_stat_get_tuples_inserted('augmented_costs.task_instances_default'::regclass) + pg_stat_get_tuples_updated('augmented_costs.task_instances_default'::regclass)) / ($workflows + 8.0), 3)")
        echo "  round $round: $(number stepsPerSecond "$work/costs") steps/s, $cpu us of processor time (engine and server), $wal bytes of log (payload $payload) a step, $versions rows written a workflow"
    done
    sql -c "DROP SCHEMA augmented_costs CASCADE" 2>/dev/null
    ;;
processes)
    # With a load of its own each, and with half of one load each.
    for each in 512 256; do
        echo "two processes of $each in flight each beside one of 512, in one schema"
        share=$((workflows * each / 512))
        : >"$work/ratios"
        for round in $(seq "$rounds"); do
            sql -c "DROP SCHEMA IF EXISTS augmented_processes CASCADE" 2>/dev/null
            "$ours" bench --store "$plain" --in-flight 8 --workflows 8 --schema augmented_processes --format json >/dev/null
            sql -c CHECKPOINT
            bench "$work/one" 512 "$workflows" --schema augmented_processes
            sql -c CHECKPOINT
            bench "$work/a" "$each" "$share" --schema augmented_processes & first=$!
            bench "$work/b" "$each" "$share" --schema augmented_processes & second=$!
            wait $first && wait $second
            one=$(number stepsPerSecond "$work/one") two=$(awk "BEGIN { print $(number stepsPerSecond "$work/a") + $(number stepsPerSecond "$work/b") }")
            twice=$(sql -c "select count(*) from (select from augmented_processes.task_instances group by workflow_instance_id, step_id having count(*) > 1) t")
            open=$(sql -c "select count(*) from augmented_processes.workflow_instances where status <> 'COMPLETED'")
            ratio=$(awk "BEGIN { printf \"%.2f\", $two / $one }") && echo "$ratio" >>"$work/ratios"
            echo "  round $round: one $one steps/s, two $two, ratio $ratio; steps done twice: $twice, instances not completed: $open"
        done
        echo "  median ratio $(median <"$work/ratios")"
    done
    sql -c "DROP SCHEMA augmented_processes CASCADE" 2>/dev/null
    ;;
filled)
    total=$((finished + parked)) waits=$(((finished + parked) / parked))
    if [ -z "$(sql -c "select 1 from pg_namespace where nspname = 'augmented_filled'")" ]; then
        echo "filling with $finished ended and $parked waiting instances"
        "$ours" bench --store "$plain" --in-flight 8 --workflows 8 --schema augmented_filled --format json >/dev/null
        chunk=$((total < 200000 ? total : 200000))
        fill() { PGOPTIONS="-c search_path=augmented_filled -c synchronous_commit=off -c session_replication_role=replica" sql -v first="$1" -v last="$2" -v waits="$waits" -f fill.sql >/dev/null; }
        export -f fill sql && export plain waits
        for first in $(seq 1 "$chunk" "$total"); do echo "$first $((first + chunk - 1 < total ? first + chunk - 1 : total))"; done | xargs -P 2 -L 1 bash -c 'fill $0 $1 || exit 255' ||
            { sql -c "DROP SCHEMA augmented_filled CASCADE" 2>/dev/null; exit 1; }
        for table in workflow_instances task_instances timers; do sql -c "VACUUM (ANALYZE) augmented_filled.$table"; done
    fi
    echo "  $(sql -c "select count(*) filter (where completed_at is not null) || ' ended and ' || count(*) filter (where completed_at is null) || ' open instances, ' || (select pg_size_pretty(sum(pg_total_relation_size(c.oid))) from pg_class c where relnamespace = 'augmented_filled'::regnamespace and relkind = 'r') from augmented_filled.workflow_instances")"
    : >"$work/ratios"
    for round in $(seq "$rounds"); do
        sql -c CHECKPOINT
        bench "$work/empty" 512 "$workflows"
        sql -c CHECKPOINT
        bench "$work/full" 512 "$workflows" --schema augmented_filled
        empty=$(number stepsPerSecond "$work/empty") full=$(number stepsPerSecond "$work/full")
        ratio=$(awk "BEGIN { printf \"%.2f\", $full / $empty }") && echo "$ratio" >>"$work/ratios"
        echo "  round $round: empty $empty steps/s, filled $full, ratio $ratio (p99 $(number p99Ms "$work/empty") and $(number p99Ms "$work/full") ms)"
    done
    echo "  median ratio $(median <"$work/ratios")"
    [ -n "${KEEP:-}" ] || sql -c "DROP SCHEMA augmented_filled CASCADE" 2>/dev/null
    ;;
esac; done
