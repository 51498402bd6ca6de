#!/usr/bin/env python3
"""tokenizer.py -- trains the byte-level BPE of the demo model: tokenizer.py OUTPUT_FOLDER

The layout is that of Llama 3: its pattern for splitting, bytes as the alphabet, ranks before
merges (ignore_merges), the special tokens behind the vocabulary, the first of them put in front.
"""

import json
import os
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, \
    trainers

from generate import documents

HERE = os.path.dirname(os.path.abspath(__file__))
BOS, EOS = "<|begin_of_text|>", "<|end_of_text|>"
PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
           r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def train(config):
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PATTERN), behavior="isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    specials = [AddedToken(text, special=True, normalized=False) for text in (BOS, EOS)]
    trainer = trainers.BpeTrainer(
        vocab_size=config["tokenizer"]["vocab_size"] - len(specials), show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    texts = (text + "\n\n" for text in documents(config["data"]["train_seed"],
                                                 config["tokenizer"]["train_characters"]))
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens(specials)
    bos = tokenizer.token_to_id(BOS)
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single=f"{BOS} $A", pair=f"{BOS} $A {BOS}:1 $B:1",
                                      special_tokens=[(BOS, bos)]),
    ])
    assert tokenizer.get_vocab_size() == config["tokenizer"]["vocab_size"]
    return tokenizer


def write_json(path, value):
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        json.dump(value, file, ensure_ascii=False, indent=2)
        file.write("\n")


def main(folder):
    with open(os.path.join(HERE, "train.json"), encoding="utf-8") as file:
        config = json.load(file)
    tokenizer = train(config)
    tokenizer.save(os.path.join(folder, "tokenizer.json"))
    ids = {text: tokenizer.token_to_id(text) for text in (BOS, EOS)}
    flags = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False}
    write_json(os.path.join(folder, "tokenizer_config.json"), {
        "added_tokens_decoder": {str(number): {"content": text, **flags, "special": True}
                                 for text, number in ids.items()},
        "bos_token": BOS,
        "clean_up_tokenization_spaces": False,
        "eos_token": EOS,
        "model_input_names": ["input_ids", "attention_mask"],
        "model_max_length": config["model"]["max_position_embeddings"],
        "tokenizer_class": "PreTrainedTokenizerFast",
    })
    write_json(os.path.join(folder, "special_tokens_map.json"), {
        "bos_token": {"content": BOS, **flags}, "eos_token": {"content": EOS, **flags}})


if __name__ == "__main__":
    main(sys.argv[1])
