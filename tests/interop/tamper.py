"""tamper.py -- a copy of a GGUF file with one change.

    tamper.py KIND IN OUT      KIND: bit, scale, swap, metadata
"""
import sys

from gguf import GGUFReader

kind, source, target = sys.argv[1:]
reader = GGUFReader(source)
with open(source, "rb") as f:
    data = bytearray(f.read())
quantized = [t for t in reader.tensors if t.tensor_type.name == "Q4_K"]
if kind == "bit":  # in the last byte of the last block: a weight
    t = quantized[-1]
    data[t.data_offset + t.n_bytes - 1] ^= 1
elif kind == "scale":  # the first block's
    data[quantized[len(quantized) // 2].data_offset] ^= 1
elif kind == "swap":
    a, b = next((a, b) for i, a in enumerate(quantized) for b in quantized[i + 1:]
                if a.n_bytes == b.n_bytes and list(a.shape) == list(b.shape))
    x, y = (slice(t.data_offset, t.data_offset + t.n_bytes) for t in (a, b))
    data[x], data[y] = data[y], data[x]
elif kind == "metadata":  # the last digit of a string, in place
    field = reader.fields["general.architecture"]
    at = field.offset + sum(p.nbytes for p in field.parts) - 1
    data[at] ^= 1
else:
    sys.exit(f"no such change: {kind}")
with open(target, "wb") as f:
    f.write(data)
