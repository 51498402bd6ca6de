#!/bin/sh
# tokenize.sh -- lq tokenize: folders, files, ways to give a text, what is refused.
. "$(dirname "$0")/lib.sh"

digest() { sed -n 's/.*sha256:\([0-9a-f]*\)$/\1/p' out; }

run tokenize "$demo" "The cat, the hat"
check "a folder's tokens are shown" eval 'exits 0 && silent && prints "^ +979  .The.$"'
from_folder=$(digest)
run convert -q "$demo" -o demo.gguf --type q4_k_m
run tokenize demo.gguf "The cat, the hat"
check "a file that is made of the folder has the same tokens" test "$(digest)" = "$from_folder"
run tokenize "$demo/tokenizer.json" "The cat, the hat"
check "so has the tokenizer.json alone" test "$(digest)" = "$from_folder"
run tokenize "$demo/model-00001-of-00002.safetensors" "The cat, the hat"
check "and a shard stands for its folder" test "$(digest)" = "$from_folder"

printf 'The cat, the hat' >text
run tokenize "$demo" --file text
check "a text may be in a file" test "$(digest)" = "$from_folder"
"$lq" tokenize "$demo" <text >out 2>err
check "or come from standard input" test "$(digest)" = "$from_folder"
run tokenize "$demo" "The cat, the hat" --json
check "as JSON, the same" \
    eval '"$json_valid" out && prints "\"token_digest\": \"$from_folder\"" && prints "\"unicode\": \"16"'
run tokenize "$demo" ""
check "an empty text has the token that begins texts" prints '^1 tokens'

run tokenize "$demo" "a<|begin_of_text|>b" --ids
check "control tokens are found in texts" eval 'exits 0 && grep -q "^2046 .*2046 " out'
run tokenize "$demo" "a<|begin_of_text|>b" --ids --no-bos
check "with --no-bos, only those" eval 'grep -q " 2046 " out && not grep -q "^2046" out'
run tokenize "$demo" "a<|begin_of_text|>b" --ids --no-bos --no-parse-special
check "with --no-parse-special, none" not grep -qw 2046 out
run tokenize "$demo" "The cat, the hat" --count
check "--count prints a number" prints '^[0-9]+$'

printf 'a\377\300b\355\240\200' >broken
run tokenize "$demo" --file broken
check "bytes that are no text are no error" eval 'exits 0 && silent'
run tokenize demo.gguf --file broken
check "nor with a file" eval 'exits 0 && silent'
awk 'BEGIN { while (i++ < 50000) printf "aaaaaaaaaaaaaaaaaaaa" }' >long
run tokenize "$demo" --file long --count
check "a million equal letters are one word" exits 0

cp "$demo/eval.txt" text.txt
run eval demo.gguf --text text.txt --ctx 64 --chunks 2 --json
cp out by-text
"$lq" tokenize demo.gguf --no-parse-special --ids <text.txt >ids
run eval demo.gguf --ids ids --ctx 64 --chunks 2 --json
check "lq eval evaluates the tokens that lq tokenize shows" eval 'exits 0 && cmp out by-text'
run eval demo.gguf --ids ids --text text.txt
check "it takes one of the two" refused 2 'two texts'

run tokenize "$demo" a --file text
check "two texts are one too many" refused 2 'two texts'
run tokenize "$demo" --file nothing
check "a text that is not there is an error" refused 4 'nothing'
mkdir empty
run tokenize empty a
check "a folder without a tokenizer is refused" exits 3
echo '{"model":{"type":"BPE","vocab":{"a":0},"merges":[]},"pre_tokenizer":{"type":"UnicodeScripts"}}' \
    >scripts.json
run tokenize scripts.json a
check "what is not known is refused, and named" refused 3 'pre-tokenizer "UnicodeScripts"'
echo '{"model":{"type":"BPE","vocab":{"a":0},"merges":[]},"pre_tokenizer":{"type":"Split","pattern":
    {"Regex":"(a+)+b"},"behavior":"Isolated"}}' >slow.json
run tokenize slow.json --file long
check "a pattern that goes back again and again is stopped" refused 3 'too many steps'
safetensors weights.safetensors '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}' '\0\0\0\0'
run tokenize weights.safetensors a
check "weights without a tokenizer are refused" exits 3

finish
