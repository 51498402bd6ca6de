#!/usr/bin/env python3
"""make.py -- writes the files of this folder, and `list`: FILE <tab> what the refusal says.

Each file is a small model with one thing wrong. They are committed, as inputs for the tests
(tests/unit/test_model_open.c), the fuzz targets, and anyone with another reader to try; this script
is run again when a case is added. Folders hold the cases that take several files. It also writes the
good files that fuzzing begins with, to ../fuzz/corpus.
"""
import json
import os
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
cases = []


def case(name, data, says):
    path = os.path.join(HERE, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)
    if says:
        cases.append((name, says))


# ---- GGUF ----

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
T_F32, T_F16, T_Q4_0, T_Q4_K, T_I8 = 0, 1, 2, 12, 24


def u16(v):
    return struct.pack("<H", v)


def u32(v):
    return struct.pack("<I", v & 0xFFFFFFFF)


def u64(v):
    return struct.pack("<Q", v & 0xFFFFFFFFFFFFFFFF)


def string(s):
    s = s if isinstance(s, bytes) else s.encode()
    return u64(len(s)) + s


def kv(key, kind, value):
    return string(key) + u32(kind) + value


def array(key, kind, count, values):
    return kv(key, ARRAY, u32(kind) + u64(count) + values)


def tensor(name, ne, kind=T_F32, offset=0):
    return string(name) + u32(len(ne)) + b"".join(map(u64, ne)) + u32(kind) + u64(offset)


def gguf(metas=(), tensors=(), data=b"", version=3, n_tensors=None, n_metas=None, align=32):
    n_tensors = len(tensors) if n_tensors is None else n_tensors
    n_metas = len(metas) if n_metas is None else n_metas
    b = b"GGUF" + u32(version) + u64(n_tensors) + u64(n_metas) + b"".join(metas) + b"".join(tensors)
    if tensors:
        b += b"\0" * (-len(b) % align)
    return b + data


ARCH = kv("general.architecture", STRING, string("llama"))
ONE = tensor("t", [8])
Z32 = b"\0" * 32


def bad_gguf(name, says, *args, **kwargs):
    case("gguf-" + name + ".gguf", gguf(*args, **kwargs), says)


bad_gguf("version-0", "GGUF version 0", version=0)
bad_gguf("version-4", "GGUF version 4", version=4)
bad_gguf("version-huge", "GGUF version 2147483647", version=0x7FFFFFFF)
bad_gguf("tensors-negative", "-1 tensors do not fit", n_tensors=-1)
bad_gguf("tensors-many", "tensors do not fit", [ARCH], [ONE], Z32, n_tensors=1 << 40)
bad_gguf("tensors-one-too-many", "a tensor has no name", [ARCH], [ONE], n_tensors=2)
bad_gguf("metadata-negative", "metadata entries do not fit", n_metas=-(1 << 63))
bad_gguf("metadata-many", "metadata entries do not fit", [ARCH], n_metas=1 << 32)
bad_gguf("key-empty", "metadata key 0 is empty", [kv("", U64, u64(0))])
bad_gguf("key-twice", "\"k\" appears twice", [kv("k", U8, b"\0"), kv("k", U8, b"\1")])
bad_gguf("key-nul", "has the byte 0x00",
         [kv("general.alignment\0x", U32, u32(64))])
bad_gguf("key-not-ascii", "has the byte 0xc3", [kv("clé", U8, b"\0")])
bad_gguf("key-escape", "has the byte 0x1b", [kv("a\x1b[2Jb", U8, b"\0")])
bad_gguf("key-longer-than-file", "a metadata key of 4611686018427387904 bytes",
         [u64(1 << 62) + b"k" * 40])
bad_gguf("string-longer-than-file", "a metadata string of 1000 bytes",
         [kv("k", STRING, u64(1000) + b"short")])
bad_gguf("string-length-wraps", "a metadata string of 18446744073709551615 bytes",
         [kv("k", STRING, u64(-1) + b"short")])
bad_gguf("type-unknown", "the unknown value type 13", [kv("k", 13, u64(0))])
bad_gguf("type-negative", "the unknown value type 4294967295", [kv("k", -1, u64(0))])
bad_gguf("array-of-arrays", "array of arrays",
         [array("k", ARRAY, 1, u32(U8) + u64(1) + b"\0")])
bad_gguf("array-of-unknown", "array of the unknown value type 99", [array("k", 99, 1, u64(0))])
bad_gguf("array-longer-than-file", "1000000 elements of type f32", [array("k", F32, 1000000, Z32)])
bad_gguf("array-size-wraps", "at most 1073741824", [array("k", U64, 1 << 61, Z32)])
bad_gguf("array-strings-longer", "elements of type string", [array("k", STRING, 1 << 30, Z32)])
bad_gguf("array-string-longer", "a string in an array of 99 bytes",
         [array("k", STRING, 1, u64(99) + Z32)])
bad_gguf("bool-2", "a bool is 0 or 1, not 2", [kv("k", BOOL, b"\2")])
bad_gguf("bool-in-array", "a bool is 0 or 1, not 255", [array("k", BOOL, 2, b"\1\xff")])
for value in (0, 3, 48, 1 << 31):
    bad_gguf(f"alignment-{value}", "a power of two up to 1048576",
             [kv("general.alignment", U32, u32(value))], [ONE], Z32)
bad_gguf("alignment-u64", "must be of type u32", [kv("general.alignment", U64, u64(32))], [ONE], Z32)
bad_gguf("name-empty", "a tensor has no name", [], [tensor("", [8])], Z32)
bad_gguf("name-twice", "two tensors have this name", [], [ONE, tensor("t", [8], offset=32)], Z32 * 2)
bad_gguf("name-nul", "control character 0x00", [], [tensor("t\0x", [8])], Z32)
bad_gguf("name-escape", "control character 0x1b", [], [tensor("\x1b]0;x\7", [8])], Z32)
bad_gguf("name-not-utf8", "not valid UTF-8", [], [tensor(b"t\xed\xa0\x80", [8])], Z32)
bad_gguf("name-longer-than-file", "a tensor name of", [], [u64(1 << 40) + b"t" * 40], Z32)
bad_gguf("rank-5", "5 dimensions", [], [tensor("t", [1] * 5)], Z32)
bad_gguf("rank-huge", "4294967295 dimensions", [], [string("t") + u32(-1) + Z32], Z32)
bad_gguf("dimension-negative", "a dimension is negative: -8", [], [tensor("t", [-8])], Z32)
# shapes that pass ggml's own check, because the product that it looks at has wrapped
bad_gguf("shape-wraps-negative", "behind the end", [], [tensor("t", [(1 << 63) - 1, 2], T_I8)], Z32)
bad_gguf("shape-wraps-zero", "64 bits", [], [tensor("t", [1 << 62, 4], T_I8)], Z32)
bad_gguf("shape-wraps-zero-f32", "64 bits", [], [tensor("t", [1 << 61, 8])], Z32)
bad_gguf("shape-wraps-2-63", "behind the end", [], [tensor("t", [1 << 62, 2], T_I8)], Z32)
bad_gguf("shape-hides-behind-zero", "64 bits", [], [tensor("t", [1 << 40, 1 << 40, 0])], Z32)
bad_gguf("size-wraps", "64 bits", [], [tensor("t", [1 << 62])], Z32)
bad_gguf("type-removed", "stored as Q4_2 (type 4)", [], [tensor("t", [32], 4)], Z32)
bad_gguf("type-too-large", "stored as type 9999", [], [tensor("t", [8], 9999)], Z32)
bad_gguf("type-not-ggufs", "stored as type 257", [], [tensor("t", [8], 257)], Z32)
bad_gguf("row-not-blocks", "no whole number of Q4_0 blocks", [], [tensor("t", [33], T_Q4_0)], Z32)
bad_gguf("row-not-superblocks", "no whole number of Q4_K blocks",
         [], [tensor("t", [128, 2], T_Q4_K)], Z32 * 5)
bad_gguf("offset-beyond", "behind the end", [], [tensor("t", [8], offset=1 << 40)], Z32)
bad_gguf("offset-wraps", "behind the end", [], [tensor("t", [8], offset=-32)], Z32)
bad_gguf("offset-misaligned", "not a multiple of the alignment", [], [tensor("t", [4], offset=16)], Z32)
bad_gguf("overlap", "overlaps that of tensor \"a\"",
         [], [tensor("a", [16]), tensor("b", [8], offset=32)], Z32 * 2)
bad_gguf("data-short", "is it truncated?", [], [tensor("t", [9])], Z32)
bad_gguf("data-missing", "behind the end", [], [ONE])
case("gguf-header-cut.gguf", gguf([ARCH, kv("k", STRING, string("value"))])[:-3], "only 2 bytes follow")
case("gguf-magic-only.gguf", b"GGUF", "truncated")


def split(no, count, total):
    return [kv("split.no", U16, u16(no)), kv("split.count", U16, u16(count)),
            kv("split.tensors.count", I32, u32(total))]


def set_of_two(folder, says, first, second, second_name="m-00002-of-00002.gguf"):
    case(f"{folder}/m-00001-of-00002.gguf", first, says)
    if second is not None:
        case(f"{folder}/{second_name}", second, None)


FIRST = gguf([ARCH] + split(0, 2, 2), [tensor("a", [8])], Z32)
B = [tensor("b", [8])]
set_of_two("split-missing", "m-00002-of-00002.gguf, is missing", FIRST, None)
set_of_two("split-number", "does not say that it is file 2 of 2", FIRST, gguf(split(0, 2, 2), B, Z32))
set_of_two("split-count", "does not say that it is file 2 of 2", FIRST, gguf(split(1, 3, 2), B, Z32))
set_of_two("split-none", "does not say that it is file 2 of 2", FIRST, gguf([], B, Z32))
set_of_two("split-total", "the 2 files hold 1", FIRST, gguf(split(1, 2, 2), [], b""))
set_of_two("split-twice", "two tensors have this name",
           FIRST, gguf(split(1, 2, 2), [tensor("a", [8])], Z32))
set_of_two("split-contradicts", "differs from that of the first",
           FIRST, gguf([kv("general.architecture", STRING, string("bert"))] + split(1, 2, 2), B, Z32))
set_of_two("split-pointer", "a git-lfs pointer", FIRST, b"version https://git-lfs.github.com/spec/v1\n")
case("gguf-split-later.gguf", gguf(split(1, 2, 2), B, Z32), "must be named NAME-00002-of-00002.gguf")
case("gguf-split-number-beyond.gguf", gguf(split(2, 2, 2), B, Z32), "does not say which")


# ---- safetensors ----

def safetensors(header, data=b"", length=None):
    header = header if isinstance(header, bytes) else header.encode()
    return u64(len(header) if length is None else length) + header + data


def entry(dtype="I32", shape="[1]", offsets="[0,4]", extra=""):
    return f'{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}{extra}}}'


def bad_st(name, says, header, data=b"\0" * 4, length=None):
    case("safetensors-" + name + ".safetensors", safetensors(header, data, length), says)


case("safetensors-short.safetensors", b"\2\0\0\0\0\0\0", "does not begin like one")
bad_st("header-100000001", "at most 100000000", "{}", length=100000001)
bad_st("header-longer-than-file", "only 2 bytes follow", "{}", b"", length=1000)
bad_st("header-length-wraps", "at most 100000000", "{}", b"", length=-8)
bad_st("header-space-first", "does not begin with '{'", " {}", b"")
bad_st("header-list", "does not begin with '{'", "[]", b"")
bad_st("padding-nul", "only spaces may follow", "{}\0\0", b"")
bad_st("padding-newline", "only spaces may follow", "{}\n", b"")
bad_st("padding-json", "only spaces may follow", "{}{}", b"")
bad_st("trailing-comma", "a key in quotes was expected", '{"a":' + entry() + ",}")
bad_st("comment", "a key in quotes was expected", "{/**/}", b"")
bad_st("not-utf8", "not valid UTF-8", b'{"\xff":' + entry().encode() + b"}")
bad_st("surrogate", "not a valid escape", '{"\\ud800":' + entry() + "}")
bad_st("control", "control character in a string", '{"a\nb":' + entry() + "}")
bad_st("deep", "an object was expected", '{"a":' + "[" * 200 + "]" * 200 + "}", b"")
bad_st("name-twice", "two tensors have this name",
       '{"a":' + entry() + ',"a":' + entry(offsets="[4,8]") + "}", b"\0" * 8)
bad_st("name-twice-same", "two tensors have this name", '{"a":' + entry() + ',"a":' + entry() + "}")
bad_st("metadata-twice", "appears twice", '{"__metadata__":{},"__metadata__":{}}', b"")
bad_st("metadata-key-twice", "appears twice", '{"__metadata__":{"a":"1","a":"2"}}', b"")
bad_st("metadata-number", "a string was expected", '{"__metadata__":{"a":1}}', b"")
bad_st("metadata-list", "an object was expected", '{"__metadata__":[]}', b"")
bad_st("name-empty", "a tensor has no name", '{"":' + entry() + "}")
bad_st("name-nul", "control character 0x00", '{"a\\u0000":' + entry() + "}")
bad_st("name-metadata-entry", "a value of __metadata__", '{"__metadata__":' + entry() + "}")
bad_st("entry-list", "an object was expected", '{"a":["I32",[1],[0,4]]}')
bad_st("dtype-object", "a string was expected", '{"a":{"dtype":{"I32":null},"shape":[1],"data_offsets":[0,4]}}')
bad_st("dtype-lower-case", "the dtype \"i32\"", '{"a":' + entry("i32") + "}")
bad_st("dtype-unknown", "the dtype \"F128\"", '{"a":' + entry("F128") + "}")
bad_st("field-missing", "\"shape\" is missing", '{"a":{"dtype":"I32","data_offsets":[0,4]}}')
bad_st("field-unknown", "unknown field \"x\"", '{"a":' + entry(extra=',"x":0') + "}")
bad_st("field-twice", "the field \"shape\" appears twice", '{"a":' + entry(extra=',"shape":[1]') + "}")
for label, number in (("negative", "-1"), ("minus-zero", "-0"), ("fraction", "1.0"), ("exponent", "1e0"),
                      ("2-63", str(1 << 63)), ("2-64", str(1 << 64))):
    bad_st("shape-" + label, "shape: a whole number", '{"a":' + entry(shape=f"[{number}]") + "}")
bad_st("offsets-one", "a number was expected", '{"a":' + entry(offsets="[0]") + "}")
bad_st("offsets-three", "(two numbers)", '{"a":' + entry(offsets="[0,4,4]") + "}")
bad_st("offsets-backwards", "end before they begin", '{"a":' + entry(offsets="[4,0]") + "}")
bad_st("first-not-0", "after a gap", '{"a":' + entry(offsets="[4,8]") + "}", b"\0" * 8)
bad_st("hole", "after a gap", '{"a":' + entry() + ',"b":' + entry(offsets="[8,12]") + "}", b"\0" * 12)
bad_st("overlap", "before the end", '{"a":' + entry() + ',"b":' + entry(offsets="[2,6]") + "}", b"\0" * 6)
bad_st("shared", "before the end", '{"a":' + entry() + ',"b":' + entry() + "}")
bad_st("shape-overflows", "64 bits", '{"a":' + entry(shape="[4294967296,4294967296]") + "}")
bad_st("shape-hides-behind-zero", "64 bits",
       '{"a":' + entry(shape="[0,4294967296,4294967296]", offsets="[0,0]") + "}", b"")
bad_st("rank-65", "more than 64 dimensions", '{"a":' + entry(shape="[" + ",".join("1" * 65) + "]") + "}")
bad_st("size", "need 8 bytes, but data_offsets cover 4", '{"a":' + entry(shape="[2]") + "}")
bad_st("half-bytes", "no whole number of bytes", '{"a":' + entry("F4", "[7]") + "}")
bad_st("data-short", "behind the end", '{"a":' + entry() + "}", b"\0" * 3)
bad_st("data-long", "1 bytes follow the last tensor", '{"a":' + entry() + "}", b"\0" * 5)


# ---- an index and its shards ----

INDEX = "model.safetensors.index.json"
S1, S2 = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"


def sharded(folder, says, weight_map, second=None, text=None):
    case(f"{folder}/{INDEX}", (text or json.dumps({"weight_map": weight_map})).encode(), None)
    case(f"{folder}/{S1}", safetensors('{"a":' + entry() + "}", b"\0" * 4), None)
    case(f"{folder}/{S2}", second or safetensors('{"b":' + entry() + "}", b"\0" * 4), None)
    cases.append((folder, says))


sharded("index-climbs", "would lie outside", {"a": "../" + S1})
sharded("index-absolute", "would lie outside", {"a": "/etc/x.safetensors"})
sharded("index-windows", "would lie outside", {"a": "..\\x.safetensors"})
sharded("index-drive", "would lie outside", {"a": "c:x.safetensors"})
sharded("index-other-extension", "not the name of a .safetensors file", {"a": "pytorch_model.bin"})
sharded("index-no-map", "without \"weight_map\"", None, text="{}")
sharded("index-map-list", "an object was expected", [])
sharded("index-map-number", "a string was expected", {"a": 1})
sharded("index-twice", "has this tensor twice", None,
        text=f'{{"weight_map":{{"a":"{S1}","a":"{S2}"}}}}')
sharded("index-not-in-shard", "tensor c: the tensor should be in", {"a": S1, "b": S2, "c": S2})
sharded("index-not-listed", "tensor b: the index does not list", {"a": S1, "x": S2})
sharded("index-other-shard", "tensor a: the index says that this tensor is in", {"a": S2, "b": S1})
sharded("index-shard-missing", "x.safetensors is missing", {"a": S1, "b": "x.safetensors"})
sharded("index-in-two-shards", "the index says that this tensor is in", {"a": S1, "b": S2},
        second=safetensors('{"a":' + entry() + ',"b":' + entry(offsets="[4,8]") + "}", b"\0" * 8))

# ---- good files, from which fuzzing begins ----

def seed(name, data):
    path = os.path.join(HERE, "..", "fuzz", "corpus", name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data)


def swapped(b, sizes):
    """The bytes of b with the numbers of these sizes reversed; negative: that many as they are."""
    out, at = b"", 0
    for n in sizes:
        out += b[at:at - n] if n < 0 else b[at:at + n][::-1]
        at += abs(n)
    return out + b[at:]


ALL = [kv("u8", U8, b"\1"), kv("i8", I8, b"\xff"), kv("u16", U16, u16(2)), kv("i16", I16, u16(3)),
       kv("i32", I32, u32(-4)), kv("f32", F32, struct.pack("<f", 0.5)), kv("bool", BOOL, b"\1"),
       kv("u64", U64, u64(5)), kv("i64", I64, u64(-6)), kv("f64", F64, struct.pack("<d", 0.25)),
       array("tokens", STRING, 3, string("a") + string("") + string(b"\0\xff")),
       array("scores", F32, 2, struct.pack("<2f", 1, 2)), array("flags", BOOL, 2, b"\0\1"),
       array("none", U32, 0, b"")]
seed("gguf/all-types", gguf([ARCH] + ALL, [ONE, tensor("q", [32, 2], T_Q4_0, 32)], Z32 + b"\1" * 36))
seed("gguf/empty", gguf())
seed("gguf/alignment", gguf([kv("general.alignment", U32, u32(64))], [ONE], Z32, align=64))
seed("gguf/unordered", gguf([], [tensor("a", [8], offset=32), ONE], Z32 * 2))
seed("gguf/version-1", b"GGUF" + u32(1) + u32(1) + u32(1) + u32(1) + b"k" + u32(U32) + u32(7)
     + u32(1) + b"t" + u32(1) + u32(8) + u32(T_F32) + u64(0) + b"\0" * 15 + Z32)
seed("gguf/big-endian", swapped(gguf([kv("k", U32, u32(7))], [ONE], Z32),
                                [-4, 4, 8, 8, 8, -1, 4, 4, 8, -1, 4, 8, 4, 8]))
seed("gguf/set-of-two", FIRST + gguf(split(1, 2, 2), B, Z32))
seed("safetensors/plain", safetensors('{"__metadata__":{"format":"pt"},"a":' + entry() + ',"b":'
                                      + entry("F4", "[3,2]", "[4,7]") + "}  ", b"\1" * 7))
seed("safetensors/empty", safetensors("{}"))
seed("safetensors/scalars", safetensors('{"b":' + entry("F64", "[]", "[4,12]") + ',"a":' + entry()
                                        + ',"e":' + entry("BF16", "[0,3]", "[4,4]") + "}", b"\1" * 12))
seed("safetensors/index", b'{"metadata":{"total_size":4},"weight_map":{"a":"m.safetensors"}}\0'
     + safetensors('{"a":' + entry() + "}", b"\0" * 4))
seed("json/all", b'{"a":[1,-2.5e+10,0,true,false,null,{"b":{}}],"\\u00e9\\ud83d\\ude00\\n":"\\"x\xc3\xa9"}')
seed("json/nested", b"[" * 100 + b"]" * 100)
seed("json/spaces", b' \t\r\n{ "k" : [ ] , "l" : "" } \n')

with open(os.path.join(HERE, "list"), "w", encoding="utf-8") as f:
    f.write("# FILE <tab> part of the message that refuses it; written by make.py\n")
    for name, says in cases:
        f.write(f"{name}\t{says}\n")
