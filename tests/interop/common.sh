# common.sh -- for the interop scripts: where things are, how cases are counted.
#
#   . "$(dirname "$0")/../tests/interop/common.sh"
#   need_lq; need_peers llama python
#   check "q8_0 loads" some-command with arguments
#   finish                             # prints "N passed, N failed", exits accordingly
#
# The script's current folder is the project's root afterwards. $work is a scratch folder of its own,
# removed at the end unless LQ_KEEP is set. LQ_QUICK=1 asks for a smaller choice of cases.
# shellcheck shell=bash
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2

lq=${LQ:-$PWD/build/lq}
peers=${LQ_PEERS:-$PWD/build/peers}
python=$peers/venv/bin/python
llama=$peers/llama-build/bin
quick=${LQ_QUICK:-}
demo=$PWD/tests/data/demo-model
passed=0 failed=0 skipped=0

name=$(basename "$0")
mkdir -p build/scratch
work=$(mktemp -d "$PWD/build/scratch/$name.XXXXXX")
trap '[ -n "${LQ_KEEP:-}" ] || rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

llama() {  # llama PROGRAM ARGUMENT...: a program of llama.cpp
    local program=$1
    shift
    LD_LIBRARY_PATH=$llama "$llama/$program" "$@"
}

need_lq() { [ -x "$lq" ] || { echo "$name: $lq is missing: run make" >&2; exit 2; }; }
need_peers() { scripts/peers "$@" >&2 || { echo "$name: run scripts/peers $*" >&2; exit 2; }; }

pass() { passed=$((passed + 1)); printf 'ok    %s\n' "$1"; }
skip() { skipped=$((skipped + 1)); printf 'skip  %s\n' "$1"; }
fail() {  # fail CASE [DETAIL]
    failed=$((failed + 1))
    printf 'FAIL  %s\n' "$1"
    [ -z "${2:-}" ] || printf '%s\n' "$2" | sed 's/^/      /'
}

# check CASE COMMAND...: passes where the command succeeds; shows the end of its output where not.
check() {
    local case=$1
    shift
    if "$@" >"$work/check.log" 2>&1; then
        pass "$case"
    else
        fail "$case" "status $? of: $*
$(tail -n 8 "$work/check.log")"
        return 1
    fi
}

finish() {
    if [ "$skipped" -gt 0 ]; then
        printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    else
        printf '%d passed, %d failed\n' "$passed" "$failed"
    fi
    [ "$failed" -eq 0 ]
    exit
}

# read_anew FILE...: into the page cache by reading, which puts large pages there. A file that was written
# lies there in small ones, out of which it is copied several times slower.
read_anew() {
    local file
    for file; do
        dd of="$file" oflag=nocache conv=notrunc,fdatasync count=0 status=none
        cat "$file" >/dev/null
    done
}
