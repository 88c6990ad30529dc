#!/usr/bin/env bash
# Measures durable workflows of three steps on PostgreSQL: Augmented, DBOS, durare and duroxide-pg, and single-row inserts
# by pgbench as the limit, in alternating rounds of one sitting; prints medians, and ratios as medians of the rounds.
#
#   DATABASE_URL  the server [default: postgres://postgres@127.0.0.1:5432/postgres]; schemas and databases of its own only
#   ROUNDS        how many [default: 3]     SECONDS_EACH  of each measurement [default: 8]
#   IN_FLIGHT     loads [default: "64 256 512 1024"]
#   PEERS         [default: "dbos durare duroxide"]; each is compiled, which takes minutes
#   QUICK=1       one short round that proves that everything works
set -euo pipefail
cd "$(dirname "$0")"
url=${DATABASE_URL:-postgres://postgres@127.0.0.1:5432/postgres}
rounds=${ROUNDS:-3} seconds=${SECONDS_EACH:-8} loads=${IN_FLIGHT:-64 256 512 1024} peers=${PEERS-dbos durare duroxide}
[ -n "${QUICK:-}" ] && rounds=1 seconds=1 loads=${IN_FLIGHT:-64}
case $url in *\?*) plain="$url&sslmode=disable" ;; *) plain="$url?sslmode=disable" ;; esac

cargo build --quiet --release --locked --manifest-path ../Cargo.toml -p augmented-console
ours=$(cargo metadata --format-version 1 --no-deps --manifest-path ../Cargo.toml | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release/augmented
if [ -n "$peers" ]; then
    features=$(echo "$peers" | tr ' ' ,)
    cargo build --quiet --release --locked --manifest-path peers-postgres/Cargo.toml --no-default-features --features "$features"
    theirs=$(cargo metadata --format-version 1 --no-deps --manifest-path peers-postgres/Cargo.toml | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/release/peers-postgres
fi
pgbench=$(command -v pgbench || ls /usr/lib/postgresql/*/bin/pgbench | tail -1)
out=$(mktemp) && work=$(mktemp -d) && trap 'rm -rf "$out" "$work"' EXIT
number() { sed -n "s/.*\"$1\": *\([0-9.]*\).*/\1/p" | head -1; }

busy() { awk '/^cpu /{ print $2 + $3 + $4 + $7 + $8 }' /proc/stat; }
before() { lsn=$(psql -qAtX "$plain" -c "select pg_current_wal_insert_lsn()") ticks=$(busy); }
# Round, name, load, rate, p50 and p99 in milliseconds, steps of the run with its warm-up; adds about what a step cost in
# processor time of the whole machine and in bytes of log, of the whole run, so a little is of its preparation.
note() {
    local steps=$7 wal cpu
    wal=$(psql -qAtX "$plain" -c "select round((pg_current_wal_insert_lsn() - '$lsn') / $steps)")
    cpu=$(awk -v a="$ticks" -v b="$(busy)" -v n="$steps" 'BEGIN { printf "%.0f", (b - a) * 10000 / n }')
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "${@:1:6}" "$cpu" "$wal" >>"$out"
    printf '  %-10s %5s  %10s/s  p50 %9s ms  p99 %9s ms  cpu %6s us  log %7s B\n' "$2" "$3" "$4" "$5" "$6" "$cpu" "$wal"
}

augmented() { # round, load
    local rate=${last[$2]:-3000} warm_up workflows json
    warm_up=$(awk -v r="$rate" 'BEGIN { print int(r / 3 * 2) }')
    workflows=$(awk -v r="$rate" -v s="$seconds" 'BEGIN { print int(r / 3 * s) + 1 }')
    json=$("$ours" bench --store "$plain" --steps 3 --in-flight "$2" --warm-up "$warm_up" --workflows "$workflows" --format json)
    last[$2]=$(number stepsPerSecond <<<"$json")
    note "$1" augmented "$2" "${last[$2]}" "$(number p50Ms <<<"$json")" "$(number p99Ms <<<"$json")" $(((warm_up + workflows) * 3))
}
peer() { # round, load, name
    local json rate
    json=$("$theirs" --peer "$3" --url "$plain" --in-flight "$2" --seconds "$seconds")
    rate=$(number stepsPerSecond <<<"$json")
    # It warms up for two seconds.
    note "$1" "$3" "$2" "$rate" "$(number p50Ms <<<"$json")" "$(number p99Ms <<<"$json")" "$(awk -v r="$rate" -v s="$seconds" 'BEGIN { print int(r * (s + 2)) + 1 }')"
}
inserts() { # round, clients
    local table=augmented_bench_inserts said rate
    psql -qX "$plain" -c "CREATE TABLE IF NOT EXISTS $table (id uuid PRIMARY KEY, payload jsonb, at timestamptz DEFAULT now())"
    printf "INSERT INTO %s (id, payload) VALUES (gen_random_uuid(), '{\"number\": 1}');\n" $table >"$work/insert.sql"
    said=$("$pgbench" -n -M prepared -f "$work/insert.sql" -c "$2" -j "$(($2 > 1 ? 2 : 1))" -T "$seconds" -l --log-prefix="$work/log" "$plain" 2>&1)
    read -r p50 p99 < <(cat "$work"/log* | awk '{ print $3 }' | sort -n | awk '{ v[NR] = $1 } END { print v[int(NR * .5) + 1] / 1000, v[int(NR * .99) + 1] / 1000 }')
    rm -f "$work"/log*
    psql -qX "$plain" -c "DROP TABLE $table"
    rate=$(sed -n 's/^tps = \([0-9.]*\).*/\1/p' <<<"$said")
    note "$1" inserts "$2" "$rate" "$p50" "$p99" "$(awk -v r="$rate" -v s="$seconds" 'BEGIN { print int(r * s) + 1 }')"
}

declare -A last
echo "$(uname -m), $(nproc) cores, $(psql -AtqX "$plain" -c "select 'PostgreSQL ' || current_setting('server_version') || ', fsync ' || current_setting('fsync') || ', synchronous_commit ' || current_setting('synchronous_commit')")"
for load in $loads 1; do before && seconds=1 augmented 0 "$load" >/dev/null; done
: >"$out"
for round in $(seq "$rounds"); do
    echo "round $round"
    # The order turns around in every round, so that a slow drift of the machine meets all alike.
    order="inserts $peers augmented"
    [ $((round % 2)) = 0 ] && order=$(echo "$order" | tr ' ' '\n' | tac | tr '\n' ' ')
    for load in $loads 1; do
        for name in $order; do
            # Nobody pays for what the one before left to be written.
            psql -qX "$plain" -c CHECKPOINT
            before
            case $name in
            augmented) augmented "$round" "$load" ;;
            inserts) [ "$load" = 512 ] || [ -n "${QUICK:-}" ] && inserts "$round" 32 || { [ "$load" = 1 ] && inserts "$round" 1; } || true ;;
            *) peer "$round" "$load" "$name" ;;
            esac
        done
    done
done
echo "medians"
median='function med(a, n,   i, j, t) { for (i = 2; i <= n; i++) for (j = i; j > 1 && a[j] < a[j-1]; j--) { t = a[j]; a[j] = a[j-1]; a[j-1] = t } return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2 }'
sort -t"$(printf '\t')" -k2,2 -k3,3n -k1,1n "$out" | awk -F'\t' "$median"'
    function show() { if (n) printf "  %-10s %5s  %10.0f/s  p50 %9.3f ms  p99 %9.3f ms  cpu %6.0f us  log %7.0f B\n", name, load, med(rate, n), med(low, n), med(high, n), med(cpu, n), med(wal, n) }
    { if ($2 != name || $3 != load) { show(); n = 0; name = $2; load = $3 } n++; rate[n] = $4; low[n] = $5; high[n] = $6; cpu[n] = $7; wal[n] = $8 }
    END { show() }'
echo "ratios"
awk -F'\t' "$median"'
    { rate[$1, $2, $3] = $4; p50[$1, $2, $3] = $5; p99[$1, $2, $3] = $6; rounds[$1]; names[$2]; loads[$3] }
    END {
        for (load in loads) for (name in names) if (name != "augmented" && name != "inserts") {
            n = 0; split("", a)
            for (r in rounds) if (rate[r, name, load] > 0) a[++n] = rate[r, "augmented", load] / rate[r, name, load]
            if (n) printf "  %-44s %7.2f\n", "steps/s at " load " to " name, med(a, n)
        }
        n = 0; split("", a); for (r in rounds) if ((r, "augmented", 512) in rate && (r, "inserts", 32) in rate) a[++n] = rate[r, "augmented", 512] / rate[r, "inserts", 32]
        if (n) printf "  %-44s %7.2f\n", "steps/s at 512 to single-row inserts", med(a, n)
        n = 0; split("", a); for (r in rounds) if ((r, "augmented", 1) in p50 && (r, "inserts", 1) in p50) a[++n] = p50[r, "augmented", 1] / p50[r, "inserts", 1]
        if (n) printf "  %-44s %7.2f\n", "p50 of one workflow alone to one insert", med(a, n)
        n = 0; split("", a); for (r in rounds) if ((r, "augmented", 512) in p50) a[++n] = p99[r, "augmented", 512] / p50[r, "augmented", 512]
        if (n) printf "  %-44s %7.2f\n", "p99 to p50 at 512", med(a, n)
    }' "$out" | sort
