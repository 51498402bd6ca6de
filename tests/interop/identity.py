"""identity.py -- for every architecture of the converter: the checkpoint's derived digest is that of its
F32 file, of ours and of the one that llama.cpp's converter makes, as digest_oracle.py computes it; and the
file can be derived again from the checkpoint under another name.

    identity.py WORK [CASE ...]     run by scripts/interop-trust; LQ=build/lq
"""
import contextlib
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import checkpoints  # noqa: E402
import digest_oracle  # noqa: E402
from convert import Peer, Score  # noqa: E402

lq = os.environ.get("LQ", "build/lq")


def run(*args):
    done = subprocess.run([lq, *map(str, args)], capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else f"exit code {done.returncode}: {done.stderr.strip()}"


def digests(path):
    out = run("digest", path, "--json")
    try:
        both = json.loads(out)
        return {key: str(both[key]).split(":")[-1] for key in ("content", "derived")}
    except ValueError:
        return {"content": out, "derived": out}


def differing(**values):
    return [] if len(set(values.values())) == 1 else [f"{k}: {v}" for k, v in values.items()]


def one_case(case, folder, peer, score):
    ours, theirs, statement = (folder.parent / name for name in ("lq.gguf", "peer.gguf", "lq.json"))
    for file in (ours, theirs, statement):
        file.unlink(missing_ok=True)
    run("convert", "-q", folder, "-o", ours, "--type", "f32", "--attest", statement, *case.options)
    source, made = digests(folder), digests(ours)
    score.check(f"{case.name}: checkpoint and F32 file have one derived digest",
                differing(checkpoint=source["derived"], file=made["derived"],
                          oracle=digest_oracle.derived_digest([ours])))
    score.check(f"{case.name}: content digests", differing(
        lq=made["content"], oracle=digest_oracle.content_digest([ours])))
    weights = sorted(folder.glob("*.safetensors"))
    if weights:
        score.check(f"{case.name}: content digest of the checkpoint", differing(
            lq=source["content"], oracle=digest_oracle.content_digest(weights)))
    if case.peer_fails or (case.needs and importlib.util.find_spec(case.needs) is None):
        score.skipped += 1
    else:
        problem = peer.convert(folder, theirs, "f32", case.pre, case.options)
        score.check(f"{case.name}: that of llama.cpp's F32 file", [problem] if problem else differing(
            lq=source["derived"], oracle=digest_oracle.derived_digest([theirs])))
    elsewhere = folder.with_name("Other Name 7B")
    folder.rename(elsewhere)
    out = run("reproduce", statement, "--source", elsewhere, "--output", ours)
    elsewhere.rename(folder)
    score.check(f"{case.name}: derived again", [] if out.startswith("accepted") else [out])


def main():
    work, chosen = Path(sys.argv[1]), sys.argv[2:]
    peer, score = Peer(Path("build/peers/llama.cpp").resolve()), Score()
    for case in checkpoints.cases():
        if chosen and case.name not in chosen:
            continue
        folder = work / "source" / case.name
        folder.mkdir(parents=True)
        try:
            with contextlib.redirect_stderr(io.StringIO()):
                case.make(folder)
        except ModuleNotFoundError as missing:
            print(f"skip {case.name}: {missing}")
            score.skipped += 1
        else:
            one_case(case, folder, peer, score)
        shutil.rmtree(work / "source")
    print(f"{score.passed} passed, {score.failed} failed, {score.skipped} skipped")
    return bool(score.failed)


sys.exit(main())
