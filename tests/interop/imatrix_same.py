"""Compares two importance matrices in one form, GGUF or .dat: the same names, shapes and counts, sums to one
part in a thousand of the entry (or of its tensor's mean, where an entry is tiny). imatrix_same.py OURS THEIRS"""
import struct
import sys

import numpy as np
from gguf import GGUFReader


def read_dat(data):
    """NAME and NAME.counts (the number of calls) to values."""
    entries, at = {}, 4
    for _ in range(struct.unpack_from("<i", data)[0]):
        length, = struct.unpack_from("<i", data, at)
        name = data[at + 4:at + 4 + length].decode()
        calls, n = struct.unpack_from("<2i", data, at + 4 + length)
        at += 12 + length
        entries[name] = np.frombuffer(data, np.float32, n, at)
        entries[name + ".counts"] = np.array([calls])
        at += 4 * n
    entries["chunks.counts"] = np.array(struct.unpack_from("<i", data, at))
    return entries


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    if data[:4] != b"GGUF":
        return read_dat(data)
    return {t.name: t.data.reshape(list(reversed(t.shape))) for t in GGUFReader(path).tensors}


ours, theirs = (read(path) for path in sys.argv[1:3])
if list(ours) != list(theirs):
    sys.exit(f"other names: {sorted(set(ours) ^ set(theirs))[:5]}")
worst = 0.0
for name, a in ours.items():
    b = theirs[name]
    if a.shape != b.shape:
        sys.exit(f"{name}: {a.shape} and {b.shape}")
    x, y = a.astype(np.float64), b.astype(np.float64)
    if name.endswith(".counts"):
        if not np.array_equal(x, y):
            sys.exit(f"{name}: {x} and {y}")
        continue
    error = float((np.abs(x - y) / np.maximum(np.abs(y), 1e-2 * np.abs(y).mean())).max())
    if error > 1e-3:
        sys.exit(f"{name}: {error:.1e}")
    worst = max(worst, error)
print(f"{len(ours) // 2} entries, largest difference {worst:.1e}")
