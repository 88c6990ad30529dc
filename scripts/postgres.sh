# Sourced: gives the tests a PostgreSQL server of their own, on a free port of this machine, gone with the script. A server
# that AUGMENTED_TEST_POSTGRES names is used instead. What is missing is installed where that takes no question.
# shellcheck shell=bash

postgres_bin() {
    local dir
    for dir in "$(command -v pg_ctl >/dev/null && dirname "$(readlink -f "$(command -v pg_ctl)")")" \
        $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV) /opt/homebrew/opt/postgresql@*/bin; do
        [ -n "$dir" ] && [ -x "$dir/initdb" ] && [ -x "$dir/pg_ctl" ] && echo "$dir" && return
    done
    return 1
}

install_postgres() {
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql >/dev/null
    else
        echo "PostgreSQL 15 or later is needed: install the server (Debian: apt-get install postgresql), or name one in AUGMENTED_TEST_POSTGRES=postgres://…" >&2
        return 1
    fi
}

# A pooler to test with; without one those tests look at nothing.
install_pooler() {
    command -v pgbouncer >/dev/null && return
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq pgbouncer >/dev/null
    else
        echo "pgbouncer is not installed: what the store does behind it is not tested" >&2
    fi
}

# PostgreSQL does not run as root.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

start_postgres() {
    install_pooler
    [ -n "${AUGMENTED_TEST_POSTGRES:-}" ] && return
    local port
    # Not local: what runs at the exit of the script needs it.
    postgres_programs=$(postgres_bin) || { install_postgres && postgres_programs=$(postgres_bin); } || return
    postgres_data=$(mktemp -d /tmp/augmented-postgres.XXXXXX)
    [ "$(id -u)" = 0 ] && chown postgres "$postgres_data"
    postgres_stop() {
        as_postgres "$postgres_programs/pg_ctl" -D "$postgres_data/data" -m immediate stop >/dev/null 2>&1 || true
        rm -rf "$postgres_data"
    }
    trap postgres_stop EXIT
    as_postgres "$postgres_programs/initdb" -D "$postgres_data/data" -U postgres -A trust -E UTF8 --locale=C >/dev/null
    for port in $(seq 54330 54360); do
        # Tests come and go; nothing of theirs must survive the machine.
        if as_postgres "$postgres_programs/pg_ctl" -D "$postgres_data/data" -w -t 60 -l "$postgres_data/log" -o \
            "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$postgres_data -c fsync=off -c max_connections=300 -c max_locks_per_transaction=256" \
            start >/dev/null; then
            export AUGMENTED_TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres"
            return
        fi
    done
    cat "$postgres_data/log" >&2
    return 1
}
