#!/bin/sh
# verify.sh -- lq verify PATH: what vouches for a model is found, and every single change to it.
. "$(dirname "$0")/lib.sh"

sha() { sha256sum "$1" | cut -c1-64; }
git_sha() { { printf 'blob %d\0' "$(wc -c <"$1")"; cat "$1"; } | sha1sum | cut -c1-40; }
length() { wc -c <"$1" | tr -d ' '; }

# fails_after SENTENCE PATTERN COMMAND: in a copy of the tree `good`, verified as $target, the command
# makes one change, and lq verify exits with 1 and prints the pattern.
target=.
fails_after() {
    rm -rf tree
    cp -a good tree
    (cd tree && eval "$3")
    run verify "tree/$target"
    pattern=$2
    check "$1" eval 'exits 1 && prints "$pattern"'
}

# ---- lists of checksums ----
mkdir -p good/sub
printf weights >good/model.bin
printf '{}' >good/sub/config.json
(cd good && sha256sum -b model.bin >SHA256SUMS && sha256sum sub/config.json >>SHA256SUMS)
run verify good
check "a folder with SHA256SUMS is verified" \
    eval 'exits 0 && prints "^verified +model.bin +sha256 +SHA256SUMS" && prints "2 verified; by claims that are not signed"'
run verify good/model.bin
check "a file in it, alone" eval 'exits 0 && prints "1 verified" && not prints config'
: >good/other
run verify good/SHA256SUMS
check "the list alone: what it names" eval 'exits 0 && prints "2 verified" && not prints other'
rm good/other
run verify good --json
check "as JSON it names digest, algorithm and source, and what is unknown" eval '"$json_valid" out &&
    prints "\"digest\": \"$(sha good/model.bin)\"" && prints "\"source\": \"SHA256SUMS\"" &&
    prints "\"signer\": \"unknown\"" && prints "\"time\": \"unknown\""'
fails_after "a changed file is found" '^changed +model.bin' 'printf x >>model.bin'
fails_after "a missing file is found" '^missing +sub/config.json' 'rm sub/config.json'
fails_after "a file too many is found" '^unvouched +extra.py' ': >extra.py'
fails_after "a hidden one, too" '^unvouched +.hidden' ': >.hidden'
fails_after "a changed list is found" '^changed +model.bin' 'sed -i "1s/^./0/;1s/^00/11/" SHA256SUMS'
fails_after "a malformed line" '^bad +SHA256SUMS +line 3 is no checksum' 'echo nonsense >>SHA256SUMS'
fails_after "a name that leads out of the folder" '^bad +SHA256SUMS .*outside' \
    'echo "$(sha256sum model.bin | cut -c1-64)  ../model.bin" >>SHA256SUMS'
fails_after "a link that leads out" '^bad +link' 'ln -s /etc/passwd link'
fails_after "a link that leads nowhere" '^bad +link' 'ln -s nowhere link'
fails_after "a pipe" '^bad +pipe' 'mkfifo pipe'
(cd good && sha512sum model.bin >model.bin.sha512 && sha256sum --tag model.bin >tag.sha256 &&
    sha256sum model.bin | cut -c1-64 | tr a-f A-F >model.bin.sha256)
run verify good
check "SHA-512, BSD's lines and digests alone are read" eval 'exits 0 && prints "5 verified"'
run verify "$demo"
check "where nothing vouches that is the verdict" eval 'exits 1 && prints "13 unvouched"'
run verify missing
check "a missing path is an I/O error" refused 4 missing
: >good/model.sig
rm good/model.bin.sha* good/tag.sha256
run verify good
check "a signature is not checked without a key, and said not to be" \
    eval 'exits 0 && prints "^not checked +model.sig"'
rm good/SHA256SUMS
run verify good
check "where there is nothing else it cannot be checked" eval 'exits 3 && prints "1 not checked, 2 unvouched"'

# ---- git-lfs ----
rm -rf good
mkdir good
printf weights >content
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 7\n' "$(sha content)" >good/model.bin
run verify good
check "a git-lfs pointer is content that was not downloaded" \
    eval 'exits 1 && prints "^missing +model.bin +sha256 +git-lfs pointer: .*not downloaded"'
echo "$(sha content)  model.bin" >good/SHA256SUMS
run verify good
check "and not a changed file" eval 'exits 1 && not prints changed'
fails_after "a pointer that is not canonical is none" '^bad +model.bin +git-lfs' 'sed -i "s/size 7/size 07/" model.bin'
fails_after "one of 1024 bytes neither" '^bad +model.bin +git-lfs' 'head -c 1100 /dev/zero | tr "\0" x >>model.bin'

# ---- our own ----
rm -rf good
cp -r "$demo" good
"$lq" digest good --json >digest.json 2>err
cp digest.json good/lq-digest.json
run verify good
check "the digests that lq writes vouch" eval 'exits 0 && prints "13 verified"'
fails_after "each for its file" '^changed +config.json' 'echo >>config.json'
rm -rf good
mkdir good
"$lq" convert "$demo" -o good/q.gguf --type q8_0 --attest good/q.intoto.json >out 2>err
run verify good
check "an attestation vouches for its subject" eval 'exits 0 && prints "^verified +q.gguf +sha256 +q.intoto.json"'
fails_after "and notices a change" '^changed +q.gguf' 'printf x | dd of=q.gguf bs=1 seek=100000 conv=notrunc 2>/dev/null'

# ---- Hugging Face cache ----
rm -rf good
commit=0123456789abcdef0123456789abcdef01234567
entry=good/models--org--demo
snapshot=$entry/snapshots/$commit
mkdir -p $entry/blobs $entry/refs $entry/trees $snapshot/sub
printf %s $commit >$entry/refs/main
files=
for f in "$demo"/*; do
    name=$(basename "$f")
    case $name in
    *.safetensors) blob=$(sha "$f") key=lfs_sha256 ;;
    *) blob=$(git_sha "$f") key=blob_id ;;
    esac
    cp "$f" $entry/blobs/$blob
    ln -s ../../blobs/$blob $snapshot/$name
    files="$files${files:+,}\"$name\":{\"size\":$(length "$f"),\"$key\":\"$blob\"}"
done
blob=$(git_sha content)
cp content $entry/blobs/$blob
ln -s ../../../blobs/$blob $snapshot/sub/file
run verify good
check "a cache is verified by the names of its blobs" \
    eval 'exits 0 && prints "^verified +models--org--demo/snapshots/$commit/config.json +git-sha1 +link of the snapshot" &&
        prints "^verified +models--org--demo/blobs/[0-9a-f]{64} +sha256 +name of the blob" && prints "^Hugging Face cache: 28 verified"'
run verify $entry
check "an entry of it" eval 'exits 0 && prints "^verified +snapshots/$commit/sub/file"'
run verify $snapshot
check "a snapshot" eval 'exits 0 && prints "14 verified" && not prints blobs/'
run verify $snapshot/config.json
check "a file of a snapshot" eval 'exits 0 && prints "1 verified"'
printf '{"format_version":1,"files":{%s}}' "$files" >$entry/trees/$commit.json
run verify $snapshot
check "the list of the commit is checked too" eval 'exits 0 && prints "trees/$commit.json" && prints "27 verified"'
target=models--org--demo
weights=$(sha "$demo/model-00002-of-00002.safetensors")
config=$(git_sha "$demo/config.json")
fails_after "a changed SHA-256 blob is found" "^changed +blobs/$weights" \
    "printf x | dd of=$target/blobs/$weights bs=1 seek=3000 conv=notrunc 2>/dev/null"
fails_after "under its name in the snapshot, too" "^changed +snapshots/$commit/model-00002" \
    "printf x | dd of=$target/blobs/$weights bs=1 seek=3000 conv=notrunc 2>/dev/null"
fails_after "a changed git blob is found" "^changed +blobs/$config" "echo >>$target/blobs/$config"
fails_after "a missing blob is found" "^missing +snapshots/$commit/config.json +.*leads nowhere" \
    "rm $target/blobs/$config"
fails_after "a link out of the entry is found" "^bad +snapshots/$commit/config.json .*leads out" \
    "ln -sf /etc/passwd $target/snapshots/$commit/config.json"
fails_after "a link to another blob is found" "^changed +snapshots/$commit/config.json .*trees/" \
    "ln -sf ../../blobs/$weights $target/snapshots/$commit/config.json"
fails_after "a file instead of a link is found" "^changed +snapshots/$commit/config.json .*trees/" \
    "rm $target/snapshots/$commit/config.json; echo >$target/snapshots/$commit/config.json"
fails_after "a file that the list has and the snapshot has not" "^missing +snapshots/$commit/LICENSE" \
    "rm $target/snapshots/$commit/LICENSE"
fails_after "a copy that nothing vouches for" "^unvouched +snapshots/$commit/more.py" \
    ": >$target/snapshots/$commit/more.py"
fails_after "a file whose link and blob are both gone is told" \
    "^not downloaded +snapshots/$commit/config.json +git-sha1 +trees/" \
    "rm $target/snapshots/$commit/config.json $target/blobs/$config; : >$target/snapshots/$commit/more.py"
fails_after "an unfinished download is told" '^unvouched .*incomplete +a download that was not' \
    ": >$target/blobs/$weights.12345678.incomplete"
fails_after "a ref that is no commit" '^bad +refs/main ' "echo main >$target/refs/main"
fails_after "a ref without its snapshot" '^bad +refs/main .*no snapshot' \
    "echo 1123456789abcdef0123456789abcdef01234567 >$target/refs/main"
fails_after "a list with names that lead out" '^bad +trees/' \
    "sed -i 's,\"LICENSE\",\"../x\",' $target/trees/$commit.json"
fails_after "a list with a key twice" '^bad +trees/' \
    "sed -i 's,\"LICENSE\",\"config.json\",' $target/trees/$commit.json"
fails_after "a tensor that the index puts elsewhere" "^bad +snapshots/$commit/model.safetensors.index.json" \
    "f=$target/snapshots/$commit/model.safetensors.index.json; sed 's/model-00002-of/model-00001-of/' \$f >x; rm \$f; mv x \$f"
run verify $entry/snapshots
check "all snapshots" eval 'exits 0 && prints "27 verified" && not prints "blobs/"'
rm -rf tree
cp -a good tree
few=tree/$target/snapshots/$commit
rm $few/*.safetensors tree/$target/blobs/????????????????????????????????????????????????????????????????
run verify tree
check "of a model some files may be downloaded" eval 'exits 0 && prints "2 not downloaded" &&
    prints "^not downloaded +.*/model-00002-of-00002.safetensors +sha256 +.*trees/" &&
    prints "^not checked +.*index.json +index of the shards: not all of them were downloaded"'
rm -r tree
mkdir -p good/blobs/ab
: >good/blobs/.huggingface-shared-blobs
mv $entry/blobs/$weights good/blobs/ab/xet
ln -s ../../blobs/ab/xet $entry/blobs/$weights
run verify $entry
check "a blob may lie in the store that entries share" exits 0
fails_after "and is checked there" "^changed +blobs/$weights" 'echo >>blobs/ab/xet'

# ---- --local-dir ----
target=.
rm -rf good
cp -r "$demo" good
mkdir -p good/.cache/huggingface/download
for f in good/*; do
    case $f in
    *.safetensors) digest=$(sha "$f") ;;
    *) digest=$(git_sha "$f") ;;
    esac
    printf '%s\n%s\n1780000000.5\n' $commit "$digest" \
        >"good/.cache/huggingface/download/$(basename "$f").metadata"
done
run verify good
check "a download's metadata vouch" eval 'exits 0 && prints "13 verified" && prints "metadata of the download"'
run verify good --json
check "the time is that of the metadata" prints '"time": "1780000000.5"'
run verify good/config.json
check "for a single file, too" eval 'exits 0 && prints "1 verified"'
fails_after "a changed file is found" '^changed +config.json' 'echo >>config.json'
fails_after "a changed digest is found" '^changed +LICENSE' \
    'sed -i "2s/.*/0123456789abcdef0123456789abcdef01234567/" .cache/huggingface/download/LICENSE.metadata'
fails_after "a missing file is found" '^missing +tokenizer.json' 'rm tokenizer.json'
fails_after "a file without metadata is found" '^unvouched +LICENSE' \
    'rm .cache/huggingface/download/LICENSE.metadata'
fails_after "a stray shard is found" '^bad +model-00003-of-00003.safetensors' \
    'cp model-00001-of-00002.safetensors model-00003-of-00003.safetensors'
fails_after "a tensor that the index lacks is found" '^bad +model.safetensors.index.json' \
    'sed -i "/blk\|layers.0.self_attn.q_proj/d" model.safetensors.index.json'
mkdir good/.cache/huggingface/trees
printf '{"format_version":1,"files":{%s,"more.gguf":{"size":5,"lfs_sha256":"%s"}}}' "$files" "$weights" \
    >good/.cache/huggingface/trees/$commit.json
run verify good
check "a file that was left on the hub is told" \
    eval 'exits 0 && prints "^not downloaded +more.gguf +sha256 +.cache/huggingface/trees/"'
fails_after "one that was downloaded is missing" '^missing +tokenizer.json' 'rm tokenizer.json'
echo nonsense >good/.cache/huggingface/download/LICENSE.metadata
run verify good
check "metadata that cannot be read: it cannot be checked" \
    eval 'exits 3 && prints "^not checked +LICENSE"'

# ---- Ollama ----
rm -rf good
folder=good/manifests/registry.ollama.ai/library/demo
mkdir -p good/blobs $folder
printf '{"model_format":"gguf"}' >config
cp content good/blobs/sha256-"$(sha content)"
cp config good/blobs/sha256-"$(sha config)"
printf '{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"sha256:%s","size":%d},"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:%s","size":7}]}' \
    "$(sha config)" "$(length config)" "$(sha content)" >$folder/latest
run verify good
check "Ollama's store is verified" eval 'exits 0 && prints "^Ollama store: 4 verified"'
blob=blobs/sha256-$(sha content)
run verify $folder/latest
check "one model of it, by its manifest" eval 'exits 0 && prints "^Ollama store: 2 verified" && prints "^claims +.*latest"'
fails_after "a changed blob is found" "^changed +$blob" "printf WEIGHTS >$blob"
fails_after "a blob of another size, too" "^changed +$blob .*has 6 bytes instead of 7" "printf weight >$blob"
fails_after "a missing one" "^missing +$blob" "rm $blob"
fails_after "a manifest with another size" "^changed +$blob .*instead of 8" "sed -i 's/:7}/:8}/' ${folder#good/}/latest"
fails_after "a malformed digest" '^bad .*latest +has a layer without' "sed -i 's/\"sha256:./\"sha256:X/' ${folder#good/}/latest"
fails_after "tags that differ in case alone" '^bad .*latest +differs' "cp ${folder#good/}/latest ${folder#good/}/Latest"
fails_after "a manifest that is too large" '^bad .*latest +is larger' "head -c 1100000 /dev/zero | tr '\\0' ' ' >>${folder#good/}/latest"
fails_after "a manifest that is no JSON" '^bad .*latest' "echo '{' >${folder#good/}/latest"

# ---- OCI and ModelPack ----
rm -rf good
mkdir -p good/blobs/sha256
printf '{"imageLayoutVersion":"1.0.0"}' >good/oci-layout
put() { cp "$1" good/blobs/sha256/"$(sha "$1")"; }
put content
put config
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.cncf.model.manifest.v1+json","config":{"mediaType":"application/vnd.cncf.model.config.v1+json","digest":"sha256:%s","size":%d},"layers":[{"mediaType":"application/vnd.cncf.model.weight.v1.raw","digest":"sha256:%s","size":7,"data":"%s","annotations":{"org.cncf.model.filepath":"model.bin"}}]}' \
    "$(sha config)" "$(length config)" "$(sha content)" "$(base64 content)" >manifest
put manifest
printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%d}]}' \
    "$(sha manifest)" "$(length manifest)" >good/index.json
run verify good
check "an OCI layout is verified" eval 'exits 0 && prints "^OCI image layout: 6 verified"'
blob=blobs/sha256/$(sha content)
# remake SED: another manifest, under its own digest
remake() {
    sed "$1" ../manifest >m
    d=$(sha256sum m | cut -c1-64)
    sed -i "s/sha256:[0-9a-f]*\",\"size\":[0-9]*/sha256:$d\",\"size\":$(wc -c <m)/" index.json
    mv m "blobs/sha256/$d"
}
fails_after "a changed blob is found" "^changed +$blob" "printf WEIGHTS >$blob"
fails_after "a missing one" "^missing +$blob" "rm $blob"
fails_after "a changed manifest" "^changed +blobs/sha256/$(sha manifest)" "echo >>blobs/sha256/$(sha manifest)"
fails_after "another size in a descriptor" "^changed +$blob .*instead of 9" "remake 's/:7,/:9,/'"
fails_after "a path annotation that leads out" '^bad .*filepath would lead out' "remake 's/model.bin/..\\/x/'"
fails_after "embedded data of another digest" '^bad .*embedded data' "remake 's/\"data\":\"./\"data\":\"X/'"
fails_after "another version of the layout" '^bad +oci-layout' "sed -i s/1.0.0/2.0.0/ oci-layout"
fails_after "a digest that is none" '^bad +index.json' "sed -i 's/sha256:./sha256:/' index.json"
# nest: the index becomes a blob of another index
nest() {
    d=$(sha256sum index.json | cut -c1-64)
    n=$(wc -c <index.json)
    mv index.json "blobs/sha256/$d"
    printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"sha256:%s","size":%d}]}' \
        "$d" "$n" >index.json
}
fails_after "indexes nested too deep" '^bad .*indexes deep' 'nest; nest; nest; nest; nest'
rm -rf tree
cp -a good tree
sed -i 's/sha256:/md5000:/' tree/index.json
run verify tree
check "an algorithm that is not known: it cannot be checked" eval 'exits 3 && prints "^not checked +index.json"'
finish
