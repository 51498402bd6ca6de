#!/bin/sh
# verify-hostile.sh -- lq verify PATH against claims that are odd, contradict each other, lead elsewhere or
# are too many: each is refused with its reason, and nothing is passed over.
. "$(dirname "$0")/lib.sh"

sha() { sha256sum "$1" | cut -c1-64; }
# after SENTENCE CODE PATTERN COMMAND: in a copy of the tree `good`, after the command, lq verify exits so
# and prints the pattern.
target=.
after() {
    rm -rf tree
    cp -a good tree
    (cd tree && eval "$4")
    run verify "tree/$target"
    wanted=$2 pattern=$3
    check "$1" eval 'exits $wanted && prints "$pattern"'
}

# ---- forms of lists ----
mkdir -p good/sub
printf weights >good/model.bin
printf other >'good/odd (1) = name'
digest=$(sha good/model.bin)
odd=$(sha 'good/odd (1) = name')
sums() { printf '%s\n' "$@" >SHA256SUMS; }
after "coreutils' forms, text and binary" 0 '2 verified' 'sums "$digest  model.bin" "$odd *odd (1) = name"'
after "BSD's form; the last bracket counts" 0 '2 verified' \
    'sums "SHA256 (model.bin) = $digest" "SHA256 (odd (1) = name) = $odd"'
after "those of openssl dgst" 0 '2 verified' \
    'sums "SHA256(model.bin)= $digest" "SHA2-256(odd (1) = name)= $odd"'
after "BSD's reverse form, capitals, carriage returns, remarks" 0 '2 verified' \
    'sums "# made by hand" "$(echo "$digest" | tr a-f A-F) model.bin$(printf "\r")" "$odd odd (1) = name"'
after "blanks before, tabs between, a byte order mark" 0 '2 verified' \
    'sums "$(printf "\357\273\277")$digest  model.bin" "   " "  $odd$(printf "\t")odd (1) = name"'
after "a list that was there when it was made" 0 '^folder: 2 verified' 'sha256sum -- * >SHA256SUMS; sha256sum -- * >SHA256SUMS'
# shellcheck disable=SC1003
after "escaped names" 0 '3 verified' 'printf x >"$(printf "a\nb\\\\c")"; sha256sum -- a* m* o* >SHA256SUMS; grep -q "^.[0-9a-f]*  a.nb" SHA256SUMS'
# shellcheck disable=SC1003
after "an escape that is none" 1 '^bad .*line 1 is no checksum' 'sums "\\$digest  model\\t.bin"'
after "one list of two algorithms, by the names in its lines" 0 '3 verified' \
    'sha512=$(sha512sum model.bin | cut -c1-128); sums "SHA256 (model.bin) = $digest" "SHA512 (model.bin) = $sha512" "SHA256 (odd (1) = name) = $odd"'
for list in SHA256 sha256sums.txt sha256sum.txt checksums.txt CHECKSUMS checksums.sha256 all.sha256.txt; do
    after "a list called $list" 0 "^claims +$list" "sums '$digest  model.bin' '$odd  odd (1) = name'; mv SHA256SUMS $list"
done
after "SHA-512 in checksums.txt" 0 '^verified +model.bin +sha512' \
    'rm odd*; sha512sum model.bin >checksums.txt'
after "a digest alone is that of the file whose name the list bears" 0 '^verified +model.bin' \
    'rm odd*; echo "$digest" >model.bin.sha256.txt'
after "MD5 proves nothing" 3 '^not checked +model.bin .*MD5SUMS: MD5 digests prove nothing' 'md5sum model.bin >MD5SUMS'
after "SHA-1 neither" 3 '^not checked +model.bin .*SHA1 digests prove nothing' 'sha1sum model.bin >model.bin.sha1'
after "beside SHA-256 it does no harm" 0 '^not checked .*MD5' \
    'sums "$digest  model.bin" "$odd  odd (1) = name"; md5sum model.bin >MD5SUMS'
after "SHA-384 is not checked, and that is said" 3 '^not checked .*SHA384 digests are not checked' 'sha384sum model.bin >SHA384SUMS'
after "a signature by gpg is not checked, and that is said" 0 '^not checked +SHA256SUMS.asc .*gpg' \
    'sums "$digest  model.bin" "$odd  odd (1) = name"; : >SHA256SUMS.asc'

# ---- lists that cannot be right ----
sums_of_all() { (cd good && sha256sum model.bin odd* >SHA256SUMS); }
sums_of_all
after "a file that is named twice" 1 '^bad +SHA256SUMS +names model.bin twice$' 'sha256sum model.bin >>SHA256SUMS'
after "twice with two digests" 1 '^bad +SHA256SUMS .*twice, with digests that contradict' 'echo "$odd  model.bin" >>SHA256SUMS'
after "two lists that contradict each other" 1 '^changed +model.bin .*contradicts SHA256SUMS' 'echo "$odd  model.bin" >model.bin.sha256'
after "a NUL, behind which other readers stop" 1 '^bad +SHA256SUMS .*NUL' 'printf "\0" >>SHA256SUMS'
after "an empty list" 1 '^bad +SHA256SUMS +lists nothing' ': >SHA256SUMS'
after "an absolute name" 1 '^bad +SHA256SUMS +line 3 names a file outside' 'echo "$digest  /etc/passwd" >>SHA256SUMS'
after "a name that climbs in its middle" 1 '^bad .*outside' 'echo "$digest  sub/../../x" >>SHA256SUMS'
after "a name that goes around" 1 '^bad .*outside' 'echo "$digest  sub/../model.bin" >>SHA256SUMS'
after "a name behind a link out of the folder" 1 '^bad +out/secret .*leads out' \
    'mkdir ../elsewhere; printf weights >../elsewhere/secret; ln -s ../elsewhere out; echo "$digest  out/secret" >>SHA256SUMS'
rm -rf elsewhere
after "a digest that is too short" 1 '^bad .*line 3 is no checksum' 'echo "abcdef  x" >>SHA256SUMS'
after "an unknown algorithm in a line" 1 '^bad .*line 3 is no checksum' 'echo "CRC32 (model.bin) = $digest" >>SHA256SUMS'
after "a list that is too large" 1 '^bad +SHA256SUMS +is larger' 'head -c 17000000 /dev/zero | tr "\0" "#" >>SHA256SUMS'
many() {
    awk -v d="$digest" 'BEGIN { for (i = 0; i < 60000; i++) printf "%s  file-%d\n", d, i }' >>SHA256SUMS
}
after "a list of very many files is read in good time" 1 '60000 missing' many

after "an index of shards that is too large" 1 '^bad +model.safetensors.index.json' \
    'head -c 11000000 /dev/zero | tr "\0" " " >model.safetensors.index.json; echo "{}" >>model.safetensors.index.json'

# ---- our own lists ----
rm -f good/SHA256SUMS
own() { printf '{"files":[%s]}' "$1" >lq-digest.json; }
after "an entry that leads out" 1 '^bad +lq-digest.json +names a file outside' 'own "{\"name\":\"../x\",\"sha256\":\"$digest\"}"'
after "an entry without a digest" 1 '^bad +lq-digest.json +has an entry without' 'own "{\"name\":\"model.bin\"}"'
after "an entry that comes twice" 1 'names model.bin twice' \
    'own "{\"name\":\"model.bin\",\"sha256\":\"$digest\"},{\"name\":\"model.bin\",\"sha256\":\"$digest\"}"'
after "no entries" 1 '^bad +lq-digest.json +lists no files' 'own ""'
after "no JSON" 1 '^bad +lq-digest.json' 'echo nonsense >lq-digest.json'
statement() { printf '{"_type":"https://in-toto.io/Statement/v1","subject":[%s]}' "$1"; }
subject="{\"name\":\"model.bin\",\"digest\":{\"sha256\":\"$digest\"}}"
after "a statement about nothing" 1 '^bad +a.intoto.json +is about no file' 'statement "" >a.intoto.json'
after "a subject that leads out" 1 '^bad +a.intoto.json +names a file outside' \
    'statement "{\"name\":\"../x\",\"digest\":{\"sha256\":\"$digest\"}}" >a.intoto.json'
after "a subject without SHA-256" 1 '^bad +a.intoto.json +has an entry' \
    'statement "{\"name\":\"model.bin\",\"digest\":{\"md5\":\"x\"}}" >a.intoto.json'
after "a statement in an envelope vouches" 1 '^verified +model.bin +sha256 +a.intoto.json' \
    'printf "{\"payload\":\"%s\"}" "$(statement "$subject" | base64 -w 0)" >a.intoto.json'
after "an envelope of nonsense" 1 '^bad +a.intoto.json .*Base64' 'echo "{\"payload\":\"#\"}" >a.intoto.json'

# ---- Hugging Face cache ----
rm -rf good
commit=0123456789abcdef0123456789abcdef01234567
entry=models--some--refs
mkdir -p good/snapshots/hub/$entry/blobs good/snapshots/hub/$entry/refs/pr good/snapshots/hub/$entry/snapshots/$commit
hub=good/snapshots/hub/$entry
printf weights >$hub/blobs/"$digest"
ln -s ../../blobs/"$digest" $hub/snapshots/$commit/model.bin
printf $commit >$hub/refs/main
printf $commit >$hub/refs/pr/1
target=snapshots/hub
after "names of folders that look like parts of the cache" 0 '^Hugging Face cache: 2 verified' :
target=snapshots/hub/$entry
after "of an entry, too" 0 '^Hugging Face cache entry: 2 verified' :
target=snapshots/hub/$entry/blobs/$digest
after "one blob is verified by its name" 0 '^verified +blobs/' :
after "and not what lies beside it" 0 ': 1 verified;' 'echo x >>snapshots/hub/$entry/refs/main'
target=snapshots/hub/$entry/snapshots/$commit/model.bin
after "one file of a snapshot" 0 '^verified +snapshots/' :
target=snapshots/hub
after "the client's own notes are no part of a model" 0 ': 2 verified;' \
    "cd $target; mkdir -p .locks/$entry $entry/.no_exist/$commit; : >.locks/$entry/x.lock; : >$entry/.no_exist/$commit/y.json; echo Signature >CACHEDIR.TAG; echo 1 >version.txt"
after "but a mark of absence that holds something" 1 '^unvouched +.*\.no_exist' \
    "mkdir -p $target/$entry/.no_exist/$commit; echo x >$target/$entry/.no_exist/$commit/y.py"
after "a file beside the blobs" 1 "^unvouched +$entry/more.py" ": >$target/$entry/more.py"
after "a file beside the entries" 1 '^unvouched +more.py' ": >$target/more.py"
after "a link beside the entries" 1 '^unvouched +more .*a link' "ln -s / $target/more"
after "links in a circle" 1 '^bad +.*refs/loop' "ln -s . $target/$entry/refs/loop; ln -s . $target/$entry/refs/loop2"
after "a pipe among the blobs" 1 '^bad|^unvouched' "mkfifo $target/$entry/blobs/pipe"
after "a blob behind a link out of the cache" 1 "^bad +$entry/blobs/$digest .*leads out" \
    "mv $target/$entry/blobs/$digest ../blob; ln -s $PWD/blob $target/$entry/blobs/$digest"
rm -f blob
after "a list of a commit that is not here" 0 '^claims +.*trees/.*not here' \
    "mkdir $target/$entry/trees; echo '{}' >$target/$entry/trees/1123456789abcdef0123456789abcdef01234567.json"
after "a list of a form that is not known" 3 '^not checked +.*trees/.*form' \
    "mkdir $target/$entry/trees; echo '{\"format_version\":2}' >$target/$entry/trees/$commit.json"
after "names of a list that lead out" 1 '^bad +.*trees/.*outside' \
    "mkdir $target/$entry/trees; printf '{\"format_version\":1,\"files\":{\"a/../../b\":{\"size\":1,\"lfs_sha256\":\"$digest\"}}}' >$target/$entry/trees/$commit.json"

# ---- --local-dir ----
rm -rf good
mkdir -p good/sub good/.cache/huggingface/download/sub good/.cache/huggingface/trees
target=.
printf weights >good/sub/model.bin
printf '%s\n%s\n1.5\n' $commit "$digest" >good/.cache/huggingface/download/sub/model.bin.metadata
: >good/.cache/huggingface/download/sub/model.bin.lock
echo '*' >good/.cache/huggingface/.gitignore
after "downloads in folders" 0 '^folder: 1 verified' :
target=sub/model.bin
after "one such file, from the folder above" 0 '^verified +sub/model.bin .*download' :
target=.
tree() { printf '{"format_version":1,"files":{"sub/model.bin":{"size":7,"lfs_sha256":"%s"}}}' "$digest" >".cache/huggingface/trees/$1.json"; }
after "the list of their commit counts" 0 ': 2 verified' 'tree $commit'
after "that of another commit does not" 0 '^claims +.*another commit' 'tree 1123456789abcdef0123456789abcdef01234567'
after "what else lies there is told" 1 '^unvouched +.cache/huggingface/evil.py' ': >.cache/huggingface/evil.py'
after "a file that is newer than its metadata is hashed all the same" 0 '1 verified' 'touch sub/model.bin'
after "metadata without a time: it cannot be checked" 3 '^not checked +sub/model.bin' \
    'f=.cache/huggingface/download/sub/model.bin.metadata; sed -i 3d $f'
after "links in a circle among the metadata" 1 '^unvouched .*loop' 'ln -s . .cache/huggingface/download/loop; ln -s . .cache/huggingface/download/loop2'

# ---- Ollama ----
rm -rf good
mkdir -p good/blobs good/manifests/h/n/m
printf weights >good/blobs/sha256-"$digest"
blob="{\"mediaType\":\"x\",\"digest\":\"sha256:$digest\",\"size\":7}"
printf '{"schemaVersion":2,"config":%s,"layers":[%s]}' "$blob" "$blob" >good/manifests/h/n/m/latest
after "one blob for config and layer" 0 '3 verified' :
target=blobs/sha256-$digest
after "one blob alone, by its name and its manifest" 0 '^file: |^Ollama store: 3 verified' :
target=.
after "a file beside the blobs" 1 '^unvouched +more' ': >more'
after "a manifest without config" 1 '^bad +manifests/h/n/m/latest' 'sed -i "s/config/other/" manifests/h/n/m/latest'
after "a manifest of another version" 1 '^bad +manifests/h/n/m/latest' 'sed -i "s/:2/:1/" manifests/h/n/m/latest'
after "links in a circle among the manifests" 1 '^bad +manifests/loop' 'ln -s . manifests/loop; ln -s . manifests/loop2'
after "an unfinished download" 1 '^unvouched .*partial.*not finished' ": >blobs/sha256-$digest-partial-0"
after "a blob behind a link out of the store" 1 '^bad +blobs/.*leads out' \
    "mv blobs/sha256-$digest ../blob; ln -s ../../blob blobs/sha256-$digest"
rm -f blob

# ---- OCI ----
rm -rf good
mkdir -p good/blobs/sha256
printf '{"imageLayoutVersion":"1.0.0"}' >good/oci-layout
printf weights >good/blobs/sha256/"$digest"
type=application/vnd.oci.image.manifest.v1+json
after "a layout without index" 1 '^bad +index.json' :
# put TYPE < DOCUMENT: a blob; prints its descriptor
put() {
    cat >put.tmp
    d=$(sha put.tmp)
    n=$(wc -c <put.tmp)
    mv put.tmp blobs/sha256/"$d"
    printf '{"mediaType":"%s","digest":"sha256:%s","size":%d}' "$1" "$d" "$n"
}
index() { printf '{"schemaVersion":2,"manifests":[%s]}' "$1"; }
layer="{\"mediaType\":\"x\",\"digest\":\"sha256:$digest\",\"size\":7}"
manifest() { printf '{"schemaVersion":2,"config":%s,"layers":[%s]}' "$layer" "$1"; }
plain=$(cd good && manifest "$layer" | put $type)
index "$plain" >good/index.json
after "a layout" 0 '^OCI image layout: 5 verified' :
target=blobs/sha256/$digest
after "one blob of it" 0 ': 3 verified' :
target=.
after "a file beside the blobs" 1 '^unvouched +more' ': >more'
after "a layout without blobs" 1 '^bad +blobs +is missing' 'rm -r blobs'
after "a file among the algorithms" 1 '^unvouched +blobs/more' ': >blobs/more'
after "a blob behind a link out of the layout" 1 '^bad +blobs/.*leads out' \
    "mv blobs/sha256/$digest ../blob; ln -s ../../../blob blobs/sha256/$digest"
rm -f blob
after "a manifest of a type that is not known" 3 '^not checked +index.json .*type' "sed -i s/manifest.v1/manifest.v9/ index.json"
after "a subject is followed" 1 '^missing +blobs/sha256/00*' \
    'm=$(printf "{\"schemaVersion\":2,\"config\":%s,\"layers\":[],\"subject\":{\"mediaType\":\"x\",\"digest\":\"sha256:%064d\",\"size\":1}}" "$layer" 0 | put $type); index "$m" >index.json'
embedded=$(printf %s "$layer" | sed 's/}$//')
after "embedded data of a SHA-512 blob, too" 1 '^bad .*embedded' \
    'mkdir blobs/sha512; d=$(sha512sum blobs/sha256/$digest | cut -c1-128); cp blobs/sha256/$digest blobs/sha512/$d
     m=$(manifest "{\"mediaType\":\"x\",\"digest\":\"sha512:$d\",\"size\":7,\"data\":\"d2VpZ2h0Yw==\"}" | put $type); index "$m" >index.json'
after "embedded data with a good head" 1 '^bad .*embedded' \
    'm=$(manifest "$embedded,\"data\":\"d2VpZ2h0cw\"}" | put $type); index "$m" >index.json'
after "embedded data that is the blob" 0 '^OCI' \
    'm=$(manifest "$embedded,\"data\":\"d2VpZ2h0cw==\"}" | put $type); index "$m" >index.json'
# A thousand times the same index, in an index that is there a thousand times, and so on.
bomb() {
    d=$plain
    for level in 1 2 3; do
        i=0 all=$d
        while [ $i -lt 9 ]; do
            all="$all,$all"
            i=$((i + 1))
        done
        d=$(index "$all" | put application/vnd.oci.image.index.v1+json)
    done
    index "$d" >index.json
}
after "an index that multiplies is read once" 0 '^OCI' bomb
finish
