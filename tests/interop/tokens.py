"""Compares lq's tokens with those of Hugging Face's tokenizers and of llama.cpp; run by
scripts/interop-tokenize."""
import argparse
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unicodedata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import tokenize_texts  # noqa: E402
import tokenize_train  # noqa: E402

QUICK = bool(os.environ.get("LQ_QUICK"))
ROOT = Path(__file__).parents[2]
passed = failed = 0


def report(case, ok, detail=""):
    global passed, failed
    passed, failed = passed + ok, failed + (not ok)
    print(f"{'ok   ' if ok else 'FAIL '} {case}" + (f": {detail}" if detail else ""), flush=True)


def records(texts):
    return b"".join(b"%d\n%s" % (len(t), t) for t in texts)


def run(program, model, add, parse, texts, *more):
    p = subprocess.run([str(program), str(model), str(int(add)), str(int(parse)), *more],
                       input=records(texts), capture_output=True, check=False, timeout=900)
    if p.returncode:
        raise RuntimeError(f"{program.name} on {model}: {p.stderr.decode().strip() or p.returncode}")
    return p.stdout.decode().split("\n")[:-1]


def first_difference(texts, ours, theirs):
    """How many differ, and the first one in words."""
    wrong = [i for i in range(len(texts)) if ours[i].split() != theirs[i].split()]
    if not wrong:
        return 0, f"{len(texts)} texts"
    i = wrong[0]
    a, b = ours[i].split(), theirs[i].split()
    k = next((j for j in range(min(len(a), len(b))) if a[j] != b[j]), min(len(a), len(b)))
    return len(wrong), (f"{len(wrong)} of {len(texts)} differ, first {ascii(texts[i])[:160]} "
                        f"at token {k}: {a[k:k + 4]}, theirs {b[k:k + 4]}")


def compare(case, texts, ours, theirs):
    n, detail = first_difference(texts, ours, theirs)
    report(case, n == 0, detail)


def encoded(tokenizer, texts, add=True):
    return [" ".join(map(str, e.ids)) for e in tokenizer.encode_batch(texts, add_special_tokens=add)]


# ---- Hugging Face's tokenizers ----

# What tokenizer.ggml.pre calls the cuts of some of the trained ones.
NAMES = {"qwen2": "qwen2", "qwen35": "qwen35", "gpt4o": "gpt-4o", "cl100k": "dbrx", "kimi": "kimi-k2",
         "gpt2": "gpt-2", "smollm": "smollm", "deepseek3": "deepseek-v3",
         "deepseek-coder": "deepseek-coder", "falcon": "falcon", "superbpe": "superbpe",
         "exaone": "exaone-moe"}


def write_gguf(path, tokenizer, pre):
    import gguf
    state = json.loads(tokenizer.to_str())
    vocab = state["model"]["vocab"]
    special = {t["id"]: t["special"] for t in state["added_tokens"]}
    tokens = sorted(vocab, key=vocab.get)
    w = gguf.GGUFWriter(str(path), "llama")
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre(pre)
    w.add_token_list(tokens)
    w.add_token_types([3 if special.get(i) else 1 for i in range(len(tokens))])
    w.add_token_merges([" ".join(m) for m in state["model"]["merges"]])
    w.add_bos_token_id(0)
    w.add_add_bos_token(False)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.close()


def corpus_of():
    text = (ROOT / "tests/data/demo-model/eval.txt").read_text()
    return [t.replace("\0", "") for t in [text] * 3 + tokenize_texts.BY_HAND + tokenize_texts.at_random(800, 3)]


def library(args):
    from tokenizers import Tokenizer
    n = 200 if QUICK else 1500
    demo = ROOT / "tests/data/demo-model/tokenizer.json"
    published = ((p.parent.name, Tokenizer.from_file(str(p)))
                 for p in (demo, args.peers / "models/minilm-l6-v2/tokenizer.json"))
    for name, tokenizer in itertools.chain(published, tokenize_train.train(corpus_of(), args.work, QUICK)):
        path = args.work / "tokenizer.json"
        tokenizer.save(str(path))
        tokenizer = Tokenizer.from_file(str(path))  # as read, which is not always as saved
        tokenizer.no_truncation()
        tokenizer.no_padding()
        extra = [t.content for t in tokenizer.get_added_tokens_decoder().values()][:50]
        texts = tokenize_texts.BY_HAND + tokenize_texts.at_random(n, 7, extra)
        data = [t.encode() for t in texts]
        compare(f"library {name}", data, run(args.ours, path, 1, 1, data), encoded(tokenizer, texts))
        if name in NAMES:
            gguf_path = args.work / "tokenizer.gguf"
            write_gguf(gguf_path, tokenizer, NAMES[name])
            if tokenizer.normalizer is not None:  # GGUF has no place for it
                keep = [i for i, t in enumerate(texts) if unicodedata.is_normalized("NFC", t)]
                texts, data = [texts[i] for i in keep], [data[i] for i in keep]
            compare(f"library {name}, as GGUF metadata", data, run(args.ours, gguf_path, 0, 1, data),
                    encoded(tokenizer, texts, False))
    texts = tokenize_texts.broken(n, 5)
    compare("library demo-model, bytes that are no UTF-8", texts, run(args.ours, demo, 1, 1, texts),
            encoded(Tokenizer.from_file(str(demo)), [t.decode("utf-8", "replace") for t in texts]))


# ---- llama.cpp ----

def vocabularies(args):
    return sorted((args.peers / "llama.cpp/models").glob("ggml-vocab-*.gguf"))


def files(args):
    """llama.cpp's own cases, whose results come from the tokenizers that the models were trained with."""
    for path in vocabularies(args):
        cases, results = Path(f"{path}.inp"), Path(f"{path}.out")
        if not cases.exists():
            continue
        texts = cases.read_bytes().split(b"\n__ggml_vocab_test__\n")
        want = results.read_text().split("\n")[:len(texts)]
        compare(f"files {path.name}", texts, run(args.ours, path, 0, 1, texts), want)


# Control tokens by their names, which a file may call otherwise.
BY_NAME = re.compile(r"</s>|<unk>|<\|endoftext\|>|<\|im_end\|>|<\|im_start\|>|<fim_prefix>|<s>|<pad>|<mask>")
# Where llama.cpp departs from the definition of the tokenizer: texts with these are left out (docs/tokenize.md).
DEPARTURES = {
    "bert-bge": re.compile("[\u0085\uac00-\ud7ff\u1100-\u11ff]"),
    "deepseek-llm": re.compile("\u3000"),
    "qwen2": BY_NAME, "qwen35": BY_NAME, "aquila": BY_NAME, "phi-3": BY_NAME,
}


def comparable(name, text):
    found = DEPARTURES.get(name)
    if found and found.search(text):
        return False
    if name == "bert-bge":
        text = unicodedata.normalize("NFD", text)
        return all(unicodedata.category(c) not in ("Mc", "Me", "Cn") for c in text)
    return True


def llama(args):
    n = 150 if QUICK else 1000
    models = vocabularies(args) + [args.peers / "models" / m for m in
                                   ("gemma3-270m-q4_k_m.gguf", "smollm2-135m-q4_1.gguf")]
    extra = ["<|begin_of_text|>", "<|im_end|>", "<start_of_turn>", "<fim_prefix>"]
    texts = tokenize_texts.BY_HAND + tokenize_texts.at_random(n, 11, extra)
    for path in (models[::2] if QUICK else models):
        name = path.stem.replace("ggml-vocab-", "")
        data = [t.encode() for t in texts if comparable(name, t)]
        data += [] if name == "bert-bge" or name in DEPARTURES else tokenize_texts.broken(n // 3, 13)
        for add, parse in ((1, 1), (0, 0)):
            compare(f"llama {name}, {'with' if add else 'without'} special tokens", data,
                    run(args.ours, path, add, parse, data), run(args.llama, path, add, parse, data))


# ---- every character ----

def unicode(args):
    """Every code point between two letters, for the classes that cuts and normalizers ask for. Only
    characters that came after Unicode 8 (the oldest of the library's several tables) may differ."""
    from tokenizers import Regex, Tokenizer, models, normalizers as N, pre_tokenizers as P
    every = [c for c in range(0x110000) if not 0xd800 <= c < 0xe000][:: 7 if QUICK else 1]
    texts = ["ab" + chr(c) + "ab" for c in every]
    cases = {
        "letters": (None, P.Split(Regex(r"\p{L}"), "isolated")), "numbers": (None, P.Digits(True)),
        "blanks": (None, P.WhitespaceSplit()), "words": (None, P.Split(Regex(r"\w"), "isolated")),
        "signs": (None, P.Split(Regex(r"[\p{S}\p{P}]"), "isolated")), "marks": (None, P.Split(Regex(r"\p{M}"), "isolated")),
        "punctuation": (None, P.Punctuation()), "upper and title case": (None, P.Split(Regex(r"[\p{Lu}\p{Lt}]"), "isolated")),
        "NFC": (N.NFC(), None), "NFD": (N.NFD(), None), "NFKC": (N.NFKC(), None), "NFKD": (N.NFKD(), None),
        "lower case": (N.Lowercase(), None), "BERT": (N.BertNormalizer(), P.BertPreTokenizer()),
    }
    alphabet = P.ByteLevel.alphabet()
    vocab = {c: i for i, c in enumerate(sorted(alphabet))}
    for c in ("ab", *sorted("ab" + x for x in alphabet)):  # so that cuts show
        vocab.setdefault(c, len(vocab))
    merges = [("a", "b")] + [("ab", x) for x in sorted(alphabet)]
    for name, (norm, cut) in cases.items():
        tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges))
        if norm:
            tokenizer.normalizer = norm
        steps = [cut] if cut else []
        tokenizer.pre_tokenizer = P.Sequence(steps + [P.ByteLevel(add_prefix_space=False, use_regex=False)])
        path = args.work / "tokenizer.json"
        tokenizer.save(str(path))
        ours, theirs = run(args.ours, path, 0, 1, [t.encode() for t in texts]), encoded(tokenizer, texts)
        wrong = [every[i] for i in range(len(every)) if ours[i] != theirs[i]]
        new = [c for c in wrong if not is_new(c)]
        report(f"unicode {name}", not new, f"{len(every)} characters, {len(wrong)} of later versions differ"
               if not new else f"{len(new)} differ, first U+{new[0]:04X}")


def is_new(cp):
    """Not in Unicode 3.2, the oldest that Python carries, or of another class there."""
    c = chr(cp)
    old = unicodedata.ucd_3_2_0
    return old.category(c) == "Cn" or old.category(c) != unicodedata.category(c)


# ---- very long words ----

def long(args):
    """A million equal characters take about as long as a million of prose."""
    models = [ROOT / "tests/data/demo-model/tokenizer.json", args.peers / "models/minilm-l6-v2/tokenizer.json"]
    models += [args.peers / "llama.cpp/models" / f"ggml-vocab-{v}.gguf" for v in
               ("llama-bpe", "llama-spm", "bert-bge", "nomic-bert-moe", "qwen2", "gemma-4", "deepseek-llm")]
    for path in models:
        slowest, what = 0.0, ""
        for text in ("a", " ", "\n", "1", "\u0301", "\u65e5", "a\u0301", "'", "\t\n"):
            data = (text * 1000000).encode()[:1000000]
            data = data[:len(data) - len(data) % len(text.encode())]
            took = float(run(args.ours, path, 1, 1, [data], "time")[-1])
            slowest, what = max((slowest, what), (took, text))
        report(f"long {path.name if path.suffix == '.gguf' else path.parent.name}", slowest < 20,
               f"the slowest takes {slowest:.2f} s ({ascii(what)})")


# ---- speed ----

def speed(args):
    from tokenizers import Tokenizer
    text = (ROOT / "tests/data/demo-model/eval.txt").read_text()
    texts = [text[i:i + 20000] for i in range(0, len(text), 20000)] * (10 if QUICK else 40)
    data = [t.encode() for t in texts]
    size = sum(map(len, data)) / 1e6

    def best(times):
        return size / min(times)
    for path in (ROOT / "tests/data/demo-model/tokenizer.json", args.peers / "models/minilm-l6-v2/tokenizer.json"):
        tokenizer = Tokenizer.from_file(str(path))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        ours, theirs = [], []
        for _ in range(3):
            ours.append(float(run(args.ours, path, 1, 1, data, "time")[-1]))
            start = time.process_time()
            for t in texts:
                tokenizer.encode(t)
            theirs.append(time.process_time() - start)
        report(f"speed {path.parent.name}", best(ours) >= best(theirs),
               f"{best(ours):.1f} MB/s, tokenizers {best(theirs):.1f} MB/s, one thread each")
    for name in ("llama-bpe", "llama-spm", "nomic-bert-moe"):
        path = args.peers / "llama.cpp/models" / f"ggml-vocab-{name}.gguf"
        ours = [float(run(args.ours, path, 1, 1, data, "time")[-1]) for _ in range(3)]
        theirs = [float(run(args.llama, path, 1, 1, data, "time")[-1]) for _ in range(3)]
        report(f"speed {name}", best(ours) >= best(theirs),
               f"{best(ours):.1f} MB/s, llama.cpp {best(theirs):.1f} MB/s, one thread each")


PARTS = {f.__name__: f for f in (library, files, llama, unicode, long, speed)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--peers", type=Path, required=True)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS])
    args = parser.parse_args()
    args.ours, args.llama = args.build / "interop/encode_texts", args.build / "interop/llama_texts"
    with tempfile.TemporaryDirectory(dir=args.build) as work:
        args.work = Path(work)
        for name in args.parts or PARTS:
            PARTS[name](args)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
