#!/usr/bin/env python3
"""train.py -- trains the demo model from scratch: train.py WORK_FOLDER

WORK_FOLDER must hold tokenizer.json. Everything else comes from train.json. Leaves there
checkpoint.pt (after every checkpoint_seconds and at the end; training goes on from it if it is
there) and loss.csv. Can be stopped at any time: export.py takes the checkpoint.

Each of the processes computes the gradients of its share of a batch on one thread; their mean is
then applied by all of them alike. On a busy machine that is faster than threads that wait for
each other in every product of matrices.
"""

import hashlib
import json
import math
import os
import sys
import time

import torch
from tokenizers import Tokenizer
from torch import distributed, multiprocessing
from torch.nn import functional

from corpus import training_tokens, windows
from model import Llama
from tokenizer import BOS, HERE


def learning_rate(t, step):
    """Linear warm-up, level, and half a cosine over the last decay_steps."""
    if step < t["warmup_steps"]:
        return t["learning_rate"] * (step + 1) / t["warmup_steps"]
    done = max(0.0, 1 - (t["steps"] - step) / t["decay_steps"])
    span = t["learning_rate"] - t["final_learning_rate"]
    return t["final_learning_rate"] + span * 0.5 * (1 + math.cos(math.pi * done))


def make_optimizer(model, t):
    """Weight decay for matrices only."""
    matrices = [p for p in model.parameters() if p.dim() == 2]
    vectors = [p for p in model.parameters() if p.dim() != 2]
    groups = [{"params": matrices, "weight_decay": t["weight_decay"]},
              {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=0.0, betas=tuple(t["betas"]), eps=t["eps"], fused=True)


class Run:
    """The state of a training run and its files."""

    def __init__(self, config, folder):
        t = config["training"]
        self.config, self.folder = config, folder
        torch.manual_seed(t["seed"])
        self.model = Llama(config["model"])
        self.optimizer = make_optimizer(self.model, t)
        self.step, self.seconds, self.log = 0, 0.0, []
        self.path = os.path.join(folder, "checkpoint.pt")
        if os.path.exists(self.path):
            state = torch.load(self.path, weights_only=True)
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.seconds, self.log = state["step"], state["seconds"], state["log"]

    def save(self):
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(),
                 "step": self.step, "seconds": self.seconds, "log": self.log}
        torch.save(state, self.path + ".new")
        os.replace(self.path + ".new", self.path)
        with open(os.path.join(self.folder, "loss.csv"), "w", encoding="utf-8") as file:
            file.write("step,tokens,loss,learning_rate\n")
            for step, tokens, loss, rate in self.log:
                file.write(f"{step},{tokens},{loss:.4f},{rate:.6f}\n")

    def share(self, loss):
        """Puts the mean over the processes in place of each gradient; returns that of the loss."""
        gradients = [p.grad for p in self.model.parameters()]
        flat = torch.cat([g.view(-1) for g in gradients] + [loss.view(1)])
        distributed.all_reduce(flat)
        flat /= distributed.get_world_size()
        for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients] + [1])):
            gradient.copy_(part.view_as(gradient))
        return flat[-1]

    def advance(self, inputs, targets):
        """One step with this process's share; returns the loss in nats per token of all."""
        t = self.config["training"]
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(t, self.step)
        logits = self.model(inputs)
        loss = functional.cross_entropy(logits.view(-1, logits.shape[-1]), targets.view(-1))
        self.optimizer.zero_grad()
        loss.backward()
        loss = self.share(loss.detach())
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), t["clip_norm"])
        self.optimizer.step()
        self.step += 1
        return loss.item()


def train(rank, config, folder):
    t = config["training"]
    torch.set_num_threads(1)
    store = os.path.abspath(os.path.join(folder, "processes"))
    distributed.init_process_group("gloo", init_method="file://" + store, rank=rank,
                                   world_size=t["processes"])
    tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    tokens = training_tokens(tokenizer, config["data"]["train_seed"],
                             config["data"]["train_characters"])
    digest = hashlib.sha256(tokens.numpy().tobytes()).hexdigest()
    if rank == 0:
        print(f"{len(tokens)} training tokens, SHA-256 as int32 {digest}", flush=True)
    inputs, targets = windows(tokens, t["context"], tokenizer.token_to_id(BOS))
    order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(t["seed"]))
    if t["steps"] * t["batch"] > len(order):
        sys.exit(f"{t['steps'] * t['batch']} windows asked for, the text gives {len(order)}")
    run, recent = Run(config, folder), []   # recent: losses since the last line of the log
    saved = began = time.monotonic()
    while run.step < t["steps"]:
        rows = order[run.step * t["batch"]:(run.step + 1) * t["batch"]][rank::t["processes"]]
        recent.append(run.advance(inputs[rows], targets[rows]))
        now = time.monotonic()
        run.seconds, began = run.seconds + now - began, now
        if rank == 0 and run.step % t["log_every"] == 0:
            seen = run.step * t["batch"] * t["context"]
            mean = sum(recent) / len(recent)
            run.log.append((run.step, seen, mean, learning_rate(t, run.step - 1)))
            print(f"step {run.step} tokens {seen} loss {mean:.4f} seconds {run.seconds:.0f}",
                  flush=True)
            recent = []
        if rank == 0 and now - saved > t["checkpoint_seconds"]:
            run.save()
            saved = now
    if rank == 0:
        run.save()
    distributed.destroy_process_group()


def main(folder):
    with open(os.path.join(HERE, "train.json"), encoding="utf-8") as file:
        config = json.load(file)
    if os.path.exists(os.path.join(folder, "processes")):
        os.remove(os.path.join(folder, "processes"))    # left by a run that was stopped
    multiprocessing.spawn(train, (config, folder), nprocs=config["training"]["processes"])


if __name__ == "__main__":
    main(sys.argv[1])
