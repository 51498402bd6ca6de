#!/bin/sh
# imatrix.sh -- lq imatrix: the same file in every way, gone on with, joined, used, refused.
. "$(dirname "$0")/lib.sh"

awk 'BEGIN { x = 7; for (i = 0; i < 200; i++) { x = (x * 75 + 74) % 65537; print x % 2048 } }' >ids
"$lq" convert -q "$demo" -o f32.gguf --type f32 >/dev/null

run imatrix f32.gguf --ids ids --ctx 64 -o whole.gguf --json
check "a matrix is made" eval 'exits 0 && "$json_valid" out && prints "\"chunks\": 3"'
run inspect whole.gguf --json
check "with sums and counts for each weight of each layer" prints 'blk.0.attn_q.weight.in_sum2'
run imatrix "$demo" --ids ids --ctx 64 -o folder.gguf
check "a folder gives the same bytes" cmp whole.gguf folder.gguf
LQ_ISA=scalar "$lq" imatrix f32.gguf --ids ids --ctx 64 -o scalar.gguf --threads 7 >out 2>err
check "and so do other instructions and threads" cmp whole.gguf scalar.gguf

run imatrix f32.gguf --ids ids --ctx 64 --chunks 1 -o part.gguf
run imatrix f32.gguf --ids ids --ctx 64 --chunk 1 --in-file part.gguf -o both.gguf
check "gone on with, it has the bytes of one run" cmp whole.gguf both.gguf
run imatrix f32.gguf --ids ids --ctx 64 --chunk 1 -o rest.gguf
run imatrix --in-file part.gguf --in-file rest.gguf -o joined.gguf --ctx 64 --json
check "two matrices are joined" eval 'exits 0 && prints "\"chunks\": 3"'
run quantize --imatrix whole.gguf f32.gguf small.gguf IQ2_XS
check "lq quantize takes it" exits 0

run imatrix f32.gguf --ids ids --ctx 64 -o whole.dat --output-format dat
check "the older form is written" exits 0
run quantize --imatrix whole.dat f32.gguf of-dat.gguf IQ2_XS
check "and read back" exits 0
run imatrix --in-file whole.dat -o none.gguf
check "but not gone on with" refused 3 'older form'
run imatrix f32.gguf --ids ids --ctx 64 -o none.gguf --output-format json
check "there is no other form" refused 2 'json is none of gguf and dat'

run imatrix f32.gguf --ids ids -o none.gguf
check "a text must fill a chunk" eval "refused 3 'ids: .*200 tokens; one chunk of 512' && [ ! -e none.gguf ]"
run imatrix f32.gguf --ids ids --ctx 64 --chunk 4 -o none.gguf
check "there must be text after the chunks left out" refused 3 'nothing after 4 chunks'
run imatrix -o none.gguf
check "something must be measured or joined" refused 2 'MODEL'
run imatrix f32.gguf --ids ids
check "the result needs a name" refused 2 '-o OUT is missing'
run imatrix f32.gguf --ids ids --ctx 64 -o ./f32.gguf
check "the model is not replaced" refused 2 'f32.gguf: is the model'
run imatrix --in-file f32.gguf -o none.gguf
check "what is no matrix is refused" refused 3 'imatrix.datasets'

finish
