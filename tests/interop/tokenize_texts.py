"""Texts that try to break tokenizers: some by hand, others at random from a seed."""
import random

BY_HAND = [
    "", " ", "  ", "\n", "\n\n\n", "\t \t\n \n", "a", " a", "a ", "Hello, world!",
    "   leading and   inner   ", "don't I'LL we'Ve 'S it's",
    "1234567890 12 123 1 000,000.50 \u00bd \u00b2 \u0663\u0664 \u096a\u096b \u2167 \U0001d7d8\U0001d7d9",
    "\u00c0\u00c9\u00ce\u00f5\u00fc \u00f1 \u00df \u1e9e \u0130 \u0131 \u01c5 \ufb01 \u212b \u00c5 \u2126 \u212a",
    "e\u0301 q\u0301\u0323 a\u0300\u0301\u0302 \u0301start",
    "\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8\u3001\u6f22\u5b57 \ud55c\uad6d\uc5b4 \u0e44\u0e17\u0e22 "
    "\u0939\u093f\u0928\u094d\u0926\u0940 \u0627\u0644\u0639\u0631\u0628\u064a\u0629 \u05e2\u05d1\u05e8\u05d9\u05ea",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \U0001f3f3\ufe0f\u200d\U0001f308 "
    "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7 \U0001f44d\U0001f3fd \u263a\ufe0f \u00a9\u00ae\u2122",
    "def f(x):\n\treturn x**2  # comment\n\n\nclass A:\n    pass\r\n",
    "<s></s><unk><pad> <|endoftext|>text<|im_start|>user\n<mask>  x [CLS] a [SEP] [MASK] ",
    "http://example.com/a?b=c&d=%20#frag user@host.tld",
    "\u00a0nbsp\u2003em\u3000ideo\u200bzw\u200dj\ufeffbom\u2028ls\u2029ps\u0085nel",
    "\x00\x01\x1f\x7f\u0080\u009f\u00ad\u0378\ue000\uffff\U0001e4d0\U00016d40\U0010fffd",
    "\u201cquotes\u201d \u2018single\u2019 \u2014dash\u2013\u2026 \u00bf\u00a1 \u00ab\u00bb \u300c\u300d\u3002\u3001\uff01",
    "a" * 3000, " " * 1000, "\n" * 500 + "x", "ab " * 200, "1" * 100,
    "camelCaseWords HTTPServer XMLHttpRequest iPhone McDonald'S \u00c9COLE \u00c9cole \u00e9COLE",
    "_under_score__ --- === +++ *** /// \\\\ ||| ~~~ ``` $$ ^^", "x\r\ny\rz\n\r w",
    "\u2581 \u2581\u2581a \u2581", "\u0120 \u0121 \u010a \u0100", "##a ## ab##c",
    "\ud7b0\u1100\u1161\u11a8 \uac01 \uac00\u11a8 \u0f43 \u0958 \u2126 \ufb2c \u1e69 s\u0323\u0307 s\u0307\u0323",
    "Ti\u1ebfng Vi\u1ec7t; \u0395\u03bb\u03bb\u03b7\u03bd\u03b9\u03ba\u03ac \u0391\u03a3 \u039f\u0394\u039f\u03a3; "
    "\u0420\u0443\u0441\u0441\u043a\u0438\u0439; T\u00fcrk\u00e7e \u0130STANBUL \u0131s\u0131",
    "\U0001d49c\U0001d4c1 \u24b6\u24b7 \u2460 \u32c0 \u338f \ufdfa \ufe4f \uff48\uff41\uff4c\uff46 \uff76\uff9e",
    "\u0600\u0661 \u0915\u093f\u200d x\u0488 \u0903y", " \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f.",
]
POOLS = [
    "abcdefghijklmnopqrstuvwxyz" * 2 + "ABCXYZ", "0123456789", " \t\n\r  ",
    "'\"!?.,;:-_()[]{}<>/\\|@#$%^&*+=~`", "\u00e9\u00fc\u00f1\u00df\u00f8\u0130\u0131\u212a\u00c5\ufb01\u01c5",
    "\u65e5\u672c\u8a9e\u6f22\u5b57\u304b\u306a\u30ab\u30ca\ud55c\uad6d\uc5b4", "\u0905\u0906\u0907\u0915\u0916\u0917\u094d\u093e",
    "\u0627\u0644\u0639\u0631\u0628\u064a\u0629", "\u05d0\u05d1\u05d2", "\u0430\u0431\u0432\u0413\u0414\u0415",
    "\u03b1\u03b2\u03b3\u03a3\u03c2", "\u0e44\u0e17\u0e22\u0e20\u0e32\u0e29\u0e32",
    "\U0001f44d\U0001f3fd\U0001f469\u200d\U0001f467\U0001f1e9\U0001f1ea\u2764\ufe0f",
    "\u0301\u0323\u0300\u064b\u093c\u0488", "\u00a0\u2003\u3000\u200b\ufeff\u0085\u2028",
    "\u00bd\u00b2\u2167\u0663\u096a\U0001d7d8", "\u300c\u300d\u3002\u3001\u2026\u2014\u201c\u201d\u2019",
    "\u2581\u0120\u010a", "\x00\x01\x7f\u00ad\ue000", "\uff48\uff21\u2460\u338f\ufdfa",
]
WORDS = [
    "the", " of", "'s", "'LL", "'re", "<s>", "</s>", "<|endoftext|>", "<unk>", "[MASK]", "[CLS]", "##ing",
    "ing", "tion", " an", "\n\n", "    ", "\r\n", "123", "1234", "http://", "()", "return", "\ufb01", "e\u0301",
    "\uac00\u11a8",
]


def at_random(n, seed, extra=()):
    r = random.Random(seed)
    words = WORDS + list(extra)
    texts = []
    for _ in range(n):
        text = ""
        for _ in range(r.randint(1, 30)):
            kind = r.random()
            if kind < .3:
                text += r.choice(words)
            elif kind < .33:
                text += r.choice(r.choice(POOLS)) * r.randint(2, 20)
            elif kind < .35:
                text += chr(r.choice([r.randrange(0x20, 0xd800), r.randrange(0xe000, 0x20000),
                                      r.randrange(0x80, 0x800)]))
            else:
                pool = r.choice(POOLS)
                text += "".join(r.choice(pool) for _ in range(r.randint(1, 6)))
        texts.append(text)
    return texts


def broken(n, seed):
    """Bytes that are not UTF-8: texts with bytes taken away, changed and put in. Surrogates and
    overlong forms are not among them: programs differ there."""
    r = random.Random(seed)
    out = []
    for text in at_random(n, seed):
        data = bytearray(text.encode())
        for _ in range(r.randint(1, 4)):
            at = r.randrange(len(data) + 1)
            if r.random() < .5 and at < len(data):
                del data[at]
            else:
                data[at:at] = bytes([r.choice([0x80, 0xbf, 0xc3, 0xe2, 0xff])])
        out.append(bytes(data))
    return [d for d in out if not any(b"\xe0" + bytes([x]) in d for x in range(0x80, 0xa0))]
