"""store_tree.py -- lays out a model as Ollama's store and as an OCI image layout with a ModelPack
artifact, from their specifications and with hashlib alone.

    store_tree.py MODEL GGUF OLLAMA OCI     GGUF goes into both, the folder MODEL into the second
"""
import hashlib
import json
import sys
from pathlib import Path

model, gguf, ollama, oci = map(Path, sys.argv[1:])


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


def put(folder, prefix, content, media_type, **more):
    """A blob; returns its descriptor."""
    digest = hashlib.sha256(content).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{prefix}{digest}").write_bytes(content)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content), **more}


def make_ollama():
    def layer(data, kind):
        return put(ollama / "blobs", "sha256-", data, f"application/vnd.ollama.image.{kind}")
    layers = [layer(gguf.read_bytes(), "model"), layer(b"{{ .Prompt }}", "template"),
              layer(b'{"stop":["<|im_end|>"]}', "params"),
              layer((model / "LICENSE").read_bytes(), "license")]
    config = put(ollama / "blobs", "sha256-", compact(
        {"model_format": "gguf", "model_family": "llama", "rootfs": {
            "type": "layers", "diff_ids": [entry["digest"] for entry in layers]}}),
        "application/vnd.docker.container.image.v1+json")
    manifest = {"schemaVersion": 2,
                "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                "config": config, "layers": layers}
    for name in ("registry.ollama.ai/library/demo/latest", "hf.co/org/demo/Q8_0"):
        path = ollama / "manifests" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(compact(manifest))


def make_oci():
    blobs, pack = oci / "blobs/sha256", "application/vnd.cncf.model"
    image = "application/vnd.oci.image"

    def layer(path, kind):
        return put(blobs, "", path.read_bytes(), f"{pack}.{kind}.v1.raw",
                   annotations={"org.cncf.model.filepath": path.name})
    kinds = {".safetensors": "weight", ".json": "weight.config"}
    layers = [layer(path, kinds.get(path.suffix, "doc")) for path in sorted(model.iterdir())]
    config = put(blobs, "", compact({"descriptor": {"name": "demo"}, "modelfs": {
        "type": "layers", "diffIds": [entry["digest"] for entry in layers]}}),
        f"{pack}.config.v1+json")
    manifests = [put(blobs, "", compact({
        "schemaVersion": 2, "mediaType": f"{image}.manifest.v1+json",
        "artifactType": f"{pack}.manifest.v1+json", "config": config, "layers": layers}),
        f"{image}.manifest.v1+json")]
    empty = put(blobs, "", b"{}", "application/vnd.oci.empty.v1+json", data="e30=")
    manifests.append(put(blobs, "", compact({
        "schemaVersion": 2, "mediaType": f"{image}.manifest.v1+json",
        "artifactType": "application/vnd.docker.ai.gguf.v3", "config": empty,
        "layers": [put(blobs, "", gguf.read_bytes(), "application/vnd.docker.ai.gguf.v3",
                       annotations={"org.opencontainers.image.title": gguf.name})],
        "subject": manifests[0]}), f"{image}.manifest.v1+json"))
    nested = put(blobs, "", compact({"schemaVersion": 2, "mediaType": f"{image}.index.v1+json",
                                     "manifests": manifests}), f"{image}.index.v1+json",
                 annotations={"org.opencontainers.image.ref.name": "latest"})
    (oci / "index.json").write_bytes(compact({"schemaVersion": 2, "manifests": [nested]}))
    (oci / "oci-layout").write_bytes(compact({"imageLayoutVersion": "1.0.0"}))


make_ollama()
make_oci()
