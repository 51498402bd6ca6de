#!/usr/bin/env python3
"""quantize_models.py -- makes what interop-quantize needs and nobody ships.

    quantize_models.py moe OUT.gguf            a small mixture of 8 experts, F16, random weights
    quantize_models.py rows FROM.gguf OUT.gguf a small dense model whose rows of 512 and 1024 are
                                               cut from the weights of FROM (F16)
    quantize_models.py matrix MODEL.gguf OUT   an importance matrix for MODEL, as GGUF or, where OUT
                                               ends in .dat, in the older form
"""
import os
import struct
import sys

import numpy as np
from gguf import GGUFReader

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from quantize_types import (ALIGNMENT, F32, attention, dense, keys_of, model, pack_string,
                            pack_value, stacked)


def write(path, keys, tensors, data_of):
    """tensors as in quantize_types; data_of(name, shape, kind) gives the bytes."""
    head, body = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(keys)), []
    head += b"".join(pack_string(k) + pack_value(v) for k, v in keys.items())
    at = 0
    for name, shape, kind in tensors:
        data = data_of(name, shape, kind)
        head += pack_string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, at)
        body.append(data + bytes(-len(data) % ALIGNMENT))
        at += len(body[-1])
    head += bytes(-len(head) % ALIGNMENT)
    with open(path, "wb") as f:
        f.write(head)
        f.writelines(body)


def random_data(rng):
    def data_of(name, shape, kind):
        n = int(np.prod(shape))
        x = rng.standard_t(5, n).astype(np.float32) * 0.02
        return (x if kind == F32 else x.astype(np.float16)).tobytes()
    return data_of


def make_moe(out):
    block = attention(256, 128) + stacked(256, 512, 8, 256)
    keys = keys_of("qwen2moe", 3, 256, 512, 4, 2, 8, expert_feed_forward_length=512,
                   expert_shared_feed_forward_length=256)
    write(out, keys, model(3, 256, 512, block), random_data(np.random.default_rng(1)))


def make_rows(source, out):
    pool = np.concatenate([np.asarray(t.data).view(np.float16).ravel()[:1 << 20]
                           for t in GGUFReader(source).tensors
                           if t.tensor_type.name == "F16" and t.n_elements >= 1 << 18])
    at = 0

    def data_of(name, shape, kind):
        nonlocal at
        n = int(np.prod(shape))
        x = np.take(pool, np.arange(at, at + n), mode="wrap")
        at += n
        return (x.astype(np.float32) if kind == F32 else x).tobytes()
    keys = keys_of("llama", 6, 512, 1024, 8, 2, rope__dimension_count=64)
    write(out, keys, model(6, 512, 1024, attention(512, 128) + dense(512, 1024)), data_of)


def entries_of(path, rng):
    """What llama-imatrix collects: all matrices in the layers, one vector for each expert."""
    for t in GGUFReader(path).tensors:
        shape = [int(n) for n in t.shape]
        if not t.name.startswith("blk.") or len(shape) < 2 or "norm" in t.name:
            continue
        experts = shape[2] if len(shape) > 2 else 1
        counts = rng.integers(1, 4000, experts).astype(np.float32)
        if experts > 2:
            counts[1] = 0  # never chosen
        sums = rng.chisquare(1, (experts, shape[0])).astype(np.float32) * counts[:, None]
        yield t.name, sums, counts


def make_matrix(source, out, seed=2):
    entries = list(entries_of(source, np.random.default_rng(int(seed))))
    text = b"a text.txt"
    if out.endswith(".dat"):
        with open(out, "wb") as f:
            f.write(struct.pack("<i", len(entries)))
            for name, sums, counts in entries:
                f.write(struct.pack(f"<i{len(name)}sii", len(name), name.encode(), 7, sums.size))
                f.write(sums.tobytes())
            f.write(struct.pack(f"<ii{len(text)}s", 11, len(text), text))
        return
    keys = {"general.type": "imatrix", "imatrix.datasets": [text.decode(), "another"],
            "imatrix.chunk_count": 12, "imatrix.chunk_size": 512}
    tensors, data = [], {}
    for name, sums, counts in entries:
        tensors += [(f"{name}.in_sum2", (sums.shape[1], sums.shape[0]), F32),
                    (f"{name}.counts", (1, len(counts)), F32)]
        data[f"{name}.in_sum2"], data[f"{name}.counts"] = sums.tobytes(), counts.tobytes()
    write(out, keys, tensors, lambda name, shape, kind: data[name])


def main():
    what = {"moe": make_moe, "rows": make_rows, "matrix": make_matrix}[sys.argv[1]]
    what(*sys.argv[2:])


main()
