#!/usr/bin/env python3
"""recipe_expected.py -- writes tests/unit/recipe_expected.h: the types that llama-quantize gives the
tensors of some small models in every mix, for the unit test of the recipe.

    LD_LIBRARY_PATH=... recipe_expected.py LLAMA_QUANTIZE >tests/unit/recipe_expected.h
"""
import itertools
import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from quantize_types import (MIXES, attention, dense, keys_of, model, run_llama, stacked,
                            write_matrix, write_sparse)

# name, arch, layers, embd, ff, heads, kv heads, experts, fused qkv, tied
MODELS = [
    ("grouped", "llama", 16, 512, 1024, 8, 2, 0, 0, 0),
    ("full-heads", "llama", 16, 512, 1024, 8, 8, 0, 0, 0),
    ("big", "llama", 80, 512, 1024, 8, 1, 0, 0, 0),
    ("experts", "llama", 16, 512, 1024, 8, 2, 8, 0, 0),
    ("four-experts", "llama", 16, 512, 1024, 8, 8, 4, 0, 0),
    ("falcon", "falcon", 32, 512, 1024, 8, 1, 0, 1, 0),
    ("fused", "phi2", 16, 512, 1024, 8, 8, 0, 1, 0),
    ("narrow", "llama", 16, 544, 1024, 8, 2, 0, 0, 1),
    ("odd", "llama", 16, 520, 1000, 8, 2, 0, 0, 0),
]


def build(arch, layers, embd, ff, heads, kv, experts, fused, tied):
    block = attention(embd, embd // heads * kv, fused)
    block += stacked(embd, ff, experts) if experts else dense(embd, ff, not fused)
    keys = keys_of(arch, layers, embd, ff, heads, kv, experts, rope__dimension_count=embd // heads)
    return keys, model(layers, embd, 1024, block, bool(tied))


def summary(types):
    """"output=Q6_K attn_k+attn_v=2*Q5_K,14*Q4_K" of the tensors that may be quantized."""
    rows = {}
    for name, kind in types:
        if "norm" not in name and "gate_inp" not in name:
            rows.setdefault(re.sub(r"^blk\.\d+\.|\.weight$", "", name), []).append(kind)
    def runs(kinds):
        parts = [(k, len(list(g))) for k, g in itertools.groupby(kinds)]
        return ",".join(f"{n}*{k}" if n > 1 else k for k, n in parts)
    groups = {}
    for name, kinds in rows.items():
        groups.setdefault(runs(kinds), []).append(name)
    return " ".join(f"{'+'.join(names)}={kinds}" for kinds, names in groups.items())


def string(text):
    return "\n     ".join(f'"{text[i:i + 90]}"' for i in range(0, len(text), 90))


def main():
    print("/* recipe_expected.h -- made by tests/interop/recipe_expected.py from what llama-quantize\n"
          " * --dry-run says. Do not edit. */\n")
    print("static const struct expected_model {\n"
          "    const char *name, *arch;\n"
          "    uint32_t layers, embd, ff, heads, kv, experts;\n"
          "    bool fused, tied;\n"
          "} expected_models[] = {")
    for m in MODELS:
        print("    {" + ", ".join(f'"{v}"' for v in m[:2]) + ", " +
              ", ".join(str(v) for v in m[2:]) + "},")
    print("};\n\nstatic const struct expected {\n"
          "    const char *model, *mix;\n    bool matrix;\n    const char *types;\n} expected[] = {")
    with tempfile.TemporaryDirectory() as folder:
        path, matrix = os.path.join(folder, "m.gguf"), os.path.join(folder, "m.dat")
        write_matrix(matrix)
        for m in MODELS:
            write_sparse(path, *build(*m[1:]))
            for mix in MIXES:
                types, _ = run_llama(sys.argv[1], [], path, mix)
                if types is None:
                    continue
                print(f'    {{"{m[0]}", "{mix}", false,\n     {string(summary(types))}}},')
                other, _ = run_llama(sys.argv[1], ["--imatrix", matrix], path, mix)
                if other != types:
                    print(f'    {{"{m[0]}", "{mix}", true,\n     {string(summary(other))}}},')
    print("};")


main()
