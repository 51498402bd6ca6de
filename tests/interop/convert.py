"""Compares lq convert with llama.cpp's converter; run by scripts/interop-convert."""
import argparse
import contextlib
import importlib.util
import io
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import checkpoints  # noqa: E402


FULL_TYPES = ("f32", "bf16", "q8_0")


class Score:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, name, problems):
        if problems:
            self.failed += 1
            print(f"FAIL {name}")
            for p in problems[:12]:
                print(f"     {p}"[:400])
            if len(problems) > 12:
                print(f"     ... and {len(problems) - 12} more")
        else:
            self.passed += 1
        return not problems


class Peer:
    """llama.cpp's converter, in this process: importing torch takes longer than a conversion."""

    def __init__(self, llama_cpp):
        self.path = llama_cpp
        sys.path.insert(0, str(llama_cpp / "gguf-py"))
        sys.path.insert(0, str(llama_cpp))
        import conversion.base as base
        self.base = base
        self.own_pre = base.TextModel.get_vocab_base_pre
        load = base.ModelBase.load_hparams

        # Keys that transformers 5 drops although the converter asks for them (rotary_pct, ...).
        def load_hparams(dir_model, is_mistral_format):
            hparams = load(dir_model, is_mistral_format)
            for k, v in json.loads((Path(dir_model) / "config.json").read_text()).items():
                hparams.setdefault(k, v)
            return hparams
        base.ModelBase.load_hparams = staticmethod(load_hparams)

    def convert(self, folder, out, outtype, pre, options):
        """pre: the name of the pre-tokenizer; None: the peer finds it."""
        self.base.TextModel.get_vocab_base_pre = \
            (lambda model, tokenizer: pre) if pre else self.own_pre
        old = sys.argv
        sys.argv = ["convert_hf_to_gguf.py", str(folder), "--outtype", outtype,
                    *(["--outfile", str(out)] if out else []), *options]
        talk = io.StringIO()
        try:
            with contextlib.redirect_stderr(talk), contextlib.redirect_stdout(talk):
                runpy.run_path(str(self.path / "convert_hf_to_gguf.py"), run_name="__main__")
        except SystemExit as stop:
            return f"exit {stop.code}" if stop.code else None
        except BaseException:
            return "".join(traceback.format_exc().splitlines(keepends=True)[-3:])
        finally:
            sys.argv = old
        return None


def contents(path):
    import gguf
    reader = gguf.GGUFReader(path)
    keys = {k: ([t.name for t in f.types], f.contents()) for k, f in reader.fields.items()
            if not k.startswith("GGUF.")}
    tensors = {t.name: (t.tensor_type.name, [int(n) for n in t.shape], t.data.tobytes())
               for t in reader.tensors}
    return keys, tensors


def short(value):
    text = repr(value)
    return text if len(text) < 120 else text[:117] + "..."


def first_difference(a, b):
    if isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            return f"{len(a)} elements / {len(b)}"
        for i, (x, y) in enumerate(zip(a, b)):
            if x != y:
                return f"[{i}] {short(x)} / {short(y)}"
    return f"{short(a)} / {short(b)}"


def compare_keys(a, b, known):
    problems = [f"{k}: missing, should be {short(a[k][1])}" for k in a if k not in b and k not in known]
    problems += [f"{k}: too much, {short(b[k][1])}" for k in b if k not in a and k not in known]
    for k in a:
        if k in b and a[k] != b[k] and k not in known:
            same_types = a[k][0] == b[k][0]
            problems.append(f"{k}: " + (first_difference(a[k][1], b[k][1]) if same_types
                                        else f"type {a[k][0]} / {b[k][0]}"))
    return problems


def compare_order(a, b, what):
    x, y = [k for k in a if k in b], [k for k in b if k in a]
    if x == y:
        return []
    i = next(i for i, (p, q) in enumerate(zip(x, y)) if p != q)
    return [f"{what} number {i}: {x[i]} / {y[i]}"]


def compare_tensors(a, b):
    problems = [f"{k}: missing" for k in a if k not in b] + [f"{k}: too much" for k in b if k not in a]
    for k in a:
        if k not in b:
            continue
        if a[k][:2] != b[k][:2]:
            problems.append(f"{k}: {a[k][:2]} / {b[k][:2]}")
        elif a[k][2] != b[k][2]:
            n = sum(x != y for x, y in zip(a[k][2], b[k][2]))
            problems.append(f"{k}: {n} of {len(a[k][2])} bytes differ ({a[k][0]}, {a[k][1]})")
    return problems


class Harness:
    def __init__(self, args):
        self.root = Path.cwd()
        self.build = Path(args.build)
        self.work = self.build / "interop/convert"
        self.keep = args.keep
        self.full = args.full
        self.result_file = self.work / "results.json"
        self.lq = self.build / "lq"
        self.bin = self.build / "peers/llama-build/bin"
        self.env = dict(os.environ, LD_LIBRARY_PATH=str(self.bin.resolve()))
        self.score = Score()
        self.peer = Peer(self.build.resolve() / "peers/llama.cpp")

    def run_lq(self, *args):
        done = subprocess.run([self.lq, *map(str, args)], capture_output=True, text=True)
        return None if done.returncode == 0 else f"lq: exit code {done.returncode}: {done.stderr.strip()}"

    def perplexity(self, model):
        text = self.work / "text.txt"
        if not text.exists():
            text.write_text(checkpoints.CORPUS.read_text(encoding="utf-8")[:4000], encoding="utf-8")
        # Its last lines get lost now and then, even all of them: the first chunk's figure is enough,
        # and what was lost is asked for again.
        for _ in range(5):
            done = subprocess.run([self.bin / "llama-perplexity", "-m", model, "-f", text, "-c", "64",
                                   "-b", "64", "--chunks", "2", "-t", "2"],
                                  capture_output=True, text=True, env=self.env)
            found = re.search(r"\[1\]([0-9.]+)", done.stdout + done.stderr)
            if found:
                return found.group(1)
        return (done.stderr.strip().splitlines() or ["nothing"])[-1]

    def one_type(self, case, folder, outtype):
        name = f"{case.name} {outtype}"
        theirs, ours = self.work / f"peer-{outtype}.gguf", self.work / f"lq-{outtype}.gguf"
        for f in (theirs, ours):
            f.unlink(missing_ok=True)
        problem = self.peer.convert(folder, theirs, outtype, case.pre, case.options)
        if bool(problem) != bool(case.peer_fails):
            self.score.check(f"{name}: peer", [problem or f"it does not fail: {case.peer_fails}"])
            return
        problem = self.run_lq("convert", "-q", folder, "-o", ours, "--type", outtype, *case.options)
        if not self.score.check(f"{name}: lq convert", [problem] if problem else []):
            return
        if case.peer_fails:
            figure = self.perplexity(ours)
            self.score.check(f"{name}: llama.cpp runs it",
                             [] if re.fullmatch("[0-9.]+", figure) else [figure])
            return
        a, b = contents(theirs), contents(ours)
        good = self.score.check(f"{name}: metadata", compare_keys(a[0], b[0], case.known))
        good &= self.score.check(f"{name}: tensors", compare_tensors(a[1], b[1]))
        self.score.check(f"{name}: order", compare_order(a[0], b[0], "key") +
                         compare_order(a[1], b[1], "tensor"))
        if good and not case.known:
            same = theirs.read_bytes() == ours.read_bytes()
            self.score.check(f"{name}: bytes", [] if same else ["the files differ"])
        if (case.run or self.full) and case.runnable and (self.full or outtype == case.types[0]):
            x, y = self.perplexity(theirs), self.perplexity(ours)
            fine = x == y and re.fullmatch("[0-9.]+", y)
            self.score.check(f"{name}: llama.cpp runs it", [] if fine else [f"{x} / {y}"])

    def one_case(self, case):
        if case.needs and importlib.util.find_spec(case.needs) is None:
            print(f"skip {case.name}: there is no {case.needs}")
            self.score.skipped += 1
            return
        folder = self.work / case.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with contextlib.redirect_stderr(io.StringIO()):
            case.make(folder)
        before = self.score.passed, self.score.failed
        types = case.types + tuple(t for t in FULL_TYPES if t not in case.types) if self.full else case.types
        for outtype in types:
            self.one_type(case, folder, outtype)
        self.old_spelling(case, folder)
        self.store(case.name, self.architecture(case), before)
        if not self.keep:
            shutil.rmtree(folder)

    def old_spelling(self, case, folder):
        """config.json as older software writes it makes the same file."""
        if not checkpoints.old_style(folder):
            return
        name, new, old = f"{case.name} old spelling", self.work / "lq-new.gguf", self.work / "lq-old.gguf"
        now = self.work / f"lq-{case.types[0]}.gguf"
        now.replace(new)
        problem = self.run_lq("convert", "-q", folder, "-o", old, "--type", case.types[0], *case.options)
        if problem or new.read_bytes() != old.read_bytes():
            problems = [problem] if problem else compare_keys(contents(new)[0], contents(old)[0], {})
            self.score.check(name, problems or ["the files differ"])
        else:
            self.score.check(name, [])

    def store(self, name, architecture, before):
        """The last result of each case is kept, for the table."""
        results = self.results()
        results[name] = [architecture, self.score.passed - before[0], self.score.failed - before[1]]
        self.result_file.write_text(json.dumps(results, indent=1))

    def results(self):
        return json.loads(self.result_file.read_text()) if self.result_file.exists() else {}

    def architecture(self, case):
        for path in (self.work / "lq-new.gguf", self.work / f"lq-{case.types[0]}.gguf"):
            if path.exists():
                name = contents(path)[0]["general.architecture"][1]
                path.unlink()
                return name
        return "?"

    def write_table(self, path):
        """docs/architectures.md: what was found."""
        results, rows = self.results(), {}
        for case in checkpoints.cases():
            if case.name in results:
                rows.setdefault(results[case.name][0], []).append((case, *results[case.name][1:]))
        lines = []
        for architecture in sorted(rows):
            passed, failed = (sum(r[k] for r in rows[architecture]) for k in (1, 2))
            notes = []
            for case, *_ in rows[architecture]:
                notes += [f"{case.name}: {k}: {why}" for k, why in case.known.items()]
                if case.peer_fails:
                    notes.append(f"{case.name}: the peer fails ({case.peer_fails}); ours runs in llama.cpp")
                if case.not_run:
                    notes.append(f"{case.name}: not evaluated: {case.not_run}")
            lines.append(f"| `{architecture}` | {', '.join(r[0].name for r in rows[architecture])} | {passed}"
                         + (f", {failed} failed" if failed else "") + f" | {'; '.join(notes) or 'none'} |")
        passed, failed = (sum(r[k] for r in results.values()) for k in (1, 2))
        text = (Path(__file__).parent / "architectures.md.in").read_text()
        Path(path).write_text(text.replace("@TABLE@", "\n".join(lines))
                              .replace("@TOTAL@", f"{passed} checks passed, {failed} failed"))

    def demo_copy(self):
        """The demo model in a folder that may be written to."""
        folder = self.work / "libquant-demo"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree("tests/data/demo-model", folder)
        return folder

    def several_types(self):
        """One pass over the checkpoint makes what several passes make."""
        problem = self.run_lq("convert", "-q", "tests/data/demo-model", "-o",
                              self.work / "all-{type}.gguf", "--type", "f32,f16,bf16,q8_0")
        if not self.score.check("demo model: four types", [problem] if problem else []):
            return
        for t in ("f32", "f16", "bf16", "q8_0"):
            theirs = self.work / f"peer-{t}.gguf"
            theirs.unlink(missing_ok=True)
            problem = self.peer.convert("tests/data/demo-model", theirs, t, "llama-bpe", ())
            ours = self.work / f"all-{t}.gguf"
            same = not problem and theirs.read_bytes() == ours.read_bytes()
            self.score.check(f"demo model: {t} bytes", [] if same else [problem or "the files differ"])

    def quantized(self):
        """One step makes what llama-quantize makes of the file between."""
        for via in ("f32", "f16"):
            for mix in ("Q4_K_M", "Q2_K", "IQ4_XS", "Q5_0", "IQ4_NL", "Q6_K"):
                theirs, ours = self.work / "peer-quantized.gguf", self.work / "lq-quantized.gguf"
                subprocess.run([self.bin / "llama-quantize", self.work / f"peer-{via}.gguf", theirs, mix],
                               capture_output=True, env=self.env, check=True)
                problem = self.run_lq("convert", "-q", "tests/data/demo-model", "-o", ours, "--type", mix,
                                      *([] if via == "f32" else ["--via", via]))
                same = not problem and theirs.read_bytes() == ours.read_bytes()
                self.score.check(f"demo model: {mix} in one step, via {via}",
                                 [] if same else [problem or "the files differ"])

    def unpacked(self):
        """MXFP4 experts quantized again: what llama-quantize makes of the repacked file."""
        folder = self.work / "gpt-oss"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        with contextlib.redirect_stderr(io.StringIO()):
            checkpoints.gpt_oss_mxfp4(folder)
        between, theirs = self.work / "mxfp4.gguf", self.work / "peer-quantized.gguf"
        problem = self.run_lq("convert", "-q", folder, "-o", between, "--type", "f32")
        for mix in ("Q4_0", "MXFP4_MOE"):
            ours = self.work / f"unpacked-{mix}.gguf"
            options = [] if mix == "MXFP4_MOE" else ["--allow-requantize"]
            done = subprocess.run([self.bin / "llama-quantize", *options, between, theirs, mix],
                                  capture_output=True, text=True, env=self.env)
            problem = problem or self.run_lq("convert", "-q", folder, "-o", ours, "--type", mix, *options)
            problem = problem or (done.stderr[-300:] if done.returncode else None)
            same = not problem and theirs.read_bytes() == ours.read_bytes()
            self.score.check(f"gpt-oss: {mix} in one step", [] if same else [problem or "the files differ"])
        shutil.rmtree(folder)

    def splits(self):
        for options in (("--split-max-size", "2M"), ("--split-max-tensors", "7"),
                        ("--split-max-tensors", "10", "--no-tensor-first-split")):
            for f in self.work.glob("split-*.gguf"):
                f.unlink()
            theirs, ours = self.work / "split-peer.gguf", self.work / "split-lq.gguf"
            problem = self.peer.convert("tests/data/demo-model", theirs, "f16", "llama-bpe", options)
            problem = problem or self.run_lq("convert", "-q", "tests/data/demo-model", "-o", ours,
                                             "--type", "f16", *options)
            a = sorted(self.work.glob("split-peer-*.gguf"))
            b = sorted(self.work.glob("split-lq-*.gguf"))
            problems = [problem] if problem else []
            if [f.name.replace("peer", "lq") for f in a] != [f.name for f in b] or not a:
                problems.append(f"{[f.name for f in a]} / {[f.name for f in b]}")
            problems += [f"{y.name} differs" for x, y in zip(a, b) if x.read_bytes() != y.read_bytes()]
            self.score.check(f"demo model: {' '.join(options)}", problems)

    def default_names(self):
        """Without an output's name, both choose the same one, in the model's folder."""
        cards = ("", "---\nname: My Model\nversion: v2\n---\n", "---\nbasename: a/b c\nfinetune: it\n---\n")
        for n, card in enumerate(cards):
            folder = self.demo_copy()
            (folder / "README.md").write_text(card)
            before = set(folder.iterdir())
            problem = self.peer.convert(folder, None, "auto", "llama-bpe", ())
            theirs = {f.name for f in set(folder.iterdir()) - before}
            for f in set(folder.iterdir()) - before:
                f.unlink()
            problem = problem or self.run_lq("convert", "-q", folder)
            ours = {f.name for f in set(folder.iterdir()) - before}
            self.score.check(f"default name {n}", [problem] if problem else
                             [] if theirs == ours else [f"{theirs} / {ours}"])
            shutil.rmtree(folder)

    def vocabulary(self):
        theirs, ours = self.work / "vocab-peer.gguf", self.work / "vocab-lq.gguf"
        theirs.unlink(missing_ok=True)
        problem = self.peer.convert("tests/data/demo-model", theirs, "f16", "llama-bpe", ["--vocab-only"])
        problem = problem or self.run_lq("convert", "-q", "tests/data/demo-model", "-o", ours,
                                         "--type", "f16", "--vocab-only")
        # The peer's file ends behind the metadata, ours is padded as every GGUF file is.
        same = not problem and ours.read_bytes().rstrip(b"\0") == theirs.read_bytes().rstrip(b"\0")
        self.score.check("vocabulary only", [] if same else [problem or "the files differ"])

    def overrides(self):
        path = self.work / "overrides.json"
        path.write_text(json.dumps({
            "general.name": "Given Name", "general.author": "A", "general.version": "v9",
            "general.description": "d", "general.quantized_by": "q", "general.url": "http://u",
            "general.repo_url": "http://r", "general.source.url": "http://s", "general.tags": ["x", "y"],
            "general.languages": ["de"], "general.size_label": "5T", "general.license.name": "ln",
            "general.base_models": [{"name": "B", "organization": "O", "repo_url": "http://b"}],
            "general.datasets": [{"name": "D", "doi": "10.1/1"}], "general.sampling.temp": 0.5}))
        theirs, ours = self.work / "override-peer.gguf", self.work / "override-lq.gguf"
        theirs.unlink(missing_ok=True)
        problem = self.peer.convert("tests/data/demo-model", theirs, "f16", "llama-bpe",
                                    ["--metadata", str(path)])
        problem = problem or self.run_lq("convert", "-q", "tests/data/demo-model", "-o", ours,
                                         "--type", "f16", "--metadata", path)
        problems = [problem] if problem else compare_keys(contents(theirs)[0], contents(ours)[0], {})
        if not problems and theirs.read_bytes() != ours.read_bytes():
            problems = ["the files differ"]
        self.score.check("metadata file", problems)

    def cache_entry(self):
        """In a Hugging Face cache the entry's name counts, where the peer takes the revision's."""
        snapshot = self.work / "cache/models--some-org--Great-Model-4M-Chat/snapshots/0123abcd"
        shutil.rmtree(self.work / "cache", ignore_errors=True)
        blobs = snapshot.parents[1] / "blobs"
        blobs.mkdir(parents=True)
        snapshot.mkdir(parents=True)
        for f in Path("tests/data/demo-model").iterdir():
            if f.name != "README.md":
                shutil.copyfile(f, blobs / f.name)
                (snapshot / f.name).symlink_to(Path("../../blobs") / f.name)
        ours = self.work / "cache.gguf"
        problem = self.run_lq("convert", "-q", snapshot, "-o", ours, "--type", "f16")
        keys = {} if problem else contents(ours)[0]
        want = {"general.name": "Great Model 4M Chat", "general.organization": "Some Org",
                "general.basename": "Great-Model", "general.finetune": "Chat", "general.size_label": "4M"}
        self.score.check("cache entry", [problem] if problem else
                         [f"{k}: {keys.get(k)} instead of {v!r}" for k, v in want.items()
                          if keys.get(k, (0, None))[1] != v])

    def safetensors(self):
        """The same tensors as floats: torch's cast of a checkpoint, its scales times its 8-bit floats,
        and what a GGUF file stands for."""
        import numpy as np
        import torch
        from safetensors.torch import load_file
        folder, ours = self.work / "safetensors", self.work / "ours.safetensors"
        cast = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        with contextlib.redirect_stderr(io.StringIO()):
            checkpoints.fp8_blocks(folder)
        source = load_file(folder / "model.safetensors")
        want = {}
        for name, t in source.items():
            scale = source.get(name + "_scale_inv")
            if scale is not None:
                wide = scale.repeat_interleave(32, 0).repeat_interleave(32, 1)[:t.shape[0], :t.shape[1]]
                t = t.float() * wide
            if not name.endswith("_scale_inv"):
                want[name] = t
        for outtype, dtype in cast.items():
            problem = self.run_lq("convert", "-q", folder, "--format", "safetensors", "-o", ours,
                                  "--type", outtype)
            got = {} if problem else load_file(ours)
            self.score.check(f"safetensors {outtype}", [problem] if problem else
                             [k for k in want.keys() | got.keys()
                              if k not in got or k not in want or got[k].dtype != dtype
                              or not torch.equal(got[k].float(), want[k].to(dtype).float())])
        shutil.rmtree(folder)
        import gguf
        model = self.work / "lq-quantized.gguf"
        problem = self.run_lq("convert", "-q", model, "--format", "safetensors", "-o", ours, "--type", "f32")
        got = {} if problem else load_file(ours)
        want = {t.name: gguf.quants.dequantize(t.data, t.tensor_type) for t in gguf.GGUFReader(model).tensors}
        self.score.check("safetensors of a quantized GGUF", [problem] if problem else
                         [k for k in want if not np.array_equal(got[k].numpy(), want[k])])

    def fp8(self):
        """E4M3 with scales: torch's cast by the same scales, what compressed-tensors makes of the folder
        and what llama.cpp's converter does."""
        import torch
        import transformers
        from safetensors.torch import load_file
        source = {k: v for f in Path("tests/data/demo-model").glob("*.safetensors")
                  for k, v in load_file(f).items()}
        for form, block in (("fp8", None), ("fp8_block", 128)):
            folder = self.work / f"demo-{form}"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            problem = self.run_lq("convert", "-q", "tests/data/demo-model", "--format", "safetensors",
                                  "--type", form, "-o", folder)
            if not self.score.check(f"{form}: lq convert", [problem] if problem else []):
                continue
            for f in Path("tests/data/demo-model").glob("tokenizer*"):
                shutil.copyfile(f, folder / f.name)
            got, wrong, value = load_file(folder / "model.safetensors"), [], {}
            for name, w in source.items():
                if name + "_scale" not in got:
                    value[name] = w.float()
                    wrong += [] if torch.equal(w, got[name]) else [name]
                    continue
                rows, cols = block or w.shape[0], block or w.shape[1]
                parts = w.float().unfold(0, rows, rows).unfold(1, cols, cols)
                scale = (parts.abs().amax((2, 3)) / 448).bfloat16()
                wide = scale.float().repeat_interleave(rows, 0).repeat_interleave(cols, 1)
                number = (w.float() / wide).clamp(-448, 448).to(torch.float8_e4m3fn)
                value[name] = number.float() * wide
                if not (torch.equal(number.view(torch.uint8), got[name].view(torch.uint8))
                        and torch.equal(scale, got[name + "_scale"].reshape(scale.shape))):
                    wrong.append(name)
            self.score.check(f"{form}: numbers and scales", wrong)
            with contextlib.redirect_stderr(io.StringIO()):
                model = transformers.AutoModelForCausalLM.from_pretrained(
                    folder, dtype=torch.bfloat16,
                    quantization_config=transformers.CompressedTensorsConfig(dequantize=True))
            state = model.state_dict()
            self.score.check(f"{form}: compressed-tensors reads it",
                             [k for k, v in value.items() if k in state
                              and not torch.equal(state[k].float(), v.bfloat16().float())])
            theirs, ours = self.work / "peer-fp8.gguf", self.work / "lq-fp8.gguf"
            problem = self.run_lq("convert", "-q", folder, "-o", ours, "--type", "f32")
            if block and not problem:  # the peer does not know a scale for the whole
                problem = self.peer.convert(folder, theirs, "f32", "llama-bpe", ())
            problems = [problem] if problem else []
            if block and not problem:
                a, b = contents(theirs), contents(ours)
                # Only lq reads the licence that it has written into the metadata of the safetensors.
                problems = compare_keys(a[0], b[0], ("general.license",)) + compare_tensors(a[1], b[1])
            self.score.check(f"{form}: back to F32", problems)
            shutil.rmtree(folder)

    def everything_else(self):
        self.several_types()
        self.quantized()
        self.unpacked()
        self.splits()
        self.default_names()
        self.vocabulary()
        self.overrides()
        self.cache_entry()
        self.safetensors()
        self.fp8()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--keep", action="store_true", help="leave the checkpoints")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--full", action="store_true", help="f32, bf16 and q8_0 of every checkpoint, "
                        "each evaluated with llama.cpp")
    parser.add_argument("--table", help="write what was found last to this file, as docs/architectures.md")
    parser.add_argument("cases", nargs="*")
    args = parser.parse_args()
    all_cases = checkpoints.cases()
    if args.list:
        print("\n".join(c.name for c in all_cases))
        return 0
    h = Harness(args)
    h.work.mkdir(parents=True, exist_ok=True)
    chosen = [c for c in all_cases if not args.cases or c.name in args.cases]
    for c in chosen:
        h.one_case(c)
    if not args.cases or "else" in args.cases:
        before = h.score.passed, h.score.failed
        h.everything_else()
        h.store("else", "", before)
    if args.table:
        h.write_table(args.table)
    skipped = f", {h.score.skipped} skipped" if h.score.skipped else ""
    print(f"{h.score.passed} passed, {h.score.failed} failed{skipped}")
    return 1 if h.score.failed else 0


if __name__ == "__main__":
    sys.exit(main())
