#!/bin/sh
# lineage.sh -- lq lineage: copies, quantizations and altered blocks are told; hostile pairs are answered.
. "$(dirname "$0")/lib.sh"

verdict() { head -n 1 out | grep -qE "^$1: "; }
flip() { # FILE BYTE: changes one bit
    byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
    # shellcheck disable=SC2059
    printf "\\$(printf %o $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

"$lq" convert "$demo" --outfile f16.gguf --outtype f16 -q >/dev/null 2>&1
"$lq" convert "$demo" --outfile bf16.gguf --outtype bf16 -q >/dev/null 2>&1
"$lq" convert "$demo" --outfile q8_0.gguf --outtype q8_0 -q >/dev/null 2>&1
"$lq" quantize f16.gguf q4.gguf Q4_K_M >/dev/null 2>&1
"$lq" quantize q8_0.gguf q4-q8.gguf Q4_K_M --allow-requantize >/dev/null 2>&1

"$lq" quantize --rounding fused f16.gguf q4-fused.gguf Q4_K_M >/dev/null 2>&1

run lineage "$demo" "$demo"
check "a model is identical to itself" eval 'exits 0 && verdict identical && prints "39 identical"'
run lineage bf16.gguf "$demo"
check "a conversion without loss is identical" eval 'exits 0 && verdict identical'
run lineage "$demo" bf16.gguf
check "and so it is seen from the other side" eval 'exits 0 && verdict identical'
run lineage f16.gguf "$demo"
check "a conversion to F16 is re-derived" eval 'exits 0 && verdict re-derived'
run lineage q4.gguf f16.gguf
check "a quantization is re-derived" eval 'exits 0 && verdict re-derived && prints "30 re-derived"'
run lineage q4.gguf "$demo"
check "also from the folder that the F16 model was made of" eval 'exits 0 && verdict re-derived'
run lineage q4-q8.gguf "$demo"
check "also through Q8_0, which is said" eval 'verdict re-derived && prints "Q4_K through Q8_0"'
run lineage q4-fused.gguf f16.gguf
check "also with fused multiply-adds" eval 'verdict re-derived && prints "Q4_K, fused rounding"'
run lineage q4.gguf "$demo" q8_0.gguf
check "of several bases the right one is named" eval 'verdict re-derived && prints "demo-model$"'
run lineage "$demo" q4.gguf
check "the base's own rounding is no fine-tuning" eval 'exits 1 && verdict undetermined'

cp q4.gguf altered.gguf
flip altered.gguf 1500000
run lineage altered.gguf f16.gguf
check "one bit is found, and the block is named" \
    eval 'exits 1 && verdict altered && prints "1 of 768 blocks differ" && prints "row 305 block 0"'
run lineage altered.gguf f16.gguf --expect altered,re-derived
check "what is expected is no failure" exits 0
run lineage altered.gguf f16.gguf --json
check "lineage --json is valid JSON" "$json_valid" out
check "and has the block" eval 'prints "\"verdict\": \"altered\"" && prints "\"block\": 305"'
cp out one
run lineage altered.gguf f16.gguf --json --threads 1
check "threads do not change it" cmp out one
export LQ_ISA=scalar
run lineage altered.gguf f16.gguf --json
unset LQ_ISA
check "nor does the instruction set" cmp out one

run lineage q4.gguf f16.gguf --expect honest
check "an unknown verdict is a usage error" refused 2 'there is no verdict "honest"'
run lineage q4.gguf f16.gguf --expect ''
check "none is one, too" refused 2 'there is no verdict'
run lineage q4.gguf
check "a base is needed" exits 2
run lineage q4.gguf f16.gguf f16.gguf f16.gguf f16.gguf f16.gguf f16.gguf f16.gguf f16.gguf f16.gguf
check "so many bases are a usage error" refused 2 'bases are too many'
run lineage q4.gguf f16.gguf --imatrix q4.gguf
check "what is no importance matrix is refused" exits 3
run lineage q4.gguf missing
check "a missing base is an I/O error" refused 4 '^lq: missing'

# ---- hostile pairs ----
safetensors zero.safetensors '{"w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}' \
    '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
safetensors one.safetensors '{"w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}' \
    '\0\0\200\77\0\0\200\77\0\0\200\77\0\0\200\77'
safetensors nan.safetensors '{"w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}' \
    '\0\0\300\177\0\0\300\177\0\0\300\177\0\0\300\177'
safetensors shape.safetensors '{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}' \
    '\0\0\200\77\0\0\0\100\0\0\100\100\0\0\200\100'
safetensors empty.safetensors '{"w":{"dtype":"F32","shape":[0,2],"data_offsets":[0,0]}}'
safetensors integer.safetensors '{"w":{"dtype":"I32","shape":[2,2],"data_offsets":[0,16]}}' \
    '\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0'
safetensors other.safetensors '{"v":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}' '\0\0\0\0'
safetensors scalar.safetensors '{"w":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}' '\0\0\0\0'

for claimed in zero one nan shape empty integer scalar; do
    for base in zero one nan shape empty integer scalar; do
        run lineage $claimed.safetensors $base.safetensors
        [ $claimed = $base ] && want=0 || want=1
        check "$claimed beside $base is answered" eval 'exits $want && silent && not prints "nan |inf "'
        run lineage $claimed.safetensors $base.safetensors one.safetensors --json
        check "$claimed beside $base and another gives JSON" "$json_valid" out
    done
done
run lineage one.safetensors other.safetensors
check "models that share no name are no pair" refused 3 'no tensor of one.safetensors'

finish
