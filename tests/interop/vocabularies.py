"""Rebuilds the tokenizer files that GGUF vocabularies were made from: folders with tokenizer.json or
tokenizer.model, tokenizer_config.json and config.json, and no weights."""
import ast
import base64
import re
import struct
from pathlib import Path

import checkpoints
from checkpoints import GPT4O, LLAMA3, QWEN2, write_json

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6

QWEN35 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}|"
          r" ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


# ---- how texts are cut, as tokenizer.json has it ----

def sequence(*steps):
    return {"type": "Sequence", "pretokenizers": list(steps)}


def split(pattern, behavior="Isolated"):
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": behavior, "invert": False}


def byte_level(regex, prefix=False):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": regex}


DIGITS = {"type": "Digits", "individual_digits": True}
PATTERN = {name: sequence(split(p), byte_level(False)) for name, p in {
    "llama-bpe": LLAMA3, "qwen2": QWEN2, "qwen35": QWEN35, "gpt-4o": GPT4O}.items()}
CUTS = {
    **PATTERN,
    "gpt-2": byte_level(True),
    "mpt": byte_level(True),
    "digits": sequence(DIGITS, byte_level(True)),
    "falcon": sequence({"type": "Punctuation", "behavior": "Contiguous"}, byte_level(True),
                       {"type": "Digits", "individual_digits": False}, split("[0-9][0-9][0-9]")),
    "deepseek-coder": sequence(split("[\r\n]"), split("\\s?\\p{L}+"), split("\\s?\\p{P}+"),
                               split("[一-龥ࠀ-一가-퟿]+"), DIGITS, byte_level(False)),
}


def patterns_of_llama_cpp(root, name):
    """Some are too long to write down: those of a C++ initializer, regex_exprs = {"...", ...}."""
    source = (Path(root) / "src/llama-vocab.cpp").read_text(encoding="utf-8")
    block = source[source.index(f"case LLAMA_VOCAB_PRE_TYPE_{name}:"):]
    block = block[block.index("regex_exprs = {"):block.index("};")]
    return [ast.literal_eval('"' + p + '"') for p in re.findall(r'"((?:[^"\\]|\\.)*)"', block)]


def deepseek_llm(root):
    *cuts, numbers = patterns_of_llama_cpp(root, "DEEPSEEK_LLM")
    assert numbers == r"\p{N}+"
    return sequence(*(split(p) for p in cuts), DIGITS, byte_level(False))


def template(token, number):
    """A text begins with this token."""
    one = {"SpecialToken": {"id": token, "type_id": 0}}
    a = {"Sequence": {"id": "A", "type_id": 0}}
    return {"type": "TemplateProcessing", "single": [one, a],
            "pair": [one, a, {"SpecialToken": {"id": token, "type_id": 1}},
                     {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {token: {"id": token, "ids": [number], "tokens": [token]}}}


# ---- a vocabulary in a GGUF file ----

FORMATS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
STRING, ARRAY = 8, 9


def metadata(path):
    """{key: (types, value)}; gguf.GGUFReader takes minutes for some hundred thousand tokens."""
    data = Path(path).read_bytes()
    at = 24

    def number(code):
        nonlocal at
        value, = struct.unpack_from(code, data, at)
        at += struct.calcsize(code)
        return value

    def string():
        nonlocal at
        n = number("<Q")
        at += n
        return data[at - n:at].decode("utf-8", "surrogateescape")

    def value(kind):
        nonlocal at
        if kind == STRING:
            return [kind], string()
        if kind != ARRAY:
            return [kind], number(FORMATS[kind])
        kind, n = number("<I"), number("<Q")
        if kind == STRING:
            return [ARRAY, kind], [string() for _ in range(n)]
        code = f"<{n}{FORMATS[kind][1]}"
        values = list(struct.unpack_from(code, data, at))
        at += struct.calcsize(code)
        return [ARRAY, kind], values
    assert data[:4] == b"GGUF"
    keys = {}
    for _ in range(struct.unpack_from("<Q", data, 16)[0]):
        key = string()
        keys[key] = value(number("<I"))
    return keys


class Vocabulary:
    def __init__(self, path):
        keys = metadata(path)

        def get(name, default=None):
            return keys.get("tokenizer.ggml." + name, (None, default))[1]
        self.tokens, self.types = get("tokens"), get("token_type")
        self.merges, self.scores = get("merges", []), get("scores")
        self.special = {kind: get(f"{key}_token_id") for kind, key in (
            ("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding"), ("sep", "seperator"),
            ("cls", "cls"), ("mask", "mask"))}
        self.add_bos = get("add_bos_token")
        self.charsmap = get("precompiled_charsmap")

    def names(self):
        """The special tokens, as tokenizer_config.json has them."""
        return {f"{kind}_token": self.tokens[i] for kind, i in self.special.items() if i is not None}

    def added(self, i):
        return {"id": i, "content": self.tokens[i], "single_word": False, "lstrip": False,
                "rstrip": False, "normalized": self.types[i] == USER_DEFINED,
                "special": self.types[i] in (CONTROL, UNKNOWN)}

    def by_type(self, *types):
        return [i for i, t in enumerate(self.types) if t in types]


def put_config(folder, architecture, vocab_size, **more):
    """Sizes do not matter where only the vocabulary is written."""
    write_json(folder / "config.json", {
        **({} if architecture == "GPT2LMHeadModel" else {"intermediate_size": 128}),
        "architectures": [architecture], "hidden_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 4,
        "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "layer_norm_eps": 1e-5,
        "type_vocab_size": 1, "vocab_size": vocab_size, **more})


def byte_bpe(folder, path, cuts, architecture="LlamaForCausalLM", model_type="llama", begins=False,
             normalizer=None, ignore_merges=False, extra=(), **more):
    """`extra`: texts of tokens that were added, which the GGUF file does not tell."""
    v = Vocabulary(path)
    added = set(v.by_type(CONTROL, USER_DEFINED)) | {v.tokens.index(t) for t in extra}
    bos = v.special["bos"]
    # Added tokens among the others are in the vocabulary too, as those behind it need not be.
    last = max(i for i in v.by_type(NORMAL) if i not in added)
    write_json(folder / "tokenizer.json", {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [dict(v.added(i), special=v.added(i)["special"] or v.tokens[i] in extra)
                         for i in sorted(added)],
        "normalizer": normalizer, "pre_tokenizer": CUTS[cuts] if isinstance(cuts, str) else cuts,
        "post_processor": template(v.tokens[bos], bos) if begins else byte_level(True),
        "decoder": byte_level(True),
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                  "ignore_merges": ignore_merges,
                  "vocab": {v.tokens[i]: i for i in range(last + 1) if v.types[i] != UNUSED},
                  "merges": v.merges}})
    names = {k: t for k, t in v.names().items() if v.tokens.index(t) in added}
    write_json(folder / "tokenizer_config.json",
               {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False,
                "model_max_length": 512, **names})
    put_config(folder, architecture, len(v.tokens), model_type=model_type, **more)


# ---- SentencePiece, as the protocol buffer that it writes ----

def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def pieces(v, ids, kinds=None):
    """Pieces with scores; kinds: by id, where it is not that of the vocabulary."""
    out = []
    for i in ids:
        kind = (kinds or {}).get(i, v.types[i])
        out.append(field(1, field(1, v.tokens[i].encode()) + b"\x15" + struct.pack("<f", v.scores[i])
                         + b"\x18" + varint(kind)))
    return b"".join(out)


def sentencepiece(folder, path, architecture, model_type, n_pieces=None, **more):
    """The first n_pieces tokens are pieces; what follows are added tokens."""
    v = Vocabulary(path)
    n = n_pieces or len(v.tokens)
    trainer = field(2, b"\x18\x02\x98\x02\x01")  # BPE, byte fallback
    (folder / "tokenizer.model").write_bytes(pieces(v, range(n)) + trainer + field(3, b"\x18\x01"))
    added = {i: (v.tokens[i], v.types[i] in (CONTROL, UNKNOWN))
             for i in [*v.special.values(), *range(n, len(v.tokens))]
             if i is not None and (i < n or v.types[i] != UNUSED)}
    write_json(folder / "tokenizer_config.json", {
        "tokenizer_class": "LlamaTokenizer", "add_bos_token": bool(v.add_bos), "legacy": True,
        **v.names(), "added_tokens_decoder": checkpoints.added(*((i, *a) for i, a in sorted(added.items())))})
    put_config(folder, architecture, len(v.tokens), model_type=model_type, **more)


# ---- WordPiece and Unigram ----

def wordpiece(folder, path):
    v = Vocabulary(path)
    special = v.by_type(CONTROL, UNKNOWN)
    names = {t: "[" + t.upper() + "]" for t in ("pad", "unk", "cls", "sep", "mask")}

    def text(i):
        token = v.tokens[i]
        if i in special or token.startswith("[") and token.endswith("]") and len(token) > 2:
            return token
        return token[1:] if token.startswith("\u2581") else "##" + token
    texts = [text(i) for i in range(len(v.tokens))]
    write_json(folder / "tokenizer.json", {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [dict(v.added(texts.index(t)), content=t, special=True)
                         for t in names.values()],
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                       "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                       {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
            "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                     {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}},
                     {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
            "special_tokens": {t: {"id": t, "ids": [texts.index(t)], "tokens": [t]} for t in ("[CLS]", "[SEP]")}},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": {t: i for i, t in enumerate(texts)}}})
    write_json(folder / "tokenizer_config.json",
               {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512,
                **{f"{k}_token": t for k, t in names.items()}})
    put_config(folder, "BertModel", len(texts), model_type="bert", type_vocab_size=2)


def unigram(folder, path):
    v = Vocabulary(path)
    n = v.special["mask"] + 1
    names = v.names()
    special = [i for i in range(n) if v.types[i] in (CONTROL, UNKNOWN)]
    charsmap = {"type": "Precompiled",
                "precompiled_charsmap": base64.b64encode(bytes(v.charsmap)).decode()}
    write_json(folder / "tokenizer.json", {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [dict(v.added(i), special=True) for i in special],
        "normalizer": charsmap,
        "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always",
                          "split": True},
        "post_processor": None, "decoder": {"type": "Metaspace", "replacement": "\u2581",
                                            "prepend_scheme": "always", "split": True},
        "model": {"type": "Unigram", "unk_id": v.special["unk"], "byte_fallback": False,
                  "vocab": [[v.tokens[i], v.scores[i]] for i in range(n)]}})
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "XLMRobertaTokenizer", **names})
    put_config(folder, "XLMRobertaModel", len(v.tokens), model_type="xlm-roberta")
