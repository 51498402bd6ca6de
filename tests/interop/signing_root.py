"""signing_root.py -- the digest over a folder's files as the model_signing package makes it.

    signing_root.py FOLDER
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

digest = hashlib.sha256()
for resource in hashing.Config().hash(sys.argv[1]).resource_descriptors():
    digest.update(resource.digest.digest_value)
print("sha256:" + digest.hexdigest())
