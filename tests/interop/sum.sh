# sum.sh -- run parts, each ending in "N passed, N failed[, N skipped]", and add them up.
#
#   . tests/interop/sum.sh
#   run_part NAME LOG COMMAND...
#   sum_up                          # prints the table and the closing line, exits accordingly
#
# A part that fails without a failed case, or closes without that line, counts as one failed case.
# shellcheck shell=bash
sum_passed=0 sum_failed=0 sum_skipped=0
sum_table=()
sum_digest=()

# The numbers on the last closing line of a log: "passed failed skipped", or nothing.
closing_line() {
    sed -nE 's/^([a-z-]+: )?([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$/\2 \3 \5/p' "$1" |
        tail -n 1
}

# Sets $cpu to the processor time, in seconds, of the processes that have ended. (`times` has to run in
# this shell: a subshell has no children yet.)
get_cpu() {
    times >"$1"
    cpu=$(awk 'NR == 2 { gsub(/[ms]/, " "); print int($1 * 60 + $2 + $3 * 60 + $4 + 0.5) }' "$1")
}

# Shows a part's output with its closing lines indented, so that the last such line of the whole
# run, alone on its line, is the sum.
run_part() {
    local part=$1 log=$2 start=$SECONDS cpu cpu_before status numbers p f s
    shift 2
    printf '\n== %s\n' "$part"
    mkdir -p "$(dirname "$log")"
    get_cpu "$log.times"
    cpu_before=$cpu
    "$@" </dev/null 2>&1 | tee "$log" | sed -uE 's/^(([a-z-]+: )?[0-9]+ passed, [0-9]+ failed)/   \1/'
    status=${PIPESTATUS[0]}
    numbers=$(closing_line "$log")
    read -r p f s <<<"${numbers:-0 0 0}"
    if [ "$f" -eq 0 ] && { [ "$status" -ne 0 ] || [ -z "$numbers" ]; }; then
        printf '   %s: status %d, %s\n' "$part" "$status" "${numbers:-no closing line}"
        f=1
    fi
    [ "$f" -eq 0 ] || sum_digest+=("$part" "$log")
    get_cpu "$log.times"
    rm -f "$log.times"
    sum_passed=$((sum_passed + p)) sum_failed=$((sum_failed + f)) sum_skipped=$((sum_skipped + ${s:-0}))
    sum_table+=("$(printf '%-24s %6d %6d %7d %6d s %6d s' "$part" "$p" "$f" "${s:-0}" $((SECONDS - start)) \
        $((cpu - cpu_before)))")
    [ "$f" -eq 0 ]
}

# Of a part that failed, the lines that say what, or else its last ones.
show_failure() {
    printf '\n-- %s failed:\n' "$1"
    { grep -aE -A2 '^ *\|? ?(not ok|-- |FAIL)|FAILED|Error|error:|status [0-9]+,' "$2" |
        tail -n 30 | grep . || tail -n 12 "$2"; } |
        sed -E 's/^(([a-z-]+: )?[0-9]+ passed, [0-9]+ failed)/   \1/'
}

sum_up() {
    local i
    for ((i = 0; i < ${#sum_digest[@]}; i += 2)); do
        show_failure "${sum_digest[i]}" "${sum_digest[i + 1]}"
    done
    printf '\n%-24s %6s %6s %7s %8s %8s\n' part passed failed skipped time cpu
    [ ${#sum_table[@]} -eq 0 ] || printf '%s\n' "${sum_table[@]}"
    if [ "$sum_skipped" -gt 0 ]; then
        printf '%d passed, %d failed, %d skipped\n' "$sum_passed" "$sum_failed" "$sum_skipped"
    else
        printf '%d passed, %d failed\n' "$sum_passed" "$sum_failed"
    fi
    [ "$sum_failed" -eq 0 ] && [ "$sum_passed" -gt 0 ]
    exit
}
