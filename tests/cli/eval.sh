#!/bin/sh
# eval.sh -- lq eval: figures, the same digits for every instruction set and number of threads, what is
# refused.
. "$(dirname "$0")/lib.sh"

# Text of 300 tokens: any numbers below the demo model's 2048 do.
awk 'BEGIN { x = 7; for (i = 0; i < 300; i++) { x = (x * 75 + 74) % 65537; print x % 2048 } }' >ids
"$lq" convert -q "$demo" -o f32.gguf --type f32 >/dev/null
"$lq" convert -q "$demo" -o q4.gguf --type q4_k_m >/dev/null

digest() { sed -n 's/.*"logprob_digest": "\([0-9a-f]*\)".*/\1/p' "$1"; }

run eval f32.gguf --ids ids --ctx 64 --json
check "a file is evaluated" eval 'exits 0 && "$json_valid" out'
check "half of each chunk is scored" prints '"tokens_scored": 124'
cp out file.json
run eval "$demo" --ids ids --ctx 64 --json
check "a folder gives the digits of the file that is made of it" \
    test "$(digest out)" = "$(digest file.json)"
run eval q4.gguf --ids ids --ctx 64 --base "$demo" --json
check "a base adds the divergence" eval 'exits 0 && prints "kl_divergence"'
cp out base.json
for with in "scalar 1" "scalar 7" "avx2 2" "avx512 2" "neon 2" "avx2 64"; do
    LQ_ISA=${with% *} "$lq" eval q4.gguf --ids ids --ctx 64 --base "$demo" --json \
        --threads "${with#* }" >out 2>err </dev/null
    code=$?
    if grep -q 'does not have it' err; then
        skip "$with threads: the same result" "this machine does not have it"
    else
        check "$with threads: the same result" cmp out base.json
    fi
done
run eval f32.gguf --ids ids --ctx 64 --base f32.gguf --json
check "a model does not diverge from itself" \
    eval 'exits 0 && prints "\"max\": 0,?$" && prints "\"value\": 1,"'

run eval f32.gguf --ids ids --ctx 64 --save-all-logits logits --json
check "logits are saved" eval 'exits 0 && [ "$(head -c 8 logits)" = _logits_ ] &&
    [ "$(wc -c <logits)" = $((20 + 4 * 64 * 4 + 4 * 31 * (8 + 2 * 2048))) ]'
check "which changes no figure" cmp out file.json
cp logits first
LQ_ISA=scalar "$lq" eval f32.gguf --ids ids --ctx 64 --save-all-logits logits --threads 7 >out 2>err
check "and are the same for every instruction set and number of threads" cmp logits first
run eval q4.gguf --base logits --json
check "they are a base without a text" eval 'exits 0 && prints "kl_divergence" &&
    [ "$(digest out)" = "$(digest base.json)" ]'
mean() { sed -n '/"kl_divergence"/{n;s/.*: *//;s/,//;p;}' "$1"; }
check "the divergence from them is that from the model, to what they hold" \
    awk -v a="$(mean out)" -v b="$(mean base.json)" \
    'BEGIN { d = a - b; exit !(a > 0 && d < 2e-5 && d > -2e-5) }'
cp out saved.json
run eval q4.gguf --ids ids --base logits --ctx 64 --json
check "the text may be given, too" cmp out saved.json
run eval q4.gguf --base logits --chunks 1 --json
check "fewer chunks may be scored" eval 'exits 0 && prints "\"chunks\": 1,"'
run eval q4.gguf --base logits --ctx 32
check "but not of another length" refused 3 'logits: .*chunks of 64 tokens, not of 32'
run eval f32.gguf --ids ids --ctx 64 --save-all-logits f32.gguf
check "logits do not replace the model" refused 2 'f32.gguf: is the model'
sed 's/^7/8/' ids >other
run eval q4.gguf --ids other --base logits --ctx 64
check "nor of another text" refused 3 'logits: .*of another text'
head -c 9000 logits >cut
run eval q4.gguf --base cut
check "what is cut off is refused" refused 3 'cut: .*cut off'
run eval "$root/tests/fuzz/corpus/eval/llama.gguf" --base logits
check "and so are logits of another vocabulary" refused 3 'logits: .*has 2048 tokens'
"$lq" eval f32.gguf --text "$demo/eval.txt" --save-all-logits stopped >out 2>err &
pid=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ "$(find . -name '.stopped.*.tmp' -size +0)" ] && break
    sleep 0.1
done
kill -TERM $pid
wait $pid
code=$?
check "an interrupted run saves none" eval 'exits 130 && [ -z "$(find . -name "*stopped*")" ]'

# An encoder of one layer, its weights small numbers of either sign.
mkdir encoder
cat >encoder/tokenizer.json <<'EOF'
{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [
  {"id": 0, "content": "[PAD]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
  {"id": 1, "content": "[UNK]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
  {"id": 2, "content": "[CLS]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
  {"id": 3, "content": "[SEP]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
 "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
 "pre_tokenizer": {"type": "BertPreTokenizer"},
 "post_processor": {"type": "TemplateProcessing",
  "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
             {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
  "pair": [], "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
                                 "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
 "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
 "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
  "max_input_chars_per_word": 100,
  "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "a": 5, "b": 6, "c": 7,
            "d": 8, "##a": 9, "##b": 10}}}
EOF
cat >encoder/config.json <<'EOF'
{"architectures": ["BertModel"], "model_type": "bert", "vocab_size": 11, "hidden_size": 8,
 "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32, "hidden_act": "gelu",
 "max_position_embeddings": 16, "type_vocab_size": 2, "layer_norm_eps": 1e-12}
EOF
echo '{"tokenizer_class": "BertTokenizer", "do_lower_case": true, "unk_token": "[UNK]",
 "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}' >encoder/tokenizer_config.json
e=embeddings l=encoder.layer.0
header=$(echo "$e.word_embeddings.weight 11,8 $e.position_embeddings.weight 16,8
        $e.token_type_embeddings.weight 2,8 $e.LayerNorm.weight 8 $e.LayerNorm.bias 8
        $l.attention.self.query.weight 8,8 $l.attention.self.query.bias 8
        $l.attention.self.key.weight 8,8 $l.attention.self.key.bias 8
        $l.attention.self.value.weight 8,8 $l.attention.self.value.bias 8
        $l.attention.output.dense.weight 8,8 $l.attention.output.dense.bias 8
        $l.attention.output.LayerNorm.weight 8 $l.attention.output.LayerNorm.bias 8
        $l.intermediate.dense.weight 32,8 $l.intermediate.dense.bias 32
        $l.output.dense.weight 8,32 $l.output.dense.bias 8
        $l.output.LayerNorm.weight 8 $l.output.LayerNorm.bias 8" | tr -s ' \n' '\n\n' | awk '
    NR % 2 { name = $1; next }
    {
        split($1 ",1", d, ",")
        size = 4 * d[1] * d[2]
        printf "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%d,%d]}",
            (at ? "," : "{"), name, $1, at, at + size
        at += size
    }
    END { printf "}" }')
safetensors encoder/model.safetensors "$header"
awk 'BEGIN { x = 7; for (i = 0; i < 1120; i++) { x = (x * 75 + 74) % 65537
    printf "%c%c%c%c", 65 + x % 26, 65 + x % 25, 65 + x % 24, (x % 3 ? 60 : 188) + x % 3 } }' \
    >>encoder/model.safetensors
printf 'a bad cab\n\n  \nc\na b c d a b c d a b c d a b c d a b c d\nbad' >sentences
"$lq" convert -q encoder -o encoder.gguf --type f32 >/dev/null
"$lq" convert -q encoder -o encoder-q8.gguf --type q8_0 >/dev/null
run eval encoder --base encoder.gguf --text sentences --json
check "an encoder is compared line by line" eval 'exits 0 && "$json_valid" out && prints "\"lines\": 4,"'
check "with itself it is the same" eval 'prints "\"min\": 1,?$" && prints "\"mean\": 1,?$"'
check "lines beyond its positions are cut" prints '"lines_cut": 1,'
run eval encoder-q8.gguf --base encoder --text sentences --json
check "a quantized one is near, and not the same" eval 'exits 0 && prints "\"min\": 0\.99" &&
    [ "$(grep token_digest out)" != "" ]'
cp out embedded.json
LQ_ISA=scalar "$lq" eval encoder-q8.gguf --base encoder --text sentences --json --threads 7 >out 2>err
check "with the same digits for every instruction set and number of threads" cmp out embedded.json
run eval encoder.gguf --text sentences --chunks 2
check "without a base the embeddings have a digest" eval 'exits 0 && prints "^2 lines" && prints "^embeddings sha256:"'
run eval encoder.gguf --ids ids
check "an encoder needs a text" refused 2 'text FILE is missing'
run eval encoder.gguf --text sentences --save-all-logits none
check "and has no logits" refused 3 'encoder.gguf: .*no logits to save'
run eval encoder.gguf --text sentences --base f32.gguf
check "it is not compared with a model of another kind" refused 3 'f32.gguf: .*is no encoder'
run eval f32.gguf --text "$demo/eval.txt" --base encoder.gguf
check "nor the other way round" refused 3 'encoder.gguf: .*is an encoder'
printf '\n \n' >blank
run eval encoder.gguf --text blank
check "a text without lines is refused" refused 3 'blank: .*no line of text'

run eval f32.gguf --ids ids
check "a text must fill two chunks" refused 3 'ids: .*300 tokens; two chunks of 512'
awk 'BEGIN { for (i = 0; i < 1040; i++) print i }' >long
run eval f32.gguf --ids long --ctx 520
check "chunks that are longer than the model was trained for are warned of" \
    eval 'exits 0 && says "warning: .*trained on texts of 512 tokens"'
run eval f32.gguf --ids long --ctx 520 --json
digest out >plain
mkdir dynamic
cp "$demo"/* dynamic
sed 's|"rope_scaling": null|"rope_scaling": {"type": "dynamic", "factor": 2.0}|' "$demo/config.json" >dynamic/config.json
run eval dynamic --ids ids --ctx 64 --json
check "positions that are scaled as needed are not in short texts" test "$(digest out)" = "$(digest file.json)"
run eval dynamic --ids long --ctx 520 --json
check "but in long ones" eval 'exits 0 && [ "$(digest out)" ] && [ "$(digest out)" != "$(cat plain)" ]'
run eval f32.gguf
check "a text is needed" refused 2 'text FILE is missing'
echo "1 2 x" >bad
run eval f32.gguf --ids bad --ctx 64
check "a text is made of numbers" refused 3 'bad: .*no list of numbers'
awk 'BEGIN { for (i = 0; i < 300; i++) print 2048 }' >beyond
run eval f32.gguf --ids beyond --ctx 64
check "tokens beyond the vocabulary are refused" refused 3 'token 2048 is not among'
run eval ids --ids ids
check "what is no model is refused" exits 3
nan() { # nan FILE: its last weight becomes a NaN
    printf '\0\0\300\177' | dd of="$1" bs=1 seek=$(($(wc -c <"$1") - 4)) conv=notrunc 2>/dev/null
}
cp f32.gguf nan.gguf
nan nan.gguf
run eval nan.gguf --ids ids --ctx 64
check "a NaN is refused, with its tensor" refused 3 'nan.gguf: tensor output_norm.weight: .*no numbers'
nan encoder/model.safetensors
run eval encoder --text sentences
check "and with its layer" refused 3 'tensor blk.0.layer_output_norm.bias: layer 0 gives .*no numbers'
"$lq" quantize -q f32.gguf angles.gguf COPY --override-kv llama.rope.scaling.factor=float:1e-20 >/dev/null
run eval angles.gguf --ids ids --ctx 64
check "angles that have no sine are refused" refused 3 'llama.rope.*angles of more than'

head -c 6000 "$demo/eval.txt" >text
run quantize --eval text f32.gguf q2.gguf Q2_K
check "lq quantize measures what it made" eval 'exits 0 && prints "q2.gguf, compared with f32.gguf" &&
    prints "KL divergence, mean"'
run convert "$demo" -o made.gguf --type q2_k --eval text
check "and so does lq convert" eval 'exits 0 && prints "KL divergence, mean"'
run convert "$demo" -o made.gguf --type q2_k --eval text --json
check "but not as JSON" refused 2 'lq eval --json'
"$lq" convert -q "$demo" -o vocab.gguf --vocab-only >/dev/null
run eval vocab.gguf --text text
check "a file without tensors is refused" refused 3 'token_embd.weight: is missing'
run eval "$root/tests/fuzz/corpus/eval/llama.gguf" --text text
check "and so is a model without tokenizer" exits 3

finish
