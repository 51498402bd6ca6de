#!/bin/sh
# readme.sh -- that what README.md shows is what happens: its console sessions, run again, line by line.
. "$(dirname "$0")/lib.sh"

mkdir -p session/bin
ln -s "$lq" session/bin/lq
ln -s "$root/tests" session/tests
awk '/^```console$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$root/README.md" >shown
check "README.md shows sessions" test -s shown

# The commands, and what they print in the order of a terminal. (stdbuf preloads a library, which must not
# come before that of a sanitizer.)
if [ -z "${SANITIZE:-}" ] && command -v stdbuf >/dev/null 2>&1; then
    sed -n 's/^\$ //p' shown >commands
    while IFS= read -r command; do
        echo "\$ $command"
        (cd session && PATH=$PWD/bin:$PATH stdbuf -oL sh -c "$command" 2>&1 </dev/null)
    done <commands >happened
    diff shown happened >err
    code=$?
    check "the sessions in README.md happen as they are shown" exits 0
else
    skip "the sessions in README.md happen as they are shown" "no stdbuf(1), or a sanitizer"
fi

# ---- links ----
(cd "$root" && for page in README.md docs/*.md; do
    grep -oE '\]\([^)#]+' "$page" | sed 's/^](//' | grep -vE '^(https?|mailto):' | while IFS= read -r link; do
        [ -e "$(dirname "$page")/$link" ] || echo "$page: $link"
    done
done) >err
check "no link in README.md and docs/ leads nowhere" silent
finish
