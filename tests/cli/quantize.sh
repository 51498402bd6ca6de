#!/bin/sh
# quantize.sh -- lq quantize on the demo model: arguments, plans, refusals that leave nothing behind.
. "$(dirname "$0")/lib.sh"

run convert "$demo" -o f16.gguf --type f16
check "the demo model becomes a source" exits 0

run quantize f16.gguf q.gguf q4_k_m
check "quantizes" eval 'exits 0 && test -s q.gguf'
check "says what was written" prints 'q\.gguf'
check "prints the digest of the file" \
    eval 'test "$(cut -d" " -f1 out | head -n 1)" = "$(sha256sum q.gguf | cut -d" " -f1)"'
run inspect q.gguf
check "the result can be opened, and has the types of the mix" eval 'prints Q4_K && prints Q6_K'

for threads in 1 3; do
    run quantize f16.gguf "q$threads.gguf" 15 $threads
    check "the type by number, and $threads threads: the same bytes" cmp q.gguf "q$threads.gguf"
done
run quantize --threads 2 f16.gguf Q4_K
check "without OUT the file lies beside the input" cmp q.gguf ggml-model-Q4_K.gguf
mkdir sub
cp f16.gguf sub/m.gguf
run quantize sub/m.gguf COPY
check "also in another folder" eval 'test -s sub/ggml-model-COPY.gguf && cmp sub/m.gguf f16.gguf'

run quantize --dry-run f16.gguf IQ2_XXS
check "a dry run shows the plan and writes nothing" \
    eval 'exits 0 && prints "blk.0.ffn_up.weight +768 x 256 +F16 +IQ2_XXS" && test ! -e ggml-model-IQ2_XXS.gguf'
check "and says what would be refused" prints 'would be refused.*importance matrix'
run quantize --dry-run --json f16.gguf Q4_K_M
check "as JSON, too" eval '"$json_valid" out && prints "\"bits_per_weight\": [0-9.]+"'

nothing() { # nothing: the last run left no file x.gguf, and no temporary one
    test ! -e x.gguf && test -z "$(find . -name '.*.tmp')"
}

run quantize f16.gguf x.gguf IQ2_XXS
check "a type that needs importance is refused without" eval 'exits 3 && says "--imatrix FILE.*lq imatrix" && nothing'
run quantize q.gguf x.gguf Q8_0
check "a quantized source is refused" eval 'exits 2 && says "--allow-requantize" && nothing'
run quantize --allow-requantize q.gguf x.gguf Q8_0
check "unless it is insisted on" exits 0
rm x.gguf
cp f16.gguf same.gguf
ln same.gguf link.gguf
run quantize same.gguf link.gguf Q8_0
check "one file for input and output is refused" \
    eval 'exits 2 && says "same file" && cmp same.gguf f16.gguf'
run quantize "$demo" x.gguf Q4_K_M
check "a folder is for lq convert" eval 'exits 3 && says "lq convert" && nothing'
run quantize nothing.gguf x.gguf Q4_K_M
check "a missing input is an I/O error" exits 4

cp f16.gguf nan.gguf # the last weight becomes a NaN, in 16 bits as in 32
printf '\300\177' | dd of=nan.gguf bs=1 seek=$(($(wc -c <f16.gguf) - 2)) conv=notrunc 2>/dev/null
run quantize nan.gguf x.gguf Q8_0
check "a NaN is refused, with tensor and index" \
    eval 'exits 3 && says "output_norm.weight: element 255 of row 0 is .*not a number" && nothing'
run quantize --allow-nonfinite nan.gguf x.gguf Q8_0
check "unless it is insisted on" exits 0
rm x.gguf

run quantize f16.gguf strict.gguf Q4_K_M --rounding strict
check "strict rounding is the default" cmp q.gguf strict.gguf
run quantize f16.gguf fused.gguf Q4_K_M --rounding fused
check "fused multiply-adds give another file" eval 'exits 0 && ! cmp -s q.gguf fused.gguf'
LQ_ISA=scalar run quantize f16.gguf scalar.gguf Q4_K_M --rounding fused
check "the same one without vector instructions" cmp fused.gguf scalar.gguf
run quantize f16.gguf x.gguf Q4_K_M --rounding loose
check "another rounding is not known" eval 'exits 2 && says "strict or fused" && nothing'

run quantize f16.gguf x.gguf Q4_KM
check "an unknown type names its neighbours" eval 'exits 2 && says "Q4_K_M\?" && says "Q4_0"'
run quantize f16.gguf x.gguf
check "a missing type is said" eval 'exits 2 && says "TYPE is missing"'
run quantize f16.gguf x.gguf Q8_0 many
check "THREADS is a number" eval 'exits 2 && says threads'
for option in "--tensor-type (=q4_0" "--tensor-type attn_v=q9" "--output-tensor-type i32" \
    "--override-kv a=b" "--prune-layers 1,x" "--max-buffer-size 0" \
    "--include-weights a --exclude-weights b"; do
    # shellcheck disable=SC2086
    run quantize $option f16.gguf x.gguf Q8_0
    check "refused: $option" eval 'exits 2 && nothing'
done

printf 'attn_v=q8_0\n ffn_down=q5_0\n' >types.txt
run quantize --dry-run --tensor-type-file types.txt f16.gguf Q4_K_M
check "types from a file" eval 'prints "attn_v.weight .*F16 +Q8_0 .*pattern" && prints "ffn_down.weight .*Q5_0"'
run quantize --override-kv general.name=str:Other f16.gguf x.gguf Q8_0
run inspect x.gguf
check "metadata can be overridden" prints Other
rm x.gguf
run quantize --prune-layers 0,2 f16.gguf x.gguf Q8_0
run inspect x.gguf --tensors
check "layers can be left out, and the others move up" \
    eval 'prints "blk.(0|\*|[^0-9])" && exits 0'
run inspect x.gguf --metadata
check "and their number is right" prints 'block_count +u32 +2'
rm x.gguf

printf '\1\0\0\0\4\0\0\0none\1\0\0\0\1\0\0\0\0\0\200\277' >negative.dat
run quantize --imatrix negative.dat f16.gguf x.gguf Q4_0
check "negative importance is refused, with its place" \
    eval 'exits 3 && says "none.*negative.*index 0" && nothing'
printf '\1\0\0\0\4\0\0\0none\1\0\0\0\1\0\0\0\0\0\200\77' >one.dat
run quantize --imatrix one.dat f16.gguf x.gguf Q4_0
check "tensors that the matrix lacks are named" eval 'exits 0 && says "has nothing for 30 tensors"'

finish
