"""signing_root.py -- the digest over a folder's files as the model_signing package makes it.

    signing_root.py FOLDER [--by-name]     in byte order of the names, as the specification says
"""
import hashlib
import sys
import types

try:
    import OpenSSL  # noqa: F401
except ImportError:  # only its signing by certificates needs it
    sys.modules["OpenSSL"] = types.ModuleType("OpenSSL")
    sys.modules["OpenSSL"].crypto = types.ModuleType("crypto")
from model_signing import hashing  # noqa: E402

resources = list(hashing.Config().hash(sys.argv[1]).resource_descriptors())
if "--by-name" in sys.argv:
    resources.sort(key=lambda resource: resource.identifier.encode())
digest = hashlib.sha256()
for resource in resources:
    digest.update(resource.digest.digest_value)
print("sha256:" + digest.hexdigest())
