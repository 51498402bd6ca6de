#!/bin/sh
# compare.sh -- lq compare: figures that can be checked by hand, levels, determinism.
. "$(dirname "$0")/lib.sh"

header='{"w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}'
safetensors a.safetensors "$header" '\0\0\200\77\0\0\0\100\0\0\100\100\0\0\200\100'  # 1 2 3 4
safetensors b.safetensors "$header" '\0\0\200\77\0\0\0\100\0\0\100\100\0\0\240\100'  # 1 2 3 5
safetensors half.safetensors '{"w":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]}}' \
    '\0\74\0\100\0\102\0\104'                                                       # 1 2 3 4
safetensors nan.safetensors "$header" '\0\0\200\77\0\0\0\100\0\0\300\177\0\0\200\100' # 1 2 NaN 4
safetensors shape.safetensors '{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}' \
    '\0\0\200\77\0\0\0\100\0\0\100\100\0\0\200\100'
safetensors other.safetensors '{"v":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}' '\0\0\0\0'

run compare a.safetensors a.safetensors
check "a model is identical to itself" eval 'exits 0 && prints "1 tensors compared, 1 identical"'
run compare a.safetensors b.safetensors
# error 1 in one of four: RMSE 0.5; signal 1 + 4 + 9 + 16 = 30: 10 log10(30) = 14.77 dB
check "figures are right" prints '^w +F32 +0\.5 +1 +\[1,1\] +14\.77 +0\.99399'
check "a difference alone is no failure" exits 0
run compare a.safetensors half.safetensors
check "the same values in another type are identical" prints '1 identical'
run compare a.safetensors nan.safetensors
check "values that are no numbers are counted and left out" \
    eval 'exits 0 && prints "^1 NaN or infinite" && prints "0 identical"'
run compare a.safetensors nan.safetensors --fail-above-rmse 5
check "a NaN misses every level" exits 1
run compare nan.safetensors nan.safetensors
check "the same NaN on both sides is identical" prints '1 identical'
run compare a.safetensors b.safetensors --fail-below-snr 14.7
check "a ratio above the level passes" exits 0
run compare a.safetensors b.safetensors --fail-below-snr 14.8
check "a ratio below the level fails" eval 'exits 1 && says "1 tensors miss"'
run compare a.safetensors b.safetensors --fail-above-rmse 0.5
check "an error at the level passes" exits 0
run compare a.safetensors b.safetensors --fail-above-rmse 0.49
check "an error above the level fails" exits 1
run compare a.safetensors b.safetensors --fail-above-rmse lots
check "a level is a number" refused 2 "'lots' is not a number"
run compare a.safetensors shape.safetensors
check "tensors of another shape are said to be" eval 'exits 0 && prints "^w .*other shape"'
run compare a.safetensors shape.safetensors --fail-above-rmse 5
check "tensors of another shape miss every level" exits 1
run compare a.safetensors other.safetensors
check "models that share no name are no pair" refused 3 'no tensor of a.safetensors'
run compare a.safetensors b.safetensors --json
check "compare --json is valid JSON" "$json_valid" out
check "compare --json has exact figures" eval 'prints "\"rmse\": 0.5,"; prints "\"max_index\": 3"'
run compare a.safetensors missing
check "a missing model is an I/O error" refused 4 '^lq: missing'

# ---- a folder with what was made of it ----
"$lq" convert "$demo" -o bf16.gguf --type bf16 >out 2>err && "$lq" quantize bf16.gguf q4.gguf Q4_K_M >out 2>err
code=$?
check "the demo model is converted and quantized" exits 0
run compare "$demo" bf16.gguf
check "a folder and its conversion without loss are identical" prints '^39 tensors compared, 39 identical$'
run compare "$demo" q4.gguf --all
check "a folder and its quantized form are compared under the names of the latter" \
    prints '^blk.0.attn_q.weight +BF16, Q4_K +0\.0[0-9]+ '
grep 'Q4_K' out >one
run compare bf16.gguf q4.gguf --all
grep 'Q4_K' out >two
check "the conversion without loss gives the same figures" cmp one two
run compare q4.gguf "$demo" --fail-below-snr 20
check "the folder may come second, and a level that is reached passes" exits 0
run compare "$demo" q4.gguf --fail-below-snr 60
check "a level that is missed fails" exits 1

run compare "$demo" "$demo" --threads 1 --all
cp out one
run compare "$demo" "$demo" --threads 7 --all
check "the number of threads changes nothing" cmp -s one out
run compare "$demo" q4.gguf --json --threads 1
cp out one
LQ_ISA=scalar run compare "$demo" q4.gguf --json --threads 5
check "threads and instruction sets change no digit of the figures" cmp -s one out
finish
