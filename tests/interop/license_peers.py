"""Licence texts and expressions, against ScanCode, license-expression and the npm packages
spdx-expression-parse and spdx-satisfies. Where they differ for a known reason that is counted and
shown; any other difference fails.

    license_peers.py IDENTIFY EXPRESSIONS PEERS
"""

import os
import pathlib
import random
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import license_texts  # noqa: E402

# Each expression with what others are known to make of it otherwise: L license-expression, N npm.
CASES = [
    ("MIT", ""), ("MIT OR Apache-2.0", ""), ("MIT or Apache-2.0", ""),
    ("mit", "N reads identifiers in the case of the list only"),
    ("apache-2.0", "N reads identifiers in the case of the list only"),
    ("MIT Or Apache-2.0", "LN take operators in any case; SPDX 3 knows all upper or all lower"),
    ("MIT AND (Apache-2.0 OR GPL-2.0-only)", ""), ("(MIT OR Apache-2.0) AND BSD-3-Clause", ""),
    ("MIT AND Apache-2.0 OR GPL-2.0-only", ""), ("((MIT))", ""),
    ("GPL-2.0-or-later WITH Classpath-exception-2.0", ""), ("GPL-2.0+", ""), ("GPL-2.0", ""),
    ("Apache-2.0+", "L knows no '+' but that of listed identifiers"),
    ("GPL-2.0 +", ""), ("LicenseRef-a", "L knows no LicenseRef but ScanCode's own"),
    ("LicenseRef-a+", ""), ("licenseref-a", ""),
    ("DocumentRef-b:LicenseRef-a", "L knows no DocumentRef"),
    ("DocumentRef-b", ""), ("LicenseRef-", ""), ("LicenseRef-a_b", ""),
    ("MIT WITH AdditionRef-x", "LN are of SPDX 2, which has no AdditionRef"),
    ("MIT WITH Nothing-known", "LN refuse what they do not know; here it is kept, as unknown"),
    ("Not-A-Licence", "LN refuse what they do not know; here it is kept, as unknown"),
    ("NONE", "LN take no NONE"), ("NOASSERTION", "LN take no NOASSERTION"),
    ("MIT AND NOASSERTION", "LN take no NOASSERTION"), ("MIT OR NONE", ""),
    ("MIT AND", ""), ("AND MIT", ""), ("MIT OR OR Apache-2.0", ""), ("()", ""), ("(MIT", ""),
    ("MIT)", ""), ("MIT Apache-2.0", ""), ("MIT,Apache-2.0", ""),
    ("MIT WITH Classpath-exception-2.0 WITH GCC-exception-2.0", ""),
    ("(MIT) WITH Classpath-exception-2.0", ""), ("openrail++", ""), ("MIT/Apache-2.0", ""),
    ("GPL-3.0", ""), ("LGPL-2.1+", ""), ("BSD-2-Clause-FreeBSD", ""),
]
SATISFIES = [
    ("MIT|MIT", ""), ("MIT|Apache-2.0", ""), ("MIT OR Apache-2.0|Apache-2.0", ""),
    ("MIT AND Apache-2.0|Apache-2.0", ""), ("MIT AND Apache-2.0|MIT,Apache-2.0", ""),
    ("(MIT OR GPL-2.0-only) AND Apache-2.0|MIT,Apache-2.0", ""),
    ("MIT OR (GPL-2.0-only AND ISC)|ISC,GPL-2.0-only", ""),
    ("GPL-2.0-only WITH Classpath-exception-2.0|GPL-2.0-only", ""),
    ("Apache-2.0+|Apache-2.0", "N takes x+ for x; here they are two identifiers"),
    ("GPL-2.0-or-later|GPL-3.0-only", "N knows the order of versions"),
]


class Counts:
    def __init__(self, name):
        self.name, self.same, self.known, self.other = name, 0, [], []

    def add(self, what, same, reason):
        if same:
            self.same += 1
        elif reason:
            self.known.append(f"{what}: {reason}")
        else:
            self.other.append(what)

    def show(self):
        print(f"{self.name}: {self.same} alike, {len(self.known)} differ for a known reason, "
              f"{len(self.other)} otherwise")
        for line in sorted(set(self.known)):
            print(f"  {line}")
        for line in self.other:
            print(f"  DIFFERS {line}")
        return len(self.other)


def ours(program, lines):
    out = subprocess.run([program], input="".join(f"{x}\n" for x in lines), stdout=subprocess.PIPE,
                         text=True, check=True).stdout
    return [line.split("\t") for line in out.splitlines()]


def reason_for(letter, reason):
    return reason if letter in reason.split(" ")[0] else ""


def compare_node(expressions, peers):
    lines = [e for e, _ in CASES] + [e for e, _ in SATISFIES]
    script = pathlib.Path(__file__).resolve().parent / "expressions.js"
    env = dict(os.environ, NODE_PATH=str(peers / "license-node/node_modules"))
    out = subprocess.run(["node", script], input="".join(f"{x}\n" for x in lines), env=env,
                         stdout=subprocess.PIPE, text=True, check=True).stdout
    theirs = [line.split("\t") for line in out.splitlines()]
    mine = ours(expressions, lines)
    read, satisfied = Counts("spdx-expression-parse"), Counts("spdx-satisfies")
    for i, (e, reason) in enumerate(CASES):
        read.add(e, mine[i][0] == theirs[i][0], reason_for("N", reason))
    for i, (e, reason) in enumerate(SATISFIES, len(CASES)):
        satisfied.add(e, mine[i][3] == theirs[i][1], reason_for("N", reason))
    return read.show() + satisfied.show()


def compare_license_expression(expressions):
    from license_expression import get_spdx_licensing
    licensing = get_spdx_licensing()
    counts = Counts("license-expression")
    for (e, reason), mine in zip(CASES, ours(expressions, [e for e, _ in CASES])):
        try:
            theirs = "error" if licensing.validate(e).errors else "ok"
        except Exception:  # whatever it raises: it does not read it
            theirs = "error"
        counts.add(e, mine[0] == theirs, reason_for("L", reason))
    return counts.show()


def leaves(expression):
    return set(re.findall(r"[A-Za-z0-9][A-Za-z0-9.+-]*", expression or "")) - {"AND", "OR", "WITH"}


def bare(ids):
    """Without -only and -or-later: only the card tells these apart."""
    return {re.sub(r"(-only|-or-later|\+)$", "", i) for i in ids}


def compare_scancode(identify, peers, step):
    from licensedcode.cache import build_spdx_license_expression, get_index
    index = get_index()
    rng = random.Random(1)
    texts = license_texts.load_texts(peers)
    chosen = [(n, t) for i, (n, t) in enumerate(texts)
              if i % step == 0 or n.startswith("LicenseRef-")]
    rows = []
    for label, change in (("as it is", lambda t: t),
                          ("2 % misspelt", lambda t: license_texts.typos(t, rng)),
                          ("re-flowed", lambda t: license_texts.reflow(t, rng))):
        changed = [(n, change(t)) for n, t in chosen]
        alike = ours_right = theirs_right = 0
        differ = []
        for (name, text), (_, found) in zip(changed, license_texts.run(identify, changed)):
            theirs = set()
            for m in index.match(query_string=text):
                theirs |= leaves(build_spdx_license_expression(m.rule.license_expression))
            mine = set(found[0][0].split(" ")) if found else set()
            same = bool(bare(mine) & bare(theirs))
            alike += same
            ours_right += bool(bare({name}) & bare(mine))
            theirs_right += bool(bare({name}) & bare(theirs))
            if not same:
                differ.append(f"{name}: here {' '.join(sorted(mine)) or 'none'}, "
                              f"ScanCode {' '.join(sorted(theirs)) or 'none'}")
        rows.append((label, len(changed), alike, ours_right, theirs_right))
        for line in differ[:12]:
            print(f"  {label}: {line}")
    print(f"{'ScanCode':14}{'texts':>7}{'alike':>7}{'named here':>12}{'by ScanCode':>13}")
    for row in rows:
        print(f"{row[0]:14}{row[1]:>7}{row[2]:>7}{row[3]:>12}{row[4]:>13}")
    return sum(row[3] < row[4] for row in rows)


def main():
    identify, expressions, peers = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    failed, passed = 0, 0
    if (peers / "license-node/node_modules").is_dir():
        bad = compare_node(expressions, peers)
        failed += bool(bad)
        passed += not bad
    else:
        print("skip  npm packages: no npm here")
    bad = compare_license_expression(expressions)
    failed += bool(bad)
    passed += not bad
    bad = compare_scancode(identify, peers, 40 if os.environ.get("LQ_QUICK") else 5)
    failed += bool(bad)
    passed += not bad
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
