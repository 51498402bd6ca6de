#!/bin/sh
# convert.sh -- lq convert on the demo model: outputs, names, refusals that leave nothing behind.
. "$(dirname "$0")/lib.sh"

nothing() { # nothing: the last run left no file x*, and no temporary one
    test -z "$(find . -name 'x*' -o -name '.*.tmp')"
}
# model NAME: a copy of the demo model to change
model() {
    rm -rf "$1"
    cp -r "$demo" "$1"
    chmod -R u+rwx "$1"
}
# edit FILE SED-SCRIPT
edit() {
    sed "$2" "$1" >edited && cat edited >"$1" && rm edited
}

# ---- outputs ----
run convert "$demo" -o m-{type}.gguf --type f16,q8_0 --type q4_k_m
check "several types from one read" eval 'exits 0 && test -s m-f16.gguf && test -s m-q8_0.gguf'
check "each is printed with its digest" \
    eval 'test "$(sed -n "s/  m-q4_k_m.gguf.*//p" out)" = "$(sha256sum m-q4_k_m.gguf | cut -d" " -f1)"'
check "the name is shown, and where it is from" says 'libquant-demo-4m.*model card'
for type in f16 q8_0 q4_k_m; do
    run convert "$demo" -o single.gguf --type $type
    check "$type alone is the same file" cmp single.gguf m-$type.gguf
done
run convert "$demo" -o single.gguf --type f16 --threads 1
check "one thread makes the same bytes as all" cmp single.gguf m-f16.gguf
LQ_ISA=scalar run convert "$demo" -o single.gguf --type q4_k_m
check "scalar kernels make the same bytes" cmp single.gguf m-q4_k_m.gguf
run convert "$demo" -o - --type f16
check "standard output" cmp out m-f16.gguf

run convert "$demo" -o f32.gguf --type f32
run quantize f32.gguf two-steps.gguf Q4_K_M
check "a mix is what quantize makes of F32" cmp two-steps.gguf m-q4_k_m.gguf
run quantize m-f16.gguf two-steps.gguf Q4_K_M
run convert "$demo" -o single.gguf --type Q4_K_M --via f16
check "and with --via f16, of F16" cmp two-steps.gguf single.gguf

model m
run convert m
check "without -o, into the model's folder" eval 'exits 0 && test -s m/libquant-demo-4m-4.2M-BF16.gguf'
mkdir folder
run convert m -o folder --outtype q8_0,f16
check "into a folder, with a name for each type" \
    eval 'cmp folder/*-Q8_0.gguf m-q8_0.gguf && cmp folder/*-F16.gguf m-f16.gguf'
(cd m && "$lq" convert . --type f16 >../out 2>../err)
check "the folder's name does not matter where a card has one" cmp m/*-F16.gguf m-f16.gguf

# ---- metadata ----
model m
rm m/README.md
run convert m -o x.gguf --dry-run
check "without a card the folder gives the name" eval 'says "\"M\"" && says folder && nothing'
run convert "$demo" -o named.gguf --model-name 'Another One' --type f16
run inspect named.gguf
check "--model-name" prints 'general.name.*Another One'
printf '{"general.name": "Third", "general.author": "Someone"}' >meta.json
run convert "$demo" -o named.gguf --metadata meta.json --type f16
run inspect named.gguf
check "--metadata" eval 'prints "general.name.*Third" && prints "general.author.*Someone"'
printf '{"general.name": ' >meta.json
run convert "$demo" -o x.gguf --metadata meta.json
check "a broken --metadata is refused" eval 'exits 3 && says meta.json && nothing'

# ---- several files, parts, reports ----
run convert "$demo" -o split.gguf --type f16 --split-max-tensors 20
check "several files" eval 'exits 0 && test -s split-00001-of-00002.gguf && test ! -e split.gguf'
run compare split-00001-of-00002.gguf m-f16.gguf
check "hold the same tensors" exits 0
run convert "$demo" -o vocab.gguf --vocab-only
run inspect vocab.gguf
check "the vocabulary alone" eval 'exits 0 && prints tokenizer.ggml.tokens && not prints blk.0'
run convert "$demo" -o x.gguf --dry-run --json
check "a dry run as JSON writes nothing" \
    eval '"$json_valid" out && prints "\"dry_run\": true" && nothing'
run convert "$demo" -o json.gguf --json --type q8_0
check "a run as JSON" eval '"$json_valid" out && prints "\"sha256\": \"$(sha256sum json.gguf | cut -d" " -f1)\""'
run convert "$demo" -o t.safetensors --format safetensors
check "safetensors instead" eval 'exits 0 && test -s t.safetensors'
run compare t.safetensors "$demo"
check "with the same weights" exits 0
for type in fp8 fp8_block; do
    mkdir $type
    run convert "$demo" -o $type --format safetensors --type $type --threads 2
    check "$type as compressed-tensors has it" \
        eval 'exits 0 && grep -q float-quantized $type/config.json && test -s $type/model.safetensors'
    run convert "$demo" -o once.safetensors --format safetensors --type $type --threads 1
    check "with the same bytes on one thread" cmp once.safetensors $type/model.safetensors
    cp "$demo"/tokenizer* $type
    run convert $type -o back.gguf --type f32
    run compare back.gguf f32.gguf --fail-below-snr 25
    check "and it is read again" exits 0
done
run convert "$demo" -o t.safetensors --format safetensors --type f8_e4m3
check "plain 8-bit floats" eval 'exits 0 && test -s t.safetensors'
run convert "$demo" -o x.safetensors --format safetensors --type q8_0
check "safetensors has no quantized blocks" eval 'exits 2 && says fp8_block && nothing'

# ---- the spellings of convert_hf_to_gguf.py ----
run convert --outfile single.gguf --outtype f16 "$demo"
check "--outfile and --outtype" cmp single.gguf m-f16.gguf
run convert --outfile=single.gguf --outtype=F16 "$demo" --no-lazy
check "in upper case, with '=', and --no-lazy with a word" \
    eval 'cmp single.gguf m-f16.gguf && says "no-lazy changes nothing"'
run convert "$demo" --model_name Given --out_file x.gguf
check "a name that there is none of" eval 'exits 2 && says out.file && nothing'
run convert "$demo" --model_name Given --outfile x.gguf --vocab_only --dry_run
check "underscores for hyphens" eval 'exits 0 && says "\"Given\"" && nothing'
run convert "$demo" --outfile s.gguf --outtype f16 --split-max-size 3M
check "--split-max-size" eval 'exits 0 && test -s s-00001-of-00004.gguf && test -s s-00004-of-00004.gguf'
run convert "$demo" --outfile x.gguf --split-max-size 3T
check "a size that is none" eval 'exits 2 && says split-max-size && nothing'
run convert "$demo" --outfile one.gguf --outtype tq1_0
check "--outtype tq1_0" exits 0
run convert "$demo" --outfile one.gguf --outtype tq2_0
check "--outtype tq2_0" exits 0

run convert m-q4_k_m.gguf -o t.safetensors --format safetensors --json
check "safetensors of a quantized GGUF file" eval 'exits 0 && "$json_valid" out && test -s t.safetensors'

# ---- what is refused ----
run convert "$demo" -o x.gguf --type q4_k
check "an alias of a mix is one" exits 0
rm -f x.gguf
run convert "$demo" -o x.gguf --type q4_k_mm
check "an unknown type" eval 'exits 2 && says q4_k_mm && nothing'
run convert "$demo" -o x.gguf --type f16,q8_0
check "one name for two outputs" eval 'exits 2 && says "{type}" && nothing'
run convert "$demo" -o x.gguf --type iq2_xxs
check "a type that needs importance" eval 'exits 3 && says imatrix && nothing'
run convert m-f16.gguf -o x.gguf
check "a GGUF file is for lq quantize" eval 'exits 3 && says "lq quantize" && nothing'
run convert missing -o x.gguf
check "a missing model" eval 'exits 4 && says missing && nothing'

model m
edit m/config.json 's/"num_hidden_layers": *[0-9]*/"num_hidden_layers": 5/'
run convert m -o x.gguf
check "a layer too many in config.json" eval 'exits 3 && says "model.layers.4.*missing" && nothing'
edit m/config.json 's/"num_hidden_layers": *[0-9]*/"num_hidden_layers": 3/'
run convert m -o x.gguf
check "a layer too few" eval 'exits 3 && says "model.layers.3" && nothing'
model m
edit m/config.json 's/"intermediate_size": *[0-9]*/"intermediate_size": 1000/'
run convert m -o x.gguf
check "tensors of another shape" eval 'exits 3 && says "mlp.*1000" && nothing'
for method in gptq awq bitsandbytes; do
    model m
    edit m/config.json "1s/{/{ \"quantization_config\": {\"quant_method\": \"$method\", \"bits\": 4},/"
    run convert m -o x.gguf
    check "$method in config.json, and plain weights" eval 'exits 3 && says "$method.*no tensor" && nothing'
done
edit m/config.json 's/bitsandbytes/other/'
run convert m -o x.gguf
check "quantized in an unknown way" eval 'exits 3 && says "other.*not read here" && nothing'
model m
edit m/config.json 's/LlamaForCausalLM/OtherForCausalLM/'
run convert m -o x.gguf
check "an unknown architecture" eval 'exits 3 && says OtherForCausalLM && nothing'
model m
rm m/tokenizer.json
run convert m -o x.gguf
check "no tokenizer" eval 'exits 3 && says tokenizer && nothing'
model m
printf '{' >m/config.json
run convert m -o x.gguf
check "a broken config.json" eval 'exits 3 && says config.json && nothing'
model m
cp m-f16.gguf m/x.gguf
run convert m -o m/model-00001-of-00002.safetensors
check "an output that is part of the model" \
    eval 'exits 2 && cmp m/model-00001-of-00002.safetensors "$demo/model-00001-of-00002.safetensors"'

finish
