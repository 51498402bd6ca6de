"""each_change.py -- `lq verify` on a tree that verifies: every file of it has a row, and each single
change is found and laid at the right file.

    each_change.py TREE [PLACE]     PLACE: what is verified, within TREE (default: all of it)
    prints  "N files, N changes"
"""
import json
import os
import subprocess
import sys
from pathlib import Path

tree = Path(sys.argv[1]).resolve()
place = tree / (sys.argv[2] if len(sys.argv) > 2 else "")
lq = os.environ.get("LQ", "build/lq")
# What clients keep for themselves, and what docs/verify.md says is not listed.
NOTES = ("CACHEDIR.TAG", ".lock", ".gitignore", ".metadata")


def verify():
    done = subprocess.run([lq, "verify", place, "--json"], capture_output=True, text=True)
    items = json.loads(done.stdout)["items"] if done.stdout else []
    return done.returncode, items, done.stderr


def is_content(path):
    name = str(path.relative_to(tree))
    return not name.endswith(NOTES) and ".no_exist/" not in name and ".cache/huggingface" not in name


def names_of(path):
    """Under which names a row may be: its own, and those of the links to it."""
    links = [p for p in place.rglob("*") if p.is_symlink() and p.resolve() == path.resolve()]
    return {os.path.relpath(p, place) for p in [path, *links]}


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def shorten(path):
    path.write_bytes(path.read_bytes()[:-1])


def lengthen(path):
    path.write_bytes(path.read_bytes() + b"\n")


def empty(path):
    path.write_bytes(b"")


def remove(path):
    path.unlink()


def rename(path):
    path.rename(path.with_name("renamed.bin"))


def lead_out(path):
    path.unlink()
    path.symlink_to("/etc/hostname")


def folder_instead(path):
    path.unlink()
    path.mkdir()


def check_change(change, path, problems):
    names = names_of(path)
    is_link, data = path.is_symlink(), None if path.is_symlink() else path.read_bytes()
    target = os.readlink(path) if is_link else None
    stat = path.stat()
    change(path)
    code, items, err = verify()
    wrong = {i["name"] for i in items if i["state"] not in ("verified", "claims")}
    if code != 1 or not (wrong & names or any(n.startswith(w + "/") for w in wrong for n in names)):
        problems.append(f"{change.__name__} {path.relative_to(tree)}: exit code {code}, {wrong} {err}")
    path.with_name("renamed.bin").unlink(missing_ok=True)
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    path.unlink(missing_ok=True)
    if is_link:
        path.symlink_to(target)
    else:
        path.write_bytes(data)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def check_additions(problems):
    folders = [place, *(p for p in place.rglob("*") if p.is_dir() and not p.is_symlink())]
    for folder in folders:
        for name in ("more.py", ".hidden"):
            added = folder / name
            added.write_text("x")
            code, items, err = verify()
            added.unlink()
            rows = {i["name"]: i["state"] for i in items}
            if code != 1 or rows.get(os.path.relpath(added, place)) not in ("unvouched", "bad"):
                problems.append(f"{name} added to {folder}: exit code {code} {err}")
    return 2 * len(folders)


def main():
    problems, changes = [], 0
    code, items, err = verify()
    if code != 0:
        problems.append(f"exit code {code} before any change: {err}")
    rows = {i["name"] for i in items}
    files = [p for p in sorted(place.rglob("*")) if (p.is_symlink() or p.is_file()) and is_content(p)]
    problems += [f"no row for {p.relative_to(place)}" for p in files
                 if os.path.relpath(p, place) not in rows]
    claims = {i["name"] for i in items if i["state"] == "claims"}
    for path in files:
        if os.path.relpath(path, place) in claims:  # nothing vouches for a list of claims itself
            continue
        kinds = [remove, rename, lead_out, folder_instead]
        if not path.is_symlink():
            kinds += [lengthen, *([flip, shorten, empty] if path.stat().st_size else [])]
        for change in kinds:
            check_change(change, path, problems)
            changes += 1
    changes += check_additions(problems)
    if verify()[0] != 0:
        problems.append("the tree was not put right again")
    for problem in problems[:8]:
        print(problem[:300])
    print(f"{len(files)} files, {changes} changes")
    return bool(problems)


sys.exit(main())
