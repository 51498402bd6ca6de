#!/bin/sh
# help.sh -- the command line itself: help, options, unknown names, exit codes, colours, completions.
. "$(dirname "$0")/lib.sh"

commands=$("$lq" help --completion fish | sed -n 's/.*__fish_use_subcommand -f -a \([a-z-]*\) .*/\1/p')

# ---- help ----
run
check "without arguments lq explains itself on standard error" refused 2 'Usage: lq COMMAND'
run help
check "lq help lists the commands and the exit codes" prints '^  130 '
check "lq help succeeds and says nothing on standard error" eval 'exits 0 && silent'
run --help
check "lq --help is lq help" prints '^Usage: lq COMMAND'
run help nonsense
check "help on nothing known is wrong usage" refused 2 "no help on 'nonsense'"
run help types
check "lq help types lists the types" prints '^Q4_K +4\.5 +256 +144 +12'
run help formats
check "lq help formats lists the formats" prints '^gguf +\.gguf'

bad=
for c in $commands; do
    "$lq" help "$c" >out 2>err || bad="$bad $c"
    grep -q "^Usage: lq $c" out && grep -q '^Options' out && grep -q '^Examples' out || bad="$bad $c"
    "$lq" "$c" --help >again 2>err || bad="$bad $c"
    cmp -s out again || bad="$bad $c"
done
check "every command has help with usage, options and examples, by both spellings" test -z "$bad"

bad=
for c in $commands; do
    "$lq" help "$c" | awk 'length($0) > 100 { exit 1 }' || bad="$bad $c"
done
check "no line of help is wider than 100 columns" test -z "$bad"

# ---- help and documentation ----
bad=
for c in $commands; do
    [ -e "$root/docs/$c.md" ] || { bad="$bad docs/$c.md"; continue; }
    "$lq" help "$c" | grep -oE -- '^ +(-[a-z], )?--[a-z0-9-]+' | grep -oE -- '--[a-z0-9-]+' |
        grep -vE -- '^--(help|quiet|json|threads|color)$' | sort -u >in-help
    grep -oE -- '^- `--[a-z0-9-]+' "$root/docs/$c.md" | grep -oE -- '--[a-z0-9-]+' | sort -u >in-docs
    cmp -s in-help in-docs || bad="$bad $c:$(comm -3 in-help in-docs | tr -s '\t\n' ' ')"
done
echo "$bad" >err
check "every command's page lists its options, and no other" test -z "$bad"
bad=
for c in $commands; do
    grep -q "^| \[*\`*lq $c\|lq $c" "$root/README.md" || bad="$bad $c"
done
check "README.md mentions every command" test -z "$bad"

# ---- options ----
run version --jsn
check "an unknown option is wrong usage, and the nearest one is named" \
    refused 2 'unknown option --jsn; did you mean --json\?'
run version --frobnicate
check "an option like no other leads to the help" refused 2 "unknown option --frobnicate.*lq help version"
run version -x
check "an unknown letter is wrong usage" refused 2 'unknown option -x'
run compare --fail_below_snr 3 --frob a b
check "underscores are taken for hyphens" refused 2 'unknown option --frob'
run version --threads
check "a missing value is wrong usage" refused 2 'option --threads needs a value'
run version --threads=0
check "a value out of range is wrong usage, with the range" refused 2 "'0' is not a whole number from 1"
run version --threads 1x
check "a number with letters is wrong usage" refused 2 "'1x' is not a whole number"
run version --json=yes
check "a flag takes no value" refused 2 'option --json takes no value'
run version surplus
check "a surplus argument is wrong usage" refused 2 "unexpected argument 'surplus'"
run inspect
check "a missing argument is wrong usage, and the usage is shown" refused 2 'usage: lq inspect MODEL'
run inspect -- --json
check "after -- everything is an argument" refused 4 '^lq: --json: '
run version --threads=2 --threads 3 -q --color=never
check "letters, values after = and repetitions are understood" exits 0

# ---- commands ----
run inspekt
check "an unknown command is wrong usage, and the nearest one is named" \
    refused 2 "unknown command 'inspekt'; did you mean 'inspect'\?"
run xyzzy
check "a command like no other leads to the help" refused 2 "unknown command 'xyzzy'; 'lq help'"
mkdir bin
printf '#!/bin/sh\necho "$# $1 $2"\nexit 7\n' >bin/lq-xyzzy
chmod +x bin/lq-xyzzy
PATH=$work/bin:$PATH "$lq" xyzzy --json 'a b' >out 2>err
code=$?
check "an unknown command runs lq-NAME from PATH, with its arguments and exit code" \
    eval 'exits 7 && prints "^2 --json a b$"'
run ../bin/lq-xyzzy
check "a command's name is no path" refused 2 'unknown command'

# ---- streams ----
"$lq" help >/dev/full 2>err
code=$?
check "output that cannot be written is an error" eval 'exits 4 && says "standard output"'
"$lq" version >&- 2>err
code=$?
check "a closed standard output does no harm" silent
{ "$lq" help types; echo $? >code; } 2>err | :
check "a reader that goes away ends lq quietly" silent

# ---- colours ----
esc=$(printf '\033')
run help --color always
check "--color always colours" grep -q "$esc" out
run help --color sometimes
check "--color takes three words" refused 2 "'sometimes' is not auto, always or never"
run help
check "nothing is coloured in a file" not grep -q "$esc" out
if command -v script >/dev/null 2>&1 && script -qec true /dev/null >/dev/null 2>&1; then
    TERM=xterm script -qec "'$lq' help" /dev/null >out 2>err </dev/null
    check "headings are coloured on a terminal" grep -q "$esc" out
    NO_COLOR=1 TERM=xterm script -qec "'$lq' help" /dev/null >out 2>err </dev/null
    check "NO_COLOR keeps a terminal plain" not grep -q "$esc" out
    TERM=dumb script -qec "'$lq' help" /dev/null >out 2>err </dev/null
    check "a dumb terminal stays plain" not grep -q "$esc" out
else
    skip "headings are coloured on a terminal" "no script(1)"
    skip "NO_COLOR keeps a terminal plain" "no script(1)"
    skip "a dumb terminal stays plain" "no script(1)"
fi

# ---- completions ----
for shell in bash zsh fish; do
    run help --completion "$shell"
    bad=
    for c in $commands; do grep -q -- "$c" out || bad="$bad $c"; done
    check "the completions for $shell know every command" eval 'exits 0 && test -z "$bad"'
    if command -v "$shell" >/dev/null 2>&1; then
        cp out "completion.$shell"
        check "the completions for $shell are valid $shell" "$shell" -n "completion.$shell"
    else
        skip "the completions for $shell are valid $shell" "no $shell"
    fi
done
if command -v bash >/dev/null 2>&1; then
    "$lq" help --completion bash >completion.bash
    bash -c '. ./completion.bash; COMP_WORDS=(lq inspect --me) COMP_CWORD=2; _lq; echo "${COMPREPLY[*]}"' >out
    check "bash completes an option" grep -qx -- --metadata out
else
    skip "bash completes an option" "no bash"
fi
run help --completion tcsh
check "other shells are refused" refused 2 "no completions for 'tcsh'"

finish
