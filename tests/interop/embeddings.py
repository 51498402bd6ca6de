"""Compares the embeddings of MiniLM's lines by lq with those of transformers, pooled and normalized as its
sentence-transformers modules say, and with llama.cpp's; and the cosines that lq eval reports with those of
the vectors themselves. Run by scripts/interop-embed."""
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
import transformers

FOLDER = Path("build/peers/models/minilm-l6-v2")
HARD = ["a", "?!", "The quick brown fox jumps over the lazy dog.", "Ünïcödé, naïve café", "日本語のテキスト",
        "x" * 90, "1234567890 3.14159", "emoji \U0001f600 and more", "tab\there", "don't  stop"]
LIMIT, LLAMA = 2e-5, 2e-3  # largest difference of an element; llama.cpp rounds to F16 on its way


def by_transformers(texts):
    tokenizer = transformers.AutoTokenizer.from_pretrained(FOLDER)
    model = transformers.AutoModel.from_pretrained(FOLDER, dtype=torch.float32,
                                                   attn_implementation="eager").eval()
    rows = []
    with torch.no_grad():
        for text in texts:
            tokens = tokenizer(text, return_tensors="pt")
            hidden = model(**tokens).last_hidden_state[0]
            rows.append(torch.nn.functional.normalize(hidden.mean(0), dim=0).numpy())
    return np.stack(rows)


def by_lq(program, model, work, texts):
    out = work / "vectors"
    subprocess.run([program, model, work / "text", out], check=True)
    return np.fromfile(out, dtype=np.float32).reshape(len(texts), -1)


def by_llama(program, model, work, texts):
    with open(work / "text", "rb") as text:
        done = subprocess.run([program, model], stdin=text, stdout=subprocess.PIPE, check=True)
    rows = np.frombuffer(done.stdout, dtype=np.float32).reshape(len(texts), -1).astype(np.float64)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def main():
    lq, ours, theirs, work = sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4])
    demo = Path("tests/data/demo-model/eval.txt").read_text().splitlines()
    texts = [line for line in demo if line.strip()][:40] + HARD
    (work / "text").write_text("\n".join(texts) + "\n")
    failed = 0

    def judge(name, good, figure):
        nonlocal failed
        failed += not good
        print(f"{'ok  ' if good else 'FAIL'}  {name}: {figure}", flush=True)

    for kind in ("f32", "q8_0", "q4_k_m"):
        subprocess.run([lq, "convert", "-q", FOLDER, "-o", work / f"{kind}.gguf", "--type", kind],
                       check=True, stdout=subprocess.DEVNULL)
    plain = by_lq(ours, work / "f32.gguf", work, texts)
    error = np.abs(plain - by_transformers(texts)).max()
    judge("transformers, largest difference of an element", error < LIMIT, f"{error:.1e}")
    error = np.abs(plain - by_llama(theirs, work / "f32.gguf", work, texts)).max()
    judge("llama.cpp, largest difference of an element", error < LLAMA, f"{error:.1e}")
    for kind in ("q8_0", "q4_k_m"):
        done = subprocess.run([lq, "eval", work / f"{kind}.gguf", "--base", FOLDER, "--text", work / "text",
                               "--json"], check=True, capture_output=True, text=True)
        said = json.loads(done.stdout)
        rows = by_lq(ours, work / f"{kind}.gguf", work, texts)
        a, b = rows.astype(np.float64), plain.astype(np.float64)
        cosine = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
        c = said["cosine"]
        error = max(abs(c["mean"] - cosine.mean()), abs(c["min"] - cosine.min()),
                    abs(c["p5"] - np.percentile(cosine, 5)))
        judge(f"{kind}: cosines as numpy computes them, mean {c['mean']:.6f}", error < 1e-12, f"{error:.1e}")
        judge(f"{kind}: the digest is that of the vectors",
              said["embedding_digest"] == hashlib.sha256(rows.tobytes()).hexdigest(),
              said["embedding_digest"][:16])
        far = np.abs(by_llama(theirs, work / f"{kind}.gguf", work, texts) - a).max()
        print(f"      llama.cpp with {kind}, which rounds activations, too: {far:.1e}", flush=True)
    print(f"{6 - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
