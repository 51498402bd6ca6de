#!/usr/bin/env python3
"""check.py -- the exported model against the transformers library: check.py MODEL_FOLDER

The library must load the folder as it is, give the loss that all_results.json states, and its
tokenizer must give the tokens of the tokenizers library and text back from them.
"""

import json
import os
import sys

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

from corpus import windows
from evaluate import model_loss
from tokenizer import BOS

SAMPLES = ("Ünïcödé ñandú, l'été: 12345 + 678 = 13023\n\n\tif (x) { return; }   \r\n  don't I'LL",
           "Καλημέρα 你好 🙂 \u00a0\u200b end  ", "")


def main(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    plain = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    with open(os.path.join(folder, "eval.txt"), encoding="utf-8", newline="") as file:
        text = file.read()
    for sample in SAMPLES + (text,):
        ids = tokenizer(sample)["input_ids"]
        assert ids == plain.encode(sample).ids
        assert ids[0] == tokenizer.bos_token_id == plain.token_to_id(BOS)
        assert tokenizer.decode(ids[1:]) == sample
    with open(os.path.join(folder, "all_results.json"), encoding="utf-8") as file:
        results = json.load(file)
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    evaluation = windows(torch.tensor(ids), model.config.max_position_embeddings,
                         tokenizer.bos_token_id)
    loss = model_loss(lambda x: model(x).logits, *evaluation)
    stated = results["trained_bf16"]["loss"]
    print(f"loss {loss:.6f}, stated {stated:.6f}")
    assert abs(loss - stated) < 1e-5
    prompt = tokenizer("Q: Where does Katla Fenrell live?\nA:", return_tensors="pt")
    print(tokenizer.decode(model.generate(**prompt, max_new_tokens=6, do_sample=False)[0]))


if __name__ == "__main__":
    main(sys.argv[1])
