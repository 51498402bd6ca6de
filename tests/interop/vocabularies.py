"""Rebuilds the tokenizer files that GGUF vocabularies were made from: folders with tokenizer.json or
tokenizer.model, tokenizer_config.json and config.json, and no weights."""
import base64
import json
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
    "deepseek-llm": sequence(
        split("[\r\n]"),
        split("\\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-"
              "ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-"
              "ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+"),
        split("\\s?[!-/:-~！-／：-～‘-‟　-。]+"), split("\\s+$"), split("[一-龥ࠀ-一가-퟿]+"), DIGITS,
        byte_level(False)),
    "deepseek-coder": sequence(split("[\r\n]"), split("\\s?\\p{L}+"), split("\\s?\\p{P}+"),
                               split("[一-龥ࠀ-一가-퟿]+"), DIGITS, byte_level(False)),
}


def template(token, number):
    """A text begins with this token."""
    one = {"SpecialToken": {"id": token, "type_id": 0}}
    a = {"Sequence": {"id": "A", "type_id": 0}}
    return {"type": "TemplateProcessing", "single": [one, a],
            "pair": [one, a, {"SpecialToken": {"id": token, "type_id": 1}},
                     {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {token: {"id": token, "ids": [number], "tokens": [token]}}}


# ---- a vocabulary in a GGUF file ----

class Vocabulary:
    def __init__(self, path):
        import gguf
        reader = gguf.GGUFReader(path)

        def get(name, default=None):
            field = reader.fields.get("tokenizer.ggml." + name)
            return default if field is None else field.contents()
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
                "rstrip": False, "normalized": False,
                "special": self.types[i] in (CONTROL, UNKNOWN)}

    def by_type(self, *types):
        return [i for i, t in enumerate(self.types) if t in types]


def put_config(folder, architecture, vocab_size, **more):
    """Sizes do not matter where only the vocabulary is written."""
    write_json(folder / "config.json", {
        "architectures": [architecture], "hidden_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 4, "intermediate_size": 128,
        "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "layer_norm_eps": 1e-5,
        "type_vocab_size": 1, "vocab_size": vocab_size, **more})


def byte_bpe(folder, path, cuts, architecture="LlamaForCausalLM", model_type="llama", begins=False,
             normalizer=None, ignore_merges=False, extra=(), **more):
    """`extra`: texts of tokens that were added, which the GGUF file does not tell."""
    v = Vocabulary(path)
    added = set(v.by_type(CONTROL, USER_DEFINED)) | {v.tokens.index(t) for t in extra}
    bos = v.special["bos"]
    write_json(folder / "tokenizer.json", {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [dict(v.added(i), special=v.added(i)["special"] or v.tokens[i] in extra)
                         for i in sorted(added)],
        "normalizer": normalizer, "pre_tokenizer": CUTS[cuts],
        "post_processor": template(v.tokens[bos], bos) if begins else byte_level(True),
        "decoder": byte_level(True),
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                  "ignore_merges": ignore_merges,
                  "vocab": {v.tokens[i]: i for i in v.by_type(NORMAL) if i not in added},
                  "merges": v.merges}})
    names = {k: t for k, t in v.names().items() if v.tokens.index(t) in added}
    write_json(folder / "tokenizer_config.json",
               {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False,
                "model_max_length": 512, **names})
    put_config(folder, architecture, len(v.tokens), model_type=model_type, **more)
