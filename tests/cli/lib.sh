# lib.sh -- for the black-box tests: where things are, running lq, counting in TAP.
#
#   . "$(dirname "$0")/lib.sh"
#   run inspect "$demo"                 # $code; what it printed is in the files out and err
#   check "inspect shows the type" grep -q BF16 out
#   finish
#
# The current folder is a scratch folder of its own, removed at the end. POSIX shell, and nothing that
# a Debian with only git, make and gcc lacks.
# shellcheck shell=sh
set -u
unset LQ_ISA NO_COLOR
export LC_ALL=C

root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
build=${BUILD:-build}
case $build in /*) ;; *) build=$root/$build ;; esac
lq=$build/lq
json_valid=$build/tests/cli/json_valid
demo=$root/tests/data/demo-model

mkdir -p "$build/tests"
work=$(mktemp -d "$build/tests/$(basename "$0" .sh).XXXXXX") || exit 1
trap 'chmod -R u+rwx "$work" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
cd "$work" || exit 1

number=0
failures=0

# run ARGUMENT...: lq with these arguments
run() {
    "$lq" "$@" >out 2>err </dev/null
    code=$?
}

# check SENTENCE COMMAND...: passes where the command succeeds
check() {
    sentence=$1
    shift
    number=$((number + 1))
    if "$@" >check.log 2>&1; then
        echo "ok $number - $sentence"
    else
        failures=$((failures + 1))
        echo "not ok $number - $sentence"
        for f in check.log err out; do
            [ -s "$f" ] && sed "s/^/#   $f: /" "$f" | head -n 8
        done
        echo "#   exit code of the last run: ${code:-none}"
    fi
}

# skip SENTENCE REASON
skip() {
    number=$((number + 1))
    echo "ok $number - $1 # SKIP $2"
}

# Words for check: exits 2; says TEXT (an extended regular expression, in err); prints TEXT (in out).
exits() { [ "$code" -eq "$1" ]; }
says() { grep -qE -- "$1" err; }
prints() { grep -qE -- "$1" out; }
silent() { [ ! -s err ]; }
refused() { exits "$1" && says "$2" && [ ! -s out ]; }
not() { ! "$@"; }

finish() {
    echo "1..$number"
    [ "$failures" -eq 0 ]
    exit $?
}

# safetensors FILE HEADER [DATA]: writes a file with this JSON header; DATA in printf's notation.
safetensors() {
    length=${#2}
    # shellcheck disable=SC2059
    {
        printf "\\$(printf %o $((length % 256)))\\$(printf %o $((length / 256)))"
        printf '\0\0\0\0\0\0%s' "$2"
        printf "${3:-}"
    } >"$1"
}
