"""Writes checkpoints of some hundred MB whose tensors a converter has to rearrange, for measurements of
memory and speed: transforms.py NAME FOLDER; without arguments, the names."""
import json
import shutil
import sys
from pathlib import Path

import numpy as np

DEMO = Path(__file__).parents[2] / "tests/data/demo-model"
VOCAB = 2048
COMMON = {"vocab_size": VOCAB, "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "torch_dtype": "bfloat16",
          "bos_token_id": 0, "eos_token_id": 1, "tie_word_embeddings": False, "rope_theta": 10000.0}


def top(hidden):
    return [("model.embed_tokens.weight", VOCAB, hidden), ("lm_head.weight", VOCAB, hidden),
            ("model.norm.weight", hidden)]


def layers(n, rows):
    return [(f"model.layers.{i}.{name}", *shape) for i in range(n) for name, *shape in rows]


def norms(hidden):
    return [("input_layernorm.weight", hidden), ("post_attention_layernorm.weight", hidden)]


def gpt2():
    """Every projection transposed."""
    n, d = 6, 2048
    rows = [("ln_1.weight", d), ("ln_1.bias", d), ("ln_2.weight", d), ("ln_2.bias", d),
            ("attn.c_attn.weight", d, 3 * d), ("attn.c_attn.bias", 3 * d), ("attn.c_proj.weight", d, d),
            ("attn.c_proj.bias", d), ("mlp.c_fc.weight", d, 4 * d), ("mlp.c_fc.bias", 4 * d),
            ("mlp.c_proj.weight", 4 * d, d), ("mlp.c_proj.bias", d)]
    tensors = [("wte.weight", VOCAB, d), ("wpe.weight", 512, d), ("ln_f.weight", d), ("ln_f.bias", d)]
    tensors += [(f"h.{i}.{name}", *shape) for i in range(n) for name, *shape in rows]
    return {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_embd": d, "n_layer": n, "n_head": 16,
            "n_positions": 512, "n_ctx": 512, "layer_norm_epsilon": 1e-5, "vocab_size": VOCAB,
            "torch_dtype": "bfloat16"}, tensors


def mixtral():
    """Experts stacked, heads permuted."""
    n, d, ff, experts = 4, 1024, 3584, 8
    rows = norms(d) + [("self_attn.q_proj.weight", d, d), ("self_attn.k_proj.weight", d // 4, d),
                       ("self_attn.v_proj.weight", d // 4, d), ("self_attn.o_proj.weight", d, d),
                       ("block_sparse_moe.gate.weight", experts, d)]
    for e in range(experts):
        rows += [(f"block_sparse_moe.experts.{e}.{w}.weight", *s) for w, *s in
                 (("w1", ff, d), ("w2", d, ff), ("w3", ff, d))]
    return {**COMMON, "architectures": ["MixtralForCausalLM"], "model_type": "mixtral", "hidden_size": d,
            "intermediate_size": ff, "num_hidden_layers": n, "num_attention_heads": 16,
            "num_key_value_heads": 4, "num_local_experts": experts, "num_experts_per_tok": 2}, \
        top(d) + layers(n, rows)


def gptneox():
    """Queries, keys and values of each head taken apart."""
    n, d = 6, 2048
    rows = [("input_layernorm.weight", d), ("input_layernorm.bias", d),
            ("post_attention_layernorm.weight", d), ("post_attention_layernorm.bias", d),
            ("attention.query_key_value.weight", 3 * d, d), ("attention.query_key_value.bias", 3 * d),
            ("attention.dense.weight", d, d), ("attention.dense.bias", d),
            ("mlp.dense_h_to_4h.weight", 4 * d, d), ("mlp.dense_h_to_4h.bias", 4 * d),
            ("mlp.dense_4h_to_h.weight", d, 4 * d), ("mlp.dense_4h_to_h.bias", d)]
    tensors = [("gpt_neox.embed_in.weight", VOCAB, d), ("embed_out.weight", VOCAB, d),
               ("gpt_neox.final_layer_norm.weight", d), ("gpt_neox.final_layer_norm.bias", d)]
    tensors += [(f"gpt_neox.layers.{i}.{name}", *shape) for i in range(n) for name, *shape in rows]
    return {**COMMON, "architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", "hidden_size": d,
            "intermediate_size": 4 * d, "num_hidden_layers": n, "num_attention_heads": 16,
            "rotary_pct": 0.25, "rotary_emb_base": 10000, "use_parallel_residual": True,
            "layer_norm_eps": 1e-5}, tensors


def qwen3moe():
    """Experts in one tensor, gate and up in one: taken apart."""
    n, d, ff, experts = 4, 1024, 768, 32
    rows = norms(d) + [("self_attn.q_proj.weight", 2048, d), ("self_attn.k_proj.weight", 512, d),
                       ("self_attn.v_proj.weight", 512, d), ("self_attn.o_proj.weight", d, 2048),
                       ("self_attn.q_norm.weight", 128), ("self_attn.k_norm.weight", 128),
                       ("mlp.gate.weight", experts, d), ("mlp.experts.gate_up_proj", experts, 2 * ff, d),
                       ("mlp.experts.down_proj", experts, d, ff)]
    return {**COMMON, "architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe", "hidden_size": d,
            "intermediate_size": 4096, "moe_intermediate_size": ff, "num_hidden_layers": n,
            "num_attention_heads": 16, "num_key_value_heads": 4, "head_dim": 128, "num_experts": experts,
            "num_experts_per_tok": 4}, top(d) + layers(n, rows)


def deepseek2():
    """The latent projection taken apart and transposed by heads, experts stacked."""
    n, d, ff, experts, heads = 4, 1024, 1408, 16, 16
    nope, rope, v, kv, q = 128, 64, 128, 512, 768
    attention = norms(d) + [
        ("self_attn.q_a_proj.weight", q, d), ("self_attn.q_a_layernorm.weight", q),
        ("self_attn.q_b_proj.weight", heads * (nope + rope), q),
        ("self_attn.kv_a_proj_with_mqa.weight", kv + rope, d), ("self_attn.kv_a_layernorm.weight", kv),
        ("self_attn.kv_b_proj.weight", heads * (nope + v), kv), ("self_attn.o_proj.weight", d, heads * v)]

    def mlp(name, width):
        return [(f"mlp.{name}gate_proj.weight", width, d), (f"mlp.{name}up_proj.weight", width, d),
                (f"mlp.{name}down_proj.weight", d, width)]
    sparse = attention + [("mlp.gate.weight", experts, d)] + mlp("shared_experts.", 2 * ff)
    for e in range(experts):
        sparse += mlp(f"experts.{e}.", ff)
    tensors = top(d) + [(f"model.layers.{i}.{name}", *shape) for i in range(n)
                        for name, *shape in (attention + mlp("", 4096) if i == 0 else sparse)]
    return {**COMMON, "architectures": ["DeepseekV2ForCausalLM"], "model_type": "deepseek_v2",
            "hidden_size": d, "intermediate_size": 4096, "moe_intermediate_size": ff,
            "num_hidden_layers": n, "num_attention_heads": heads, "num_key_value_heads": heads,
            "n_routed_experts": experts, "n_shared_experts": 2, "num_experts_per_tok": 4,
            "first_k_dense_replace": 1, "q_lora_rank": q, "kv_lora_rank": kv, "qk_nope_head_dim": nope,
            "qk_rope_head_dim": rope, "v_head_dim": v, "routed_scaling_factor": 1.0}, tensors


KINDS = {f.__name__: f for f in (gpt2, mixtral, qwen3moe, gptneox, deepseek2)}


def write(folder, config, tensors):
    """Random BF16 of moderate size: a stretch of random numbers, over and over from another place."""
    folder.mkdir(parents=True)
    pool = np.random.default_rng(1).standard_normal(1 << 23, dtype=np.float32)
    pool = (pool * 0.02 + 0.0).view(np.uint32) >> 16
    pool = np.concatenate([pool, pool]).astype(np.uint16)
    header, at = {}, 0
    for name, *shape in tensors:
        size = 2 * int(np.prod(shape))
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(folder / "model.safetensors", "wb") as f:
        f.write(len(text).to_bytes(8, "little") + text)
        for i, (name, *shape) in enumerate(tensors):
            left = int(np.prod(shape))
            while left:
                n = min(left, len(pool) // 2)
                start = 7919 * (i + left) % (len(pool) // 2)
                f.write(pool[start:start + n].tobytes())
                left -= n
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    for f in DEMO.glob("tokenizer*"):
        shutil.copyfile(f, folder / f.name)


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print(*KINDS)
    elif not Path(sys.argv[2]).exists():
        write(Path(sys.argv[2]), *KINDS[sys.argv[1]]())
