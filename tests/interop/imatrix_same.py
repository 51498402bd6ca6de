"""Compares two importance matrices in GGUF form: the same names, shapes and counts, sums to one part in a
thousand of the entry (or of its tensor's mean, where an entry is tiny). imatrix_same.py OURS THEIRS"""
import sys

import numpy as np
from gguf import GGUFReader

ours, theirs = ({t.name: t for t in GGUFReader(path).tensors} for path in sys.argv[1:3])
if list(ours) != list(theirs):
    sys.exit(f"other names: {sorted(set(ours) ^ set(theirs))[:5]}")
worst = 0.0
for name, a in ours.items():
    b = theirs[name]
    if list(a.shape) != list(b.shape):
        sys.exit(f"{name}: {a.shape} and {b.shape}")
    x, y = a.data.astype(np.float64), b.data.astype(np.float64)
    if name.endswith(".counts"):
        if not np.array_equal(x, y):
            sys.exit(f"{name}: {x} and {y}")
        continue
    error = float((np.abs(x - y) / np.maximum(np.abs(y), 1e-2 * np.abs(y).mean())).max())
    if error > 1e-3:
        sys.exit(f"{name}: {error:.1e}")
    worst = max(worst, error)
print(f"{len(ours) // 2} entries, largest difference {worst:.1e}")
