#!/bin/sh
# inspect.sh -- lq inspect.
. "$(dirname "$0")/lib.sh"

# ---- a folder ----
run inspect "$demo"
check "a folder is shown with its size, types and tensors" \
    eval 'exits 0 && silent && prints "^parameters +4\.2 M" && prints "^model.layers.\{0-3\}.mlp.up_proj.weight +768 x 256 +BF16 +4"'
run inspect "$demo" --tensors
check "--tensors gives every tensor a row" \
    eval 'prints "^model.layers.2.mlp.up_proj.weight +768 x 256" && not prints "\{0-3\}"'
run inspect "$demo" --json
check "inspect --json is valid JSON" "$json_valid" out
check "inspect --json has shapes, types and places" \
    eval 'prints "\"shape\": \[" && prints "\"offset\": [0-9]+" && prints "\"bits_per_weight\": 16"'

# ---- a file ----
safetensors small.safetensors \
    '{"__metadata__":{"note":"a\nb\u001b[31mc","long":"0123456789012345678901234567890123456789012345678901234567890123456789"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F16","shape":[],"data_offsets":[8,10]}}' \
    '\0\0\200\77\0\0\0\100\0\74'
run inspect small.safetensors
check "a small file is shown" eval 'exits 0 && prints "^b +scalar +F16" && prints "^a +2 +F32"'
check "long values are cut" prints '^long .*\.\.\.$'
check "what a file says does not steer the terminal" not grep -q "$(printf '\033')" out
run inspect small.safetensors long
check "a key's value is printed alone and whole" test "$(cat out)" = \
    0123456789012345678901234567890123456789012345678901234567890123456789
run inspect small.safetensors note
check "line breaks of a value are kept, other control characters are not" \
    test "$(cat out)" = "$(printf 'a\nb\\x1b[31mc')"
run inspect small.safetensors 'n*' 'l*'
check "several keys are printed with their names" eval 'prints "^note: a" && prints "^long: 012"'
run inspect small.safetensors nothing
check "a key that is not there is wrong usage" refused 2 "there is no metadata key 'nothing'"
run inspect small.safetensors 'note' --json
check "a key's value as JSON is valid" "$json_valid" out

# ---- what does not belong to a tensor ----
"$lq" convert "$demo" -o notes.gguf --type q8_0 >out 2>err
run inspect notes.gguf
check "nothing is remarked of a file as it should be" eval 'exits 0 && not prints "^note "'
printf 'more' >>notes.gguf
run inspect notes.gguf
check "bytes behind the last tensor are remarked" eval 'exits 0 && prints "^note +4 bytes belong to no tensor"'
run inspect notes.gguf --json
check "as JSON" eval '"$json_valid" out && prints "\"hidden_bytes\": 4" && prints "\"padding_not_zero\": 0"'

# ---- the largest ----
safetensors huge.safetensors \
    '{"w":{"dtype":"F32","shape":[134217728,256],"data_offsets":[0,137438953472]}}'
if truncate -s $((137438953472 + 8 + 77)) huge.safetensors 2>/dev/null; then
    begin=$(date +%s)
    run inspect huge.safetensors
    end=$(date +%s)
    check "a file of 137 GB is shown at once" \
        eval 'exits 0 && prints "134217728 x 256 +F32 +1 +137 GB" && [ $((end - begin)) -le 1 ]'
else
    skip "a file of 137 GB is shown at once" "no sparse files here"
fi
rm -f huge.safetensors

# ---- what is not there ----
run inspect missing.gguf
check "a missing file is an I/O error that names it" refused 4 '^lq: missing.gguf: .*No such file'
mkdir folder
run inspect folder
check "a folder without a model is not valid" refused 3 '^lq: '
: >empty
run inspect empty
check "an empty file is not valid" refused 3 '^lq: empty'
finish
