#!/usr/bin/env python3
"""export.py -- lays the trained model out as a Hugging Face folder: export.py WORK_FOLDER OUTPUT

Takes checkpoint.pt, loss.csv and the tokenizer's files from WORK_FOLDER. Weights are rounded to
BF16 (to nearest, ties to even) and written as two shards: layers of the first half with the
embedding, layers of the second half with the output.
"""

import json
import os
import shutil
import sys

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer

from corpus import evaluation_text
from tokenizer import BOS, EOS, HERE, write_json

LICENSE = "/usr/share/common-licenses/Apache-2.0"


def in_first_shard(name, layers):
    part = name.split(".")
    if part[1] == "layers":
        return int(part[2]) < layers // 2
    return part[1] == "embed_tokens"


def write_weights(weights, layers, folder):
    shards = [{}, {}]
    for name in sorted(weights):
        shards[0 if in_first_shard(name, layers) else 1][name] = weights[name].bfloat16()
    index = {"metadata": {"total_size": 0}, "weight_map": {}}
    for number, shard in enumerate(shards, 1):
        file = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        save_file(shard, os.path.join(folder, file), metadata={"format": "pt"})
        os.chmod(os.path.join(folder, file), 0o644)
        for name, tensor in shard.items():
            index["weight_map"][name] = file
            index["metadata"]["total_size"] += tensor.numel() * tensor.element_size()
    index["weight_map"] = dict(sorted(index["weight_map"].items()))
    write_json(os.path.join(folder, "model.safetensors.index.json"), index)


def write_config(model, bos, eos, folder):
    """config.json as most published Llama checkpoints have it, all keys at the top level."""
    write_json(os.path.join(folder, "config.json"), dict(sorted({
        **model, "architectures": ["LlamaForCausalLM"], "attention_bias": False,
        "attention_dropout": 0.0, "bos_token_id": bos, "eos_token_id": eos, "hidden_act": "silu",
        "mlp_bias": False, "model_type": "llama", "pretraining_tp": 1, "rope_scaling": None,
        "tie_word_embeddings": False, "torch_dtype": "bfloat16", "use_cache": True}.items())))
    write_json(os.path.join(folder, "generation_config.json"), {
        "_from_model_config": True, "bos_token_id": bos, "eos_token_id": eos})


def main(work, folder):
    with open(os.path.join(HERE, "train.json"), encoding="utf-8") as file:
        config = json.load(file)
    os.makedirs(folder, exist_ok=True)
    tokenizer = Tokenizer.from_file(os.path.join(work, "tokenizer.json"))
    state = torch.load(os.path.join(work, "checkpoint.pt"), weights_only=True)
    write_weights(state["model"], config["model"]["num_hidden_layers"], folder)
    write_config(config["model"], tokenizer.token_to_id(BOS), tokenizer.token_to_id(EOS), folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "loss.csv"):
        shutil.copyfile(os.path.join(work, name), os.path.join(folder, name))
    shutil.copyfile(LICENSE, os.path.join(folder, "LICENSE"))
    with open(os.path.join(folder, "eval.txt"), "w", encoding="utf-8", newline="\n") as file:
        file.write(evaluation_text(config["data"]))


if __name__ == "__main__":
    main(*sys.argv[1:])
