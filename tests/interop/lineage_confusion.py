"""lineage_confusion.py -- what `lq lineage` says of models of known descent:

    lineage_confusion.py LQ DEMO MODELS TABLE

Each model is looked at as it is, and quantized to Q8_0 and Q4_K_M. A verdict that is not among the right
ones, and is not "undetermined", is a wrong claim and fails; TABLE gets the counts.
"""
import collections
import json
import os
import subprocess
import sys

lq, demo, models, table = sys.argv[1:]

# model: bases (the demo model is "demo"), the right verdicts
TRUTH = {
    "demo": (["demo"], {"identical", "re-derived", "explained"}),
    "tuned": (["demo"], {"fine-tuned"}),
    "tuned-2": (["demo"], {"fine-tuned"}),
    "brief": (["demo"], {"fine-tuned"}),
    "head": (["demo"], {"fine-tuned"}),
    "lora": (["demo"], {"fine-tuned"}),
    "linear": (["tuned", "tuned-2"], {"merged"}),
    "slerp": (["tuned", "tuned-2"], {"merged"}),
    "task": (["demo", "tuned", "tuned-2"], {"merged"}),
    "mixed": (["tuned", "tuned-2"], {"merged"}),
    "lora, not of these": (["tuned", "tuned-2"], {"fine-tuned"}),
    "demo, of which these are": (["tuned", "tuned-2"], {"fine-tuned"}),
    "tuned, and another": (["tuned", "other"], {"identical", "re-derived", "explained"}),
    "dropped": (["demo"], {"partial"}),
    "swapped": (["demo"], {"partial"}),
    "repeated": (["demo"], {"partial"}),
    "vocab": (["demo"], {"partial"}),
    "other": (["demo"], {"unrelated"}),
    "other-norms": (["demo"], {"unrelated"}),
}


def place(name):
    name = name.split(",")[0]
    return demo if name == "demo" else os.path.join(models, name)


def look(path, bases):
    done = subprocess.run([lq, "lineage", "--json", path, *map(place, bases)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)
    if done.returncode not in (0, 1):
        return None, done.stderr.decode().strip()
    return json.loads(done.stdout), None


def detail(report):
    """What the report says beyond the verdict."""
    ranks = sorted({t["rank"] for t in report["tensors"] if t.get("low_rank")})
    weights = [t["weights"] for t in report["tensors"] if t.get("merged")]
    spherical = sum(1 for t in report["tensors"] if t.get("spherical"))
    layers = [layer["layer"] for layer in report["layers"]]
    words = [report["why"]]
    if ranks:
        words.append(f"ranks {ranks}")
    if weights:
        middle = [sorted(w[i] for w in weights)[len(weights) // 2] for i in range(len(weights[0]))]
        words.append("weights " + ", ".join(f"{w:.3f}" for w in middle) +
                     (f" ({spherical} spherical)" if spherical else ""))
    if layers != list(range(report["base_layers"])):
        words.append(f"layers {layers}")
    return "; ".join(words)


def quantized(name, mix):
    out = os.path.join(models, f"{name.split(',')[0]}-{mix}.gguf")
    if not os.path.exists(out) or os.path.getmtime(out) < os.path.getmtime(place(name)):
        done = subprocess.run([lq, "convert", place(name), "-o", out, "--type", mix, "-q"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        if done.returncode:
            return None
    return out


def main():
    counts, rows = collections.defaultdict(collections.Counter), []
    for name, (bases, right) in TRUTH.items():
        if not all(os.path.exists(place(n)) for n in [name, *bases]):
            continue
        for form in ("as it is", "q8_0", "q4_k_m"):
            path = place(name) if form == "as it is" else quantized(name, form)
            if not path:
                continue
            report, error = look(path, bases)
            verdict = report["verdict"] if report else error
            good = verdict in right or verdict == "undetermined"
            counts["|".join(sorted(right))][verdict] += 1
            what = detail(report) if report else error
            print("ok" if good else "FAIL", f"{name} {form}: {verdict}; {what}")
            rows.append((name, form, " ".join(b for b in bases), verdict, what))
    with open(table, "w", encoding="utf-8") as file:
        file.write("| model | form | bases | verdict | |\n| --- | --- | --- | --- | --- |\n")
        for row in rows:
            file.write("| " + " | ".join(row) + " |\n")
        file.write("\n")
        for truth, verdicts in counts.items():
            file.write(f"truth {truth}: " + ", ".join(f"{n} {v}" for v, n in verdicts.items()) + "\n")


main()
