#!/usr/bin/env python3
"""formats.py -- compares our readers and writers with gguf-py, llama.cpp and the safetensors package.

    formats.py REWRITE PEERS DEMO WORK

REWRITE is tests/interop/rewrite.c. Prints "ok" and "FAIL" lines and closes with
"N passed, N failed".
"""
import glob
import hashlib
import json
import os
import random
import shutil
import struct
import subprocess
import sys

import gguf
import numpy as np
import safetensors
import safetensors.numpy
import safetensors.torch
import torch

REWRITE, PEERS, DEMO, WORK = sys.argv[1:5]
LLAMA = os.path.join(PEERS, "llama-build", "bin")
passed = failed = 0


def check(name, fault=None):
    """Passes where `fault` is empty."""
    global passed, failed
    if fault:
        failed += 1
        print(f"FAIL  {name}\n      {str(fault)[:600]}")
    else:
        passed += 1
        print(f"ok    {name}")


def path(*parts):
    return os.path.join(WORK, *parts)


def rewrite(*args):
    return subprocess.run([REWRITE, *args], capture_output=True, text=True, errors="replace")


def made(*args):
    """What went wrong, or None."""
    r = rewrite(*args)
    return r.stderr if r.returncode else None


def tool(name, *args):
    r = subprocess.run([os.path.join(LLAMA, name), *args], capture_output=True, text=True,
                       errors="replace")
    if r.returncode:
        raise RuntimeError(f"{name}: {r.stdout[-300:]}{r.stderr[-300:]}")


def read(p):
    with open(p, "rb") as f:
        return f.read()


def different(a, b):
    """Where two files differ, or None."""
    x, y = read(a), read(b)
    if x == y:
        return None
    n = next((i for i, (p, q) in enumerate(zip(x, y)) if p != q), min(len(x), len(y)))
    return f"{a} ({len(x)} bytes) and {b} ({len(y)} bytes) differ at byte {n}"


def sha(data):
    return hashlib.sha256(data).hexdigest()


# ---- the lines of `rewrite dump`, made from what other programs read ----

NAMES = ["u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "string", "array", "u64", "i64", "f64"]
V = gguf.GGUFValueType


def dumped(p):
    r = rewrite("dump", p)
    return r.stdout.splitlines()[1:] if r.returncode == 0 else [r.stderr]


def json_string(raw):
    s = raw.decode("utf-8", "replace")
    return json.dumps(s, ensure_ascii=False)


def gguf_lines(p):
    """The same lines from gguf-py's reader."""
    reader = gguf.GGUFReader(p)
    lines = []
    for key, field in reader.fields.items():
        if key.startswith("GGUF."):
            continue
        kind = field.types[0]
        if kind == V.ARRAY:
            element = field.types[1] if len(field.types) > 1 else None
            parts = [field.parts[i] for i in field.data]
            if element == V.STRING:
                raw = b"".join(struct.pack("<Q", len(x)) + x.tobytes() for x in parts)
            else:
                raw = b"".join(x.astype(x.dtype.newbyteorder("<")).tobytes() for x in parts)
            name = NAMES[element] if element is not None else "?"
            lines.append(f"meta {key} array [{name} x {len(parts)}] {sha(raw)}")
        elif kind == V.STRING:
            lines.append(f"meta {key} string {json_string(field.parts[-1].tobytes())}")
        else:
            value = field.parts[-1][0]
            if kind in (V.FLOAT32, V.FLOAT64):
                text = "%.17g" % float(value)
            else:
                text = str(int(value))
            lines.append(f"meta {key} {NAMES[kind]} {text}")
    for t in reader.tensors:
        shape = ",".join(str(n) for n in reversed(t.shape.tolist()))
        data = t.data
        if data.dtype.byteorder == ">":
            data = data.astype(data.dtype.newbyteorder("<"))
        lines.append(f"tensor {t.name} {t.tensor_type.name} [{shape}] {sha(data.tobytes())}")
    return lines


def first_difference(a, b):
    for x, y in zip(a, b):
        if x != y:
            return f"ours {x[:200]!r}, theirs {y[:200]!r}"
    return None if len(a) == len(b) else f"{len(a)} and {len(b)} lines"


# ---- GGUF ----

def write_gguf(p, arch="llama", big=False, alignment=None, types=True):
    rng = np.random.default_rng(7)
    w = gguf.GGUFWriter(p, arch, endianess=gguf.GGUFEndian.BIG if big else gguf.GGUFEndian.LITTLE)
    w.add_uint8("t.u8", 200)
    w.add_int8("t.i8", -3)
    w.add_uint16("t.u16", 60000)
    w.add_int16("t.i16", -30000)
    w.add_uint32("t.u32", 4000000000)
    w.add_int32("t.i32", -2000000000)
    w.add_float32("t.f32", 0.1)
    w.add_float64("t.f64", 0.1)
    w.add_uint64("t.u64", 2**64 - 1)
    w.add_int64("t.i64", -2**63)
    w.add_bool("t.bool", True)
    w.add_string("t.string", "text \u00e9\U0001f600\n\"\\ and more")
    w.add_array("t.strings", ["a", "\u00e9", "<0x00>", "x" * 5000])
    w.add_array("t.ints", [1, -2, 3])
    w.add_array("t.floats", [0.5, -1.25])
    w.add_array("t.bools", [True, False])
    if alignment:
        w.add_custom_alignment(alignment)
    w.add_tensor("f32", rng.standard_normal((3, 5), dtype=np.float32))
    w.add_tensor("f16", rng.standard_normal((2, 3, 4)).astype(np.float16))
    w.add_tensor("f64", rng.standard_normal(7))
    for kind in (np.int8, np.int16, np.int32, np.int64):
        w.add_tensor(np.dtype(kind).name, rng.integers(-100, 100, (2, 2, 2, 3)).astype(kind))
    if types:
        for kind, size in sorted(gguf.GGML_QUANT_SIZES.items()):
            block, n = size
            if block == 1 or kind.name in ("Q8_1",):
                continue
            raw = rng.integers(0, 256, (3, 2 * n), dtype=np.uint8)
            w.add_tensor("q." + kind.name, raw, raw_dtype=kind)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def test_gguf_py():
    for name, options in (("plain", {}), ("alignment", {"alignment": 256}),
                          ("big-endian", {"big": True, "types": False})):
        source, out = path(name + ".gguf"), path(name + ".out.gguf")
        write_gguf(source, **options)
        check(f"gguf-py {name}: we read what it reads",
              first_difference(dumped(source), gguf_lines(source)))
        check(f"gguf-py {name}: it reads what we write",
              made("gguf", source, out) or first_difference(dumped(source), gguf_lines(out)))
        if name != "big-endian":
            check(f"gguf-py {name}: written back, the same bytes", different(source, out))
    write_gguf(path("little.gguf"), types=False)
    check("gguf-py big-endian: written back, the bytes of the little-endian file",
          different(path("little.gguf"), path("big-endian.out.gguf")))


def test_real_gguf():
    models = sorted(glob.glob(os.path.join(PEERS, "llama.cpp", "models", "*.gguf")))
    models = models[::6] if os.environ.get("LQ_QUICK") else models
    models += sorted(glob.glob(os.path.join(PEERS, "models", "*.gguf")))
    for source in models:
        name, out = os.path.basename(source), path("out.gguf")
        check(f"{name}: we read what gguf-py reads",
              first_difference(dumped(source), gguf_lines(source)))
        fault = made("gguf", source, out)
        if not fault:
            ours, theirs = read(out), read(source)
            if theirs[4] == 2:
                theirs = theirs[:4] + b"\3" + theirs[5:]
            # gguf-py leaves the padding out where no tensor follows
            if len(theirs) < len(ours) < len(theirs) + 32:
                theirs = theirs.ljust(len(ours), b"\0")
            fault = None if ours == theirs else "other bytes"
        check(f"{name}: written back, the same bytes", fault)
        os.unlink(out)


def parts_of(prefix):
    return sorted(glob.glob(prefix + "-*.gguf"))


def test_splits():
    single = path("plain.gguf")
    cases = [("by tensors", ["--split-max-tensors", "7"]), ("by size", ["--split-max-size", "1M"]),
             ("empty first", ["--no-tensor-first-split", "--split-max-tensors", "9"])]
    smol = os.path.join(PEERS, "models", "smollm2-135m-q4_1.gguf")
    for name, options in cases:
        source = smol if "size" in name else single
        if "size" in name:
            options = ["--split-max-size", "40M"]
        theirs, ours, joined = path("theirs"), path("ours"), path("joined.gguf")
        tool("llama-gguf-split", "--split", *options, source, theirs)
        parts = parts_of(theirs)
        check(f"split {name}: {len(parts)} files are one model",
              first_difference([x for x in dumped(parts[0]) if " split." not in x], dumped(source)))
        fault = made("split", parts[0], ours)
        for a, b in zip(parts, parts_of(ours)):
            fault = fault or different(a, b)
        check(f"split {name}: written back, the same bytes",
              fault or (len(parts) != len(parts_of(ours)) and "another number of files"))
        check(f"split {name}: joined, the same bytes",
              made("gguf", parts[0], joined) or different(source, joined))
        os.unlink(joined)
        tool("llama-gguf-split", "--merge", parts_of(ours)[0], joined)
        check(f"split {name}: llama-gguf-split joins what we wrote",
              first_difference([x for x in dumped(joined) if " split." not in x], dumped(source)))
        for p in parts + parts_of(ours) + [joined]:
            os.unlink(p)


def test_llama_quantize():
    """Headers of llama-quantize: what it wrote is written back with the same bytes."""
    source = os.path.join(PEERS, "models", "smollm2-135m-q4_1.gguf")
    tool("llama-gguf-split", "--split", "--split-max-tensors", "100", source, path("in"))
    first = parts_of(path("in"))[0]
    for kind in ("COPY", "Q8_0"):
        tool("llama-quantize", "--keep-split", "--allow-requantize", first, path("kept"), kind)
        parts = parts_of(path("kept"))
        fault = made("split", parts[0], path("ours"))
        for a, b in zip(parts, parts_of(path("ours"))):
            fault = fault or different(a, b)
        check(f"llama-quantize --keep-split {kind}: written back, the same bytes", fault)
        tool("llama-quantize", "--allow-requantize", first, path("one.gguf"), kind)
        check(f"llama-quantize {kind}: written back, the same bytes",
              made("gguf", path("one.gguf"), path("out.gguf")) or
              different(path("one.gguf"), path("out.gguf")))
        for p in parts + parts_of(path("ours")) + [path("one.gguf"), path("out.gguf")]:
            os.unlink(p)
    for p in parts_of(path("in")):
        os.unlink(p)


# ---- safetensors ----

TORCH = {"BOOL": torch.bool, "U8": torch.uint8, "I8": torch.int8, "F8_E5M2": torch.float8_e5m2,
         "F8_E4M3": torch.float8_e4m3fn, "I16": torch.int16, "U16": torch.uint16, "F16": torch.float16,
         "BF16": torch.bfloat16, "I32": torch.int32, "U32": torch.uint32, "F32": torch.float32,
         "C64": torch.complex64, "F64": torch.float64, "I64": torch.int64, "U64": torch.uint64,
         "F8_E8M0": torch.float8_e8m0fnu, "F8_E4M3FNUZ": torch.float8_e4m3fnuz,
         "F8_E5M2FNUZ": torch.float8_e5m2fnuz}


def random_tensors(seed, count):
    rnd = random.Random(seed)
    out = {}
    for i in range(count):
        dtype = TORCH[rnd.choice(sorted(TORCH))]
        shape = [rnd.choice([0, 1, 2, 3, 7, 16]) for _ in range(rnd.randrange(5))]
        n = int(np.prod(shape, dtype=np.int64)) * torch.empty((), dtype=dtype).element_size()
        raw = torch.tensor(list(rnd.randbytes(n)), dtype=torch.uint8)
        if dtype == torch.bool:
            raw &= 1
        name = rnd.choice(["w", "layers.%d.q" % i, "\u00e9\U0001f600", "a\"b\\c/", "Z"]) + str(i)
        out[name] = raw.view(dtype).reshape(shape)
    return out


def test_safetensors():
    for seed in range(40):
        source, out = path("s.safetensors"), path("o.safetensors")
        tensors = random_tensors(seed, 1 + seed)
        metadata = [None, {"": ""}, {"format": "pt"}, {"\u00e9\n": "\b\x1f\x7f\"\\/"}][seed % 4]
        safetensors.torch.save_file(tensors, source, metadata)
        fault = made("safetensors", source, out)
        check(f"safetensors, random {seed}: written back, the same bytes",
              fault or different(source, out))
    lines = [x for x in dumped(source) if x.startswith("tensor")]
    with safetensors.safe_open(source, "pt") as f:
        want = {}
        for name in f.keys():
            t = f.get_tensor(name)
            raw = t.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if t.numel() else b""
            want[name] = sha(raw)
    got = {x.split(" ")[1]: x.rsplit(" ", 1)[1] for x in lines}
    check("safetensors: contents", got != want and f"{got} {want}")
    a = {"x": np.arange(10, dtype=np.float32), "y": np.arange(3, dtype=np.int64)}
    safetensors.numpy.save_file(a, source)
    check("safetensors.numpy: written back, the same bytes",
          made("safetensors", source, out) or different(source, out))
    minilm = os.path.join(PEERS, "models", "minilm-l6-v2", "model.safetensors")
    check("all-MiniLM-L6-v2: written back, the same bytes",
          made("safetensors", minilm, out) or different(minilm, out))


def gguf_to_safetensors():
    """Tensors of a GGUF file as safetensors, which the package reads with the same values."""
    w = gguf.GGUFWriter(path("f.gguf"), "llama")
    a = np.arange(12, dtype=np.float32).reshape(3, 4)
    w.add_tensor("a", a)
    w.write_header_to_file(), w.write_kv_data_to_file(), w.write_tensors_to_file(), w.close()
    source = path("a.safetensors")
    safetensors.numpy.save_file({"a": a, "b": a.astype(np.float16)}, source, {"k": "v"})
    check("safetensors to GGUF: gguf-py reads it",
          made("gguf", source, path("g.gguf")) or
          first_difference(gguf_lines(path("g.gguf")), dumped(source)))
    check("and back to safetensors, the same bytes",
          made("safetensors", path("g.gguf"), path("b.safetensors")) or
          different(source, path("b.safetensors")))


def test_shards():
    import huggingface_hub
    folder, out = path("sharded"), path("resharded")
    os.makedirs(folder)
    os.makedirs(out)
    tensors = random_tensors(99, 40)
    huggingface_hub.save_torch_state_dict(tensors, folder, max_shard_size=400,
                                          metadata={"format": "pt"})
    names = sorted(glob.glob(folder + "/*.safetensors"))
    fault = made("split", folder, os.path.join(out, "model"))
    for p in names:
        fault = fault or different(p, os.path.join(out, os.path.basename(p)))
    check(f"{len(names)} shards of huggingface_hub: written back, the same bytes", fault)
    with open(folder + "/model.safetensors.index.json") as f:
        index = json.load(f)
    with open(out + "/model.safetensors.index.json") as f:
        text = f.read()
    ours = json.loads(text)
    check("the index says where each tensor is",
          ours["weight_map"] != index["weight_map"] and "another map")
    check("the index says how large all are",
          ours["metadata"]["total_size"] != index["metadata"]["total_size"] and
          f"{ours['metadata']} {index['metadata']}")
    check("the index is written as transformers writes it",
          text != json.dumps(ours, indent=2, sort_keys=True) + "\n" and "other text")
    model = path("demo-model")
    shutil.copytree(DEMO, model)
    fault = made("split", model, path("demo-model", "again"))
    for p in sorted(glob.glob(model + "/model-*.safetensors")):
        fault = fault or different(p, p.replace("/model-", "/again-"))
    check("the demo model's shards: written back, the same bytes", fault)
    from transformers import AutoModelForCausalLM
    rehomed = path("rehomed")
    os.makedirs(rehomed)
    shutil.copy(os.path.join(DEMO, "config.json"), rehomed)
    made("split", DEMO, os.path.join(rehomed, "model"))
    ours = AutoModelForCausalLM.from_pretrained(rehomed).state_dict()
    theirs = AutoModelForCausalLM.from_pretrained(DEMO).state_dict()
    check("transformers loads the shards and index that we wrote",
          not all(torch.equal(v, theirs[k]) for k, v in ours.items()) and "other values")


# ---- who accepts what ----

# (name, header or file, bytes of data, refused by us although the reference takes it)
I32 = '"dtype":"I32","shape":[1],"data_offsets":[0,4]'
TABLE = [
    ("an empty object", "{}", 0, False),
    ("no header", "", 0, False),
    ("a space before the brace", " {}", 0, True),
    ("a newline before the brace", "\n{}", 0, True),
    ("a tab before the brace", "\t{}", 0, True),
    ("spaces behind", "{}   ", 0, False),
    ("a tab behind", "{}\t", 0, True),
    ("a carriage return behind", "{}\r", 0, True),
    ("a newline behind", "{}\n", 0, True),
    ("NUL behind", "{}\0", 0, False),
    ("a second value", "{}{}", 0, False),
    ("a trailing comma", '{"a":{' + I32 + "},}", 4, False),
    ("a comment", "{/**/}", 0, False),
    ("a byte order mark", "\ufeff{}", 0, False),
    ("a list", "[]", 0, False),
    ("null", "null", 0, False),
    ("a tensor twice", '{"a":{' + I32 + '},"a":{' + I32 + "}}", 4, True),
    ("a field twice", '{"a":{"dtype":"I32",' + I32 + "}}", 4, False),
    ("metadata twice", '{"__metadata__":{},"__metadata__":{}}', 0, False),
    ("a key of metadata twice", '{"__metadata__":{"a":"1","a":"2"}}', 0, True),
    ("an unknown field", '{"a":{"x":1,' + I32 + "}}", 4, True),
    ("no dtype", '{"a":{"shape":[1],"data_offsets":[0,4]}}', 4, False),
    ("no shape", '{"a":{"dtype":"I32","data_offsets":[0,4]}}', 4, False),
    ("no offsets", '{"a":{"dtype":"I32","shape":[1]}}', 4, False),
    ("metadata null", '{"__metadata__":null}', 0, False),
    ("metadata with a number", '{"__metadata__":{"a":1}}', 0, False),
    ("metadata with null", '{"__metadata__":{"a":null}}', 0, False),
    ("metadata as a list", '{"__metadata__":[]}', 0, False),
    ("metadata only", '{"__metadata__":{"a":"b"}}', 0, False),
    ("dtype in lower case", '{"a":{' + I32.replace("I32", "i32") + "}}", 4, False),
    ("dtype unknown", '{"a":{' + I32.replace("I32", "Q4") + "}}", 4, False),
    ("shape 1.0", '{"a":{' + I32.replace("[1]", "[1.0]") + "}}", 4, False),
    ("shape 1e0", '{"a":{' + I32.replace("[1]", "[1e0]") + "}}", 4, False),
    ("shape -1", '{"a":{' + I32.replace("[1]", "[-1]") + "}}", 4, False),
    ("shape -0", '{"a":{' + I32.replace("[1]", "[-0]") + "}}", 0, False),
    ("shape as text", '{"a":{' + I32.replace("[1]", '["1"]') + "}}", 4, False),
    ("shape 01", '{"a":{' + I32.replace("[1]", "[01]") + "}}", 4, False),
    ("shape 2^64", '{"a":{' + I32.replace("[1]", "[18446744073709551616]") + "}}", 4, False),
    ("one offset", '{"a":{' + I32.replace("[0,4]", "[0]") + "}}", 4, False),
    ("three offsets", '{"a":{' + I32.replace("[0,4]", "[0,4,4]") + "}}", 4, False),
    ("a tensor as a list", '{"a":["I32",[1],[0,4]]}', 4, True),
    ("dtype as an object", '{"a":{' + I32.replace('"I32"', '{"I32":null}') + "}}", 4, True),
    ("no name", '{"":{' + I32 + "}}", 4, True),
    ("NUL in a name", '{"a\\u0000":{' + I32 + "}}", 4, True),
    ("a name like a path", '{"../../x":{' + I32 + "}}", 4, False),
    ("a control character in a name", '{"a\n":{' + I32 + "}}", 4, False),
    ("half a surrogate pair", '{"\\ud800":{' + I32 + "}}", 4, False),
    ("deep nesting in an unknown field", '{"a":{"x":' + "[" * 200 + "]" * 200 + "," + I32 + "}}", 4, False),
    ("many dimensions", '{"a":{' + I32.replace("[1]", "[" + ",".join("1" * 1000) + "]") + "}}", 4, True),
    ("overflow before a zero", '{"a":{"dtype":"I32","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}}', 0, False),
    ("overflow behind a zero", '{"a":{"dtype":"I32","shape":[0,4294967296,4294967296],"data_offsets":[0,0]}}', 0, True),
    ("an odd offset", '{"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"I32","shape":[1],"data_offsets":[1,5]}}', 5, False),
    ("an empty tensor inside another", '{"a":{' + I32 + '},"b":{"dtype":"U8","shape":[0],"data_offsets":[2,2]}}', 4, False),
    ("empty tensors at a boundary", '{"a":{' + I32 + '},"b":{"dtype":"U8","shape":[0],"data_offsets":[4,4]},"c":{"dtype":"U8","shape":[0],"data_offsets":[4,4]}}', 4, False),
    ("a scalar", '{"a":{' + I32.replace("[1]", "[]") + "}}", 4, False),
    ("half a byte", '{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}', 2, False),
    ("two half bytes", '{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}}', 1, False),
    ("six-bit numbers", '{"a":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,3]}}', 3, False),
    ("data cut", '{"a":{' + I32 + "}}", 3, False),
    ("data too long", '{"a":{' + I32 + "}}", 5, False),
]


def reference_accepts(p):
    try:
        with safetensors.safe_open(p, "np") as f:
            f.keys()
        return True
    except Exception:
        return False


def test_refusals():
    stricter = []
    p = path("case.safetensors")
    for name, header, data, expected in TABLE:
        raw = header.encode()
        with open(p, "wb") as f:
            f.write(struct.pack("<Q", len(raw)) + raw + b"\0" * data)
        theirs, ours = reference_accepts(p), rewrite("dump", p).returncode == 0
        if theirs and not ours:
            stricter.append(name)
        check(f"{name}: {'accepted' if theirs else 'refused'} by the reference, "
              f"{'accepted' if ours else 'refused'} by us",
              (ours and not theirs and "we accept it") or
              ((theirs and not ours) != expected and "not as expected"))
    print("      stricter than the reference:", ", ".join(stricter))
    for p in sorted(glob.glob("tests/attacks/safetensors-*")):
        if not reference_accepts(p):
            check(f"{os.path.basename(p)}: refused by both",
                  rewrite("dump", p).returncode == 0 and "we accept it")


test_gguf_py()
test_splits()
test_llama_quantize()
test_real_gguf()
test_safetensors()
gguf_to_safetensors()
test_shards()
test_refusals()
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
