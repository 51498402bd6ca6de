# measured.sh -- for the interop scripts that measure: time and memory of a command, and a limit for the
# latter. After common.sh.
# shellcheck shell=bash disable=SC2034,SC2154
limit_kib=$((256 * 1024))

measure=build/interop/measure
mkdir -p build/interop
"${CC:-cc}" -std=c17 -D_GNU_SOURCE -O2 -o $measure tests/interop/measure.c || exit 2

# measured COMMAND...: runs it; sets $wall, $cpu, $peak, $anonymous.
measured() {
    "$measure" "$work/measured" "$@" >"$work/log" 2>&1
    local status=$?
    read -r wall cpu peak anonymous <"$work/measured"
    return $status
}

mib() { awk -v kib="$1" 'BEGIN { printf "%.0f", kib / 1024 }'; }

# bounded CASE COMMAND...: succeeds, and within the limit.
bounded() {
    local case=$1
    shift
    if ! measured "$@"; then
        fail "$case" "$(tail -n 5 "$work/log")"
        return
    fi
    local figures
    figures=$(printf '%s: %s MiB resident, %s MiB anonymous, %.1f s' "$case" "$(mib "$peak")" \
        "$(mib "$anonymous")" "$wall")
    if [ "$peak" -le $limit_kib ]; then
        pass "$figures"
    else
        fail "$figures" "the limit is $(mib $limit_kib) MiB"
    fi
}
