#!/usr/bin/env python3
"""Runs llama.cpp's convert_hf_to_gguf.py, with the pre-tokenizer's name given where it is unknown to it.

    peer_convert.py [--pre NAME] ARGUMENTS OF convert_hf_to_gguf.py

Its converter recognizes byte-level BPE pre-tokenizers by a hash over one text's tokens, so that newly
trained vocabularies are refused although they cut texts in a way that it knows. And it asks for keys of
config.json (rotary_pct, ...) that transformers 5 drops: they are handed on.
"""
import json
import os
import runpy
import sys
from pathlib import Path

LLAMA_CPP = Path(os.environ.get("LLAMA_CPP", Path(__file__).parents[2] / "build/peers/llama.cpp"))


def main():
    sys.argv.pop(0)
    pre = None
    if sys.argv[0] == "--pre":
        pre = sys.argv[1]
        del sys.argv[:2]
    sys.path.insert(0, str(LLAMA_CPP / "gguf-py"))
    sys.path.insert(0, str(LLAMA_CPP))
    import conversion.base as base
    load = base.ModelBase.load_hparams

    def load_hparams(folder, is_mistral_format):
        stored = json.loads((Path(folder) / "config.json").read_text())
        return {**stored, **load(folder, is_mistral_format)}
    base.ModelBase.load_hparams = staticmethod(load_hparams)
    if pre is not None:
        base.TextModel.get_vocab_base_pre = lambda self, tokenizer: pre
    script = str(LLAMA_CPP / "convert_hf_to_gguf.py")
    sys.argv.insert(0, script)
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    main()
