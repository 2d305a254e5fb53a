# A private PostgreSQL cluster for tests, to be sourced by bash scripts: postgres_start exports
# TEST_POSTGRES_URL, postgres_stop stops the server and removes its files.

postgres_dir=

# Prints the directory of the newest installed server's programs.
postgres_programs() {
    local dir
    dir=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -1)
    if [ -z "$dir" ] && command -v initdb >/dev/null; then
        dir=$(dirname "$(command -v initdb)")
    fi
    [ -x "$dir/initdb" ] && echo "$dir"
}

# Runs a program of PostgreSQL in the cluster's directory. The server refuses to run as root.
postgres_program() {
    local program as=()
    program=$(postgres_programs)/$1
    shift
    if [ "$(id -u)" = 0 ]; then
        as=(setpriv --reuid="$(postgres_user)" --regid="$(id -g "$(postgres_user)")" --clear-groups)
    fi
    (cd "$postgres_dir" && "${as[@]}" "$program" "$@" >>program.log 2>&1)
}

postgres_user() {
    if id postgres >/dev/null 2>&1; then echo postgres; else echo nobody; fi
}

# Creates and starts the cluster; with a certificate and its key as arguments it speaks TLS, and nothing
# else over TCP. Settings that make commits durable keep their defaults, as on a real server; so does a
# linguistic collation, so that a query that forgets COLLATE "C" is noticed.
postgres_start() {
    # Not below TMPDIR: the server's user must reach it, and the path of a socket is short.
    postgres_dir=$(mktemp --directory --tmpdir=/tmp --suffix=-seatwise-postgres)
    if [ "$(id -u)" = 0 ]; then
        touch "$postgres_dir/program.log"
        chown -R "$(postgres_user)" "$postgres_dir"
    fi
    postgres_program initdb --pgdata=data --username=postgres --auth=trust --encoding=UTF8 \
        --locale=C --locale-provider=icu --icu-locale=en || postgres_explain
    cat >>"$postgres_dir/data/postgresql.conf" <<SETTINGS
listen_addresses = '127.0.0.1'
unix_socket_directories = '$postgres_dir'
lc_messages = 'C'
max_connections = 200
SETTINGS
    if [ $# = 2 ]; then postgres_secure "$@"; fi

    local port tries
    for tries in 1 2 3 4 5; do
        port=$((20000 + RANDOM % 10000)) # below the ports that outgoing connections take
        if postgres_program pg_ctl --pgdata=data --log=server.log --wait --options="-p $port" start; then
            export TEST_POSTGRES_URL=postgres://postgres@127.0.0.1:$port/postgres
            return
        fi
        echo "PostgreSQL did not start on port $port (try $tries)" >&2
    done
    postgres_explain
}

# Gives the cluster a certificate and a key, which it takes only if it alone can read it.
postgres_secure() {
    local data=$postgres_dir/data
    cp "$1" "$data/server.crt"
    install -m 600 "$2" "$data/server.key"
    if [ "$(id -u)" = 0 ]; then
        chown "$(postgres_user)" "$data/server.crt" "$data/server.key"
    fi
    echo "ssl = on" >>"$data/postgresql.conf"
    sed -i 's/^host /hostssl /' "$data/pg_hba.conf"
}

postgres_stop() {
    if [ -z "$postgres_dir" ]; then return; fi
    if [ -f "$postgres_dir/data/postmaster.pid" ]; then
        postgres_program pg_ctl --pgdata=data --mode=immediate --wait stop || true
    fi
    rm -rf "$postgres_dir"
    postgres_dir=
}

# Says why the cluster is not there, and ends the script.
postgres_explain() {
    tail -n 20 "$postgres_dir"/*.log >&2
    echo "cannot start a private PostgreSQL; set TEST_POSTGRES_URL to use one that runs" >&2
    exit 1
}
