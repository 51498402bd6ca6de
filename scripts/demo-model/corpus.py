"""corpus.py -- text to windows of token numbers, the same way for training and evaluation.

A window of n tokens is predicted from <|begin_of_text|> and its own first n-1 tokens, wherever in
the text it starts; this is also how perplexity is measured on chunks of a text.
"""

import torch

from generate import documents
from tokenizer import BOS, EOS

PAGE = 20   # documents before an end of text


def evaluation_text(data):
    """Documents of the evaluation seed, without those that occur in the training text too."""
    trained = set(documents(data["train_seed"], data["train_characters"]))
    texts = documents(data["eval_seed"], data["eval_characters"])
    return "\n\n".join(text for text in texts if text not in trained) + "\n"


def training_tokens(tokenizer, seed, characters):
    """The training stream: documents, after every PAGE of them end and begin of text."""
    texts, ids = list(documents(seed, characters)), []
    turn = [tokenizer.token_to_id(EOS), tokenizer.token_to_id(BOS)]
    for at in range(0, len(texts), PAGE):
        page = "\n\n".join(texts[at:at + PAGE])
        ids += tokenizer.encode(page, add_special_tokens=False).ids + turn
    return torch.tensor(ids, dtype=torch.int32)


def windows(tokens, length, bos):
    """Inputs and targets, both (count, length); what does not fill a window is left out."""
    targets = tokens[:len(tokens) // length * length].view(-1, length).long()
    first = torch.full((len(targets), 1), bos, dtype=torch.long)
    return torch.cat((first, targets[:, :-1]), dim=1), targets
