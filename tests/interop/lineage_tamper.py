"""lineage_tamper.py -- changes blocks of quantized files and asks `lq lineage` which they are:

    lineage_tamper.py LQ LLAMA_BIN WORK [--quick]

WORK holds demo-f16.gguf and demo-matrix.gguf. One block, 0.01 % (at least one) and 1 % of the blocks of a
file are changed, each by one random bit or byte. Where the file can be derived again, exactly these must
be named. Where the matrix is withheld, none may be named that was not changed; how many are found is
printed.
"""
import json
import os
import random
import subprocess
import sys

from gguf import GGMLQuantizationType, GGUFReader
from gguf.constants import GGML_QUANT_SIZES

lq, llama, work = sys.argv[1:4]
quick = "--quick" in sys.argv


def quantize(mix, weighted):
    out = f"{work}/tamper-{mix}.gguf"
    matrix = ["--imatrix", f"{work}/demo-matrix.gguf"] if weighted else []
    subprocess.run([f"{llama}/llama-quantize", *matrix, f"{work}/demo-f16.gguf", out, mix], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   env={**os.environ, "LD_LIBRARY_PATH": llama})
    return out


def blocks_of(path):
    """(tensor, index, offset, bytes) of every quantized block."""
    out = []
    for t in GGUFReader(path).tensors:
        length, size = GGML_QUANT_SIZES[GGMLQuantizationType(t.tensor_type)]
        if length > 1:
            out += [(t.name, i, t.data_offset + i * size, size) for i in range(t.n_bytes // size)]
    return out


def tamper(path, out, chosen):
    with open(path, "rb") as file:
        data = bytearray(file.read())
    for _, _, offset, size in chosen:
        at = offset + random.randrange(size)
        data[at] ^= 1 << random.randrange(8) if random.random() < 0.5 else random.randrange(1, 256)
    with open(out, "wb") as file:
        file.write(data)


def named(path, *options):
    done = subprocess.run([lq, "lineage", "--json", *options, path, f"{work}/demo-f16.gguf"],
                          stdout=subprocess.PIPE, check=False)
    report = json.loads(done.stdout)
    return report["verdict"], {(t["name"], b["block"]) for t in report["tensors"]
                               for b in t["blocks_marked"]}


def main():
    random.seed(7)
    cases = [("Q4_K_M", False), ("IQ3_XXS", True)] if quick else [
        ("Q4_0", False), ("Q5_1", True), ("Q8_0", False), ("Q2_K", True), ("Q3_K_M", False), ("Q4_K_M", False),
        ("Q4_K_M", True), ("Q5_K_M", False), ("Q6_K", False), ("IQ4_XS", True), ("IQ4_NL", False),
        ("IQ3_XXS", True), ("IQ2_XS", True), ("IQ1_M", True), ("TQ2_0", False)]
    for mix, weighted in cases:
        path, out = quantize(mix, weighted), f"{work}/tampered.gguf"
        blocks = blocks_of(path)
        for share, count in (("1 block", 1), ("0.01 %", max(1, len(blocks) // 10000)),
                             ("1 %", len(blocks) // 100)):
            chosen = random.sample(blocks, count)
            truth = {(name, index) for name, index, _, _ in chosen}
            tamper(path, out, chosen)
            options = ["--imatrix", f"{work}/demo-matrix.gguf"] if weighted else []
            verdict, found = named(out, *options)
            case = f"{mix}{', importance' if weighted else ''}: {share} of {len(blocks)} blocks changed"
            good = verdict == "altered" and found == truth
            print("ok" if good else "FAIL", f"{case}: {len(found & truth)} of {len(truth)} named,",
                  f"{len(found - truth)} others")
            if weighted:
                verdict, found = named(out)
                print("FAIL" if found - truth else "ok", f"{case}, importance withheld:",
                      f"{len(found & truth)} of {len(truth)} named, {len(found - truth)} others")


main()
