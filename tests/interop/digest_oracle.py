"""digest_oracle.py -- content and derived digests as docs/digest.md defines them, written from that
page alone, on the readers of the safetensors and gguf packages.

    digest_oracle.py FILE...       of the tensors of all files together
    prints  "content HEX" and, for GGUF, "derived HEX"
"""
import hashlib
import struct
import sys

import numpy as np

LEAF = 1 << 20


def sha(data):
    return hashlib.sha256(data).digest()


def u64(n):
    return struct.pack("<Q", n)


def text(s):
    raw = s.encode()
    return u64(len(raw)) + raw


def tree(nodes):
    """Recursive, as RFC 6962 words it; lq joins level by level."""
    if not nodes:
        return bytes(32)
    if len(nodes) == 1:
        return nodes[0]
    k = 1
    while 2 * k < len(nodes):
        k *= 2
    return sha(b"\1" + tree(nodes[:k]) + tree(nodes[k:]))


def tensor(name, kind, shape, data):
    leaves = [sha(b"\0" + data[at:at + LEAF]) for at in range(0, len(data), LEAF)] or [sha(b"\0")]
    head = text(name) + text(kind) + u64(len(shape)) + b"".join(map(u64, shape)) + u64(len(data))
    return sha(b"\2" + head + tree(leaves))


def digest(label, tensors):
    tensors = sorted(tensors, key=lambda t: t[0].encode())
    nodes = [tensor(*t) for t in tensors]
    return sha(b"\3" + text(label) + u64(len(nodes)) + tree(nodes)).hex()


def of_safetensors(path):
    import json
    with open(path, "rb") as f:
        n = struct.unpack("<Q", f.read(8))[0]
        header = json.loads(f.read(n))
        body = f.read()
    for name, t in header.items():
        if name != "__metadata__":
            yield name, t["dtype"], t["shape"], body[t["data_offsets"][0]:t["data_offsets"][1]]


def of_gguf(path, widened):
    from gguf import GGUFReader, quants
    for t in GGUFReader(path).tensors:
        shape, kind, data = [int(n) for n in reversed(t.shape)], t.tensor_type, t.data
        if widened and not kind.name.startswith("I"):
            data = quants.dequantize(data, kind).astype("<f4")
            yield t.name, "F32", shape, data.tobytes()
        else:
            yield t.name, kind.name, shape, np.ascontiguousarray(data).tobytes()


def content_digest(paths):
    read = (lambda p: of_gguf(p, False)) if str(paths[0]).endswith(".gguf") else of_safetensors
    return digest("lq-content-v1", [t for p in paths for t in read(p)])


def derived_digest(paths):
    return digest("lq-derived-v1", [t for p in paths for t in of_gguf(p, True)])


if __name__ == "__main__":
    print("content", content_digest(sys.argv[1:]))
    if sys.argv[1].endswith(".gguf"):
        print("derived", derived_digest(sys.argv[1:]))
