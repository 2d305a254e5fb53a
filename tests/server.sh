# Sourced by the tests that talk to a real server from a shell: starts and ends one, and says what
# was expected of the last call and what came.

target=${CARGO_TARGET_DIR:-target}
scratch=$(mktemp -d)
server=
address=
output= # what the last call printed
code=   # and its exit code

start_server() {
    cargo build --workspace --locked --quiet
    : >"$scratch/server.out" # else it might be read before the server is there to make it
    "$target/debug/seatwise" serve --listen 127.0.0.1:0 --database "sqlite:$scratch/seatwise.db" \
        --admin-key-file "$scratch/admin.key" "$@" >"$scratch/server.out" 2>"$scratch/server.log" &
    server=$!
    for _ in {1..300}; do
        address=$(sed -n 's/.*listening on \(127\.0\.0\.1:[0-9]*\).*/\1/p' "$scratch/server.out")
        if [ -n "$address" ]; then return; fi
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    echo "the server did not start:" >&2
    cat "$scratch/server.out" "$scratch/server.log" >&2
    exit 1
}

clean_up() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$scratch"
}

passed() { echo "ok      $1"; }

failed() {
    printf 'FAILED  %s\nthe call ended with %s and printed:\n%s\n' "$1" "$code" "$output" >&2
    printf 'the server logged:\n' >&2
    tail -n 20 "$scratch/server.log" >&2
    exit 1
}

# expect NAME PATTERN
expect() {
    grep -Eq -- "$2" <<<"$output" || failed "$1 (no line matches $2)"
    passed "$1"
}

expect_no() {
    ! grep -Eq -- "$2" <<<"$output" || failed "$1 (a line matches $2)"
    passed "$1"
}

# expect_text NAME TEXT
expect_text() {
    [ -n "$2" ] || failed "$1 (the text to look for is empty)"
    grep -Fq -- "$2" <<<"$output" || failed "$1 (no line has $2)"
    passed "$1"
}

expect_success() {
    [ "$code" = 0 ] || failed "$1"
    passed "$1"
}
