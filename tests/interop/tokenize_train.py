"""Trains a small tokenizer of every make; for tests/interop/tokens.py."""
import itertools

from tokenizers import AddedToken, Regex, Tokenizer
from tokenizers import models, normalizers as N, pre_tokenizers as P, processors as R, trainers as T

ENGLISH = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
SIGNS = r" ?[^\s\p{L}\p{N}]+[\r\n]*"
BLANKS = r"\s*[\r\n]+|\s+(?!\S)|\s+"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
HAN = r"&&[^\p{Han}]]"
PATTERNS = {
    "llama3": rf"{ENGLISH}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}|{SIGNS}|{BLANKS}",
    "qwen2": rf"{ENGLISH}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}|{SIGNS}|{BLANKS}",
    "qwen35": rf"{ENGLISH}|[^\r\n\p{{L}}\p{{N}}]?[\p{{L}}\p{{M}}]+|\p{{N}}|"
              rf" ?[^\s\p{{L}}\p{{M}}\p{{N}}]+[\r\n]*|{BLANKS}",
    "gpt4o": rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+{ENGLISH}?|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*{ENGLISH}?|"
             rf"\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{BLANKS}",
    "tekken": rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+|[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*|"
              rf"\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{BLANKS}",
    "cl100k": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|"
              r"\s*[\r\n]|\s+(?!\S)|\s+",
    "cl100k-possessive": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|"
                         r"\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    "kimi": rf"[\p{{Han}}]+|[^\r\n\p{{L}}\p{{N}}]?{UPPER[:-1]}{HAN}*{LOWER[:-1]}{HAN}+{ENGLISH}?|"
            rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER[:-1]}{HAN}+{LOWER[:-1]}{HAN}*{ENGLISH}?|\p{{N}}{{1,3}}|{SIGNS}|{BLANKS}",
    "exaone": rf"{ENGLISH}|[^\r\n\p{{L}}\p{{N}}]?(?:\p{{L}}\p{{M}}*(?: \p{{L}}\p{{M}}*)*)+|\p{{N}}|"
              r" ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+",
}
DEEPSEEK = ("[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|"
            " ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+")


def split(pattern, behaviour="isolated", invert=False):
    return P.Split(Regex(pattern), behaviour, invert)


def byte_level(cut=False, blank=False):
    return P.ByteLevel(add_prefix_space=blank, use_regex=cut)


def cuts():
    """Pre-tokenizers of byte-level BPE."""
    out = {name: P.Sequence([split(p), byte_level()]) for name, p in PATTERNS.items()}
    out["gpt2"] = byte_level(True)
    out["gpt2-blank"] = byte_level(True, True)
    out["smollm"] = P.Sequence([P.Digits(True), byte_level(True)])
    out["deepseek3"] = P.Sequence([split(r"\p{N}{1,3}"), split("[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"),
                                   split(DEEPSEEK), byte_level()])
    out["deepseek-coder"] = P.Sequence([split("[\r\n]"), split("\\s?\\p{L}+"), split("\\s?\\p{P}+"),
                                        split("[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"), P.Digits(True),
                                        byte_level()])
    out["falcon"] = P.Sequence([P.Punctuation("contiguous"), byte_level(True), P.Digits(False),
                                split("[0-9][0-9][0-9]")])
    out["superbpe"] = P.Sequence([split(r"\p{N}+"), split(r"(?=(\d{3})+(?!\d))"), byte_level()])
    for b in ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"):
        out["split-" + b] = P.Sequence([split(r"\s|[aeiou]+", b), byte_level()])
        out["inverted-" + b] = P.Sequence([split(r"\w+|[^\w\s]+", b, True), P.Punctuation(b), byte_level()])
    out["whitespace"] = P.Sequence([P.Whitespace(), byte_level()])
    out["whitespace-split"] = P.Sequence([P.WhitespaceSplit(), byte_level()])
    out["delimiter"] = P.Sequence([P.CharDelimiterSplit("e"), P.Split("an", "merged_with_next"), byte_level()])
    return out


def byte_level_bpe(name, cut, corpus):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = cut
    if name == "gpt4o":
        tokenizer.normalizer = N.NFC()
    tokenizer.train_from_iterator(corpus, T.BpeTrainer(
        vocab_size=1500, initial_alphabet=P.ByteLevel.alphabet(), show_progress=False,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<s>"]))
    if name == "llama3":
        tokenizer.add_tokens([AddedToken("  ", normalized=False), AddedToken("tion", single_word=True),
                              AddedToken("<mask>", lstrip=True), AddedToken("[MASK]", rstrip=True),
                              AddedToken("Hello", normalized=True)])
        tokenizer.post_processor = R.Sequence([R.ByteLevel(), R.TemplateProcessing(
            single="<s> $A <|endoftext|>", special_tokens=[("<s>", 2), ("<|endoftext|>", 0)])])
    return tokenizer


def sentencepiece_bpe(corpus):
    kinds = {
        "llama2": (N.Sequence([N.Prepend("\u2581"), N.Replace(" ", "\u2581")]), None, True),
        "gemma": (N.Replace(" ", "\u2581"), P.Split(" ", "merged_with_previous"), True),
        "metaspace": (None, P.Metaspace(prepend_scheme="first", split=False), True),
        "nfd-nmt": (N.Sequence([N.NFD(), N.Nmt()]), P.Metaspace(), False),
        "nfkd": (N.Sequence([N.NFKD(), N.Lowercase(), N.Replace(Regex(r"\s+|[\u00e9a]"), " ")]), P.Metaspace(), False),
    }
    for name, (norm, cut, fallback) in kinds.items():
        tokenizer = Tokenizer(models.BPE(byte_fallback=fallback, fuse_unk=True, unk_token="<unk>"))
        tokenizer.normalizer = norm
        tokenizer.pre_tokenizer = cut or P.Metaspace()
        tokenizer.train_from_iterator(corpus, T.BpeTrainer(
            vocab_size=2000, limit_alphabet=300, show_progress=False,
            special_tokens=["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)]))
        tokenizer.pre_tokenizer = cut
        if name == "nfd-nmt":
            tokenizer.model.fuse_unk = False
        tokenizer.add_tokens([AddedToken("[MASK]", normalized=True), AddedToken("\u00e9 \u00c9", normalized=True)])
        yield "bpe-" + name, tokenizer


def unigram(corpus, work):
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2
    (work / "corpus.txt").write_text("\n".join(c.replace("\n", " ") for c in corpus))
    cuts = {"nmt_nfkc": P.Metaspace(prepend_scheme="always"),
            "nmt_nfkc_cf": P.Sequence([P.WhitespaceSplit(), P.Metaspace()]),
            "nfkc": P.Metaspace(prepend_scheme="first", split=False), "identity": P.Metaspace(prepend_scheme="never")}
    for rules, cut in cuts.items():
        for fallback in (False, True):
            name = f"unigram-{rules}" + ("-bytes" if fallback else "")
            sentencepiece.SentencePieceTrainer.train(
                input=str(work / "corpus.txt"), model_prefix=str(work / name), vocab_size=1500, minloglevel=2,
                model_type="unigram", normalization_rule_name=rules, byte_fallback=fallback,
                max_sentence_length=100000, hard_vocab_limit=False, character_coverage=0.995)
            made = sentencepiece_model_pb2.ModelProto.FromString((work / f"{name}.model").read_bytes())
            tokenizer = Tokenizer(models.Unigram([(p.piece, p.score) for p in made.pieces], unk_id=0,
                                                 byte_fallback=fallback))
            steps = []
            if made.normalizer_spec.precompiled_charsmap:
                steps.append(N.Precompiled(made.normalizer_spec.precompiled_charsmap))
            if rules == "nmt_nfkc":
                steps.append(N.Replace(Regex(" {2,}"), " "))
            if rules == "nfkc":
                steps += [N.Strip(left=False, right=True), N.Replace(Regex(" {2,}"), "\u2581")]
            tokenizer.normalizer = N.Sequence(steps)
            tokenizer.pre_tokenizer = cut
            tokenizer.add_special_tokens(["<s>", "</s>", AddedToken("<mask>", lstrip=True)])
            tokenizer.post_processor = R.TemplateProcessing(
                single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
            yield name, tokenizer


def words(corpus):
    for lower in (True, False):
        for accents in (None, True, False):
            tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
            tokenizer.normalizer = N.BertNormalizer(lowercase=lower, strip_accents=accents)
            tokenizer.pre_tokenizer = P.BertPreTokenizer()
            tokenizer.train_from_iterator(corpus, T.WordPieceTrainer(
                vocab_size=1500, special_tokens=["[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False))
            tokenizer.post_processor = R.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
            yield f"wordpiece-{'lower' if lower else 'cased'}-{accents}", tokenizer
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.normalizer = N.Sequence([N.NFKC(), N.Lowercase(), N.StripAccents(), N.Strip()])
    tokenizer.pre_tokenizer = P.Whitespace()
    tokenizer.train_from_iterator(corpus, T.WordLevelTrainer(vocab_size=1500, special_tokens=["[UNK]"],
                                                             show_progress=False))
    yield "wordlevel", tokenizer
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    tokenizer.normalizer = N.Sequence([N.NFC(), N.Lowercase()])
    tokenizer.pre_tokenizer = P.Sequence([P.Whitespace(), byte_level()])
    tokenizer.train_from_iterator(corpus, T.BpeTrainer(
        vocab_size=1500, end_of_word_suffix="</w>", special_tokens=["<unk>"], show_progress=False))
    yield "bpe-suffix", tokenizer


def train(corpus, work, quick):
    """(name, tokenizer) of every make; in quick runs of every second one."""
    made = list(cuts().items())
    for name, cut in made[::2] if quick else made:
        yield name, byte_level_bpe(name, cut, corpus)
    rest = itertools.chain(sentencepiece_bpe(corpus), words(corpus), unigram(corpus, work))
    yield from itertools.islice(rest, 0, None, 2 if quick else 1)
