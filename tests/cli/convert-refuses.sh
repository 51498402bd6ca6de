#!/bin/sh
# convert-refuses.sh -- what lq convert must not make a file of: configurations, weights and tokenizers
# that contradict each other or are damaged. Each is refused with exit code 3, names the file and the
# place, and leaves nothing behind.
. "$(dirname "$0")/lib.sh"

cc=${CC:-cc}
$cc -std=c17 -D_GNU_SOURCE -O1 -o make_tensors "$root/tests/cli/make_tensors.c" || exit 1

# refuses SENTENCE TEXT...: the folder m is not converted, and the message has each TEXT.
refuses() {
    sentence=$1
    shift
    rm -f out err x.gguf
    run convert m -o x.gguf --type f16
    ok=true
    exits 3 && test -z "$(find . -name 'x*' -o -name '.*.tmp')" || ok=false
    for text in "$@"; do
        says "$text" || ok=false
    done
    check "$sentence" $ok
}
accepts() {
    run convert m -o x.gguf --type f16
    check "$1" eval 'exits 0 && test -s x.gguf'
    rm -f x.gguf
}
# edit FILE SED-SCRIPT
edit() {
    sed "$2" "m/$1" >edited && cmp -s edited "m/$1" && echo "nothing to edit in $1: $2" >&2
    mv edited "m/$1"
}

# ---- three models of one layer, eight wide, with five tokens ----

attention='model.layers.0.input_layernorm.weight 8
model.layers.0.post_attention_layernorm.weight 8
model.layers.0.self_attn.q_proj.weight 8 8
model.layers.0.self_attn.k_proj.weight 4 8
model.layers.0.self_attn.v_proj.weight 4 8
model.layers.0.self_attn.o_proj.weight 8 8'
around='model.embed_tokens.weight 5 8
lm_head.weight 5 8
model.norm.weight 8'
mlp='model.layers.0.mlp.gate_proj.weight 6 8
model.layers.0.mlp.up_proj.weight 6 8
model.layers.0.mlp.down_proj.weight 8 6'
sizes='"hidden_size": 8,
 "intermediate_size": 6,
 "num_hidden_layers": 1,
 "num_attention_heads": 2,
 "num_key_value_heads": 1,
 "head_dim": 4,
 "vocab_size": 5'

# weights: writes m/model.safetensors of the list on standard input
weights() { ./make_tensors m/model.safetensors; }
tokenizer() {
    cat >m/tokenizer.json <<'END'
{"added_tokens": [{"id": 3, "content": "<s>", "special": true, "normalized": false},
                  {"id": 4, "content": "</s>", "special": true, "normalized": false}],
 "pre_tokenizer": {"type": "ByteLevel", "use_regex": true},
 "post_processor": null,
 "decoder": {"type": "ByteLevel"},
 "model": {"type": "BPE",
  "vocab": {"a": 0, "b": 1, "ab": 2},
  "merges": ["a b"]}}
END
    echo '{"bos_token": "<s>", "eos_token": "</s>"}' >m/tokenizer_config.json
}
llama() {
    rm -rf m && mkdir m
    printf '{"architectures": ["LlamaForCausalLM"],\n %s}\n' "$sizes" >m/config.json
    printf '%s\n' "$around" "$attention" "$mlp" | weights
    tokenizer
}
mixtral() {
    llama
    printf '{"architectures": ["MixtralForCausalLM"],\n "num_local_experts": 2,\n %s,\n %s}\n' \
        '"num_experts_per_tok": 1' "$sizes" >m/config.json
    {
        printf '%s\n' "$around" "$attention" "model.layers.0.block_sparse_moe.gate.weight 2 8"
        for e in 0 1; do
            echo "model.layers.0.block_sparse_moe.experts.$e.w1.weight 6 8"
            echo "model.layers.0.block_sparse_moe.experts.$e.w2.weight 8 6"
            echo "model.layers.0.block_sparse_moe.experts.$e.w3.weight 6 8"
        done
    } | weights
}
qwen3moe() {
    llama
    printf '{"architectures": ["Qwen3MoeForCausalLM"],\n "num_experts": 2,\n %s,\n %s,\n %s}\n' \
        '"num_experts_per_tok": 1' '"moe_intermediate_size": 3' "$sizes" >m/config.json
    printf '%s\n' "$around" "$attention" "model.layers.0.self_attn.q_norm.weight 4" \
        "model.layers.0.self_attn.k_norm.weight 4" "model.layers.0.mlp.gate.weight 2 8" \
        "model.layers.0.mlp.experts.gate_up_proj 2 6 8" \
        "model.layers.0.mlp.experts.down_proj 2 8 3" | weights
}
for model in llama mixtral qwen3moe; do
    $model
    accepts "a complete $model is converted"
done

# ---- the configuration and the weights ----

llama
edit config.json 's/"num_attention_heads": 2/"num_attention_heads": 4/'
refuses "more heads than the weights have" 'q_proj.weight' '\[8, 8\].*\[16, 8\].*heads\*head_dim'
llama
edit config.json 's/"num_attention_heads": 2/"num_attention_heads": 3/; s/ "head_dim": 4,//'
refuses "a width that the heads do not divide" 'config.json' 'no multiple of the 3 heads'
llama
edit config.json 's/"num_key_value_heads": 1/"num_key_value_heads": 2/'
refuses "more key and value heads than the weights have" 'k_proj.weight' '\[4, 8\].*\[8, 8\]'
llama
edit config.json 's/"num_attention_heads": 2/"num_attention_heads": 3/; s/"num_key_value_heads": 1/"num_key_value_heads": 2/'
refuses "heads that the key and value heads do not divide" 'config.json' 'num_attention_heads.* 3.*2 key'
llama
edit config.json 's/"head_dim": 4/"head_dim": 2/'
refuses "heads of another size" 'q_proj.weight' '\[8, 8\].*\[4, 8\]'
llama
edit config.json 's/"num_attention_heads": 2/"num_attention_heads": 8/; s/"num_key_value_heads": 1/"num_key_value_heads": 4/; s/"head_dim": 4/"head_dim": 1/'
refuses "heads of one row, which make no pairs" 'q_proj.weight' 'pairs'
llama
edit config.json 's/"vocab_size": 5/"vocab_size": 6/'
refuses "more tokens in config.json than rows in the embedding" 'embed_tokens.weight' '\[5, 8\].*\[6, 8\]'
llama
edit config.json 's/"vocab_size": 5/"vocab_size": 4/'
refuses "fewer tokens than rows" '\[5, 8\].*\[4, 8\]'
llama
edit config.json 's/"hidden_size": 8/"hidden_size": 16/'
refuses "another width" '\[5, 8\].*\[5, 16\]'
llama
edit config.json 's/"intermediate_size": 6/"intermediate_size": "6"/'
refuses "a size that is no number" 'config.json' '"intermediate_size"'
llama
edit config.json 's/"num_attention_heads": 2/"num_attention_heads": 0/'
refuses "no heads" 'config.json' 'heads'
llama
printf '%s\n' "$around" "$attention" "$mlp" | sed '/up_proj/d' | weights
refuses "a tensor that is missing" 'model.layers.0.mlp.up_proj.weight.*is missing' '1 layers'
llama
printf '%s\n' "$around" "$attention" "$mlp" 'model.layers.0.mlp.fourth.weight 6 8' | weights
refuses "a tensor that is left over" 'model.layers.0.mlp.fourth.weight.*left over'
llama
printf '%s\n' "$around" "$attention" "$mlp" 'model.layers.0.self_attn.q_proj.bias 7' | weights
refuses "a bias of another size" 'q_proj.bias' '\[7\].*\[8\]'

# ---- experts ----

mixtral
edit config.json 's/"num_local_experts": 2/"num_local_experts": 3/'
refuses "an expert too few" 'block_sparse_moe' '\[2, 8\].*\[3, 8\].*experts'
mixtral
edit config.json 's/"num_local_experts": 2/"num_local_experts": 1/'
refuses "an expert too many" 'block_sparse_moe' '\[2, 8\].*\[1, 8\].*experts'
mixtral
{
    printf '%s\n' "$around" "$attention" "model.layers.0.block_sparse_moe.gate.weight 2 8"
    echo "model.layers.0.block_sparse_moe.experts.0.w1.weight 6 8"
    echo "model.layers.0.block_sparse_moe.experts.0.w2.weight 8 6"
    echo "model.layers.0.block_sparse_moe.experts.0.w3.weight 6 8"
} | weights
refuses "an expert that is missing" 'experts.1.w1.weight.*is missing'
mixtral
edit config.json 's/"num_local_experts": 2/"num_local_experts": 0/'
refuses "experts in the weights only" 'mlp.gate_proj.weight.*is missing'
mixtral
edit config.json 's/"num_experts_per_tok": 1/"num_experts_per_tok": 3/'
refuses "more experts for a token than there are" 'config.json' 'num_experts_per_tok.* 3.*2 experts'
mixtral
edit config.json 's/"num_experts_per_tok": 1/"num_experts_per_tok": 0/'
refuses "no expert for a token" 'config.json' 'num_experts_per_tok.* 0.*2 experts'
qwen3moe
edit config.json 's/"num_experts": 2/"num_experts": 3/'
refuses "stacked experts, one too few" 'mlp.gate.weight|experts' '\[2, .*\[3, '
qwen3moe
edit config.json 's/"moe_intermediate_size": 3/"moe_intermediate_size": 6/'
refuses "experts of another width" 'experts.down_proj' '\[2, 8, 3\].*\[2, 8, 6\]'

# ---- tokenizer.json ----

size=$(wc -c <m/tokenizer.json)
for part in 0 1 20 $((size / 2)) $((size - 90)) $((size - 30)) $((size - 3)); do
    llama
    head -c $part m/tokenizer.json >cut && mv cut m/tokenizer.json
    refuses "tokenizer.json cut after $part bytes" 'tokenizer.json'
done
llama
edit tokenizer.json 's/"merges": .*/"merges": ["a b", "a b"]}}/'
refuses "a merge twice" 'tokenizer.json' 'twice.*"a b"'
llama
edit tokenizer.json 's/"merges": .*/"merges": [["a", "b"], ["a", "b"]]}}/'
refuses "a merge twice, as pairs" 'tokenizer.json' 'twice.*"a b"'
llama
edit tokenizer.json 's/"vocab": {"a"/"vocab": {"": 3, "a"/; s/"merges": .*/"merges": [["a", ""], ["a", "b"]]}}/'
refuses "a merge that makes one of its own parts" 'tokenizer.json' 'merge.*"a "'
llama
edit tokenizer.json 's/"merges": .*/"merges": [["", "ab"], ["a", "b"]]}}/'
refuses "a merge with an empty part" 'tokenizer.json' 'merge.*" ab"'
llama
edit tokenizer.json 's/"merges": .*/"merges": ["a b", "ab b"]}}/'
refuses "a merge whose result is no token" 'tokenizer.json' 'merge.*"ab b"'
llama
edit tokenizer.json 's/"merges": .*/"merges": ["a b", "a c"]}}/'
refuses "a merge of no tokens" 'tokenizer.json' 'merge.*"a c"'
llama
edit tokenizer.json 's/"b": 1/"b": 0/'
refuses "two tokens with one id" 'tokenizer.json' 'id 0'
llama
edit tokenizer.json 's/"b": 1/"b": 7/'
refuses "a token that the embedding has no row for" 'tokenizer.json' 'id 7.*vocab_size.* 5'
llama
edit tokenizer.json 's/"id": 4, "content": "<.s>"/"id": 5, "content": "<\/s>"/'
refuses "an added token without a row" 'tokenizer.json' 'id 5.*vocab_size.* 5'
llama
edit tokenizer.json 's/"id": 4, "content": "<.s>"/"id": 4, "content": "<s>"/'
refuses "an added token twice" 'tokenizer.json' '"<s>"'
llama
edit tokenizer.json 's/"id": 4, "content": "<.s>"/"id": 4, "content": "ab"/'
refuses "an added token that is in the vocabulary under another id" 'tokenizer.json' '"ab"'
llama
edit tokenizer.json 's/"b": 1/"b\\u0000": 1/; s/"merges": .*/"merges": []}}/'
refuses "an escaped NUL in a token" 'tokenizer.json' 'NUL'
llama
edit tokenizer.json 's/"content": "<s>"/"content": "<\\u0000s>"/'
refuses "an escaped NUL in an added token" 'tokenizer.json' 'NUL'
llama
edit tokenizer.json 's/"vocab"/"vo\x00cab"/'
refuses "a NUL byte" 'tokenizer.json' 'byte [0-9]+|offset [0-9]+'
llama
head -c 40 m/tokenizer_config.json >cut && printf '"x' >>cut && mv cut m/tokenizer_config.json
refuses "tokenizer_config.json cut short" 'tokenizer_config.json'
llama
echo '{"chat_template": "{{ a }}\u0000{{ b }}"}' >m/tokenizer_config.json
refuses "an escaped NUL in a chat template" 'tokenizer_config.json' 'NUL'
llama
printf '{{ a }}\0{{ b }}' >m/chat_template.jinja
refuses "a NUL in chat_template.jinja" 'chat_template.jinja' 'NUL'
llama
printf '{{ a }}\377' >m/chat_template.jinja
refuses "chat_template.jinja that is no UTF-8" 'chat_template.jinja' 'UTF-8'

# ---- vocab.json and merges.txt ----

two_files() {
    llama
    rm m/tokenizer.json
    echo '{"a": 0, "b": 1, "ab": 2, "<s>": 3, "</s>": 4}' >m/vocab.json
    printf '#version: 0.2\na b\n' >m/merges.txt
}
two_files
accepts "vocab.json and merges.txt are read"
head -c 30 m/vocab.json >cut && mv cut m/vocab.json
refuses "vocab.json cut short" 'vocab.json'
two_files
printf '#version: 0.2\na b\na' >m/merges.txt
refuses "merges.txt cut short" 'merges.txt' 'line 3'
two_files
printf '#version: 0.2\na b c\n' >m/merges.txt
refuses "a merge of three parts" 'merges.txt' 'line 2'
two_files
printf '#version: 0.2\na b\na b\n' >m/merges.txt
refuses "a merge twice in merges.txt" 'twice.*"a b"'
two_files
printf '#version: 0.2\na b\nb c\n' >m/merges.txt
refuses "a merge of no tokens in merges.txt" 'merge.*"b c"'
two_files
printf '#version: 0.2\na b\n\0' >m/merges.txt
refuses "a NUL in merges.txt" 'merges.txt' 'NUL'
two_files
edit vocab.json 's/"b": 1/"b": 9/; s/"ab": 2/"ab": 1/'
printf '#version: 0.2\na b\n' >m/merges.txt
refuses "a token of vocab.json without a row" 'id 9.*vocab_size.* 5'

# ---- tokenizer.model ----

# piece TEXT TYPE: one piece with the score 0
piece() {
    printf "\\012\\$(printf %o $((${#1} + 9)))\\012\\$(printf %o ${#1})%s" "$1"
    printf "\\025\\0\\0\\0\\0\\030\\$(printf %o "$2")"
}
pieces() {
    llama
    rm m/tokenizer.json
    {
        piece '<unk>' 2
        piece '<s>' 3
        piece '</s>' 3
        piece a 1
        piece b 1
        printf '\022\002\030\002'
    } >m/tokenizer.model
}
pieces
accepts "tokenizer.model is read"
size=$(wc -c <m/tokenizer.model)
for part in 0 1 17 $((size / 2)) $((size - 6)) $((size - 2)); do
    pieces
    head -c $part m/tokenizer.model >cut && mv cut m/tokenizer.model
    refuses "tokenizer.model cut after $part bytes" 'tokenizer.model'
done
pieces
{
    printf '\012\012\012\001\0'
    printf '\025\0\0\0\0\030\001'
    cat m/tokenizer.model
} >cut && mv cut m/tokenizer.model
refuses "a NUL in a piece" 'tokenizer.model' 'NUL'
pieces
{
    cat m/tokenizer.model
    piece b 1
} >cut && mv cut m/tokenizer.model
refuses "more pieces than rows" 'tokenizer.model' '6 tokens.*vocab_size.* 5'
pieces
sed 's/b/a/' m/tokenizer.model >cut && mv cut m/tokenizer.model
refuses "a piece twice" 'tokenizer.model' 'two ids.*"a"'

# ---- tekken.json: three special tokens, the 256 bytes, "ab" ----

i=0
while [ $i -lt 256 ]; do
    echo "  {\"rank\": $i, \"token_bytes\": \"$(printf "\\$(printf %o $i)" | base64)\"},"
    i=$((i + 1))
done >bytes
tekken() {
    llama
    rm m/tokenizer.json m/tokenizer_config.json
    edit config.json 's/"vocab_size": 5/"vocab_size": 260/'
    printf '%s\n' "$around" "$attention" "$mlp" | sed 's/ 5 8/ 260 8/' | weights
    {
        echo '{"config": {"pattern": ".", "default_vocab_size": 260,'
        echo ' "default_num_special_tokens": 3, "version": "v3"},'
        echo ' "special_tokens": ['
        echo '  {"rank": 0, "token_str": "<unk>"}, {"rank": 1, "token_str": "<s>"},'
        echo '  {"rank": 2, "token_str": "</s>"}],'
        echo ' "vocab": ['
        cat bytes
        echo '  {"rank": 256, "token_bytes": "YWI="}]}'
    } >m/tekken.json
}
tekken
accepts "tekken.json is read"
size=$(wc -c <m/tekken.json)
for part in 0 60 $((size / 2)) $((size - 3)); do
    tekken
    head -c $part m/tekken.json >cut && mv cut m/tekken.json
    refuses "tekken.json cut after $part bytes" 'tekken.json'
done
tekken
edit tekken.json 's/"default_vocab_size": 260/"default_vocab_size": 261/'
refuses "a tekken.json that lists fewer tokens than it promises" 'tekken.json' 'promises 261'
tekken
edit config.json 's/"vocab_size": 260/"vocab_size": 261/'
printf '%s\n' "$around" "$attention" "$mlp" | sed 's/ 5 8/ 261 8/' | weights
refuses "a tekken.json with fewer tokens than rows" 'tekken.json' '260 tokens.*vocab_size.* 261'
tekken
edit tekken.json 's/"rank": 7,/"rank": 8,/'
refuses "a rank twice" 'tekken.json' 'rank 7'
tekken
edit tekken.json 's/YWI=/YQ==/'
refuses "a token twice" 'tekken.json' 'rank 256|two ids'
tekken
edit tekken.json 's/YWI=/YWJj/'
refuses "a token that no merge makes" 'tekken.json' 'rank 256'
tekken
edit tekken.json 's/YWI=/Y!I=/'
refuses "bytes that are no Base64" 'tekken.json' 'Base64'
tekken
edit tekken.json 's/"<unk>"/"<un\\u0000k>"/'
refuses "an escaped NUL in a special token" 'tekken.json' 'NUL'

finish
