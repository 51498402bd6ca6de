#!/bin/sh
# digest.sh -- lq digest: which models are the same, and which are not.
. "$(dirname "$0")/lib.sh"

content() { sed -n 's/^content  *//p' out; }
derived() { sed -n 's/^derived  *//p' out; }

run digest "$demo"
check "the demo model has digests" eval 'exits 0 && silent'
check "its files have the digests that sha256sum prints" \
    eval '(cd "$demo" && sha256sum config.json model-*.safetensors) | while read -r line; do
              grep -qxF "$line" out || exit 1; done'
folder_content=$(content)
folder_derived=$(derived)
check "of its tensors, too" eval 'test -n "$folder_content" && test -n "$folder_derived"'
run digest "$demo" --threads 1
check "threads change nothing" eval 'test "$(content) $(derived)" = "$folder_content $folder_derived"'
LQ_ISA=scalar run digest "$demo"
check "nor do instruction sets" test "$(derived)" = "$folder_derived"
cp -r "$demo" renamed
run digest renamed
check "nor does the folder's name" \
    eval 'test "$(content) $(derived)" = "$folder_content $folder_derived"'
run digest "$demo" --json
check "as JSON, the same" \
    eval '"$json_valid" out && prints "\"content\": \"$folder_content\"" && prints "\"size\": 8"'

"$lq" convert "$demo" -o one.safetensors --format safetensors >out 2>err
run digest one.safetensors
check "one safetensors file has the content digest of its shards" \
    eval 'exits 0 && test "$(content)" = "$folder_content"'
check "without a configuration there is no derived digest, and that is said" \
    prints '^derived +none: .*config\.json'
for type in f32 bf16; do
    "$lq" convert "$demo" -o $type.gguf --type $type >out 2>err
    run digest $type.gguf
    check "the $type GGUF file has the checkpoint's derived digest" \
        eval 'exits 0 && test "$(derived)" = "$folder_derived"'
done
f32_content=$(run digest f32.gguf; content)
"$lq" convert "$demo" -o split.gguf --type f32 --split-max-tensors 10 >out 2>err
run digest split-00001-of-00004.gguf
check "GGUF files of a split model have the digests of the whole" \
    eval 'exits 0 && test "$(content) $(derived)" = "$f32_content $folder_derived"'
"$lq" convert f32.gguf -o back.safetensors --format safetensors --type f32 >out 2>err
run digest back.safetensors
check "GGUF and safetensors with the same tensors have the same content digest" \
    test "$(content)" = "$f32_content"
"$lq" quantize f32.gguf q8.gguf Q8_0 >out 2>err
run digest q8.gguf
check "a quantized file has another derived digest" eval 'exits 0 && test "$(derived)" != "$folder_derived"'

cp f32.gguf flipped.gguf
size=$(wc -c <flipped.gguf)
printf '\1' | dd of=flipped.gguf bs=1 seek=$((size - 4)) conv=notrunc 2>/dev/null
run digest flipped.gguf
check "one changed number changes both digests" \
    eval 'test "$(content)" != "$f32_content" && test "$(derived)" != "$folder_derived"'
"$lq" convert "$demo" -o named.gguf --type f32 --model-name Other >out 2>err
run digest named.gguf
check "metadata does not" eval 'test "$(content) $(derived)" = "$f32_content $folder_derived"'

# ---- the digest over files ----
mkdir -p tree/a tree/.git
printf 1 >tree/a/b
printf 2 >tree/a-b
printf 3 >tree/.git/HEAD
run digest tree --root
components=$(cat out)
run digest tree --root --by-name
check "the two orders give two digests" eval 'exits 0 && test "$components" != "$(cat out)"'
run digest tree
check "both are shown, and that there are no tensors" \
    eval 'exits 0 && prints "^files +$components" && prints "^by name +sha256:" && prints "^content +none: "'
run digest tree --root --no-ignore-git-paths
check "git's files count where that is asked for" test "$components" != "$(cat out)"
run digest tree --root --ignore-paths a-b
only_one=$(cat out)
run digest tree/a --root
check "what is ignored does not count" test "$only_one" = "$(cat out)"
for name in ./a-b a-b// tree/a-b "$PWD/tree/a-b"; do
    run digest tree --root --ignore-paths "$name"
    check "also as $name" test "$only_one" = "$(cat out)"
done
run digest tree --root --json
check "the digest over files as JSON" eval 'exits 0 && "$json_valid" out && prints by_component && not prints derived'
run digest tree --by-name
check "there is an order only in a digest over files" refused 2 'by-name is for --root'
ln -s a-b tree/link
run digest tree
check "a symbolic link is not passed over in silence" refused 1 'link: is a symbolic link.*--allow-symlinks'
run digest tree --allow-symlinks
check "it is followed where that is allowed" eval 'exits 0 && prints "  link$"'
ln -sf /etc/passwd tree/link
run digest tree --allow-symlinks
check "but not out of the model" refused 1 'leads out of the model'
run digest missing
check "a missing path is an I/O error" refused 4 'missing'
mkdir empty
run digest empty
check "an empty folder is no model" refused 3 'no file'
finish
