"""Makes small checkpoints with random weights, as transformers writes them, for comparing converters.

Every case is a function that fills a folder; `cases()` lists them with the folder's name and what the
peer's converter must be told. Vocabularies are trained on the text of the demo model.
"""
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "tests/data/demo-model/eval.txt"

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")


@dataclass
class Case:
    name: str                      # also of the folder
    make: Callable[[Path], None]
    pre: str = "llama-bpe"         # for tokenizers that the peer does not recognize
    types: tuple = ("f16",)
    options: tuple = ()            # for both converters
    run: bool = False              # evaluate the result with llama.cpp
    known: dict = field(default_factory=dict)  # differences with their reasons: {key: reason}
    needs: str = ""                # a module without which the peer cannot; then the case is skipped
    peer_fails: str = ""           # why the peer cannot convert it: then only ours is made and run
    not_run: str = ""              # why llama.cpp cannot evaluate it

    @property
    def runnable(self):
        return not self.not_run


def cases():
    return CASES


CASES: list[Case] = []


def case(name, **options):
    def add(make):
        CASES.append(Case(name=name, make=make, **options))
        return make
    return add


# ---- files ----

def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False), encoding="utf-8")


def edit_json(path, edit):
    value = read_json(path) if path.exists() else {}
    edit(value)
    write_json(path, value)


# ---- tokenizers ----

def lines():
    return CORPUS.read_text(encoding="utf-8").splitlines()


def byte_bpe(folder, size, pre, special, post=None, ignore_merges=False, normalizer=None, **config):
    """A byte-level BPE tokenizer.json and its tokenizer_config.json."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    t = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    t.pre_tokenizer = pre
    if normalizer is not None:
        t.normalizer = normalizer
    t.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=size - len(special), special_tokens=[],
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                  show_progress=False)
    t.train_from_iterator(lines(), trainer)
    t.add_special_tokens(special)
    if post is not None:
        t.post_processor = post(t)
    t.save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json",
               {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False,
                "model_max_length": 512, **config})


def split(pattern):
    from tokenizers import Regex, pre_tokenizers
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def begins_with(token):
    from tokenizers import processors
    return lambda t: processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single=f"{token} $A", pair=f"{token} $A {token}:1 $B:1",
                                      special_tokens=[(token, t.token_to_id(token))])])


def llama3_tokenizer(folder, size=512, **config):
    byte_bpe(folder, size, split(LLAMA3), ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"],
             begins_with("<|begin_of_text|>"), ignore_merges=True,
             **{"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>", **config})


def digits_tokenizer(folder, size=512, **config):
    from tokenizers import pre_tokenizers
    pre = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                   pre_tokenizers.ByteLevel(add_prefix_space=False)])
    byte_bpe(folder, size, pre, ["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
             **{"bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "unk_token": "<|endoftext|>",
                "pad_token": "<|im_end|>", **config})


def sentencepiece(folder, size=512, model_type="bpe", **options):
    import sentencepiece as spm
    prefix = str(folder / "tokenizer")
    spm.SentencePieceTrainer.train(input=str(CORPUS), model_prefix=prefix, vocab_size=size,
                                   model_type=model_type, num_threads=1, minloglevel=2,
                                   **{"byte_fallback": True, "normalization_rule_name": "identity",
                                      "unk_id": 0, "bos_id": 1, "eos_id": 2, "pad_id": -1, **options})
    os.remove(prefix + ".vocab")


def added(*tokens):
    return {str(i): {"content": text, "lstrip": False, "normalized": False, "rstrip": False,
                     "single_word": False, "special": special} for i, text, special in tokens}


def llama2_tokenizer(folder, size=512, **config):
    sentencepiece(folder, size)
    write_json(folder / "tokenizer_config.json",
               {"add_bos_token": True, "add_eos_token": False, "bos_token": "<s>", "eos_token": "</s>",
                "unk_token": "<unk>", "tokenizer_class": "LlamaTokenizer", "legacy": False,
                "added_tokens_decoder": added((0, "<unk>", True), (1, "<s>", True), (2, "</s>", True)),
                **config})


# ---- models ----

def save(folder, config, dtype="bfloat16", shard="5GB", cls=None):
    """Random weights for a configuration: norms and biases too, so that mistakes show."""
    import torch
    import transformers
    torch.manual_seed(1)
    if cls is None:
        model = transformers.AutoModelForCausalLM.from_config(config)
    else:
        model = cls(config)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() < 2:
                p.copy_(1 + 0.1 * torch.randn_like(p) if "norm" in name or "ln_" in name
                        else 0.1 * torch.randn_like(p))
    model.to(getattr(torch, dtype)).save_pretrained(folder, max_shard_size=shard)


def llama(**changes):
    from transformers import LlamaConfig
    return LlamaConfig(**{"vocab_size": 512, "hidden_size": 64, "intermediate_size": 96,
                          "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
                          "max_position_embeddings": 256, "bos_token_id": 1, "eos_token_id": 2,
                          **changes})


# What layer_types says where it is left out.
PATTERNS = {"gemma2": 2, "olmo3": 4, "gpt_oss": 2}


def old_style(folder):
    """Rewrites config.json as checkpoints of transformers 4 have it. False: there is nothing to do."""
    before = read_json(folder / "config.json")
    if "rope_scaling" in before or "rope_theta" in before:
        return False

    def edit(c):
        rope = c.get("rope_parameters") or {}
        if any(isinstance(v, dict) for v in rope.values()):  # a set for each type of layers
            full, local = rope["full_attention"], rope["sliding_attention"]
            if local.get("rope_type", "default") != "default":
                return
            rope = dict(full)
            c["rope_local_base_freq"] = local["rope_theta"]
        rope = dict(rope)
        c.pop("rope_parameters", None)
        for fact in ("rope_theta", "partial_rotary_factor"):
            if fact in rope:
                c[fact] = rope.pop(fact)
        if c.get("model_type") == "gpt_neox":
            for new, old in (("partial_rotary_factor", "rotary_pct"), ("rope_theta", "rotary_emb_base")):
                if new in c:
                    c[old] = c.pop(new)
        kind = rope.pop("rope_type", "default")
        c["rope_scaling"] = {"type" if kind != "llama3" else "rope_type": kind, **rope} \
            if kind != "default" else None
        c["torch_dtype"] = c.pop("dtype", "bfloat16")
        every = PATTERNS.get(c.get("model_type"))
        if c.get("model_type") == "gemma3_text" or every:
            c.pop("layer_types", None)
            if not every:
                c["sliding_window_pattern"] = 6
        elif set(c.get("layer_types") or []) <= {"full_attention"}:
            c.pop("layer_types", None)
        if "hidden_size" in c and c.get("head_dim") == c["hidden_size"] // c["num_attention_heads"]:
            c.pop("head_dim", None)
    edit_json(folder / "config.json", edit)
    return read_json(folder / "config.json") != before


CHATML = ("{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] "
          "+ '<|im_end|>\n'}}{% endfor %}")


@case("Llama-2-7b-hf", types=("f16", "f32", "bf16", "q8_0", "auto"), run=True)
def llama2(folder):
    llama2_tokenizer(folder)
    save(folder, llama(rms_norm_eps=1e-5), dtype="float16")
    old_style(folder)


@case("tiny-llama-both-tokenizers")
def llama2_both(folder):
    llama2_tokenizer(folder, chat_template=CHATML)
    from transformers import LlamaTokenizerFast
    t = LlamaTokenizerFast.from_pretrained(folder)
    t._tokenizer.save(str(folder / "tokenizer.json"))
    save(folder, llama())


@case("TinyLlama-1.1B-Chat-v1.0", run=True)
def tinyllama(folder):
    llama2_both(folder)
    (folder / "tokenizer.model").unlink()


@case("Llama-3.2-1B-Instruct", types=("f16", "f32", "bf16", "q8_0", "auto"), run=True)
def llama3(folder):
    llama3_tokenizer(folder, chat_template=CHATML)
    save(folder, llama(head_dim=64, tie_word_embeddings=True, max_position_embeddings=131072,
                       rope_parameters={"rope_type": "llama3", "rope_theta": 500000.0, "factor": 32.0,
                                        "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                                        "original_max_position_embeddings": 8192}))


@case("Meta-Llama-3.1-8B")
def llama31_old(folder):
    llama3_tokenizer(folder)
    save(folder, llama(head_dim=32, rope_parameters={
        "rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
        "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}), shard="100KB")
    old_style(folder)


@case("linear-scaled")
def linear(folder):
    llama3_tokenizer(folder)
    save(folder, llama(rope_parameters={"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0}))


@case("dynamic-scaled")
def dynamic(folder):
    llama3_tokenizer(folder)
    save(folder, llama(rope_parameters={"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 2.0}))


@case("yarn-scaled")
def yarn(folder):
    llama3_tokenizer(folder)
    save(folder, llama(rope_parameters={
        "rope_type": "yarn", "rope_theta": 1000000.0, "factor": 4.0, "attention_factor": 0.9,
        "beta_fast": 32.0, "beta_slow": 1.0, "original_max_position_embeddings": 128}))


@case("yarn-old-style")
def yarn_old(folder):
    llama3_tokenizer(folder)
    save(folder, llama(rope_parameters={
        "rope_type": "yarn", "rope_theta": 1000000.0, "factor": 4.0,
        "original_max_position_embeddings": 128}))
    old_style(folder)


@case("with-biases", run=True)
def biases(folder):
    llama3_tokenizer(folder)
    save(folder, llama(attention_bias=True, mlp_bias=True), dtype="float32")


@case("Mistral-7B-v0.1", run=True)
def mistral(folder):
    from transformers import MistralConfig
    llama2_tokenizer(folder)
    save(folder, MistralConfig(vocab_size=512, hidden_size=64, intermediate_size=96,
                               num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
                               max_position_embeddings=256, sliding_window=128))


CARD = """---
license: apache-2.0
language:
- en
- no
tags:
- chat
- text-generation
pipeline_tag: text-generation
base_model:
- HuggingFaceTB/SmolLM2-135M
- https://huggingface.co/some-org/other-model-1.5b-v2
- https://example.org/models/third
datasets:
- HuggingFaceTB/smol-smoltalk
- org/data-set-v1.2
---
# A model

---
text
"""


@case("SmolLM2-135M-Instruct", pre="smollm", types=("f16", "bf16", "q8_0"), run=True)
def smollm2(folder):
    digits_tokenizer(folder)
    (folder / "chat_template.jinja").write_bytes(CHATML.replace("\n", "\r\n").encode())
    (folder / "README.md").write_text(CARD, encoding="utf-8")
    save(folder, llama(hidden_size=96, num_attention_heads=3, num_key_value_heads=1,
                       tie_word_embeddings=True))
    write_json(folder / "generation_config.json",
               {"temperature": 0.6, "top_p": 0.95, "top_k": 40, "repetition_penalty": 1.1,
                "bos_token_id": 1, "eos_token_id": [1, 2]})


@case("padded-vocabulary", pre="smollm")
def padded(folder):
    digits_tokenizer(folder, 400)
    edit_json(folder / "tokenizer_config.json", lambda c: c.update(
        pad_token="<|pad|>", additional_special_tokens=["<tool>", "</tool>"], add_bos_token=False))
    save(folder, llama())


@case("several-templates", pre="smollm")
def templates(folder):
    digits_tokenizer(folder, chat_template=[
        {"name": "default", "template": CHATML}, {"name": "tool use!", "template": "{{ tools }}"}])
    save(folder, llama())


@case("template-json", pre="smollm")
def template_json(folder):
    digits_tokenizer(folder)
    write_json(folder / "chat_template.json", {"chat_template": CHATML})
    save(folder, llama())


@case("token-objects", pre="llama-bpe")
def token_objects(folder):
    llama3_tokenizer(folder, bos_token={"__type": "AddedToken", "content": "<|begin_of_text|>",
                                        "special": True},
                     eos_token={"__type": "AddedToken", "content": "<|end_of_text|>",
                                "special": True},
                     add_bos_token=True, add_eos_token=False)
    save(folder, llama())


@case("added-tokens-spm")
def added_spm(folder):
    llama2_tokenizer(folder, 500)
    write_json(folder / "added_tokens.json", {"<tool>": 500, "far away": 502, "beyond": 900})
    edit_json(folder / "tokenizer_config.json", lambda c: c["added_tokens_decoder"].update(added(
        (3, "<|changed|>", False), (501, "\u2581user\u2581", False), (503, "<unused7>", False),
        (504, "ctl", True))))
    save(folder, llama())


@case("model-name-given", options=("--model-name", "My Own Name 3B"))
def named(folder):
    llama3_tokenizer(folder)
    (folder / "README.md").write_text("---\nname: Card Name\nmodel_creator: Someone\nlicense:\n- mit\n"
                                      "- apache-2.0\nlicense_name: x\nlicense_link: LICENSE\n---\n")
    save(folder, llama())


@case("from-config-name")
def config_name(folder):
    llama3_tokenizer(folder)
    save(folder, llama())
    edit_json(folder / "config.json", lambda c: c.update(
        _name_or_path="some-org/great-model-0.2M-chat-v1.5"))


@case("weird--name-v2-8x7b-small-q4_k-xl-vision-1")
def weird_name(folder):
    llama3_tokenizer(folder)
    save(folder, llama())


@case("bare-model")
def bare(folder):
    from transformers import LlamaModel
    llama3_tokenizer(folder)
    save(folder, llama(tie_word_embeddings=True), cls=LlamaModel)


# ---- other architectures ----

def small(**changes):
    return {"vocab_size": 512, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
            "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 256,
            "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0, **changes}


QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
         r"|\s*[\r\n]+|\s+(?!\S)|\s+")


def qwen_tokenizer(folder, size=512, **config):
    from tokenizers import normalizers
    byte_bpe(folder, size, split(QWEN2), ["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
             normalizer=normalizers.NFC(),
             **{"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "chat_template": CHATML,
                "add_bos_token": False, **config})


def gpt2_tokenizer(folder, size=512, **config):
    from tokenizers import pre_tokenizers, processors
    byte_bpe(folder, size, pre_tokenizers.ByteLevel(add_prefix_space=False), ["<|endoftext|>"],
             lambda t: processors.ByteLevel(trim_offsets=False),
             **{"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>",
                **config})


@case("Qwen2.5-0.5B", pre="qwen2", run=True)
def qwen2(folder):
    from transformers import Qwen2Config
    qwen_tokenizer(folder)
    save(folder, Qwen2Config(**small(tie_word_embeddings=True)))


@case("Qwen2.5-7B-old", pre="qwen2")
def qwen2_old(folder):
    from transformers import Qwen2Config
    qwen_tokenizer(folder)
    save(folder, Qwen2Config(**small(rope_parameters={
        "rope_type": "yarn", "rope_theta": 1000000.0, "factor": 4.0,
        "original_max_position_embeddings": 128})))
    old_style(folder)


@case("Qwen3-0.6B", pre="qwen2", run=True)
def qwen3(folder):
    from transformers import Qwen3Config
    qwen_tokenizer(folder)
    save(folder, Qwen3Config(**small(head_dim=32, tie_word_embeddings=True)))


@case("Qwen1.5-MoE-A2.7B", pre="qwen2", run=True)
def qwen2moe(folder):
    from transformers import Qwen2MoeConfig
    qwen_tokenizer(folder)
    save(folder, Qwen2MoeConfig(**small(num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32,
                                        shared_expert_intermediate_size=64)))


@case("Qwen3-30B-A3B", pre="qwen2", run=True)
def qwen3moe(folder):
    from transformers import Qwen3MoeConfig
    qwen_tokenizer(folder)
    save(folder, Qwen3MoeConfig(**small(num_experts=4, num_experts_per_tok=2, head_dim=32,
                                        moe_intermediate_size=32)))


@case("Mixtral-8x7B-v0.1", run=True)
def mixtral(folder):
    from transformers import MixtralConfig
    llama2_tokenizer(folder)
    save(folder, MixtralConfig(**small(num_local_experts=4, num_experts_per_tok=2)))


def gemma_tokenizer(folder):
    sentencepiece(folder, 500, pad_id=0, eos_id=1, bos_id=2, unk_id=3)
    write_json(folder / "tokenizer_config.json",
               {"add_bos_token": True, "add_eos_token": False, "bos_token": "<bos>", "eos_token": "<eos>",
                "pad_token": "<pad>", "unk_token": "<unk>", "tokenizer_class": "GemmaTokenizer",
                "added_tokens_decoder": added((0, "<pad>", True), (1, "<eos>", True), (2, "<bos>", True),
                                              (3, "<unk>", True), (500, "<start_of_turn>", False),
                                              (501, "\u2581\u2581", False), (502, "<unused0>", False))})


@case("gemma-2b")
def gemma(folder):
    from transformers import GemmaConfig
    gemma_tokenizer(folder)
    save(folder, GemmaConfig(**small(head_dim=32)))


@case("gemma-2-2b", types=("f16", "bf16"), run=True)
def gemma2(folder):
    from transformers import Gemma2Config
    gemma_tokenizer(folder)
    save(folder, Gemma2Config(**small(head_dim=32, sliding_window=64)))


@case("gemma-3-270m", types=("f16", "bf16"), run=True)
def gemma3(folder):
    from transformers import Gemma3TextConfig
    gemma_tokenizer(folder)
    save(folder, Gemma3TextConfig(**small(head_dim=32, sliding_window=64, num_hidden_layers=7)))


@case("gemma-3-4b-it", run=True)
def gemma3_vision(folder):
    """Text and vision in one: the text is converted, the rest left out."""
    import transformers
    gemma_tokenizer(folder)
    text = small(head_dim=32, query_pre_attn_scalar=32, sliding_window=64, num_hidden_layers=7)
    vision = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1,
              "num_attention_heads": 2, "image_size": 32, "patch_size": 8}
    save(folder, transformers.Gemma3Config(
        text_config=text, vision_config=vision, mm_tokens_per_image=4, image_token_index=503,
        boi_token_index=504, eoi_token_index=505, bos_token_id=1, eos_token_id=2, pad_token_id=0),
        cls=transformers.Gemma3ForConditionalGeneration)


@case("gemma-3-1b-old")
def gemma3_old(folder):
    gemma3(folder)

    def edit(c):
        c.pop("rope_parameters")
        c.pop("layer_types")
        c.update(rope_theta=1000000, rope_local_base_freq=10000, sliding_window_pattern=6,
                 rope_scaling={"factor": 8.0, "rope_type": "linear"})
    edit_json(folder / "config.json", edit)


@case("Phi-3-mini-4k-instruct", run=True)
def phi3(folder):
    from transformers import Phi3Config
    llama2_tokenizer(folder, 500)
    edit_json(folder / "tokenizer_config.json", lambda c: c["added_tokens_decoder"].update(
        added((500, "<|endoftext|>", True), (501, "<|assistant|>", False), (502, "a\u2581b", False))))
    save(folder, Phi3Config(**small()))


@case("Phi-3-mini-128k-instruct")
def phi3_long(folder):
    from transformers import Phi3Config
    llama2_tokenizer(folder)
    save(folder, Phi3Config(**small(max_position_embeddings=4096, original_max_position_embeddings=128,
                                    rope_parameters={"rope_type": "longrope", "rope_theta": 10000.0,
                                                     "long_factor": [1.0 + i for i in range(8)],
                                                     "short_factor": [1.0 + i / 7 for i in range(8)]})))


@case("gpt2", pre="gpt-2", run=True)
def gpt2(folder):
    from transformers import GPT2Config
    gpt2_tokenizer(folder)
    save(folder, GPT2Config(vocab_size=512, n_embd=64, n_layer=2, n_head=4, n_positions=128,
                            bos_token_id=511, eos_token_id=511), dtype="float32")
    edit_json(folder / "config.json", lambda c: c.update(n_ctx=128))


@case("pythia-70m", pre="gpt-2")
def gptneox(folder):
    from transformers import GPTNeoXConfig
    gpt2_tokenizer(folder)
    c = small(num_attention_heads=4)
    c.pop("num_key_value_heads")
    save(folder, GPTNeoXConfig(**c), dtype="float16")
    edit_json(folder / "config.json", lambda c: c.update(rotary_pct=0.25))


@case("starcoder2-3b", pre="starcoder", run=True)
def starcoder2(folder):
    from transformers import Starcoder2Config
    digits_tokenizer(folder)
    save(folder, Starcoder2Config(**small()))


@case("stablelm-2-1_6b", pre="gpt-2", run=True)
def stablelm(folder):
    from transformers import StableLmConfig
    gpt2_tokenizer(folder)
    save(folder, StableLmConfig(**small(use_qkv_bias=True)))


@case("stablelm-2-12b", pre="gpt-2", run=True,
      peer_fails="its generator of stacked norms returns instead of yielding")
def stablelm12(folder):
    from transformers import StableLmConfig
    gpt2_tokenizer(folder)
    save(folder, StableLmConfig(**small(qk_layernorm=True, use_parallel_residual=True)))


@case("OLMo-1B-hf", pre="gpt-2")
def olmo(folder):
    from transformers import OlmoConfig
    gpt2_tokenizer(folder)
    save(folder, OlmoConfig(**small(clip_qkv=8.0)))


@case("OLMo-2-1124-7B", pre="gpt-2", run=True)
def olmo2(folder):
    from transformers import Olmo2Config
    gpt2_tokenizer(folder)
    save(folder, Olmo2Config(**small()))


@case("Olmo-3-7B-Instruct", pre="gpt-2", run=True)
def olmo3(folder):
    from transformers import Olmo3Config
    gpt2_tokenizer(folder)
    save(folder, Olmo3Config(**small(num_hidden_layers=5, sliding_window=64)))


@case("granite-3.3-2b-instruct", pre="refact", run=True)
def granite(folder):
    from transformers import GraniteConfig
    digits_tokenizer(folder)
    save(folder, GraniteConfig(**small(attention_multiplier=0.015625, embedding_multiplier=12.0,
                                       residual_multiplier=0.22, logits_scaling=8.0)))


@case("c4ai-command-r-v01", pre="command-r", run=True)
def cohere(folder):
    from transformers import CohereConfig
    digits_tokenizer(folder)
    save(folder, CohereConfig(**small(model_max_length=131072)))


@case("c4ai-command-r-plus", pre="command-r",
      not_run="llama.cpp reads norms of queries and keys only where there are 64 layers")
def cohere_plus(folder):
    from transformers import CohereConfig
    digits_tokenizer(folder)
    save(folder, CohereConfig(**small(use_qk_norm=True)))


@case("phi-2", pre="phi-2", run=True)
def phi2(folder):
    from transformers import PhiConfig
    gpt2_tokenizer(folder)
    c = small(intermediate_size=256, num_key_value_heads=4)
    save(folder, PhiConfig(**c), dtype="float16")


@case("SmolLM3-3B", run=True)
def smollm3(folder):
    from transformers import SmolLM3Config
    llama3_tokenizer(folder)
    save(folder, SmolLM3Config(**small()))


@case("AFM-4.5B", run=True)
def arcee(folder):
    from transformers import ArceeConfig
    llama3_tokenizer(folder)
    save(folder, ArceeConfig(**small(rope_parameters={
        "rope_type": "yarn", "rope_theta": 10000.0, "factor": 20.0, "beta_fast": 32.0,
        "beta_slow": 1.0, "original_max_position_embeddings": 64})))


@case("GLM-4-9B-0414", pre="glm4")
def glm4(folder):
    from transformers import Glm4Config
    byte_bpe(folder, 512, split(LLAMA3),
             ["<|endoftext|>", "[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|observation|>"],
             eos_token="<|user|>", pad_token="<|endoftext|>", ignore_merges=True)
    save(folder, Glm4Config(**small(head_dim=32)))


@case("gpt-oss-20b-bf16", pre="gpt-4o", run=True)
def gpt_oss(folder):
    from transformers import GptOssConfig
    byte_bpe(folder, 512, split(GPT4O), ["<|startoftext|>", "<|endoftext|>", "<|return|>"],
             bos_token="<|startoftext|>", eos_token="<|return|>", pad_token="<|endoftext|>")
    save(folder, GptOssConfig(**small(num_local_experts=4, num_experts_per_tok=2, head_dim=32,
                                      sliding_window=64)))


GPT4O = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
         r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+"
         r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*"
         r"|\s*[\r\n]+|\s+(?!\S)|\s+")


@case("gpt-oss-20b", pre="gpt-4o")
def gpt_oss_mxfp4(folder):
    import torch
    from safetensors.torch import load_file, save_file
    gpt_oss(folder)
    path = folder / "model.safetensors"
    old, new = load_file(path), {}
    for name, t in old.items():
        if name.endswith(("gate_up_proj", "down_proj")):
            e, rows, cols = t.shape[0], t.shape[2], t.shape[1]  # as the blocks have them
            new[name + "_blocks"] = torch.randint(0, 256, (e, rows, cols // 32, 16), dtype=torch.uint8)
            new[name + "_scales"] = torch.randint(118, 130, (e, rows, cols // 32), dtype=torch.uint8)
        else:
            new[name] = t
    save_file(new, path, metadata={"format": "pt"})
    edit_json(folder / "config.json", lambda c: c.update(
        quantization_config={"quant_method": "mxfp4", "modules_to_not_convert": ["lm_head"]}))


@case("DeepSeek-V2-Lite", pre="gpt-2",
      not_run="llama.cpp takes a model for one without a latent of queries by its 26 or 27 layers")
def deepseek2_lite(folder):
    from transformers import DeepseekV2Config
    gpt2_tokenizer(folder)
    save(folder, DeepseekV2Config(**small(
        n_routed_experts=4, n_shared_experts=2, num_experts_per_tok=2, moe_intermediate_size=32,
        first_k_dense_replace=1, q_lora_rank=None, kv_lora_rank=32, qk_nope_head_dim=32,
        qk_rope_head_dim=16, v_head_dim=32, num_key_value_heads=4,
        rope_parameters={"rope_type": "yarn", "rope_theta": 10000.0, "factor": 40.0, "mscale": 0.707,
                         "mscale_all_dim": 0.707, "beta_fast": 32.0, "beta_slow": 1.0,
                         "original_max_position_embeddings": 64})))
    edit_json(folder / "config.json", lambda c: c.update(q_lora_rank=None))


@case("DeepSeek-V3", pre="gpt-2")
def deepseek3(folder):
    from transformers import DeepseekV3Config
    gpt2_tokenizer(folder)
    save(folder, DeepseekV3Config(**small(
        n_routed_experts=8, n_shared_experts=1, num_experts_per_tok=2, moe_intermediate_size=32,
        n_group=2, topk_group=1, first_k_dense_replace=1, q_lora_rank=32, kv_lora_rank=32,
        qk_nope_head_dim=32, qk_rope_head_dim=16, v_head_dim=32, num_key_value_heads=4,
        num_hidden_layers=3)))
    edit_json(folder / "config.json", lambda c: c.update(scoring_func="sigmoid"))


ENCODER = "an encoder has no logits"


@case("all-MiniLM-L6-v2", pre=None, not_run=ENCODER)
def minilm(folder):
    """A real model, from build/peers/models."""
    source = ROOT / "build/peers/models/minilm-l6-v2"
    for f in source.rglob("*"):
        if f.is_file():
            (folder / f.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(f, folder / f.relative_to(source))


# ---- quantized checkpoints ----

def to_fp8(folder, quantize, config):
    from safetensors.torch import load_file, save_file
    path = folder / "model.safetensors"
    new = {}
    for name, t in load_file(path).items():
        if t.dim() == 2 and "proj" in name:
            new.update(quantize(name, t.float()))
        else:
            new[name] = t
    save_file(new, path, metadata={"format": "pt"})
    edit_json(folder / "config.json", lambda c: c.update(quantization_config=config))


@case("fp8-blocks", pre="qwen2", types=("f32", "bf16", "auto", "q8_0"))
def fp8_blocks(folder):
    import torch
    from transformers import Qwen3Config
    qwen_tokenizer(folder)
    save(folder, Qwen3Config(**small(head_dim=24, intermediate_size=80)))

    def quantize(name, t):
        rows, cols = -(-t.shape[0] // 32), -(-t.shape[1] // 32)
        scale = torch.empty(rows, cols)
        q = torch.empty_like(t)
        for i in range(rows):
            for k in range(cols):
                block = t[32 * i:32 * (i + 1), 32 * k:32 * (k + 1)]
                scale[i, k] = block.abs().max() / 448
                q[32 * i:32 * (i + 1), 32 * k:32 * (k + 1)] = block / scale[i, k]
        return {name: q.to(torch.float8_e4m3fn), name + "_scale_inv": scale}
    to_fp8(folder, quantize, {"quant_method": "fp8", "fmt": "e4m3", "activation_scheme": "dynamic",
                              "weight_block_size": [32, 32]})


@case("fp8-blocks-llama", types=("f32", "f16"))
def fp8_llama(folder):
    import torch
    llama3_tokenizer(folder)
    save(folder, llama())

    def quantize(name, t):
        scale = t.abs().max() / 448
        return {name: (t / scale).to(torch.float8_e4m3fn), name + "_scale_inv": scale.reshape(1).bfloat16(),
                name.replace(".weight", ".activation_scale"): torch.ones(1)}
    to_fp8(folder, quantize, {"quant_method": "fp8", "activation_scheme": "static"})


@case("fp8-channels", types=("f32", "f16"))
def fp8_channels(folder):
    import torch
    llama3_tokenizer(folder)
    save(folder, llama())

    def quantize(name, t):
        scale = t.abs().amax(1, keepdim=True) / 448
        return {name: (t / scale).to(torch.float8_e4m3fn), name + "_scale": scale.bfloat16()}
    to_fp8(folder, quantize, {
        "quant_method": "compressed-tensors", "format": "float-quantized",
        "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "float", "strategy": "channel"}}}})


@case("fp8-experts", pre="gpt-2", types=("f32", "bf16"))
def fp8_experts(folder):
    import torch
    deepseek3(folder)

    def quantize(name, t):
        scale = torch.rand(-(-t.shape[0] // 16), -(-t.shape[1] // 16)) + 0.5
        return {name: t.to(torch.float8_e4m3fn), name + "_scale_inv": scale}
    to_fp8(folder, quantize, {"quant_method": "fp8", "weight_block_size": [16, 16]})


# ---- other forms of tokenizers ----

def separate_files(folder):
    """vocab.json and merges.txt instead of tokenizer.json."""
    t = read_json(folder / "tokenizer.json")
    vocab = dict(t["model"]["vocab"])
    vocab.update((a["content"], a["id"]) for a in t["added_tokens"])
    write_json(folder / "vocab.json", vocab)
    merges = [m if isinstance(m, str) else " ".join(m) for m in t["model"]["merges"]]
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8")
    (folder / "tokenizer.json").unlink()


@case("gpt2-separate-files", pre="gpt-2", run=True)
def gpt2_files(folder):
    gpt2(folder)
    separate_files(folder)
    write_json(folder / "tokenizer_config.json", {"model_max_length": 128, "tokenizer_class": "GPT2Tokenizer"})


@case("qwen2-separate-files", pre="qwen2")
def qwen2_files(folder):
    qwen2(folder)
    tokens = [a for a in read_json(folder / "tokenizer.json")["added_tokens"]]
    separate_files(folder)
    edit_json(folder / "tokenizer_config.json", lambda c: c.update(
        tokenizer_class="Qwen2Tokenizer",
        added_tokens_decoder=added(*((a["id"], a["content"], True) for a in tokens))))


@case("templates-in-a-folder", pre="smollm")
def templates_folder(folder):
    digits_tokenizer(folder)
    (folder / "chat_template.jinja").write_text(CHATML)
    (folder / "additional_chat_templates").mkdir()
    (folder / "additional_chat_templates/tool_use.jinja").write_text("{{ tools }}")
    save(folder, llama())


# ---- encoders ----

def bert_like(cls, config, folder):
    save(folder, config, dtype="float32", cls=cls)


@case("roberta-base", pre="roberta-bpe", not_run=ENCODER)
def roberta(folder):
    from tokenizers import pre_tokenizers, processors
    from transformers import RobertaConfig, RobertaModel
    byte_bpe(folder, 512, pre_tokenizers.ByteLevel(add_prefix_space=False),
             ["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
             lambda t: processors.RobertaProcessing(("</s>", t.token_to_id("</s>")),
                                                    ("<s>", t.token_to_id("<s>"))),
             bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<pad>", cls_token="<s>",
             sep_token="</s>", mask_token="<mask>")
    c = small(max_position_embeddings=130, pad_token_id=1)
    c.pop("num_key_value_heads")
    bert_like(RobertaModel, RobertaConfig(**c), folder)


def xlm_roberta_model(folder):
    from transformers import XLMRobertaConfig, XLMRobertaModel
    c = small(max_position_embeddings=130, pad_token_id=1, vocab_size=502)
    c.pop("num_key_value_heads")
    bert_like(XLMRobertaModel, XLMRobertaConfig(**c), folder)


@case("bge-m3", pre="default", not_run=ENCODER)
def xlm_roberta(folder):
    xlm_roberta_model(folder)
    sentencepiece(folder, 500, model_type="unigram", normalization_rule_name="nmt_nfkc",
                  byte_fallback=False)
    (folder / "tokenizer.model").rename(folder / "sentencepiece.bpe.model")
    write_json(folder / "tokenizer_config.json", {
        "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>",
        "cls_token": "<s>", "sep_token": "</s>", "mask_token": "<mask>",
        "tokenizer_class": "XLMRobertaTokenizer"})


@case("bge-m3-json", pre="default", not_run=ENCODER)
def xlm_roberta_json(folder):
    from transformers import XLMRobertaTokenizerFast
    xlm_roberta(folder)
    t = XLMRobertaTokenizerFast.from_pretrained(folder)
    t.save_pretrained(folder)
    (folder / "sentencepiece.bpe.model").unlink()


# ---- Mistral's own tokenizer file; the peer reads it with mistral-common ----

TEKKEN = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?"
          r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|"
          r"\s*[\r\n]+|\s+(?!\S)|\s+")


def tekken_json(folder, size=512, special=20):
    """The ranks of a trained byte-level BPE, as tekken.json has them."""
    import base64
    from tokenizers import pre_tokenizers
    byte_bpe(folder, size - special, split(TEKKEN), [])
    t = read_json(folder / "tokenizer.json")
    shown = sorted(pre_tokenizers.ByteLevel.alphabet())
    order = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    byte_of = {chr(b): b for b in order}
    byte_of.update((chr(256 + i), b) for i, b in enumerate(b for b in range(256) if b not in order))
    assert sorted(byte_of) == shown
    tokens = [bytes([b]) for b in range(256)]
    for m in t["model"]["merges"]:
        left, right = m.split(" ") if isinstance(m, str) else m
        merged = bytes(byte_of[c] for c in left + right)
        if merged not in tokens:
            tokens.append(merged)
    tokens = tokens[:size - special]
    assert len(tokens) == size - special
    names = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]",
             "[TOOL_RESULTS]", "[/TOOL_RESULTS]", "[TOOL_CALLS]", "[IMG]", "<pad>", "[IMG_BREAK]",
             "[IMG_END]", "[PREFIX]", "[MIDDLE]", "[SUFFIX]"]
    write_json(folder / "tekken.json", {
        "config": {"pattern": TEKKEN, "num_vocab_tokens": len(tokens), "default_vocab_size": size,
                   "default_num_special_tokens": special, "version": "v3"},
        "vocab": [{"rank": i, "token_bytes": base64.b64encode(b).decode(),
                   "token_str": b.decode("utf-8", "replace")} for i, b in enumerate(tokens)],
        "special_tokens": [{"rank": i, "token_str": n, "is_control": True} for i, n in enumerate(names)]})
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()


@case("Mistral-Nemo-tekken", needs="mistral_common", run=True)
def tekken(folder):
    from transformers import MistralConfig
    tekken_json(folder)
    save(folder, MistralConfig(**small(head_dim=32, sliding_window=None)))
