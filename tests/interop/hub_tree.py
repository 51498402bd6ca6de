"""hub_tree.py -- lays out a real Hugging Face cache and a real --local-dir: huggingface_hub downloads a
model folder from a server on this machine that answers as the hub does.

    hub_tree.py MODEL CACHE LOCAL     MODEL is served as org/demo
"""
import hashlib
import http.server
import json
import os
import sys
import threading
import urllib.parse

model, cache, local = map(os.path.abspath, sys.argv[1:])
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def etag(path):
    with open(path, "rb") as f:
        data = f.read()
    if path.endswith(".safetensors"):
        return hashlib.sha256(data).hexdigest(), data
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest(), data


class Hub(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def send(self, body, headers=()):
        self.send_response(200)
        for key, value in headers:
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_GET(self):
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        if "/resolve/" in path:
            name = path.split("/resolve/", 1)[1].split("/", 1)[1]
            tag, data = etag(os.path.join(model, name))
            self.send(data, [("ETag", f'"{tag}"'), ("X-Repo-Commit", COMMIT)])
        elif "/tree/" in path:
            tree = []
            for name in sorted(os.listdir(model)):
                tag, data = etag(os.path.join(model, name))
                entry = {"type": "file", "path": name, "size": len(data), "oid": tag[:40]}
                if len(tag) == 64:
                    entry["lfs"] = {"oid": tag, "size": len(data), "pointerSize": 130}
                tree.append(entry)
            self.send(json.dumps(tree).encode(), [("Content-Type", "application/json")])
        else:
            siblings = [{"rfilename": name} for name in sorted(os.listdir(model))]
            info = {"id": "org/demo", "modelId": "org/demo", "sha": COMMIT, "private": False,
                    "tags": [], "downloads": 0, "likes": 0, "siblings": siblings}
            self.send(json.dumps(info).encode(), [("Content-Type", "application/json")])

    do_HEAD = do_GET


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ["HF_ENDPOINT"] = f"http://127.0.0.1:{server.server_port}"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HUB_DISABLE_XET"] = "1"
from huggingface_hub import snapshot_download  # noqa: E402  (the endpoint is read on import)

snapshot_download("org/demo", cache_dir=cache)
snapshot_download("org/demo", local_dir=local)
