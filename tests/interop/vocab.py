"""Compares the tokenizers that lq convert and llama.cpp's converter write, both with --vocab-only, for
vocabularies of different make; run by scripts/interop-vocab."""
import argparse
import contextlib
import io
import os
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import checkpoints  # noqa: E402
import vocabularies  # noqa: E402
from convert import Harness, compare_keys  # noqa: E402

NFC = {"type": "NFC"}

# Those of llama.cpp's models folder: (file, what of, how it was made).
BPE = {
    "gpt-2": {"cuts": "gpt-2", "architecture": "GPT2LMHeadModel", "model_type": "gpt2", "n_ctx": 512},
    "llama-bpe": {"cuts": "llama-bpe", "begins": True, "ignore_merges": True},
    "qwen2": {"cuts": "qwen2", "normalizer": NFC, "architecture": "Qwen2ForCausalLM", "model_type": "qwen2"},
    "qwen35": {"cuts": "qwen35", "normalizer": NFC, "architecture": "Qwen2ForCausalLM",
               "model_type": "qwen2"},
    "deepseek-coder": {"cuts": "deepseek-coder", "begins": True},
    "deepseek-llm": {"begins": True},
    "falcon": {"cuts": "falcon"},
    "mpt": {"cuts": "mpt", "normalizer": NFC},
    "starcoder": {"cuts": "digits", "architecture": "Starcoder2ForCausalLM", "model_type": "starcoder2"},
    "refact": {"cuts": "digits"},
    "command-r": {"cuts": "digits", "normalizer": NFC, "begins": True, "architecture": "CohereForCausalLM",
                  "model_type": "cohere", "logit_scale": 0.0625},
}
SPM = {
    "llama-spm": ("LlamaForCausalLM", "llama", None),
    "baichuan": ("LlamaForCausalLM", "llama", None),
    "phi-3": ("Phi3ForCausalLM", "phi3", 32000),
    "gemma-4": ("Gemma2ForCausalLM", "gemma2", None),
}
QUICK = ("gpt-2", "deepseek-coder", "starcoder", "llama-spm", "bert-bge", "smollm2", "trained")

# Trained on the spot; the peer does not recognize these, and is told the name of the pre-tokenizer.
TRAINED = ("Qwen2.5-0.5B", "GLM-4-9B-0414", "gpt-oss-20b-bf16", "TinyLlama-1.1B-Chat-v1.0", "Mistral-7B-v0.1",
           "gemma-2-2b", "gpt2-separate-files", "bge-m3", "bge-m3-json", "roberta-base")


class Comparison(Harness):
    def __init__(self, args):
        super().__init__(args)
        self.work = self.build / "interop/vocab"
        self.work.mkdir(parents=True, exist_ok=True)
        self.llama_cpp = self.build.resolve() / "peers/llama.cpp"
        self.cases = args.cases

    def wanted(self, name):
        if self.cases:
            return name in self.cases
        return not os.environ.get("LQ_QUICK") or name in QUICK

    def compare(self, name, folder, pre=None, origin=None):
        theirs, ours = self.work / "peer.gguf", self.work / "lq.gguf"
        for f in (theirs, ours):
            f.unlink(missing_ok=True)
        problem = self.peer.convert(folder, theirs, "f16", pre, ["--vocab-only"])
        if problem:
            problem = "peer: " + problem
        problem = problem or self.run_lq("convert", "-q", folder, "-o", ours, "--vocab-only", "--type", "f16")
        if not self.score.check(name, [problem] if problem else []):
            return
        a, b = vocabularies.metadata(theirs), vocabularies.metadata(ours)
        tokens = {k: v for k, v in a.items() if k.startswith("tokenizer.")}
        self.score.check(f"{name}: vocabulary, types, merges, ids", compare_keys(
            tokens, {k: v for k, v in b.items() if k.startswith("tokenizer.")}, {}))
        self.score.check(f"{name}: all other keys", compare_keys(a, b, {}))
        if origin:
            first = vocabularies.Vocabulary(origin)
            self.score.check(f"{name}: the tokens it was made of",
                             [f"{i}: {x!r} / {y!r}" for i, (x, y) in
                              enumerate(zip(first.tokens, b["tokenizer.ggml.tokens"][1])) if x != y])
        print(f"ok    {name}: {len(b['tokenizer.ggml.tokens'][1])} tokens, pre-tokenizer "
              f"{b['tokenizer.ggml.pre'][1]}" if not self.score.failed else f"done  {name}", flush=True)

    def folder(self):
        folder = self.work / "model"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def rebuilt(self, name, make, origin, *args, check=True, **options):
        if not self.wanted(name):
            return
        folder = self.folder()
        make(folder, origin, *args, **options)
        self.compare(name, folder, None, origin if check else None)

    def llama_cpp_models(self):
        def path(name):
            return self.llama_cpp / f"models/ggml-vocab-{name}.gguf"
        for name, options in BPE.items():
            options = dict(options)
            if name == "deepseek-llm" and self.wanted(name):
                options["cuts"] = vocabularies.deepseek_llm(self.llama_cpp)
            # Gaps are named [PAD...] today, and the rest of a word follows from "##" alone; older files differ.
            self.rebuilt(name, vocabularies.byte_bpe, path(name), check=name not in ("mpt",), **options)
        for name, options in SPM.items():
            self.rebuilt(name, vocabularies.sentencepiece, path(name), *options, check=name != "gemma-4")
        self.rebuilt("bert-bge", vocabularies.wordpiece, path("bert-bge"), check=False)
        self.rebuilt("nomic-bert-moe", vocabularies.unigram, path("nomic-bert-moe"), check=False)

    def real_models(self):
        models = self.build / "peers/models"
        self.rebuilt("smollm2", vocabularies.byte_bpe, models / "smollm2-135m-q4_1.gguf", cuts="digits")
        if self.wanted("minilm"):
            folder = self.folder()
            checkpoints.minilm(folder)
            self.compare("minilm", folder)

    def trained(self):
        for case in checkpoints.cases():
            if case.name in TRAINED and self.wanted("trained"):
                folder = self.folder()
                with contextlib.redirect_stderr(io.StringIO()):
                    case.make(folder)
                self.compare(f"trained, as {case.name}", folder, case.pre)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("cases", nargs="*")
    args = parser.parse_args()
    args.keep = args.full = False
    h = Comparison(args)
    h.llama_cpp_models()
    h.real_models()
    h.trained()
    print(f"{h.score.passed} passed, {h.score.failed} failed")
    return 1 if h.score.failed else 0


if __name__ == "__main__":
    sys.exit(main())
