#!/usr/bin/env python3
"""card.py -- writes the model card from its results: card.py MODEL_FOLDER HARDWARE"""

import json
import os
import sys

from documents import ASPECTS
from tokenizer import HERE
from world import PEOPLE, TOWNS, WORLD_SEED


def main(folder, hardware):
    with open(os.path.join(HERE, "train.json"), encoding="utf-8") as file:
        config = json.load(file)
    with open(os.path.join(folder, "all_results.json"), encoding="utf-8") as file:
        results = json.load(file)
    with open(os.path.join(folder, "model.safetensors.index.json"), encoding="utf-8") as file:
        size = json.load(file)["metadata"]["total_size"]
    with open(os.path.join(HERE, "card.template.md"), encoding="utf-8") as file:
        template = file.read()
    fields = {**config["data"], **config["model"], **config["training"], **results,
              "model_name": config["model_name"], "weight_bytes": size, "people": PEOPLE,
              "towns": TOWNS, "world_seed": WORLD_SEED, "questions": PEOPLE * len(ASPECTS),
              "minutes": results["train_runtime"] / 60, "hardware": hardware}
    with open(os.path.join(folder, "README.md"), "w", encoding="utf-8", newline="\n") as file:
        file.write(template.format(**fields))


if __name__ == "__main__":
    main(*sys.argv[1:])
