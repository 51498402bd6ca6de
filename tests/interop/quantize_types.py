#!/usr/bin/env python3
"""quantize_types.py -- compares the types that lq quantize chooses with llama.cpp's, without weights.

    quantize_types.py LQ LLAMA_QUANTIZE SNAPSHOTS FOLDER [--quick]

Models are sparse GGUF files: the metadata and shapes of models up to 70 B parameters and beyond, and
nothing in their tensors. Two oracles:
  llama-quantize --dry-run    on models whose metadata its loader accepts
  SNAPSHOTS/*.schema          llama.cpp's own record of the types that 12 real models get
Prints "ok" and "FAIL" lines and closes with "N passed, N failed".
"""
import glob
import json
import os
import re
import struct
import subprocess
import sys

ALIGNMENT = 32
F32, F16 = 0, 1
U32, I32, FLOAT, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9

MIXES = """Q1_0 Q2_0 Q4_0 Q4_1 MXFP4_MOE Q5_0 Q5_1 IQ2_XXS IQ2_XS IQ2_S IQ2_M IQ1_S IQ1_M TQ1_0 TQ2_0
Q2_K Q2_K_S IQ3_XXS IQ3_S IQ3_M IQ3_XS Q3_K_S Q3_K_M Q3_K_L IQ4_NL IQ4_XS Q4_K_S Q4_K_M Q5_K_S
Q5_K_M Q6_K Q8_0 F16 BF16 F32 COPY""".split()


# ---- sparse GGUF files ----

def pack_string(s):
    raw = s.encode()
    return struct.pack("<Q", len(raw)) + raw


def pack_value(v):
    if isinstance(v, bool):
        return struct.pack("<I?", BOOL, v)
    if isinstance(v, int):
        return struct.pack("<II", U32, v)
    if isinstance(v, float):
        return struct.pack("<If", FLOAT, v)
    if isinstance(v, str):
        return struct.pack("<I", STRING) + pack_string(v)
    if v and isinstance(v[0], str):
        return struct.pack("<IIQ", ARRAY, STRING, len(v)) + b"".join(map(pack_string, v))
    return struct.pack(f"<IIQ{len(v)}i", ARRAY, I32, len(v), *v)


def write_sparse(path, keys, tensors):
    """tensors: (name, shape with the row first, type); the file ends in a hole."""
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(keys))
    head += b"".join(pack_string(k) + pack_value(v) for k, v in keys.items())
    at = 0
    for name, shape, kind in tensors:
        head += pack_string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, at)
        size = 4 if kind == F32 else 2
        for n in shape:
            size *= n
        at += -(-size // ALIGNMENT) * ALIGNMENT
    head += bytes(-len(head) % ALIGNMENT)
    with open(path, "wb") as f:
        f.write(head)
        f.truncate(len(head) + at)


# ---- models ----

def keys_of(arch, layers, embd, ff, heads, kv, experts=0, **more):
    k = {"general.architecture": arch, f"{arch}.context_length": 4096,
         f"{arch}.embedding_length": embd, f"{arch}.block_count": layers,
         f"{arch}.feed_forward_length": ff, f"{arch}.attention.head_count": heads,
         f"{arch}.attention.head_count_kv": kv,
         f"{arch}.attention.layer_norm_rms_epsilon": 1e-5,
         f"{arch}.attention.layer_norm_epsilon": 1e-5}
    if experts:
        k[f"{arch}.expert_count"] = experts
        k[f"{arch}.expert_used_count"] = 2
    for name, value in more.items():
        k[f"{arch}." + name.replace("__", ".")] = value
    return k


def attention(embd, kv_width, fused=False):
    if fused:
        return [("attn_qkv", (embd, embd + 2 * kv_width)), ("attn_output", (embd, embd))]
    return [("attn_q", (embd, embd)), ("attn_k", (embd, kv_width)), ("attn_v", (embd, kv_width)),
            ("attn_output", (embd, embd))]


def dense(embd, ff, gate=True):
    return [("ffn_up", (embd, ff)), ("ffn_down", (ff, embd))] + \
        ([("ffn_gate", (embd, ff))] if gate else [])


def stacked(embd, ff, experts, shared=0):
    rows = [("ffn_gate_inp", (embd, experts)), ("ffn_up_exps", (embd, ff, experts)),
            ("ffn_gate_exps", (embd, ff, experts)), ("ffn_down_exps", (ff, embd, experts))]
    if shared:
        rows += [("ffn_up_shexp", (embd, shared)), ("ffn_gate_shexp", (embd, shared)),
                 ("ffn_down_shexp", (shared, embd))]
    return rows


def model(layers, embd, vocab, block, tied=False, extra=()):
    tensors = [("token_embd.weight", (embd, vocab), F16), ("output_norm.weight", (embd,), F32)]
    if not tied:
        tensors.append(("output.weight", (embd, vocab), F16))
    tensors += extra
    # Files are written layer by layer; 10 before 2 would be the order of the names.
    for i in range(layers):
        tensors.append((f"blk.{i}.attn_norm.weight", (embd,), F32))
        for name, shape in block(i) if callable(block) else block:
            tensors.append((f"blk.{i}.{name}.weight", shape, F16))
    return tensors


def models():
    llama = dict(rope__dimension_count=128)
    yield "llama-7b", keys_of("llama", 32, 4096, 11008, 32, 32, **llama), \
        model(32, 4096, 32000, attention(4096, 4096) + dense(4096, 11008))
    yield "llama3-8b", keys_of("llama", 32, 4096, 14336, 32, 8, **llama), \
        model(32, 4096, 128256, attention(4096, 1024) + dense(4096, 14336))
    yield "llama2-70b", keys_of("llama", 80, 8192, 28672, 64, 8, **llama), \
        model(80, 8192, 32000, attention(8192, 1024) + dense(8192, 28672))
    yield "llama1-65b", keys_of("llama", 80, 8192, 22016, 64, 64, **llama), \
        model(80, 8192, 32000, attention(8192, 8192) + dense(8192, 22016))
    yield "mixtral-8x7b", keys_of("llama", 32, 4096, 14336, 32, 8, 8, **llama), \
        model(32, 4096, 32000, attention(4096, 1024) + stacked(4096, 14336, 8))
    yield "tied-1b", keys_of("llama", 16, 2048, 8192, 32, 8, rope__dimension_count=64), \
        model(16, 2048, 128256, attention(2048, 512) + dense(2048, 8192), tied=True)
    yield "narrow-576", keys_of("llama", 30, 576, 1536, 9, 3, rope__dimension_count=64), \
        model(30, 576, 49152, attention(576, 192) + dense(576, 1536), tied=True)
    yield "odd-rows", keys_of("llama", 5, 640, 1000, 10, 2, rope__dimension_count=64), \
        model(5, 640, 1000, attention(640, 128) + dense(640, 1000))
    yield "falcon-7b", keys_of("falcon", 32, 4544, 18176, 71, 1, rope__dimension_count=64), \
        model(32, 4544, 65024, attention(4544, 64, True) + dense(4544, 18176, False))
    yield "falcon-40b", keys_of("falcon", 60, 8192, 32768, 128, 8, rope__dimension_count=64), \
        model(60, 8192, 65024, attention(8192, 512, True) + dense(8192, 32768, False))
    yield "phi2", keys_of("phi2", 32, 2560, 10240, 32, 32, rope__dimension_count=32), \
        model(32, 2560, 51200, attention(2560, 2560, True) + dense(2560, 10240, False))
    yield "gpt2", keys_of("gpt2", 12, 768, 3072, 12, 12), \
        model(12, 768, 50257, attention(768, 768, True) + dense(768, 3072, False), tied=True,
              extra=[("position_embd.weight", (768, 1024), F32)])
    yield "qwen2-72b", keys_of("qwen2", 80, 8192, 29568, 64, 8), \
        model(80, 8192, 152064, attention(8192, 1024) + dense(8192, 29568))
    yield "qwen2-half", keys_of("qwen2", 24, 896, 4864, 14, 2), \
        model(24, 896, 151936, attention(896, 128) + dense(896, 4864), tied=True)
    yield "qwen3moe", keys_of("qwen3moe", 48, 2048, 6144, 32, 4, 128, expert_feed_forward_length=768), \
        model(48, 2048, 151936, attention(2048, 512) + stacked(2048, 768, 128))
    yield "qwen2moe", keys_of("qwen2moe", 24, 2048, 5632, 16, 16, 60, expert_feed_forward_length=1408,
                              expert_shared_feed_forward_length=5632), \
        model(24, 2048, 151936, attention(2048, 2048) + stacked(2048, 1408, 60, 5632))
    mla = [("attn_q_a", (2048, 1536)), ("attn_q_b", (1536, 3072)), ("attn_kv_a_mqa", (2048, 576)),
           ("attn_kv_b", (512, 4096)), ("attn_output", (2048, 2048))]
    yield "deepseek2", keys_of("deepseek2", 27, 2048, 10944, 16, 16, 64,
                               leading_dense_block_count=1, attention__kv_lora_rank=512,
                               expert_feed_forward_length=1408, expert_shared_count=2,
                               attention__q_lora_rank=1536, rope__dimension_count=64,
                               attention__key_length=192, attention__value_length=128,
                               expert_weights_scale=1.0), \
        model(27, 2048, 102400,
              lambda i: mla + (dense(2048, 10944) if i < 1 else stacked(2048, 1408, 64, 2816)))
    yield "olmo-80", keys_of("olmo", 80, 1024, 4096, 8, 8), \
        model(80, 1024, 50304, attention(1024, 1024) + dense(1024, 4096))
    yield "deci-80", keys_of("deci", 80, 1024, [4096] * 80, [8, 0] * 40, [2, 0] * 40,
                             rope__dimension_count=128), \
        model(80, 1024, 50304, attention(1024, 256) + dense(1024, 4096))
    yield "gemma3", keys_of("gemma3", 34, 2560, 10240, 8, 4, attention__sliding_window=1024,
                            attention__key_length=256, attention__value_length=256), \
        model(34, 2560, 262144, attention(2560, 1024) + dense(2560, 10240), tied=True)
    yield "bert", keys_of("bert", 12, 384, 1536, 12, 12, attention__causal=False), \
        model(12, 384, 30522, attention(384, 384) + dense(384, 1536, False), tied=True,
              extra=[("position_embd.weight", (384, 512), F16), ("token_types.weight", (384, 2), F16)])
    mamba = [("ssm_in", (1024, 4096)), ("ssm_conv1d", (4, 2048)), ("ssm_x", (2048, 96)),
             ("ssm_dt", (64, 2048)), ("ssm_out", (2048, 1024))]
    yield "mamba", keys_of("mamba", 24, 1024, 0, 0, 0, ssm__conv_kernel=4, ssm__inner_size=2048,
                           ssm__state_size=16, ssm__time_step_rank=64), \
        model(24, 1024, 50280, mamba, tied=True)
    yield "eight-experts-of-other-kind", \
        keys_of("qwen3moe", 10, 2048, 6144, 32, 8, 8, expert_feed_forward_length=768), \
        model(10, 2048, 151936, attention(2048, 512) + stacked(2048, 768, 8))
    yield "nanbeige-loops", keys_of("nanbeige", 16, 1024, 4096, 8, 2, num_loops=2), \
        model(16, 1024, 50304, attention(1024, 256) + dense(1024, 4096))
    kda = dict(attention__key_length_mla=192, attention__value_length_mla=128,
               attention__q_lora_rank=512, attention__kv_lora_rank=512, ssm__conv_kernel=4,
               kda__head_dim=128, kda__gate_lower_bound=-5.0, expert_feed_forward_length=768,
               expert_shared_count=1, leading_dense_block_count=1, expert_gating_func=2)
    small = mla[:4] + [("attn_k_b", (128, 512, 16)), ("attn_v_b", (512, 128, 16)),
                       ("attn_output", (2048, 2048)), ("indexer.attn_q_b", (512, 1024)),
                       ("indexer.proj", (2048, 16)), ("hc_attn_fn", (2048, 24)),
                       ("ssm_f_a", (2048, 128)), ("nextn.eh_proj", (4096, 2048))]
    yield "glm5-next", keys_of("glm5-next", 12, 2048, 6144, 16, 1, 16, **kda,
                               attention__indexer__head_count=16, attention__indexer__top_k=64,
                               attention__indexer__key_length=64, attention__indexer__kpool=4,
                               hyper_connection__count=4, hyper_connection__epsilon=1e-6,
                               hyper_connection__sinkhorn_iterations=2), \
        model(12, 2048, 151936,
              lambda i: small + (dense(2048, 6144) if i < 1 else stacked(2048, 768, 16, 768)))
    yield "bailingmoe3", keys_of("bailingmoe3", 12, 2048, 6144, 16, 1, 16, **kda), \
        model(12, 2048, 151936,
              lambda i: small + (dense(2048, 6144) if i < 1 else stacked(2048, 768, 16, 768)))
    yield "graniteswitch", \
        keys_of("graniteswitch", 23, 1024, 4096, 8, 2, logit_scale=8.0, adapters__count=1,
                adapters__lora_rank=16, adapters__token_ids_activate=[7],
                adapters__token_ids_substitute=[8]), \
        model(23, 1024, 49152, attention(1024, 256) + dense(1024, 4096))
    yield "llama-mtp", keys_of("llama", 81, 1024, 4096, 8, 2, rope__dimension_count=128,
                               nextn_predict_layers=1), \
        model(81, 1024, 49152, attention(1024, 256) + dense(1024, 4096))


# Options of which each is tried with some mixes.
OPTIONS = [
    (["--pure"], ["Q4_K_M", "Q2_K", "IQ4_XS", "Q1_0", "MXFP4_MOE"]),
    (["--leave-output-tensor"], ["Q4_K_M", "Q8_0"]),
    (["--output-tensor-type", "q5_1"], ["Q4_K_M", "IQ3_XS", "F16"]),
    (["--token-embedding-type", "Q8_0"], ["Q4_K_M", "IQ2_S", "BF16"]),
    (["--tensor-type", "attn_v=q8_0", "--tensor-type", r"blk\.\d.\.ffn=iq4_nl"], ["Q4_K_M", "Q3_K_L"]),
    (["--tensor-type", "FFN_(up|down)=q6_k"], ["Q4_K_S"]),
    (["--tensor-type", r"blk\.([0-9]|1[0-5])\.attn_v=q5_k"], ["Q4_K_M", "Q3_K_M"]),
    (["--prune-layers", "2,3,7"], ["Q4_K_M", "Q2_K", "IQ4_XS"]),
    (["--prune-layers", "0"], ["Q4_K_S"]),
    (["--imatrix", "MATRIX"], ["IQ3_XXS", "IQ4_XS", "IQ4_NL", "Q4_0", "Q5_0", "Q4_K_M", "IQ2_M"]),
    (["--override-kv", "llama.attention.head_count_kv=int:1", "--override-kv",
      "llama.block_count=int:40"], ["Q4_K_M", "Q2_K"]),
]


# ---- the two programs ----

LINE = re.compile(r"^\[ *\d+/ *\d+\] (\S+) +- \[.*\], type = +(\S+), size = .*?(?:-> +[\d.]+ MiB \((\S+)\))?$")


def run_llama(program, options, path, mix):
    done = subprocess.run([program, *options, "--dry-run", path, mix], capture_output=True, text=True)
    if done.returncode:
        lines = [l for l in (done.stdout + done.stderr).splitlines() if l.strip()]
        return None, next((l for l in reversed(lines) if "failed to quantize:" in l or "ASSERT" in l),
                          lines[-1] if lines else str(done.returncode))
    types = []
    for line in (done.stdout + done.stderr).splitlines():
        m = LINE.match(line)
        if m:
            types.append((m[1], (m[3] or m[2]).upper()))
    return types, "needs" if "require an imatrix" in done.stdout + done.stderr else ""


def run_lq(program, options, path, mix):
    done = subprocess.run([program, "quantize", *options, "--dry-run", "--json", "-q", path, mix],
                          capture_output=True, text=True)
    if done.returncode:
        return None, done.stderr.strip()
    plan = json.loads(done.stdout)
    return [(t["name"], t["to"]) for t in plan["tensors"]], \
        "needs" if "importance" in plan.get("refused", "") else ""


class Count:
    passed = failed = 0


def report(case, want, got, notes=("", "")):
    if want is not None and want == got and notes[0] == notes[1]:
        Count.passed += 1
        print(f"ok    {case}: {len(want)} tensors")
        return
    if want is None and got is None:
        Count.passed += 1
        print(f"ok    {case}: both refuse")
        return
    Count.failed += 1
    print(f"FAIL  {case}: {notes[0]!r} / {notes[1]!r}")
    if want is not None and got is not None:
        for w, g in [(w, g) for w, g in zip(want, got) if w != g][:5]:
            print(f"      {w[0]}: expected {w[1]}, lq says {g[0]} {g[1]}")
        if len(want) != len(got):
            print(f"      {len(want)} tensors expected, lq has {len(got)}")


def write_matrix(path):
    """One entry, for no tensor: what matters to the mixes is only that there is a matrix."""
    with open(path, "wb") as f:
        f.write(struct.pack("<ii4siif", 1, 4, b"none", 1, 1, 1.0))


def compare_with_llama(lq, llama, folder, quick):
    matrix = os.path.join(folder, "matrix.dat")
    write_matrix(matrix)
    mixes = MIXES[::4] + ["Q4_K_M"] if quick else MIXES
    for name, keys, tensors in models():
        path = os.path.join(folder, name + ".gguf")
        write_sparse(path, keys, tensors)
        for mix in mixes:
            want, why = run_llama(llama, [], path, mix)
            got, note = run_lq(lq, [], path, mix)
            report(f"{name} {mix}", want, got, (why, note))
        for options, some in OPTIONS[::3] if quick else OPTIONS:
            given = [matrix if o == "MATRIX" else o for o in options]
            for mix in some:
                want, why = run_llama(llama, given, path, mix)
                got, note = run_lq(lq, given, path, mix)
                notes = ("", "") if "--imatrix" in options and want and got else (why, note)
                report(f"{name} {mix} {' '.join(options)}", want, got, notes)
        os.unlink(path)


# ---- llama.cpp's snapshots ----

def read_schema(path):
    """The model's facts, and for each mix its base type and the tensors that have another one."""
    facts, mixes, current = {}, {}, None
    for line in open(path):
        line = line.strip()
        if line.startswith("# n_embd"):
            facts = {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", line)}
        elif line.startswith("["):
            name, base = re.match(r"\[(\w+)\] (\S+)", line).groups()
            current = {}
            mixes[name] = (base.upper(), current)
        elif line and not line.startswith("#"):
            name, kind = line.rsplit(" ", 1)
            current[name] = kind.upper()
    return facts, mixes


def rebuild(facts, mixes, arch):
    """Tensors whose shapes explain the fallbacks in one mix, to be tested with all others."""
    names = sorted({n for base, others in mixes.values() for n in others})
    tied = "output.weight" not in names

    def kind(mix, name):
        base, others = mixes[mix]
        return others.get(name, base)

    tensors = []
    for name in names:
        if name == "output.weight" or (tied and name == "token_embd.weight"):
            cols = 2048 if kind("Q4_K_S", name) == "Q6_K" else 2048 + 32
        else:
            cols = {"TQ1_0": 2048, "Q4_K": 2048, "F16": 2048 + 16}.get(kind("TQ1_0", name), 2048 + 32)
        stack = kind("MXFP4_MOE", name) == "MXFP4"
        tensors.append((name, (cols, 32, 4) if stack else (cols, 32), F16))
    keys = keys_of(arch, facts["n_layer"], facts["n_embd"], facts["n_ff"], facts["n_head"],
                   facts["n_head_kv"], facts.get("n_expert", 0))
    return keys, tensors


def compare_with_snapshots(lq, snapshots, folder, quick):
    for schema in sorted(glob.glob(os.path.join(snapshots, "*.schema"))):
        name = os.path.basename(schema)[:-len(".schema")]
        facts, mixes = read_schema(schema)
        keys, tensors = rebuild(facts, mixes, "llama" if "llama" in name else "other")
        path = os.path.join(folder, name + ".gguf")
        write_sparse(path, keys, tensors)
        for mix, (base, others) in list(mixes.items())[::4 if quick else 1]:
            got, note = run_lq(lq, [], path, mix)
            want = got and [(n, others.get(n, base)) for n, _ in got]
            report(f"{name} {mix} (snapshot)", want or None, got, ("", "") if got else ("", note))
        os.unlink(path)


def main():
    quick = "--quick" in sys.argv
    lq, llama, snapshots, folder = [a for a in sys.argv[1:] if a != "--quick"]
    os.makedirs(folder, exist_ok=True)
    compare_with_snapshots(lq, snapshots, folder, quick)
    compare_with_llama(lq, llama, folder, quick)
    print(f"{Count.passed} passed, {Count.failed} failed")
    sys.exit(1 if Count.failed else 0)


if __name__ == "__main__":
    main()
