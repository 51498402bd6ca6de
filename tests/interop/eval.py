"""Compares the logits of lq's evaluation with those of transformers in 32-bit floats; run by
scripts/interop-eval."""
import argparse
import contextlib
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import checkpoints  # noqa: E402

LIMIT = 2e-3  # of the logits' standard deviation
TOKENS = 100

# Values that GGUF has no place for: programs take them from the architecture.
FIXED = {
    "gemma-2-2b": {"query_pre_attn_scalar": 32},
    "gemma-3-270m": {"query_pre_attn_scalar": 32},
    "gemma-3-1b-old": {"query_pre_attn_scalar": 32},
    "Qwen3-30B-A3B": {"norm_topk_prob": True},
}
SKIPPED = {
    "several-templates", "template-json", "token-objects", "added-tokens-spm", "model-name-given",
    "from-config-name", "padded-vocabulary", "templates-in-a-folder", "gpt2-separate-files",
    "qwen2-separate-files", "tiny-llama-both-tokenizers",
    # transformers needs hardware or packages for these
    "gpt-oss-20b", "fp8-blocks", "fp8-blocks-llama", "fp8-channels", "fp8-experts",
}


def reference(folder, tokens):
    import torch
    import transformers
    config = json.loads((folder / "config.json").read_text())
    encoder = any("Bert" in a or "berta" in a for a in config["architectures"])
    cls = transformers.AutoModel if encoder else transformers.AutoModelForCausalLM
    model = cls.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    with torch.no_grad():
        out = model(torch.tensor([tokens]))
    return (out.last_hidden_state if encoder else out.logits)[0].numpy()


def one_case(case, args):
    import numpy as np
    folder, gguf, out = args.work / "model", args.work / "model.gguf", args.work / "logits"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with contextlib.redirect_stderr(io.StringIO()):
        case.make(folder)
        if case.name in FIXED:
            checkpoints.edit_json(folder / "config.json", lambda c: c.update(FIXED[case.name]))
        config = json.loads((folder / "config.json").read_text())
        vocab = config.get("vocab_size", 400)
        tokens = tokens_for(vocab)
        # Padding is no text: encoders do not count its positions.
        tokens = [t + 1 if t == config.get("pad_token_id") else t for t in tokens]
        want = reference(folder, tokens)
    done = subprocess.run([args.lq, "convert", "-q", folder, "-o", gguf, "--type", "f32"],
                          capture_output=True, text=True)
    if done.returncode:
        return "lq convert: " + done.stderr.strip()
    done = subprocess.run([args.logits, gguf, out, *map(str, tokens)], capture_output=True, text=True)
    if done.returncode:
        return "eval_logits: " + done.stderr.strip()
    return None if compare(case.name, np.fromfile(out, dtype=np.float32), want) else ""


def tokens_for(vocab):
    return [(7919 * i * i + 104729 * i + 13) % vocab for i in range(TOKENS)]


def compare(name, got, want):
    import numpy as np
    error = float(np.abs(got.reshape(want.shape) - want).max() / want.std())
    print(f"{'ok  ' if error < LIMIT else 'FAIL'}  {name}: {error:.1e} of the standard deviation",
          flush=True)
    return error < LIMIT


def real_model(name, args, folder, gguf=None):
    """The demo model's folder, or a GGUF file, which transformers decodes to floats itself."""
    import numpy as np
    import torch
    import transformers
    out, file = args.work / "logits", folder / gguf if gguf else args.work / "real.gguf"
    args.work.mkdir(parents=True, exist_ok=True)
    if not gguf:
        subprocess.run([args.lq, "convert", "-q", folder, "-o", file, "--type", "f32"], check=True,
                       capture_output=True)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        folder, gguf_file=gguf, dtype=torch.float32, attn_implementation="eager").eval()
    tokens = tokens_for(model.config.get_text_config().vocab_size)
    with torch.no_grad():
        want = model(torch.tensor([tokens])).logits[0].numpy()
    subprocess.run([args.logits, file, out, *map(str, tokens)], check=True, capture_output=True)
    return compare(name, np.fromfile(out, dtype=np.float32), want)


REAL = {
    "demo-model": (Path("tests/data/demo-model"), None),
    "SmolLM2-135M": (Path("build/peers/models"), "smollm2-135m-q4_1.gguf"),
    "Gemma-3-270M": (Path("build/peers/models"), "gemma3-270m-q4_k_m.gguf"),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("cases", nargs="*")
    args = parser.parse_args()
    build = Path(args.build)
    args.lq, args.logits, args.work = build / "lq", build / "interop/eval_logits", build / "interop/eval"
    passed = failed = 0
    for case in checkpoints.cases():
        if case.name in SKIPPED or case.needs or (args.cases and case.name not in args.cases):
            continue
        try:
            problem = one_case(case, args)
        except Exception as e:  # a case that breaks is a case that fails
            problem = f"{type(e).__name__}: {e}"
        if problem:
            print(f"FAIL  {case.name}: {problem}"[:400], flush=True)
        passed, failed = passed + (problem is None), failed + (problem is not None)
    for name, (folder, gguf) in REAL.items():
        if args.cases and name not in args.cases:
            continue
        try:
            good = real_model(name, args, folder, gguf)
        except Exception as e:  # as above
            print(f"FAIL  {name}: {type(e).__name__}: {e}"[:400], flush=True)
            good = False
        passed, failed = passed + good, failed + (not good)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
