#!/bin/sh
# sign.sh -- lq sign, and lq verify METHOD: what is signed verifies, and nothing else.
. "$(dirname "$0")/lib.sh"
forge=$build/tests/cli/forge
forge_keyless=$build/tests/cli/forge_keyless

# ---- keys ----
mkdir -p model/sub model/.git
printf weights >model/weights.bin
printf '{}' >model/sub/config.json
: >model/empty
: >model/.git/HEAD
for curve in P-256 P-384 P-521; do
    "$forge" key $curve $curve
    run sign key model --signature model/model.sig --private_key $curve
    check "$curve: a model is signed" eval 'exits 0 && prints "model.sig: signed 3 files with the $curve key [0-9a-f]{64}"'
    run verify key model --signature model/model.sig --public-key $curve.pub
    check "$curve: and verifies" eval 'exits 0 && prints "^verified +sub/config.json +sha256" && prints "3 verified, 1 not checked; signed by $curve key"'
done
check "what is left out is told" eval 'prints "^not checked +.git +left out: git.s" && prints "^claims +model.sig"'
run verify key model --signature model/model.sig --public-key P-521.pub --json
check "as JSON it names signer and trust root" eval '"$json_valid" out && prints "\"signer\": \"P-521 key" && prints "\"trust_root\": \"the public key\"" && prints "\"source\": \"model/model.sig\""'
run verify key model --signature model/model.sig --public-key P-256.pub
check "another key: it is said which one signed" refused 1 'is signed with another key: its hint is [0-9a-f]{64}'
run verify key model --signature model/model.sig --public-key P-256.pub --json
check "as JSON, too" eval 'exits 1 && "$json_valid" out && prints "\"verdict\": \"not verified\"" && prints "\"why\": \"is signed with another key"'
"$lq" digest model --root --ignore-paths model.sig >root
"$forge" payload model/model.sig >payload
check "the digest over the files is that of lq digest --root" grep -q "$(cut -d: -f2 root)" payload

# ---- passphrases ----
"$forge" key P-256 locked 'correct horse'
printf 'correct horse\nmore\n' >passphrase
run sign key model --signature s.sig --private-key locked --passphrase-file passphrase
check "an encrypted key's passphrase is the first line of a file" exits 0
passphrase='correct horse' run sign key model --signature s.sig --private-key locked --passphrase-env passphrase
check "or in the environment" exits 0
echo wrong >passphrase
run sign key model --signature no.sig --private-key locked --passphrase-file passphrase
check "a wrong one is said to be" refused 3 'cannot be decrypted with this passphrase'
run sign key model --signature no.sig --private-key locked --passphrase-env nothing
check "a variable that is not there" refused 2 'no variable nothing'
run sign key model --signature no.sig --private-key locked --password 'correct horse'
check "the command line is no place for one" refused 2 'unknown option --password'
check "nothing was written" not test -e no.sig
if command -v setsid >/dev/null; then
    setsid "$lq" sign key model --signature no.sig --private-key locked >out 2>err </dev/null
    code=$?
    check "without terminal it is asked for as an option" refused 2 'passphrase-file'
fi

# ---- which files ----
rm model/model.sig
run sign key model --signature s.sig --private-key P-256 --ignore-paths model/sub --no-ignore-git-paths
check "paths can be left out, and git's taken in" prints 'signed 3 files'
run verify key model --signature s.sig --public-key P-256.pub
check "what the signer left out is told" eval 'exits 1 && prints "^not checked +sub +left out: by the signature" && prints "^missing +.git/HEAD .*is left out here"'
run verify key model --signature s.sig --public-key P-256.pub --no_ignore_git_paths
check "git's files verify where they are taken in" exits 0
: >model/more
run verify key model --signature s.sig --public-key P-256.pub --no-ignore-git-paths
check "a file that was not signed" eval 'exits 1 && prints "^bad +more +is not among the files"'
run verify key model --signature s.sig --public-key P-256.pub --no-ignore-git-paths --ignore_unsigned_files
check "may be ignored, and is told" eval 'exits 0 && prints "^not checked +more"'
run verify key model --signature s.sig --public-key P-256.pub --no-ignore-git-paths --ignore-paths model/more
check "or left out" eval 'exits 0 && prints "^not checked +more +left out: as asked for"'
run verify key model --signature s.sig --public-key P-256.pub --ignore-paths /etc
check "nothing else can be left out" refused 2 'is not within model'
rm model/more
ln -s weights.bin model/link
run sign key model --signature no.sig --private-key P-256
check "a link is not signed" refused 1 'link: is a symbolic link'
run sign key model --signature l.sig --private-key P-256 --allow-symlinks
check "unless it may be" exits 0
run verify key model --signature l.sig --public-key P-256.pub --allow_symlinks
check "and verifies then" exits 0
rm model/link
mkdir -p empty/sub
run sign key empty --signature no.sig --private-key P-256
check "a folder without files is not signed" refused 1 'no file to sign'
run sign key model/weights.bin --signature f.sig --private-key P-256
check "one file is a model" prints 'signed 1 file with'
cp model/weights.bin renamed.bin
run verify key renamed.bin --signature f.sig --public-key P-256.pub
check "under whatever name" exits 0
run verify key model --signature f.sig --public-key P-256.pub
check "but no folder is that file" eval 'exits 1 && prints "^missing +\."'

# ---- usage ----
run sign sigstore model
check "keyless signing is not offline" refused 2 'keyless signing needs .* in the network'
run sign model --private-key P-256
check "a method is needed" refused 2 'too few arguments'
run sign pgp model
check "one that is known" refused 2 "'pgp' is no method"
run sign key model
check "a key is needed" refused 2 'private-key FILE is needed'
run sign certificate model --private-key P-256
check "a certificate, too" refused 2 'signing-certificate FILE is needed'
run verify key model --signature s.sig
check "verifying with a key needs one" refused 2 'needs --public-key'
run verify certificate model --signature s.sig
check "a root is never taken from the system" refused 2 'needs --certificate-chain'
run verify key model --signature s.sig --public-key P-256.pub --at-time 2020-01-01
check "options of another method are refused" refused 2 'at-time is not for the method key'
run verify model --signature s.sig
check "options of a method need one" refused 2 'needs a METHOD'
run verify key model --public-key P-256.pub
check "a signature is needed" refused 2 'signature FILE is needed'
run verify key model --signature none --public-key P-256.pub
check "one that is there" refused 4 none
run verify key missing --signature s.sig --public-key P-256.pub
check "and a model" refused 4 missing
run verify key model --signature s.sig --public-key P-256
check "a private key is no public one" refused 3 'no public key'

# ---- certificates ----
. "$root/tests/attacks/signatures.sh"
make_signed good
cd good || exit 1
run verify certificate model --signature certificate.sig --certificate_chain root.pem
check "a chain leads to the root" eval 'exits 0 && prints "4 verified; signed by CN=Test signer"'
run verify certificate model --signature certificate.sig --certificate_chain root.pem --json
check "as JSON it names the root" eval 'prints "\"signer\": \"CN=Test signer\"" && prints "\"trust_root\": \"root.pem\""'
run verify certificate model --signature certificate.sig --certificate_chain root.pem --log_fingerprints
check "fingerprints are printed" says '^[0-9a-f]{64}  CN=Test root'
run verify certificate model --signature certificate.sig --certificate_chain root.pem --at-time 2040-01-01
check "not any more in years" refused 1 'certificate has expired \(at 2040-01-01T00:00:00Z\)'
run verify certificate model --signature certificate.sig --certificate_chain root.pem --at-time yesterday
check "a time has one of three forms" refused 2 'neither 2026-11-29 nor'
run verify certificate model --signature certificate.sig --certificate_chain root.pem --at-time 2026-02-31
check "of a day that there is" refused 2 'neither 2026-11-29 nor'
run sign certificate model --signature no.sig --private-key P-384 --signing-certificate leaf.pem
check "key and certificate belong together" refused 2 'not the certificate of this private key'
# shellcheck disable=SC2086
"$forge" cert old.pem "Old signer" P-256 inter.pem inter from=-20 to=-10 $leaf
"$forge" sign P-256 payload old.sig old.pem inter.pem
"$forge" cert inter.pem "Test CA" inter root.pem root from=-30 to=30 $ca
"$forge" cert root.pem "Test root" root - root from=-40 to=40 $ca
"$forge" sign P-256 payload old.sig old.pem inter.pem
run verify certificate model --signature old.sig --certificate_chain root.pem --at-time "$(($(date +%s) - 15 * 86400))"
check "an old signature verifies at its time" exits 0
run verify certificate model --signature old.sig --certificate_chain root.pem
check "and not now" refused 1 'has expired'

# ---- keyless ----
make_keyless
keyless='--signature keyless.sig --trust-config trust.json --identity ada@example.org --identity-provider https://id.example.org'
run verify sigstore model $keyless --json
check "a keyless signature: signer, trusted root and time are named" eval 'exits 0 && prints "\"signer\": \"ada@example.org \(https://id.example.org\)\"" && prints "\"trust_root\": \"trust.json\"" && prints "\"time\": \"20[0-9-]*T[0-9:]*Z\""'
run verify sigstore model --signature keyless.sig --trust-config trust.json --identity ada@example.org
check "an identity is nothing without its provider" refused 2 'needs --identity-provider'
run verify sigstore model --signature keyless.sig --identity ada@example.org --identity-provider https://id.example.org
check "there is no trusted root by default" refused 2 'needs --trust-config'
cp keyless.sig model/model.sig
run verify model
check "lq verify PATH tells what such a signature needs" prints '^not checked +model.sig .*--identity-provider are needed'
run verify model --trust-config trust.json --identity ada@example.org --identity-provider https://id.example.org
check "and checks it" eval 'exits 0 && prints "4 verified; signed by ada@example.org"'
rm model/model.sig

# ---- signatures that lq verify PATH comes upon ----
cp certificate.sig model/model.sig
run verify model
check "a signature needs a root, and that is said" eval 'exits 3 && prints "^not checked +model.sig .*--certificate-chain"'
rm -f model/model.sig
"$forge" cert root.pem "Test root" root - root $ca
run sign key model --signature model/model.sig --private-key P-256
run verify model --public-key P-256.pub
check "with the key its claims are checked" eval 'exits 0 && prints "4 verified; signed by P-256 key"'
run verify model/a-b --public-key P-256.pub
check "those about one file, too" eval 'exits 0 && prints "^verified +a-b +sha256 +model.sig"'
run verify model/a-b
check "or that they could be" eval 'exits 3 && prints "^not checked +a-b +model.sig: a signature with a key"'
printf x >>model/a-b
run verify model --public-key P-256.pub
check "a changed file is found" eval 'exits 1 && prints "^changed +a-b +sha256 +model.sig"'
run verify model --public-key P-384.pub
check "a signature of another key is bad" eval 'exits 1 && prints "^bad +model.sig +a signature that does not verify"'
echo '{}' >model/model.sig
run verify model --public-key P-256.pub
check "one that cannot be read cannot be checked" eval 'exits 3 && prints "^not checked +model.sig +a signature that cannot be checked"'
snapshot=cache/models--org--demo/snapshots/0123456789abcdef0123456789abcdef01234567
mkdir -p $snapshot cache/models--org--demo/blobs
for f in config.json weights.bin; do
    blob=$(sha256sum model/$f | cut -c1-64)
    cp model/$f cache/models--org--demo/blobs/"$blob"
    ln -s ../../blobs/"$blob" $snapshot/$f
done
mkdir part
cp model/config.json model/weights.bin part
"$lq" sign key part --signature part.sig --private-key P-256 -q
blob=$(sha256sum part.sig | cut -c1-64)
cp part.sig cache/models--org--demo/blobs/"$blob"
ln -s ../../blobs/"$blob" $snapshot/model.sig
run verify $snapshot --public-key P-256.pub
check "in a cache, too" eval 'exits 0 && prints "5 verified; 2 of the claims are signed"'
run verify $snapshot --public-key P-384.pub
check "where another key is refused" eval 'exits 1 && prints "^bad .*model.sig +a signature that does not verify"'
run verify key $snapshot --signature part.sig --public-key P-256.pub --allow-symlinks --ignore-paths $snapshot/model.sig
check "a snapshot is verified by a signature that was made elsewhere" exits 0
cd .. || exit 1

# ---- tampering ----
rm -rf good
make_signed good
tampering() {
    rm -rf case
    cp -a good case
    cd case || exit 1
    $prepare
    (eval "$4") >/dev/null 2>&1
    set -- "$1" "$2"
    what=$1 want=$2
    set -f
    old_ifs=$IFS
    IFS='
'
    # shellcheck disable=SC2046
    set -- $(cat args)
    IFS=$old_ifs
    set +f
    run verify "$@"
    cd .. || exit 1
    cp case/out case/err .
    check "$what: $want" eval '[ "$code" -eq "$want" ] && { [ "$want" -eq 0 ] || [ -s err ] || grep -qE "^(changed|missing|bad)" out; }'
}
each_tampering
finish
