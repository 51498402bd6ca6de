# signatures.sh -- what is done to signed models and to signatures, for tests/cli/sign.sh and for
# scripts/interop-sign, which shows what model_signing says to each.
#
#   forge=... forge_keyless=... lq=...; tampering() { ... }; . tests/attacks/signatures.sh
#   make_signed DIR            a model and its signatures, in the folder DIR
#   each_tampering             calls `tampering` for each case:
#
#   tampering WHAT CODE REASON COMMANDS    the commands are run in a copy of DIR; then lq must exit with
#                                          CODE; REASON: why, where model_signing accepts it. The files
#                                          `args` (one argument a line) and `sig` are what is verified.
# shellcheck shell=sh

ca='basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign'
leaf='keyUsage=critical,digitalSignature extendedKeyUsage=codeSigning'

make_signed() {
    mkdir -p "$1/model/a"
    (
        cd "$1" || exit 1
        printf weights >model/weights.bin
        printf '{}' >model/config.json
        printf b >model/a/b
        printf c >model/a-b
        for curve in P-256 P-384 P-521 secp256k1 RSA; do "$forge" key $curve $curve; done
        for key in root other-root inter other; do "$forge" key P-256 $key; done
        # shellcheck disable=SC2086
        {
            "$forge" cert root.pem "Test root" root - root from=-40 $ca
            "$forge" cert other-root.pem "Another root" other-root - other-root $ca
            "$forge" cert inter.pem "Test CA" inter root.pem root from=-40 $ca
            "$forge" cert leaf.pem "Test signer" P-256 inter.pem inter $leaf
        }
        "$lq" sign key model --signature key.sig --private-key P-256 -q
        "$lq" sign certificate model --signature certificate.sig --private-key P-256 \
            --signing-certificate leaf.pem --certificate-chain inter.pem -q
        "$forge" payload key.sig >payload
    )
}

# ---- words for the commands ----
by_key() {
    cp key.sig sig
    printf '%s\n' key model --signature sig --public_key P-256.pub >args
}
by_certificate() {
    cp certificate.sig sig
    printf '%s\n' certificate model --signature sig --certificate_chain root.pem >args
}
by_keyless() {
    keyless
    printf '%s\n' sigstore model --signature sig --trust_config trust.json --identity ada@example.org \
        --identity_provider https://id.example.org >args
}
make_keyless() { ASAN_OPTIONS=detect_leaks=0 "$forge_keyless" payload . "$@"; } # FLAW...: forge_keyless.c
keyless() { make_keyless "$@" && mv keyless.sig sig; }
more() { printf '%s\n' "$@" >>args; }
bundle() { sed -i "$1" sig; }                 # edits the signature file
signed() { sed -i "$1" payload; resign; }     # edits what is signed, and signs that
resign() { "$forge" sign P-256 payload sig; }
reroot() { "$forge" reroot payload >p && mv p payload; }
# issue OPTION...: the signer's certificate; the signature is made with it
issue() {
    "$forge" cert leaf.pem "Test signer" P-256 inter.pem inter "$@"
    "$forge" sign P-256 payload sig leaf.pem inter.pem
}
# issue_ca OPTION...: the certificate of the authority between
issue_ca() {
    "$forge" cert inter.pem "Test CA" inter root.pem root "$@"
    # shellcheck disable=SC2086
    issue $leaf
}

each_tampering() {
    files_changed
    bundles_changed
    statements_changed
    certificates_changed
    keyless_changed
}

files_changed() {
    prepare=by_key
    tampering 'nothing' 0 '' ':'
    tampering 'a bundle of model_signing 1.0 (the key instead of its hint)' 0 '' 'bundle "s|\"publicKey\":{[^}]*}|\"publicKey\":{\"rawBytes\":\"$(base64 -w0 P-256.pub)\",\"keyDetails\":\"PKIX_ECDSA_P256_SHA_256\"}|"'
    tampering 'one bit of a weight' 1 '' 'printf veights >model/weights.bin'
    tampering 'a file is longer' 1 '' 'printf x >>model/config.json'
    tampering 'a file is gone' 1 '' 'rm model/a/b'
    tampering 'a file is new' 1 '' ': >model/new.py'
    tampering 'a hidden file is new' 1 '' ': >model/.new'
    tampering 'a file has another name' 1 '' 'mv model/a-b model/a-c'
    tampering 'two files have changed places' 1 '' 'mv model/a-b x; mv model/a/b model/a-b; mv x model/a/b'
    tampering 'a link instead of a file' 1 '' 'mv model/a-b x; ln -s ../x model/a-b'
    tampering 'the same, links being allowed: it leads out of the model' 1 \
        'what lies elsewhere can be changed without the model being touched' \
        'mv model/a-b x; ln -s ../x model/a-b; more --allow_symlinks'
    tampering 'a link to a folder is new, links being allowed' 1 \
        'Python 3.11 and 3.12 do not look into such folders' \
        'mkdir x; : >x/new.py; ln -s ../x model/x; more --allow_symlinks'
    tampering 'a pipe is new' 1 '' 'mkfifo model/pipe'
}

bundles_changed() {
    prepare=by_key
    tampering 'one character of the payload' 1 '' 'bundle "s/\"payload\":\"eyJfd/\"payload\":\"eyJfe/"'
    tampering 'the payload of another signature' 1 '' 'p=$(sed "s/.*\"payload\":\"\([^\"]*\)\".*/\1/" sig); sed -i s/config/konfig/ payload; resign; bundle "s,\"payload\":\"[^\"]*\",\"payload\":\"$p\","'
    tampering 'another key, and its hint' 1 '' '"$forge" sign other payload sig'
    tampering 'another key, and the hint of the right one' 1 '' 'h=$(grep -o "hint\":\"[0-9a-f]*" sig); "$forge" sign other payload sig; bundle "s/hint\":\"[0-9a-f]*/$h/"'
    tampering 'the hint is of another key' 1 '' 'bundle "s/hint\":\"..../hint\":\"0000/"'
    tampering 'the hint in upper case' 1 '' 'bundle "s/hint\":\"\([0-9a-f]*\)/hint\":\"\U\1/"'
    tampering 'signed with r and s one after the other' 1 '' '"$forge" sign raw:P-256 payload sig'
    tampering 'signed with SHA-512 on P-256' 1 '' '"$forge" sign md=SHA512:P-256 payload sig'
    tampering 'a key on secp256k1' 3 '' 'sed -i s/P-256.pub/secp256k1.pub/ args; "$forge" sign secp256k1 payload sig'
    tampering 'an RSA key' 3 '' 'sed -i s/P-256.pub/RSA.pub/ args; "$forge" sign RSA payload sig'
    tampering 'a second signature, of nobody' 3 'each reader may look at another one' 'bundle "s/\(.*\)}\]}}/\1},{\"sig\":\"AAAA\",\"keyid\":\"\"}]}}/"'
    tampering 'no signature' 3 '' 'bundle "s/\"signatures\":.*/\"signatures\":[]}}/"'
    tampering 'the payload of another type' 3 '' 'bundle "s/vnd.in-toto+json/json/"'
    tampering 'Base64 with a line break in it' 3 'characters that are dropped can hide others' 'bundle "s/\"payload\":\"eyJf/\"payload\":\"eyJf\\\\n/"'
    tampering 'Base64 with other characters in it' 3 'characters that are dropped can hide others' 'bundle "s/\"payload\":\"eyJf/\"payload\":\"eyJf!*/"'
    tampering 'Base64 without padding' 3 '' 'bundle "s/=\",\"keyid/\",\"keyid/;s/=*\",\"payloadType/\",\"payloadType/"; grep -q "[^=]\",\"payloadType" sig; printf " " >>payload; resign; bundle "s/=*\",\"payloadType/\",\"payloadType/"'
    tampering 'a payload twice' 3 'readers differ in which one counts' 'bundle "s/\"dsseEnvelope\":{/&\"payload\":\"AAAA\",/"'
    tampering 'an unknown field beside the envelope' 3 '' 'bundle "s/\"dsseEnvelope\"/\"more\":1,&/"'
    tampering 'an unknown field in the envelope' 3 '' 'bundle "s/\"payloadType\"/\"more\":1,&/"'
    tampering 'a message signature, too' 3 '' 'bundle "s/\"dsseEnvelope\"/\"messageSignature\":{\"signature\":\"AAAA\"},&/"'
    tampering 'a bundle of version 0.2' 3 '' 'bundle "s/bundle.v0.3+json/bundle+json;version=0.2/"'
    tampering 'key and certificate at once' 3 '' 'bundle "s/\"tlogEntries\"/\"certificate\":{\"rawBytes\":\"AAAA\"},&/"'
    tampering 'neither key nor certificate' 3 '' 'bundle "s/\"publicKey\":{[^}]*},//"'
    tampering 'a signature by certificate where a key is expected' 1 '' 'cp certificate.sig sig'
    tampering 'a bundle that was cut off' 3 '' 'head -c 500 key.sig >sig'
    tampering 'an empty file' 3 '' ': >sig'
    tampering 'text after the bundle' 3 '' 'echo "{}" >>sig'
    tampering 'brackets 100000 deep' 3 '' 'head -c 100000 /dev/zero | tr "\0" "[" >sig'
}

statements_changed() {
    prepare=by_key
    tampering 'signed: another digest over all files' 1 '' 'signed "s/\"subject\":\(.*\)\"sha256\":\"..../\"subject\":\1\"sha256\":\"0000/;s/\(\"subject\":[^]]*sha256\":\"\)..../\10000/"'
    tampering 'signed: no files, and "." left out' 3 'it would be the signature of every model' \
        'sed -i "s/\"resources\":\[[^]]*\]/\"resources\":[]/;s/\"ignore_paths\":\[/&\".\",/" payload; reroot; resign'
    tampering 'signed: no files' 3 '' 'sed -i "s/\"resources\":\[[^]]*\]/\"resources\":[]/" payload; reroot; resign'
    tampering 'signed: "*" left out' 3 'a pattern for one reader is a name for another' 'signed "s/\"ignore_paths\":\[/&\"*\",/"'
    tampering 'signed: a file outside left out' 3 'nothing outside is part of a model' 'signed "s/\"ignore_paths\":\[/&\"..\/x\",/"'
    tampering 'signed: a file twice, first with another digest' 3 'readers differ in which one counts' \
        'sed -i "s/\({\"name\":\"a\/b\",[^}]*\"digest\":\"\)\(....\)\([^}]*}\)/\10000\3,\1\2\3/" payload; reroot; resign'
    tampering 'signed: a name that leads out, unsigned files being ignored' 3 'a file that is no part of the model is read' \
        'cp model/a-b x; sed -i "s/\"name\":\"a-b\"/\"name\":\"..\/x\"/" payload; reroot; resign; rm model/a-b; more --ignore_unsigned_files'
    tampering 'signed: an absolute name, unsigned files being ignored' 3 '' \
        'cp model/a-b x; sed -i "s,\"name\":\"a-b\",\"name\":\"$PWD/x\"," payload; resign; rm model/a-b; more --ignore_unsigned_files'
    tampering 'signed: the name a//b' 3 'two names for one file' 'signed "s/\"a\/b\"/\"a\/\/b\"/"'
    tampering 'signed: the name ./a-b' 3 'two names for one file' 'signed "s/\"a-b\"/\".\/a-b\"/"'
    tampering 'signed: a name with NUL' 3 '' 'signed "s/\"a-b\"/\"a-b\\\\u0000\"/"'
    tampering 'signed: digests in upper case' 3 'digests are compared as text elsewhere' 'signed "s/\"digest\":\"\([0-9a-f]*\)\"/\"digest\":\"\U\1\"/g"'
    tampering 'signed: a digest that is too short' 3 '' 'signed "s/\(\"digest\":\"[0-9a-f]*\)..\"/\1\"/"; reroot; resign'
    tampering 'signed: hash_type contradicts the files' 3 'what was hashed is not clear' 'signed "s/\"hash_type\":\"sha256\"/\"hash_type\":\"blake2b\"/"'
    tampering 'signed: files hashed by an unknown algorithm' 3 '' 'signed "s/\"algorithm\":\"sha256\"/\"algorithm\":\"md5\"/g"'
    tampering 'signed: the files in no order' 3 'two verifiers that sort have two digests over all files' \
        'sed -i "s/\"resources\":\[\({[^}]*}\),\(.*\)\],\"serialization/\"resources\":[\2,\1],\"serialization/" payload; reroot; resign'
    tampering 'signed: a predicate of version 1.1' 3 '' 'signed "s/signature\/v1.0/signature\/v1.1/"'
    tampering 'signed: the form of model_signing 0.2' 3 '' 'signed "s/signature\/v1.0/Digests\/v0.1/"'
    tampering 'signed: a statement of version 0.1' 3 '' 'signed "s/Statement\/v1/Statement\/v0.1/"'
    tampering 'signed: two subjects' 3 '' 'signed "s/\"subject\":\[\({.*}}\)\],\"pred/\"subject\":[\1,\1],\"pred/"'
    tampering 'signed: a key twice' 3 'readers differ in which one counts' 'signed "s/\"allow_symlinks\":false/\"allow_symlinks\":true,&/"'
    tampering 'signed: an unknown field in the statement' 3 'it might change what the rest means' 'signed "s/\"predicateType\"/\"more\":1,&/"'
    tampering 'signed: an unknown field in the predicate' 3 'it might change what the rest means' 'signed "s/\"resources\"/\"more\":1,&/"'
    tampering 'signed: an unknown field in "serialization"' 3 'it might change what the rest means' 'signed "s/\"hash_type\"/\"more\":1,&/"'
    tampering 'signed: shards' 3 '' 'signed "s/\"method\":\"files\"/\"method\":\"shards\",\"shard_size\":1000/"'
    tampering 'signed: the size of shards with whole files' 3 'whether files or shards are meant is not clear' 'signed "s/\"method\":\"files\"/&,\"shard_size\":1000/"'
    tampering 'signed: no word about links' 3 '' 'signed "s/\"allow_symlinks\":false,//"'
    tampering 'signed: a statement about something else' 3 '' 'echo "{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[],\"predicateType\":\"https://slsa.dev/provenance/v1\",\"predicate\":{}}" >payload; resign'
    tampering 'signed: no JSON' 3 '' 'echo nonsense >payload; resign'
}

certificates_changed() {
    prepare=by_certificate
    tampering 'certificate: nothing' 0 '' ':'
    tampering 'certificate: one byte of a file' 1 '' 'printf x >>model/a-b'
    tampering 'certificate: expired' 1 'the spec wants it valid; --at-time is for old signatures' 'issue from=-20 to=-10 $leaf'
    tampering 'certificate: not valid yet' 1 'the spec wants it valid' 'issue from=10 to=20 $leaf'
    tampering 'certificate: for servers' 1 'who runs a server need not be who signs models' 'issue keyUsage=critical,digitalSignature extendedKeyUsage=serverAuth'
    tampering 'certificate: no extended key usage' 1 'code signing is asked for' 'issue keyUsage=critical,digitalSignature'
    tampering 'certificate: for encrypting keys' 1 '' 'issue keyUsage=critical,keyEncipherment extendedKeyUsage=serverAuth'
    tampering 'certificate: for code, but not for signatures' 1 'both are asked for' 'issue keyUsage=critical,keyAgreement extendedKeyUsage=codeSigning'
    tampering 'certificate: of an authority' 1 'who issues certificates does not sign models' 'issue basicConstraints=critical,CA:TRUE keyUsage=critical,keyCertSign,digitalSignature extendedKeyUsage=codeSigning'
    tampering 'certificate: with an unknown critical extension' 1 '' 'issue $leaf 1.2.3.4=critical,DER:0500'
    tampering 'certificate: signed with SHA-1' 1 'SHA-1 collides' 'issue md=SHA1 $leaf'
    tampering 'certificate: the key is on secp256k1' 3 'the curve is not one of the three' '"$forge" cert leaf.pem "Test signer" secp256k1 inter.pem inter $leaf; "$forge" sign secp256k1 payload sig leaf.pem inter.pem'
    tampering 'certificate: of somebody else' 1 '' '"$forge" cert leaf.pem "Somebody" other inter.pem inter $leaf; "$forge" sign P-256 payload sig leaf.pem inter.pem'
    tampering 'certificate: signs itself, and is trusted' 1 'nobody vouches for it; that is the method key' '"$forge" cert leaf.pem "Test signer" P-256 - P-256 $leaf; "$forge" sign P-256 payload sig leaf.pem; sed -i s/root.pem/leaf.pem/ args'
    tampering 'authority: another root' 1 '' 'sed -i s/root.pem/other-root.pem/ args'
    tampering 'authority: missing' 1 '' '"$forge" sign P-256 payload sig leaf.pem'
    tampering 'authority: trusted, but not the root' 3 '' 'sed -i s/root.pem/inter.pem/ args'
    tampering 'authority: is none' 1 '' 'issue_ca basicConstraints=critical,CA:FALSE keyUsage=critical,digitalSignature'
    tampering 'authority: may not issue certificates' 1 '' 'issue_ca basicConstraints=critical,CA:TRUE keyUsage=critical,cRLSign'
    tampering 'authority: for servers only' 1 'its certificates are for servers, too' 'issue_ca $ca extendedKeyUsage=serverAuth'
    tampering 'authority: one too many (path length)' 1 '' '"$forge" cert root.pem "Test root" root - root basicConstraints=critical,CA:TRUE,pathlen:0 keyUsage=critical,keyCertSign; "$forge" cert inter.pem "Test CA" inter root.pem root $ca; issue $leaf'
    tampering 'authority: expired' 1 'the spec wants it valid; --at-time is for old signatures' 'issue_ca from=-20 to=-5 $ca; issue from=-10 $leaf'
    tampering 'a signature by key where a certificate is expected' 1 '' 'cp key.sig sig'
    tampering 'certificate: 20 of them' 3 'no chain is that long' '"$forge" sign P-256 payload sig leaf.pem inter.pem inter.pem inter.pem inter.pem inter.pem inter.pem inter.pem inter.pem inter.pem inter.pem inter.pem inter.pem inter.pem inter.pem inter.pem inter.pem inter.pem inter.pem inter.pem'
}

keyless_changed() {
    prepare=by_keyless
    tampering 'keyless: nothing' 0 '' ':'
    tampering 'keyless: one byte of a file' 1 '' 'printf x >>model/a-b'
    tampering 'keyless: another identity is expected' 1 '' 'sed -i s/ada@/eve@/ args'
    tampering 'keyless: a part of the identity is expected' 1 '' 'sed -i s/ada@example.org/ada@example/ args'
    tampering 'keyless: another provider is expected' 1 '' 'sed -i s/id.example/ip.example/ args'
    tampering 'keyless: the newer field names another provider' 1 'both fields are about one provider' 'keyless issuer-der'
    tampering 'keyless: the older field names another provider' 1 '' 'keyless issuer-raw'
    tampering 'keyless: no field names a provider' 1 '' 'keyless issuer-none'
    tampering 'keyless: an authority of the same name with another key' 1 '' 'keyless other-ca'
    tampering 'keyless: the authority is trusted for another time' 1 'its key may have been stolen since' 'keyless ca-period'
    tampering 'keyless: signed after the certificate expired' 1 '' 'keyless leaf-expired'
    tampering 'keyless: the certificate is for servers' 1 '' 'keyless leaf-server'
    tampering 'keyless: the certificate is an authority' 1 '' 'keyless leaf-ca'
    tampering 'keyless: no certificate log' 1 '' 'keyless sct-none'
    tampering 'keyless: the certificate log has signed something else' 1 '' 'keyless sct-wrong'
    tampering 'keyless: two timestamps of the certificate log' 1 '' 'keyless sct-twice'
    tampering 'keyless: a certificate log that is not trusted' 1 '' 'keyless sct-other-log'
    tampering 'keyless: a certificate log that is trusted for another time' 1 'its key may have been stolen since' 'keyless sct-period'
    tampering 'keyless: no promise, but a timestamp' 0 '' 'keyless promise-none'
    tampering 'keyless: a promise for another time' 1 '' 'keyless promise-wrong'
    tampering 'keyless: the log'"'"'s time is after the certificate'"'"'s' 1 '' 'keyless promise-time'
    tampering 'keyless: no timestamp, but a promise' 0 '' 'keyless timestamp-none'
    tampering 'keyless: neither' 1 '' 'keyless times-none'
    tampering 'keyless: a timestamp that is not signed' 1 'what a signature carries must hold' 'keyless timestamp-wrong'
    tampering 'keyless: a timestamp of something else' 1 'what a signature carries must hold' 'keyless timestamp-other'
    tampering 'keyless: a timestamp by an authority that is trusted for another time' 1 'its key may have been stolen since' 'keyless timestamp-period'
    tampering 'keyless: no log entry' 1 '' 'keyless entries-none'
    tampering 'keyless: two log entries' 1 '' 'keyless entries-two'
    tampering 'keyless: a log that is not trusted' 1 '' 'keyless log-unknown'
    tampering 'keyless: a log that is trusted for another time' 1 'its key may have been stolen since' 'keyless log-period'
    tampering 'keyless: the same, and the time is that of a timestamp' 1 'its key may have been stolen since' 'keyless log-period promise-none'
    tampering 'keyless: no proof of inclusion' 1 '' 'keyless proof-none'
    tampering 'keyless: a wrong hash in the proof' 1 '' 'keyless proof-hash'
    tampering 'keyless: a proof that is too short' 1 '' 'keyless proof-short'
    tampering 'keyless: a proof that is too long' 1 '' 'keyless proof-long'
    tampering 'keyless: a proof for another entry' 1 '' 'keyless proof-index'
    tampering 'keyless: a proof for an entry beyond the end' 1 '' 'keyless proof-beyond'
    tampering 'keyless: no checkpoint' 1 '' 'keyless checkpoint-none'
    tampering 'keyless: a checkpoint that is not signed' 1 '' 'keyless checkpoint-wrong'
    tampering 'keyless: a checkpoint with another root' 1 '' 'keyless checkpoint-root'
    tampering 'keyless: a checkpoint with another size' 1 'it is of another state of the log' 'keyless checkpoint-size'
    tampering 'keyless: a checkpoint of another log' 1 '' 'keyless checkpoint-other'
    tampering 'keyless: the log entry is about another payload' 1 '' 'keyless body-payload'
    tampering 'keyless: the log entry is about another signature' 1 '' 'keyless body-signature'
    tampering 'keyless: the log entry is about another certificate' 1 '' 'keyless body-certificate'
    tampering 'keyless: the log entry is of another kind' 1 '' 'keyless body-kind'
    tampering 'keyless: signed with another key' 1 '' 'keyless signature-other'
    tampering 'keyless: another payload' 1 '' 'keyless payload-other'
    tampering 'keyless: signed with SHA-384' 1 '' 'keyless sha384'
    tampering 'keyless: the trusted root is no such file' 3 '' 'echo "{}" >trust.json'
    tampering 'keyless: a signature by key' 1 '' 'cp key.sig sig'
}
