#!/usr/bin/env python3
"""evaluate.py -- measures the exported model: evaluate.py WORK_FOLDER MODEL_FOLDER

Loss on eval.txt, in windows as corpus.py makes them, of the BF16 weights (computed in float32),
of the same architecture before training, and of a bigram model of the training tokens; then how
many facts of the world and sums the model can tell. Writes MODEL_FOLDER/all_results.json.
"""

import hashlib
import json
import math
import os
import sys

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch.nn import functional

from corpus import training_tokens, windows
from documents import ASPECTS, PRONOUN, QUESTIONS, carry, fact
from model import Llama
from tokenizer import BOS, HERE, write_json
from world import Rng, World


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def load(config, folder):
    """The exported weights in a model that computes in float32."""
    model, weights = Llama(config), {}
    with open(os.path.join(folder, "model.safetensors.index.json"), encoding="utf-8") as file:
        files = set(json.load(file)["weight_map"].values())
    for name in sorted(files):
        weights.update(load_file(os.path.join(folder, name)))
    assert all(tensor.dtype == torch.bfloat16 for tensor in weights.values())
    model.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    return model


@torch.no_grad()
def model_loss(model, inputs, targets):
    """Mean loss in nats per token over all windows, summed in double."""
    total = 0.0
    for x, y in zip(inputs.split(4), targets.split(4)):
        logits = model(x).double()
        total += functional.cross_entropy(logits.view(-1, logits.shape[-1]), y.view(-1),
                                          reduction="sum").item()
    return total / targets.numel()


class Bigram:
    """p(b|a) = (count(ab) + k p(b)) / (count(a) + k), p(b) with one added to each count."""

    def __init__(self, inputs, targets, vocabulary):
        pairs = (inputs * vocabulary + targets).reshape(-1)
        self.counts = torch.bincount(pairs, minlength=vocabulary ** 2).view(vocabulary, -1).double()
        unigram = self.counts.sum(0) + 1
        self.unigram = unigram / unigram.sum()

    def loss(self, inputs, targets, k):
        a, b = inputs.reshape(-1), targets.reshape(-1)
        p = (self.counts[a, b] + k * self.unigram[b]) / (self.counts.sum(1)[a] + k)
        return -p.log().mean().item()


def bigram_loss(train, evaluation, vocabulary):
    """k is chosen on the last twentieth of the training windows, then all of them are counted."""
    inputs, targets = train
    cut = len(inputs) * 19 // 20
    fitted = Bigram(inputs[:cut], targets[:cut], vocabulary)
    grid = [2.0 ** e for e in range(-6, 11)]
    k = min(grid, key=lambda k: fitted.loss(inputs[cut:], targets[cut:], k))
    return Bigram(inputs, targets, vocabulary).loss(*evaluation, k), k


@torch.no_grad()
def share_told(model, tokenizer, prompts, batch=64):
    """The share of pairs (prompt, answer) where greedy decoding after the prompt gives the answer.

    Rows of a batch are filled up on the right, which no earlier token can see.
    """
    prompts, told = list(prompts), 0
    for at in range(0, len(prompts), batch):
        part = prompts[at:at + batch]
        rows = [torch.tensor(tokenizer.encode(prompt + answer).ids) for prompt, answer in part]
        best = model(torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)).argmax(-1)
        for row, guess, (prompt, _) in zip(rows, best, part):
            start = len(tokenizer.encode(prompt).ids)
            told += bool((guess[start - 1:len(row) - 1] == row[start:]).all())
    return round(told / len(prompts), 4)


def fact_prompts():
    """All questions of documents.questions, answers without the full stop."""
    for person in World().people:
        for aspect in ASPECTS:
            question, answer = QUESTIONS[aspect]
            yield (f"Q: {question.format(n=person.name)}\nA:",
                   " " + answer.format(v=fact(person, aspect, "en"),
                                       p=PRONOUN["en"][person.female])[:-1])


def sum_prompts(seed, count=500):
    rng = Rng(seed)
    for _ in range(count):
        a, b = rng.between(2, 99), rng.between(2, 99)
        yield f"{a} + {b} =", f" {a + b}"


def column_prompts(seed, count=100):
    """Each column of documents.carry: digits and carry are given, sum and new carry are asked."""
    rng = Rng(seed)
    for _ in range(count):
        text = carry(None, rng)
        at = text.find(" = ")
        while at >= 0:
            end = text.index("\n", at)
            yield text[:at + 2], text[at + 2:end]
            at = text.find(" = ", end)


def figures(loss):
    return {"loss": round(loss, 6), "perplexity": round(math.exp(loss), 4)}


def main(work, folder):
    with open(os.path.join(HERE, "train.json"), encoding="utf-8") as file:
        config = json.load(file)
    data, t, c = config["data"], config["training"], config["model"]
    tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    bos = tokenizer.token_to_id(BOS)
    with open(os.path.join(folder, "eval.txt"), "rb") as file:
        text = file.read()
    ids = tokenizer.encode(text.decode("utf-8"), add_special_tokens=False).ids
    evaluation = windows(torch.tensor(ids), t["context"], bos)
    tokens = training_tokens(tokenizer, data["train_seed"], data["train_characters"])
    state = torch.load(os.path.join(work, "checkpoint.pt"), weights_only=True)
    bigram, k = bigram_loss(windows(tokens, t["context"], bos), evaluation, c["vocab_size"])
    model = load(c, folder)
    torch.manual_seed(t["seed"])
    write_json(os.path.join(folder, "all_results.json"), {
        "trained_bf16": figures(model_loss(model, *evaluation)),
        "untrained": figures(model_loss(Llama(c), *evaluation)),
        "bigram": {**figures(bigram), "k": k},
        "facts_told": share_told(model, tokenizer, fact_prompts()),
        "columns_told": share_told(model, tokenizer, column_prompts(data["eval_seed"])),
        "sums_told": share_told(model, tokenizer, sum_prompts(data["eval_seed"])),
        "eval_tokens": len(ids),
        "eval_tokens_in_windows": evaluation[1].numel(),
        "eval_sha256": sha256(text),
        "parameters": sum(p.numel() for p in model.parameters()),
        "train_steps": state["step"],
        "train_tokens": state["step"] * t["batch"] * t["context"],
        "train_tokens_sha256": sha256(tokens.numpy().astype("<i4").tobytes()),
        "train_runtime": round(state["seconds"]),
        "torch_version": torch.__version__.split("+")[0],
    })


if __name__ == "__main__":
    main(*sys.argv[1:])
