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
        tokens = [(7919 * i * i + 104729 * i + 13) % vocab for i in range(TOKENS)]
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
    got = np.fromfile(out, dtype=np.float32).reshape(want.shape)
    error = float(np.abs(got - want).max() / want.std())
    print(f"{'ok  ' if error < LIMIT else 'FAIL'}  {case.name}: {error:.1e} of the standard deviation",
          flush=True)
    return None if error < LIMIT else ""


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
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
