"""Compares `lq convert` of quantized checkpoints with what the schemes' own libraries make of them.

For each scheme a small Llama's projections are quantized and stored as that scheme stores them, and
dequantized in float32: by the reference package where it runs without a GPU (compressed-tensors,
bitsandbytes), else by the published formula, with packing written here. `lq convert` of both folders
must give the same tensors. Where llama.cpp's converter knows the scheme, its file must be the same.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import checkpoints  # noqa: E402
import convert  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

CASES = []


def case(name, config, peer=False):
    def add(make):
        CASES.append((name, config, peer, make))
        return make
    return add


# ---- packing, as AutoGPTQ and AutoAWQ publish it ----

def pack(numbers, bits):
    """Rows of numbers, packed down the columns: bit i * bits of a column's string is number i's first."""
    n, cols = numbers.shape
    stream = ((numbers[:, None, :] >> np.arange(bits)[None, :, None]) & 1).reshape(n * bits, cols)
    stream = np.concatenate([stream, np.zeros((-len(stream) % 32, cols), stream.dtype)])
    words = stream.reshape(-1, 32, cols).astype(np.uint64) << np.arange(32, dtype=np.uint64)[:, None]
    return words.sum(1).astype(np.uint32).view(np.int32)


def affine(weight, bits, group, order=None, sym=False):
    """Numbers [in, out], zeros and scales [groups, out], group of each input."""
    out, inputs = weight.shape
    groups = inputs // group
    of = np.arange(inputs) // group
    if order is not None:
        of = of[order]
    rng = np.random.default_rng(inputs * bits)
    numbers = rng.integers(0, 1 << bits, (inputs, out))
    zeros = (np.full((groups, out), 1 << (bits - 1)) if sym
             else rng.integers(1, 1 << bits, (groups, out)))
    scales = rng.uniform(0.001, 0.02, (groups, out)).astype(np.float16)
    return numbers, zeros, scales, of


def dequantize(numbers, zeros, scales, of):
    return torch.from_numpy((scales.astype(np.float32)[of]
                             * (numbers - zeros[of]).astype(np.float32)).T.copy())


def gptq(bits, group, v2=False, act_order=False, sym=False):
    def make(name, weight):
        size = weight.shape[1] if group == -1 else group
        order = np.random.default_rng(5).permutation(weight.shape[1]) if act_order else None
        numbers, zeros, scales, of = affine(weight, bits, size, order, sym)
        stored = zeros if v2 else zeros - 1
        return {name + ".qweight": torch.from_numpy(pack(numbers, bits)),
                name + ".qzeros": torch.from_numpy(pack(stored.T, bits).T.copy()),
                name + ".scales": torch.from_numpy(scales),
                name + ".g_idx": torch.from_numpy(of.astype(np.int32))}, \
            dequantize(numbers, zeros, scales, of)
    return make


def gptq_config(bits, group, v2=False, act_order=False, sym=False):
    return {"quant_method": "gptq", "bits": bits, "group_size": group, "desc_act": act_order,
            "sym": sym, "checkpoint_format": "gptq_v2" if v2 else "gptq"}


for options in (dict(bits=4, group=32), dict(bits=4, group=64, act_order=True),
                dict(bits=4, group=-1, sym=True), dict(bits=4, group=32, v2=True),
                dict(bits=8, group=32), dict(bits=2, group=32), dict(bits=3, group=32)):
    label = "-".join(f"{k}{v}" for k, v in options.items())
    case(f"gptq-{label}", gptq_config(**options), peer=options["bits"] != 3)(gptq(**options))


@case("awq-gemm", {"quant_method": "awq", "bits": 4, "group_size": 32, "version": "gemm",
                   "zero_point": True})
def awq(name, weight):
    numbers, zeros, scales, of = affine(weight, 4, 32)

    def interleave(x):
        order = np.array([0, 2, 4, 6, 1, 3, 5, 7])
        return pack(x.reshape(len(x), -1, 8)[:, :, order].reshape(len(x), -1).T, 4).T.copy()
    return {name + ".qweight": torch.from_numpy(interleave(numbers)),
            name + ".qzeros": torch.from_numpy(interleave(zeros)),
            name + ".scales": torch.from_numpy(scales)}, dequantize(numbers, zeros, scales, of)


# ---- compressed-tensors ----

def compressed(form, bits, group=None, sym=True, kind="int", strategy=None):
    strategy = strategy or ("group" if group else "channel")
    weights = {"num_bits": bits, "type": kind, "symmetric": sym, "strategy": strategy,
               "group_size": group}

    def make(name, weight):
        from compressed_tensors.compressors.base import BaseCompressor
        from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
        from compressed_tensors.quantization.utils import calculate_qparams
        args = QuantizationArgs(**weights)
        scheme = QuantizationScheme(targets=["Linear"], weights=args)
        w = weight.float()
        parts = w.reshape(len(w), -1, group) if group else \
            w.reshape(1, 1, -1) if strategy == "tensor" else w.unsqueeze(1)
        scale, zero = calculate_qparams(parts.amin(-1), parts.amax(-1), args)
        if strategy == "tensor":
            scale, zero = scale.reshape(1), zero.reshape(1)
        compressor = BaseCompressor.get_value_from_registry(form)
        state = {"weight": w, "weight_scale": scale.float()}
        if not sym:
            state["weight_zero_point"] = zero
        stored = compressor.compress(state, scheme)
        dense = compressor.decompress(stored, scheme)["weight"]
        return {f"{name}.{k}": v.contiguous() for k, v in stored.items()}, dense.float()

    config = {"quant_method": "compressed-tensors", "format": form, "ignore": ["lm_head"],
              "config_groups": {"group_0": {"targets": ["Linear"], "weights": weights}}}
    return config, make


for label, peer, options in (
        ("w4-group32", True, dict(form="pack-quantized", bits=4, group=32)),
        ("w4-group32-asymmetric", True, dict(form="pack-quantized", bits=4, group=32, sym=False)),
        ("w4-channel", False, dict(form="pack-quantized", bits=4)),
        ("w8-group64", True, dict(form="pack-quantized", bits=8, group=64)),
        ("int8-channel", True, dict(form="int-quantized", bits=8)),
        ("int8-tensor", False, dict(form="int-quantized", bits=8, strategy="tensor")),
        ("naive-int8", True, dict(form="naive-quantized", bits=8)),
        ("fp8-channel", True, dict(form="float-quantized", bits=8, kind="float")),
        ("fp8-tensor", False, dict(form="float-quantized", bits=8, kind="float",
                                   strategy="tensor"))):
    CASES.append((f"compressed-{label}", compressed(**options)[0], peer, compressed(**options)[1]))


@case("compressed-nvfp4", {
    "quant_method": "compressed-tensors", "format": "nvfp4-pack-quantized", "ignore": ["lm_head"],
    "config_groups": {"group_0": {"targets": ["Linear"], "weights": {
        "num_bits": 4, "type": "float", "symmetric": True, "strategy": "tensor_group",
        "group_size": 16}}}})
def nvfp4(name, weight):
    """The library's own dequantization is in bfloat16: here its codes, and its formula in float32."""
    from compressed_tensors.compressors.nvfp4.base import quantize_and_pack_fp4
    w = weight.float()
    whole = (448.0 * 6.0 / w.abs().max()).reshape(1)
    scale = (w.reshape(len(w), -1, 16).abs().amax(-1) / 6 * whole).to(torch.float8_e4m3fn)
    packed = quantize_and_pack_fp4(w, scale.float(), global_scale=whole, zero_point=None,
                                   group_size=16)
    values = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6])
    codes = torch.stack([packed & 15, packed >> 4], -1).reshape(w.shape).long()
    dense = values[codes] * (scale.float() / whole).repeat_interleave(16, 1)
    error = (dense - w).abs().max() / w.abs().max()
    assert error < 0.2, f"the codes are not those of the weights: {error}"
    return {name + ".weight_packed": packed, name + ".weight_scale": scale,
            name + ".weight_global_scale": whole}, dense


# ---- bitsandbytes ----

def bnb4(kind, nested):
    def make(name, weight):
        import bitsandbytes.functional as bnb
        data, state = bnb.quantize_4bit(weight.float(), blocksize=64, compress_statistics=nested,
                                        quant_type=kind)
        dense = bnb.dequantize_4bit(data, state) + 0.0  # some of its kernels give -0 for a zero
        return {name + ".weight": data, **{f"{name}.weight.{k}": v.contiguous()
                                           for k, v in state.as_dict(packed=True).items()}}, dense
    return make


for kind in ("nf4", "fp4"):
    for nested in (False, True):
        case(f"bitsandbytes-{kind}{'-nested' * nested}",
             {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": kind,
              "bnb_4bit_use_double_quant": nested})(bnb4(kind, nested))


@case("bitsandbytes-int8", {"quant_method": "bitsandbytes", "load_in_8bit": True})
def bnb8(name, weight):
    import bitsandbytes.functional as bnb
    data, scb, _ = bnb.int8_vectorwise_quant(weight.half())
    dense = bnb.int8_vectorwise_dequant(data, scb.float())
    return {name + ".weight": data, name + ".SCB": scb.float(),
            name + ".weight_format": torch.tensor(0, dtype=torch.uint8)}, dense


# ---- 8-bit floats as transformers has them ----

@case("fp8-blocks", {"quant_method": "fp8", "weight_block_size": [32, 32]}, peer=True)
def fp8_blocks(name, weight):
    out, inputs = weight.shape
    scale = torch.rand(-(-out // 32), -(-inputs // 32)) * 0.01 + 0.001
    data = (weight.float() * 100).clamp(-448, 448).to(torch.float8_e4m3fn)
    whole = scale.repeat_interleave(32, 0).repeat_interleave(32, 1)[:out, :inputs]
    return {name + ".weight": data, name + ".weight_scale_inv": scale}, data.float() * whole


# ---- the comparison ----

def build(folder, base, config, make):
    """Fills folder/stored and folder/dense."""
    tensors = load_file(base / "model.safetensors")
    stored, dense = {}, {}
    for name, t in tensors.items():
        if "_proj" in name:
            parts, dense[name] = make(name.removesuffix(".weight"), t)
            stored.update(parts)
        else:
            stored[name] = dense[name] = t
    for kind, content in (("stored", stored), ("dense", dense)):
        shutil.copytree(base, folder / kind)
        save_file({k: v.contiguous() for k, v in content.items()},
                  folder / kind / "model.safetensors", metadata={"format": "pt"})
    checkpoints.edit_json(folder / "stored/config.json",
                          lambda c: c.update(quantization_config=config))


def compare(lq, peer, score, work, case_of):
    name, config, known, make = case_of
    folder = work / name
    build(folder, work / "base", config, make)
    problems = []
    for kind in ("stored", "dense"):
        run = subprocess.run([lq, "convert", folder / kind, "-o", folder / f"{kind}.gguf",
                              "--outtype", "f32", "--model-name", "x"],
                             capture_output=True, text=True)
        if run.returncode:
            problems.append(run.stderr.strip())
    if not problems:
        ours, wanted = (convert.contents(folder / f"{k}.gguf")[1] for k in ("stored", "dense"))
        problems = [f"{t} differs" for t in wanted if wanted[t] != ours.get(t)]
    score.check(f"{name}: the weights that its library gives", problems)
    if problems:
        return
    out = folder / "out.safetensors"
    subprocess.run([lq, "convert", folder / "stored", "-o", out, "--format", "safetensors",
                    "--outtype", "f32"], check=True, capture_output=True)
    made, dense = load_file(out), load_file(folder / "dense/model.safetensors")
    score.check(f"{name}: the same in safetensors",
                [n for n in dense if n not in made or not torch.equal(made[n], dense[n].float())])
    if known and not (os.environ.get("LQ_QUICK") and "gptq" in name):
        failed = peer.convert(folder / "stored", folder / "peer.gguf", "f32", "llama-bpe",
                              ["--model-name", "x"])
        same = not failed and convert.contents(folder / "peer.gguf")[1] == ours
        score.check(f"{name}: the tensors of llama.cpp's converter",
                    [failed] if failed else [] if same else ["tensors differ"])
    shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("cases", nargs="*")
    args = parser.parse_args()
    work = args.build.resolve() / "interop/hub-types"
    shutil.rmtree(work, ignore_errors=True)
    base = work / "base"
    base.mkdir(parents=True)
    checkpoints.llama3_tokenizer(base)
    checkpoints.save(base, checkpoints.llama(hidden_size=128, intermediate_size=192, head_dim=32))
    score = convert.Score()
    peer = convert.Peer(Path("build/peers/llama.cpp").resolve())
    for case_of in CASES:
        if args.cases and not any(c in case_of[0] for c in args.cases):
            continue
        try:
            compare(args.build / "lq", peer, score, work, case_of)
        except Exception:  # what a package does where it does not run
            score.check(f"{case_of[0]}: the comparison ends", [traceback.format_exc()])
    print(f"hub-types: {score.passed} passed, {score.failed} failed")
    return 1 if score.failed else 0


if __name__ == "__main__":
    sys.exit(main())
