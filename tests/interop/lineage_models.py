"""lineage_models.py -- models of known descent from the demo model:

    lineage_models.py FOLDER [--quick | NAME...]

    tuned, tuned-2   all weights trained further, on other text, with other seeds
    brief            tuned after its first 40 steps
    head             the same, the first two layers and the embeddings frozen
    lora             low-rank additions of rank 8 to every matrix of the layers, trained, added
    linear, slerp    merges of tuned and tuned-2: 0.7 and 0.3; spherical, at 0.4
    task             the base and 0.5 of both differences
    mixed            the layers of tuned and of tuned-2 in turn
    dropped          without its third layer
    swapped          the second and third layer exchanged
    repeated         layers 0 1 2 1 2 3
    vocab            64 more tokens
    other            of the same shape, trained from another seed
    other-norms      that, with the demo model's norms

A folder each, as Hugging Face lays models out, BF16. --quick: those that need no training. A model that
is there is not made again. Trainings take 1000 steps, that of other 400, some minutes each.
"""
import json
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
DEMO = os.path.join(HERE, "..", "data", "demo-model")
# In place of this folder, whose tokenize.py would hide Python's own.
sys.path[0] = os.path.join(HERE, "..", "..", "scripts", "demo-model")

import torch  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402
from torch.nn import functional  # noqa: E402

from corpus import training_tokens, windows  # noqa: E402
from model import Llama  # noqa: E402
from tokenizer import BOS  # noqa: E402

QUICK = ("dropped", "swapped", "repeated", "vocab")


def demo_weights():
    return {name: tensor.float() for shard in (1, 2)
            for name, tensor in load_file(f"{DEMO}/model-0000{shard}-of-00002.safetensors").items()}


def demo_config():
    with open(os.path.join(DEMO, "config.json"), encoding="utf-8") as file:
        return json.load(file)


def write(folder, weights, **changes):
    """A model folder with BF16 weights."""
    new = folder + ".new"
    shutil.rmtree(new, ignore_errors=True)
    os.makedirs(new)
    save_file({name: t.detach().bfloat16().contiguous().clone() for name, t in weights.items()},
              os.path.join(new, "model.safetensors"), metadata={"format": "pt"})
    with open(os.path.join(new, "config.json"), "w", encoding="utf-8") as file:
        json.dump({**demo_config(), **changes}, file, indent=2)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        shutil.copyfile(os.path.join(DEMO, name), os.path.join(new, name))
    os.rename(new, folder)


def batches(seed, steps, batch=2, context=128):
    tokenizer = Tokenizer.from_file(os.path.join(DEMO, "tokenizer.json"))
    tokens = training_tokens(tokenizer, seed, 5 * steps * batch * context + 20000)
    inputs, targets = windows(tokens, context, tokenizer.token_to_id(BOS))
    for step in range(steps):
        rows = slice(step * batch % (len(inputs) - batch), step * batch % (len(inputs) - batch) + batch)
        yield inputs[rows], targets[rows]


def new_model(weights=None):
    with open(os.path.join(HERE, "..", "..", "scripts", "demo-model", "train.json"),
              encoding="utf-8") as file:
        model = Llama(json.load(file)["model"])
    if weights:
        model.load_state_dict(weights)
    return model


def train(model, parameters, seed, steps, rate, name):
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.01)
    for step, (inputs, targets) in enumerate(batches(seed, steps)):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, (step + 1) / 10)
        logits = model(inputs)
        loss = functional.cross_entropy(logits.view(-1, logits.shape[-1]), targets.view(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 0 or step == steps - 1:
            print(f"{name}: step {step} loss {loss.item():.3f}", flush=True)
    return model.state_dict()


def tuned(seed, steps=1000, frozen=()):
    torch.manual_seed(seed)
    model = new_model(demo_weights())
    for name, p in model.named_parameters():
        p.requires_grad = not name.startswith(frozen) if frozen else True
    trained = [p for p in model.parameters() if p.requires_grad]
    return train(model, trained, seed, steps, 3e-4, "tuned")


def is_layer_matrix(name, tensor):
    return ".layers." in name and tensor.dim() == 2


class LowRank(torch.nn.Module):
    """weight + (alpha / rank) B A, as PEFT parametrizes a linear layer."""

    def __init__(self, weight, rank=8, alpha=16):
        super().__init__()
        self.a = torch.nn.Parameter(torch.randn(rank, weight.shape[1]) / rank)
        self.b = torch.nn.Parameter(torch.zeros(weight.shape[0], rank))
        self.scale = alpha / rank

    def forward(self, weight):
        return weight + self.scale * self.b @ self.a


def lora(seed, steps=1000):
    torch.manual_seed(seed)
    model = new_model(demo_weights())
    for p in model.parameters():
        p.requires_grad = False
    added = []
    for name, module in list(model.named_modules()):
        if isinstance(module, torch.nn.Linear) and ".layers." in name + ".":
            low = LowRank(module.weight)
            torch.nn.utils.parametrize.register_parametrization(module, "weight", low)
            added += [low.a, low.b]
    train(model, added, seed, steps, 1e-3, "lora")
    for module in model.modules():
        if torch.nn.utils.parametrize.is_parametrized(module):
            torch.nn.utils.parametrize.remove_parametrizations(module, "weight")
    return model.state_dict()


def slerp(a, b, t):
    """Per tensor, as mergekit does: linear where the two are nearly parallel."""
    unit_a, unit_b = a / a.norm(), b / b.norm()
    cosine = (unit_a * unit_b).sum().clamp(-1, 1).double()
    if cosine.abs() > 0.9995:
        return (1 - t) * a + t * b
    angle = torch.arccos(cosine)
    return (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)


def with_layers(weights, order):
    """The model whose layer i is layer order[i]."""
    out = {n: t for n, t in weights.items() if ".layers." not in n}
    for new, old in enumerate(order):
        for name, tensor in weights.items():
            if f".layers.{old}." in name:
                out[name.replace(f".layers.{old}.", f".layers.{new}.")] = tensor
    return out


def more_tokens(weights, n):
    out = dict(weights)
    torch.manual_seed(9)
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        t = weights[name]
        out[name] = torch.cat([t, t.mean(0) + 0.01 * torch.randn(n, t.shape[1])])
    return out


def mixed(a, b):
    return {n: (b if ".layers." in n and int(n.split(".layers.")[1].split(".")[0]) % 2 else a)[n]
            for n in a}


def make(folder, names):
    base = demo_weights()

    def stored(name):
        return {n: t.float() for n, t in load_file(f"{folder}/{name}/model.safetensors").items()}

    def zipped(f):
        a, b = stored("tuned"), stored("tuned-2")
        return {n: f(a[n], b[n], base[n]) for n in a}

    recipes = {
        "tuned": lambda: (tuned(11), {}),
        "tuned-2": lambda: (tuned(12), {}),
        "brief": lambda: (tuned(11, steps=40), {}),
        "head": lambda: (tuned(13, frozen=("model.embed_tokens", "model.layers.0.",
                                           "model.layers.1.")), {}),
        "lora": lambda: (lora(14), {}),
        "linear": lambda: (zipped(lambda a, b, c: 0.7 * a + 0.3 * b), {}),
        "slerp": lambda: (zipped(lambda a, b, c: slerp(a, b, 0.4)), {}),
        "task": lambda: (zipped(lambda a, b, c: c + 0.5 * (a - c) + 0.5 * (b - c)), {}),
        "mixed": lambda: (mixed(stored("tuned"), stored("tuned-2")), {}),
        "dropped": lambda: (with_layers(base, [0, 1, 3]), {"num_hidden_layers": 3}),
        "swapped": lambda: (with_layers(base, [0, 2, 1, 3]), {}),
        "repeated": lambda: (with_layers(base, [0, 1, 2, 1, 2, 3]), {"num_hidden_layers": 6}),
        "vocab": lambda: (more_tokens(base, 64), {"vocab_size": 2112}),
        "other": lambda: (other(), {}),
        "other-norms": lambda: ({n: (base if "norm" in n else stored("other"))[n] for n in base}, {}),
    }
    for name, recipe in recipes.items():
        if os.path.exists(f"{folder}/{name}") or (names and name not in names):
            continue
        weights, changes = recipe()
        write(f"{folder}/{name}", weights, **changes)
        print(f"made {name}", flush=True)


def other():
    torch.manual_seed(4004)
    model = new_model()
    return train(model, list(model.parameters()), 15, 400, 2e-3, "other")


if __name__ == "__main__":
    torch.set_num_threads(1)
    os.makedirs(sys.argv[1], exist_ok=True)
    make(sys.argv[1], QUICK if sys.argv[2:] == ["--quick"] else sys.argv[2:])
