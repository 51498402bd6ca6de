#!/bin/sh
# bad-input.sh -- broken, lying and hostile input: every command refuses it in one clear line that
# names the file, with the exit code for "not valid", and leaves nothing behind.
#
# make_bad.c writes the broken files; the broken folders are made here from a good one. A test below
# stands for one kind of damage and one command; its cases are listed where one fails. ALL_CASES=1
# tries every file with every command, otherwise the many similar ones are sampled.
. "$(dirname "$0")/lib.sh"

cc=${CC:-cc}
for program in tests/cli/make_bad tests/interop/make_random; do
    $cc -std=c17 -D_GNU_SOURCE -O1 -o "${program##*/}" "$root/$program.c" -lm || exit 1
done
mkdir made
newline='
'

report() {  # report TEST FAULTS: passes where FAULTS is empty
    number=$((number + 1))
    if [ -z "$2" ]; then
        echo "ok $number - $1"
    else
        failures=$((failures + 1))
        echo "not ok $number - $1"
        printf '%s' "$2" | head -n 20 | sed 's/^/#   /'
    fi
}

# ---- running ----

# Prints what is in the output folder, hidden files too, and empties it.
leftovers() {
    for left in made/* made/.[!.]* made/..?*; do
        [ -e "$left" ] || [ -L "$left" ] || continue
        printf ' %s' "$left"
        rm -rf "$left"
    done
}

# What is wrong with how the last run refused: nothing where it is as it has to be. wrong ALLOWED NAMES
# [PATTERN]: the exit codes that are allowed; what the message has to name, one of; and to say.
wrong() {
    case " $1 " in
    *" $code "*) ;;
    *) printf 'exit code %s, not %s' "$code" "$1"; head -c 300 err; return ;;
    esac
    if [ "$code" -eq 0 ]; then
        rm -rf made/*
        return
    fi
    said=0 line=
    while IFS= read -r more; do
        case $more in
        "lq: warning: "* | "Try 'lq help "*) ;;
        *) said=$((said + 1)) line=$more ;;
        esac
    done <err
    [ $said -eq 1 ] || { printf 'not one line: '; head -c 400 err; return; }
    named=
    for name in $2; do
        case $line in
        "lq: "*"$name"*) named=yes ;;
        esac
    done
    if [ -z "$named" ]; then
        printf 'does not name %s: %s' "$2" "$line"
        return
    fi
    if [ -n "${3:-}" ] && ! printf '%s\n' "$line" | grep -Eq -- "$3"; then
        printf 'does not say %s: %s' "$3" "$line"
        return
    fi
    case $line in
    *[[:cntrl:]]*) printf 'control characters: %s' "$line" ;;
    ????????????????*) ;;
    *) printf 'too short: %s' "$line" ;;
    esac
}

# One case of a kind, with each command; faults are added to $faults_<command>.
try() {  # try COMMAND FILE ALLOWED [PATTERN] [NAME]
    case $1 in
    inspect) run inspect "$2" ;;
    convert) run convert --quiet "$2" -o made/x.gguf ;;
    quantize) run quantize --quiet "$2" made/x.gguf Q4_0 ;;
    compare) run compare "$2" bad/good.gguf ;;
    esac
    fault=$(wrong "$3" "${5:-${2##*/}}" "${4:-}")
    left=$(leftovers)
    [ -z "$left" ] || fault="$fault left behind:$left"
    [ -z "$fault" ] || faults="$faults$1 $2: $fault$newline"
}

# ---- broken files ----

# All cases of one kind (the part of the name before the first -) with one command, every STRIDE-th.
try_kind() {  # try_kind COMMAND KIND STRIDE
    faults= n=0
    while read -r file word; do
        case $file in "$2"*) ;; *) continue ;; esac
        n=$((n + 1))
        [ -n "${ALL_CASES:-}" ] || [ $((n % $3)) -eq 0 ] || continue
        case $word in
        bad) try "$1" "bad/$file" 3 ;;
        absent) try "$1" "bad/$file" '3 4' '' "$file -of-00003" ;;
        # 2: its tensors now are of a type that asks for an option
        *) try "$1" "bad/$file" '0 1 2 3' '' "$file tensor" ;;
        esac
    done <bad/list
    report "$1 and files of the kind $2" "$faults"
}

./make_bad bad || exit 1
sha256sum bad/* >sums

faults=
for case in good.gguf good.safetensors; do
    run inspect "bad/$case"
    [ "$code" -eq 0 ] || faults="$faults$case: $(cat err)$newline"
done
run quantize bad/good.gguf made/x.gguf Q4_0
[ "$code" -eq 0 ] || faults="${faults}quantize: $(cat err)$newline"
run compare bad/good.gguf bad/good.gguf
[ "$code" -eq 0 ] || faults="${faults}compare: $(cat err)$newline"
leftovers >/dev/null
report "the files that are not broken are fine" "$faults"

for kind in cut- flip- lie-; do
    try_kind inspect $kind 7
    try_kind quantize $kind 19
    try_kind compare $kind 29
    try_kind convert $kind 37
done
for kind in $(sed -n 's/^\([a-z0-9]*\)[-.].*/\1/p' bad/list | sort -u); do
    case $kind in cut | flip | lie) continue ;; esac
    for command in inspect quantize compare convert; do
        try_kind $command "$kind" 1
    done
done

# ---- broken folders ----

./make_random hf good-model bf16 256 256 1 4 2 512 1 || exit 1
weights=model-00001-of-00001.safetensors
index=model.safetensors.index.json

# Makes the case's folder, a copy of the good one, in which ./edit is done by what follows.
begin() {
    rm -rf "$1"
    cp -r good-model "$1"
    cd "$1" || exit 1
}
end() {  # end FOLDER PATTERN [NAMES] [ALLOWED-FOR-INSPECT]: converting it has to fail
    cd "$work" || exit 1
    faults=
    try convert "$1" "$refusal" "$2" "$1 ${3:-config.json tensor}"
    try inspect "$1" "${4:-0 3}" "" "$1 ${3:-}"
    try quantize "$1" "$refusal" "" "$1 ${3:-}"
    report "folder $1" "$faults"
    rm -rf "$1"
    refusal=3
}
refusal=3
absent='3 4' # of a file that is not there: the model is not valid, or the system has no such file
# edit_config CASE SED-EXPRESSION PATTERN
edit_config() {
    begin "$1"
    sed -i "$2" config.json
    cmp -s config.json ../good-model/config.json && echo "# $1: nothing was changed"
    end "$1" "$3"
}

run convert good-model -o made/x.gguf
faults=
[ "$code" -eq 0 ] || faults="$(cat err)$newline"
leftovers >/dev/null
report "the folder that is not broken converts" "$faults"

begin no-config; rm config.json; end no-config 'config\.json'
begin empty-config; : >config.json; end empty-config 'config\.json' config.json
begin config-list; echo '[1]' >config.json; end config-list '' config.json
begin config-cut; head -c 200 config.json >c; mv c config.json; end config-cut '' config.json
begin config-bytes; printf '{"model_type": "\377\376"}' >config.json; end config-bytes '' config.json
begin config-folder; rm config.json; mkdir config.json; end config-folder 'config\.json'
begin config-loop; ln -sf config.json config.json 2>/dev/null; ln -sf b a; ln -sf a b; ln -sf a config.json
end config-loop 'config\.json'
begin config-pipe; rm config.json; mkfifo config.json; end config-pipe 'config\.json'
edit_config architecture-unknown 's/LlamaFor/NoSuchFor/; s/"llama"/"nosuch"/' 'NoSuchForCausalLM|nosuch'
edit_config architecture-missing '/architectures/d; /model_type/d' 'architecture'
edit_config layers-more 's/"num_hidden_layers": 1/"num_hidden_layers": 2/' 'layers\.1|blk\.1'
edit_config layers-none 's/"num_hidden_layers": 1/"num_hidden_layers": 0/' ''
edit_config layers-absurd 's/"num_hidden_layers": 1/"num_hidden_layers": 4000000000/' ''
edit_config layers-negative 's/"num_hidden_layers": 1/"num_hidden_layers": -1/' 'num_hidden_layers'
edit_config layers-text 's/"num_hidden_layers": 1/"num_hidden_layers": "one"/' 'num_hidden_layers'
edit_config layers-fraction 's/"num_hidden_layers": 1/"num_hidden_layers": 1.5/' 'num_hidden_layers'
edit_config layers-missing '/num_hidden_layers/d' 'layers'
edit_config hidden-other 's/"hidden_size": 256/"hidden_size": 512/' ''
edit_config hidden-none 's/"hidden_size": 256/"hidden_size": 0/' ''
edit_config heads-other 's/"num_attention_heads": 4/"num_attention_heads": 3/' ''
edit_config heads-none 's/"num_attention_heads": 4/"num_attention_heads": 0/' ''
edit_config kv-heads-none 's/"num_key_value_heads": 2/"num_key_value_heads": 0/' ''
edit_config kv-heads-more 's/"num_key_value_heads": 2/"num_key_value_heads": 8/' ''
edit_config ffn-other 's/"intermediate_size": 256/"intermediate_size": 255/' ''
edit_config vocabulary-other 's/"vocab_size": 512/"vocab_size": 600/' ''

begin tensor-renamed; sed -i 's/down_proj/dawn_proj/g' $weights $index; end tensor-renamed 'down_proj|ffn_down'
begin tensor-integer; sed -i 's/"BF16"/"I16" /g' $weights; end tensor-integer ''
begin tensor-unknown-type; sed -i 's/"BF16"/"BX16"/' $weights; end tensor-unknown-type 'BX16' $weights 3
begin shard-cut; head -c 500000 $weights >w; mv w $weights; end shard-cut '' $weights 3
begin shard-empty; : >$weights; end shard-empty '' $weights 3
begin shard-missing; refusal=$absent; rm $weights; end shard-missing '' $weights "$absent"
begin shard-folder; rm $weights; mkdir $weights; end shard-folder '' $weights 3
begin shard-loop; refusal=$absent; ln -sf b a; ln -sf a b; ln -sf a $weights; end shard-loop '' $weights "$absent"
begin shard-pipe; rm $weights; mkfifo $weights; end shard-pipe '' $weights 3
begin shard-nowhere; refusal=$absent; ln -sf /nonexistent/file $weights; end shard-nowhere '' $weights "$absent"
begin not-a-number; size=$(wc -c <$weights)
printf '\377\177\377\177' | dd of=$weights bs=1 seek=$((size - 4000)) conv=notrunc 2>/dev/null
end not-a-number 'NaN|nan|not a number|finite'

# An index names files; what it names must lie beside it.
edit_index() {  # edit_index CASE NAME PATTERN
    begin "$1"
    sed -i "s|\"$weights\"|\"$2\"|" $index
    end "$1" "$3" "$index $2" "$refusal"
}
mkdir outside
cp good-model/$weights outside/secret.safetensors
edit_index index-parent ../outside/secret.safetensors ''
edit_index index-parent-inside a/../$weights ''
edit_index index-absolute "$work/outside/secret.safetensors" ''
edit_index index-system /etc/passwd ''
edit_index index-device /dev/zero ''
edit_index index-empty-name '' ''
edit_index index-dot . ''
edit_index index-nul 'a\\u0000b' ''
edit_index index-itself $index ''
refusal=$absent
edit_index index-missing-file none.safetensors 'none\.safetensors'
begin index-number; sed -i "s|\"$weights\"|7|" $index; end index-number '' $index 3
begin index-cut; head -c 400 $index >i; mv i $index; end index-cut '' $index 3
begin index-empty; : >$index; end index-empty '' $index 3
begin index-list; echo '[]' >$index; end index-list '' $index 3
begin index-extra; sed -i 's|"weight_map": {|&\n    "no.such.weight": "'$weights'",|' $index
end index-extra 'no\.such\.weight' $weights 3
begin linked-outside; ln -sf ../outside/secret.safetensors $weights; end linked-outside '' $weights 3
begin linked-config; cp config.json ../outside/; ln -sf ../outside/config.json config.json
end linked-config 'config\.json'

edit_tokenizer() {  # edit_tokenizer CASE SED-EXPRESSION
    begin "$1"
    sed -i "$2" tokenizer.json
    cmp -s tokenizer.json ../good-model/tokenizer.json && echo "# $1: nothing was changed"
    end "$1" '' tokenizer.json
}
begin tokenizer-cut; head -c 9000 tokenizer.json >t; mv t tokenizer.json; end tokenizer-cut '' tokenizer.json
begin tokenizer-empty; : >tokenizer.json; end tokenizer-empty '' tokenizer.json
begin tokenizer-list; echo '[]' >tokenizer.json; end tokenizer-list '' tokenizer.json
begin tokenizer-missing; rm tokenizer.json; end tokenizer-missing 'tokenizer'
begin tokenizer-loop; ln -sf b a; ln -sf a b; ln -sf a tokenizer.json; end tokenizer-loop 'tokenizer\.json'
edit_tokenizer tokenizer-kind-unknown 's/"type": "BPE"/"type": "ABC"/'
edit_tokenizer tokenizer-id-beyond 's/"aa": 256/"aa": 100000/'
edit_tokenizer tokenizer-id-huge 's/"aa": 256/"aa": 18446744073709551617/'
edit_tokenizer tokenizer-id-negative 's/"aa": 256/"aa": -1/'
edit_tokenizer tokenizer-id-fraction 's/"aa": 256/"aa": 256.5/'
edit_tokenizer tokenizer-id-twice 's/"aa": 256/"aa": 257/'
edit_tokenizer tokenizer-token-twice 's/"ab": 257/"aa": 257/'
edit_tokenizer tokenizer-merge-unknown '/"merges"/,/"a"/s/"a"/"zzzz"/'
edit_tokenizer tokenizer-merge-number '/"merges"/,/"a"/s/"a"/7/'

# ---- paths ----

check_refusal() {  # check_refusal TEST ALLOWED NAME PATTERN ARGUMENT...
    test=$1 allowed=$2 wanted=$3 pattern=$4
    shift 4
    run "$@"
    fault=$(wrong "$allowed" "$wanted" "$pattern")
    left=$(leftovers)
    [ -z "$left" ] || fault="$fault left behind:$left"
    report "$test" "${fault:+$fault$newline}"
}
for command in inspect convert quantize compare; do
    case $command in
    convert) set -- -o made/x.gguf ;;
    quantize) set -- made/x.gguf Q4_0 ;;
    compare) set -- bad/good.gguf ;;
    *) set -- ;;
    esac
    check_refusal "$command: no such file" 4 none.gguf 'No such file' $command none.gguf "$@"
    mkdir -p empty
    check_refusal "$command: an empty folder" 3 empty '' $command empty "$@"
    mkfifo pipe 2>/dev/null
    check_refusal "$command: a pipe" '3 4' pipe '' $command pipe "$@"
    rm -f pipe
done

# ---- outputs that cannot be written ----

check_refusal "no such output folder" 4 nowhere 'No such file' quantize bad/good.gguf nowhere/x.gguf Q4_0
mkdir made/folder
run quantize bad/good.gguf made/folder Q4_0
fault=$(wrong '2 4' folder '')
[ "$(leftovers)" = ' made/folder' ] || fault="$fault the folder is gone"
report "the output is a folder" "${fault:+$fault$newline}"
cp bad/good.gguf made/self.gguf
run quantize made/self.gguf made/self.gguf Q4_0
fault=$(wrong '2' self.gguf '')
cmp -s bad/good.gguf made/self.gguf || fault="$fault the source was overwritten"
leftovers >/dev/null
report "the output is the input" "${fault:+$fault$newline}"
ln -s ../bad/good.gguf made/link.gguf
run quantize bad/good.gguf made/link.gguf Q4_0
fault=$(wrong '2' link.gguf '')
leftovers >/dev/null
report "the output is a link to the input" "${fault:+$fault$newline}"

if [ -c /dev/full ]; then
    check_refusal "a full device" 4 /dev/full 'No space left' quantize bad/good.gguf /dev/full Q4_0
else
    skip "a full device" "there is no /dev/full"
fi
faults=
( ulimit -f 8 && exec "$lq" quantize bad/good.gguf made/x.gguf F16 ) >out 2>err </dev/null
code=$?
fault=$(wrong 4 x.gguf 'File too large')$(leftovers)
report "a limit on file sizes" "${fault:+$fault$newline}"

# /dev/null, or anything that is not a file, is written to and stays what it is. Tried on a device of
# our own, lest a failure should break the system's.
if mknod null c 1 3 2>/dev/null && : 2>/dev/null >null; then
    run quantize bad/good.gguf null Q4_0
    faults=
    [ "$code" -eq 0 ] || faults="exit code $code: $(cat err)$newline"
    [ -c null ] || faults="${faults}the device was replaced$newline"
    for left in .null.*; do
        [ ! -e "$left" ] || faults="${faults}left behind: $left$newline"
    done
    report "a device as output" "$faults"
else
    skip "a device as output" "devices cannot be made here"
fi

# ---- a disk that fills up ----

./make_random gguf large.gguf f16 512 1536 6 8 4 16384 1
large_sum=$(sha256sum <large.gguf)
mkdir disk
if mount -t tmpfs -o size=1m tmpfs disk 2>/dev/null; then
    run quantize large.gguf disk/x.gguf Q4_0
    fault=$(wrong 4 x.gguf 'No space left')
    [ -z "$(ls -A disk)" ] || fault="$fault left behind: $(ls -A disk)"
    umount disk
    report "a disk that fills up" "${fault:+$fault$newline}"
else
    skip "a disk that fills up" "nothing can be mounted here"
fi

# ---- interruption ----

interrupt() {  # interrupt SIGNAL: once the temporary file is there
    test="signal $1"
    env --default-signal="$1" true 2>/dev/null || { skip "$test" "env --default-signal is missing"; return; }
    env --default-signal="$1" "$lq" quantize --threads 1 large.gguf made/x.gguf Q2_K >out 2>err </dev/null &
    pid=$!
    tries=0
    while [ $tries -lt 500 ]; do
        for temporary in made/.*.tmp; do
            [ ! -e "$temporary" ] || tries=1000
        done
        kill -0 $pid 2>/dev/null || break
        tries=$((tries + 1))
        sleep 0.01
    done
    kill -s "$1" $pid 2>/dev/null
    wait $pid
    code=$?
    fault=
    [ $tries -ge 500 ] || fault="no temporary file was seen;"
    [ $code -eq 130 ] || fault="$fault exit code $code, not 130; $(head -c 300 err)"
    grep -q interrupted err || fault="$fault it does not say so: $(head -c 300 err)"
    left=$(leftovers)
    [ -z "$left" ] || fault="$fault left behind:$left"
    report "$test" "${fault:+$fault$newline}"
}
interrupt INT
interrupt TERM
interrupt HUP

# ---- no source was touched ----

faults=
sha256sum --quiet -c sums >sums.log 2>&1 || faults=$(cat sums.log)$newline
[ "$(sha256sum <large.gguf)" = "$large_sum" ] || faults="${faults}large.gguf$newline"
report "no source was changed" "$faults"
finish
