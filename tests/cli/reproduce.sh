#!/bin/sh
# reproduce.sh -- lq convert/quantize --attest, and lq reproduce: accepted is what can be derived again,
# and every single change is found.
. "$(dirname "$0")/lib.sh"

# place NAME: offset of the tensor in q.gguf
place() {
    "$lq" inspect q.gguf --tensors --json | grep -A 40 "\"name\": \"$1\"" |
        sed -n 's/^ *"offset": \([0-9]*\).*/\1/p' | head -n 1
}
# bytes_of NAME: its length
bytes_of() {
    "$lq" inspect q.gguf --tensors --json | grep -A 40 "\"name\": \"$1\"" |
        sed -n 's/^ *"bytes": \([0-9]*\).*/\1/p' | head -n 1
}
# change FILE OFFSET: flips the lowest bit of one byte
change() {
    old=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
    # shellcheck disable=SC2059
    printf "\\$(printf %03o $((old ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
# matrix FILE NUMBER: a binary importance matrix for one tensor, 256 columns
matrix() {
    {
        printf '\1\0\0\0\23\0\0\0blk.0.ffn_up.weight\1\0\0\0\0\1\0\0'
        i=0
        while [ $i -lt 64 ]; do
            # shellcheck disable=SC2059
            printf "\0\0\200\77\0\0\200\77\0\0\0\100\0\0\200\\$2"
            i=$((i + 1))
        done
    } >"$1"
}

run convert "$demo" -o q.gguf --type q4_k_m --attest q.json
check "a conversion can be attested" eval 'exits 0 && "$json_valid" q.json'
check "the statement names the output by its digest" \
    grep -q "\"name\":\"q.gguf\",\"digest\":{\"sha256\":\"$(sha256sum q.gguf | cut -c1-64)\"" q.json
for file in config.json tokenizer.json model-00002-of-00002.safetensors model.safetensors.index.json; do
    check "and $file of the source by its" \
        grep -q "\"$file\",\"digest\":{\"sha256\":\"$(sha256sum "$demo/$file" | cut -c1-64)\"" q.json
done
run digest q.gguf
check "and the content digests that lq digest prints" \
    grep -q "$(sed -n 's/^content.*://p' out)" q.json
run digest "$demo"
check "of the source, too" grep -q "$(sed -n 's/^content.*://p' out)" q.json
check "it holds no path" not grep -q "$PWD\|$demo" q.json
mkdir -p elsewhere
LQ_ISA=scalar run convert "$demo" -o elsewhere/q.gguf --threads 1 --type q4_k_m --attest again.json
check "it is the same at another thread count and instruction set" cmp q.json again.json

run reproduce q.json --source "$demo" --output q.gguf
check "the output is accepted" eval 'exits 0 && prints "^accepted: q.gguf" && prints "not signed"'
cp -r "$demo" "Another Name 7B"
LQ_ISA=scalar run reproduce q.json --source "Another Name 7B" --output q.gguf --threads 3
check "also from a folder of another name" exits 0
run reproduce q.json --source "$demo"
check "without the output its digest is compared" eval 'exits 0 && prints "has the digest"'
run reproduce q.json --source "$demo" --output q.gguf --json
check "as JSON" eval 'exits 0 && "$json_valid" out && prints "\"accepted\": true"'

# ---- changed outputs ----
refuses() { exits 1 && prints "$1" && silent; }
tensor=blk.0.attn_q.weight
at=$(place $tensor)
cp q.gguf x.gguf
change x.gguf $((at + 144 + 100))
run reproduce q.json --source "$demo" --output x.gguf
check "one flipped bit in a weight is found" \
    refuses "^refused: x.gguf: tensor $tensor \(Q4_K\) differs first in row 1, block 0, byte 100 of 144"
check "and that it changes one value of its block" prints '; 1 of its 256 values differ'
run reproduce q.json --source "$demo" --output x.gguf --json
check "a refusal as JSON" eval 'exits 1 && "$json_valid" out && prints "\"accepted\": false"'
cp q.gguf x.gguf
change x.gguf "$at"
run reproduce q.json --source "$demo" --output x.gguf
check "a changed scale is found" refuses "row 0, block 0, byte 0 of 144.*; 2[0-9]+ of its 256 values differ"
cp q.gguf x.gguf
n=$(bytes_of blk.0.attn_k.weight)
other=$(place blk.1.attn_k.weight)
at=$(place blk.0.attn_k.weight)
dd if=q.gguf of=x.gguf bs=1 skip="$other" seek="$at" count="$n" conv=notrunc 2>/dev/null
dd if=q.gguf of=x.gguf bs=1 skip="$at" seek="$other" count="$n" conv=notrunc 2>/dev/null
run reproduce q.json --source "$demo" --output x.gguf
check "swapped tensors are found" refuses 'tensor blk.0.attn_k.weight '
"$lq" convert "$demo" -o x.gguf --type q4_k_m --model-name Other >out 2>err
run reproduce q.json --source "$demo" --output x.gguf
check "a changed metadata value is found" \
    refuses 'metadata key general.name is "Other", and should be "libquant-demo-4m"'
"$lq" convert "$demo" -o x.gguf --type q4_k_m --override-kv llama.context_length=int:7 >out 2>err
run reproduce q.json --source "$demo" --output x.gguf
check "a number, too" refuses 'llama.context_length is 7, and should be [0-9]+'
"$lq" convert "$demo" -o x.gguf --type q4_k_m --override-kv some.key=bool:true >out 2>err
run reproduce q.json --source "$demo" --output x.gguf
check "a key too many" refuses 'some.key should not be there'
"$lq" convert "$demo" -o x.gguf --type q4_k_s >out 2>err
run reproduce q.json --source "$demo" --output x.gguf
check "other types are found" exits 1
head -c 1000000 q.gguf >x.gguf
run reproduce q.json --source "$demo" --output x.gguf
check "a file that is cut off" refuses 'ends here, and should go on at byte 1000000'
{ cat q.gguf; echo more; } >x.gguf
run reproduce q.json --source "$demo" --output x.gguf
check "a file that goes on" refuses "goes on here, and should end"
: >x.gguf
run reproduce q.json --source "$demo" --output x.gguf
check "an empty file" refuses 'at byte 0'

# ---- changed sources ----
weights="Another Name 7B/model-00001-of-00002.safetensors"
change "$weights" 200000
run reproduce q.json --source "Another Name 7B" --output q.gguf
check "one flipped bit in the source is laid at the source's door" \
    refuses "the source's file model-00001-of-00002.safetensors is not the one"
run reproduce q.json --source "Another Name 7B"
check "without the output, too" refuses "the source's file model-00001"
cp "$demo/model-00001-of-00002.safetensors" "$weights"
sed -i 's/"max_position_embeddings": [0-9]*/"max_position_embeddings": 77/' "Another Name 7B/config.json"
run reproduce q.json --source "Another Name 7B" --output q.gguf
check "another config.json" refuses "the source's file config.json"

# ---- changed attestations ----
tamper() { sed "$1" q.json >x.json; }
tamper 's/"type":"Q4_K_M"/"type":"Q4_K_S"/'
run reproduce x.json --source "$demo" --output q.gguf
check "another recipe is refused" exits 1
tamper 's/\("name":"q.gguf","digest":{"sha256":"\)..../\10000/'
run reproduce x.json --source "$demo" --output q.gguf
check "an attestation of another file is refused" refuses 'the attestation is of another one'
tamper 's/{"name":"config.json","digest":{[^}]*}},//'
run reproduce x.json --source "$demo" --output q.gguf
check "an attestation that leaves out a file of the source is refused" \
    refuses "the source's file config.json was needed, and the attestation does not name it"
tamper 's/"pure":false/"pure":false,"secret":true/'
run reproduce x.json --source "$demo" --output q.gguf
check "an unknown parameter is not passed over" refused 3 'parameter that this version does not know'
tamper 's/"pure":false,//'
run reproduce x.json --source "$demo" --output q.gguf
check "a missing one neither" refused 3 '"pure" should be'
tamper 's/"rounding":"strict"/"rounding":"fused"/'
run reproduce x.json --source "$demo" --output q.gguf
check "another rounding is refused" exits 1
run convert "$demo" -o fused.gguf --type q4_k_m --rounding fused --attest fused.json
run reproduce fused.json --source "$demo" --output fused.gguf
check "fused multiply-adds are part of the recipe" eval 'exits 0 && ! cmp -s q.gguf fused.gguf'
tamper 's/"rounding":"strict"/"rounding":"other"/'
run reproduce x.json --source "$demo" --output q.gguf
check "an unknown rounding cannot be checked" refused 3 'rounding profile'
tamper 's/"command":"convert"/"command":"convert","command":"quantize"/'
run reproduce x.json --source "$demo" --output q.gguf
check "duplicate keys are refused" exits 3
tamper 's/"source":"."/"source":"..\/x"/'
run reproduce x.json --source "$demo" --output q.gguf
check "a source outside the folder is refused" exits 3
tamper 's,slsa.dev/provenance/v1,slsa.dev/provenance/v2,'
run reproduce x.json --source "$demo" --output q.gguf
check "another predicate is refused" exits 3
printf '{"payloadType":"application/vnd.in-toto+json","payload":"%s","signatures":[]}' \
    "$(base64 -w 0 q.json)" >x.json
run reproduce x.json --source "$demo" --output q.gguf
check "an envelope is opened, and its signature said not to be checked" \
    eval 'exits 0 && prints "signature not checked"'
run reproduce q.json --output q.gguf
check "the source must be given" refused 2 '--source'

# ---- quantize, importance, several files, all options ----
matrix a.dat 77
matrix b.dat 100
"$lq" convert "$demo" -o f32.gguf --type f32 >out 2>err
run quantize --imatrix a.dat f32.gguf i.gguf Q4_K_S --attest i.json --tensor-type 'ffn_down=q6_k' \
    --override-kv general.note=str:hello --override-kv a.b=float:0.1 --prune-layers 1 --exclude-weights ffn_gate
check "quantizing can be attested" exits 0
mkdir folder
mv f32.gguf folder/
run reproduce i.json --source folder --output i.gguf
check "where importance was used the matrix is asked for" refused 2 '--imatrix'
run reproduce i.json --source folder --output i.gguf --imatrix a.dat
check "with the matrix it is accepted" exits 0
run reproduce i.json --source folder/f32.gguf --output i.gguf --imatrix a.dat
check "the source may be the file itself" exits 0
cp folder/f32.gguf "folder/other name.gguf"
run reproduce i.json --source "folder/other name.gguf" --output i.gguf --imatrix a.dat
check "under whatever name" exits 0
run reproduce i.json --source folder --output i.gguf --imatrix b.dat
check "another matrix is refused" refuses 'b.dat is not the importance matrix'
cp a.dat backup
cp b.dat a.dat
"$lq" quantize --imatrix a.dat folder/f32.gguf x.gguf Q4_K_S --tensor-type 'ffn_down=q6_k' \
    --override-kv general.note=str:hello --override-kv a.b=float:0.1 --prune-layers 1 --exclude-weights ffn_gate >out 2>err
run reproduce i.json --source folder --output x.gguf --imatrix backup
check "an output that was made with another matrix is refused" refuses 'tensor blk.0.ffn_up.weight'

printf '{"general.author": "A \\"B\\" C"}' >meta.json
run convert "$demo" -o s.gguf --type q8_0 --split-max-tensors 15 --metadata meta.json --attest s.json
check "several files are attested as one model" eval 'exits 0 && grep -q s-00003-of-00003.gguf s.json'
run reproduce s.json --source "$demo" --output s-00001-of-00003.gguf
check "and accepted" exits 0
run reproduce s.json --source "$demo" --output .
check "also where their folder is given" exits 0
run reproduce s.json --source "$demo" --output s-00001-of-00003.gguf --imatrix a.dat
check "a matrix that was not used is not passed over" refused 2 'without an importance matrix'
change s-00002-of-00003.gguf 300000
run reproduce s.json --source "$demo" --output s-00001-of-00003.gguf
check "a change in the second one is found" refuses 'tensor '
run convert "$demo" -o '{type}.gguf' --type f16,iq4_xs --via bf16 --attest one.json
check "several types need several statements" refused 2 '{type}'
run convert "$demo" -o '{type}.gguf' --type f16,iq4_xs --via bf16 --attest '{type}.json'
check "{type} gives them names" eval 'exits 0 && test -s f16.json && test -s iq4_xs.json'
run reproduce iq4_xs.json --source "$demo" --output iq4_xs.gguf
check "each is accepted" exits 0
# ---- an evaluation ----
head -c 5000 "$demo/eval.txt" >text
head -c 6000 "$demo/eval.txt" >longer
run convert "$demo" -o q.gguf --type q4_k_m --attest e.json --eval text
check "a statement holds the figures of the evaluation" eval 'exits 0 && "$json_valid" e.json'
for digest in tokens log-probabilities; do
    check "and the digest of the $digest" \
        grep -q "\"sha256\":\"$(sed -n "s/^$digest *sha256://p" out)\"" e.json
done
check "nothing else in it changes" eval \
    'test "$(sed "s/\"libquant_evaluation\".*//" e.json)" = "$(sed "s/\"libquant_evaluation\".*//" q.json)"'
LQ_ISA=scalar run convert "$demo" -o q.gguf --threads 1 --type q4_k_m --attest again.json --eval text
check "the figures are the same at another thread count and instruction set" cmp e.json again.json
run reproduce e.json --source "$demo" --output q.gguf
check "figures that were not computed again are said not to be" \
    eval 'exits 0 && prints "evaluation: perplexity [0-9.]+, 510 tokens scored: not computed again"'
run reproduce e.json --source "$demo" --output q.gguf --eval text
check "with the text they are" eval 'exits 0 && prints "tokens scored: computed again, and the same"'
run reproduce e.json --source "$demo" --output q.gguf --eval longer
check "another text is refused" refuses 'the text longer is not the one'
sed 's/"perplexity":"\([0-9.]*\)[0-9]"/"perplexity":"\1"/' e.json >x.json
run reproduce x.json --source "$demo" --output q.gguf --eval text --json
check "a figure that differs in its last digit is refused" \
    eval 'exits 1 && "$json_valid" out && prints "other figures than the attestation"'
sed 's/"lossError":"[^"]*",//' e.json >x.json
run reproduce x.json --source "$demo" --output q.gguf
check "an evaluation that lacks a figure cannot be checked" refused 3 '"lossError" should be'
sed 's/"lossError"/"accuracy":"1",&/' e.json >x.json
run reproduce x.json --source "$demo" --output q.gguf
check "neither can one with a figure that is not known" refused 3 'libquant_evaluation'
run reproduce q.json --source "$demo" --output q.gguf --eval text
check "there must be figures to compute again" refused 2 'has no evaluation'
run reproduce e.json --source "$demo" --eval text
check "and the output" refused 2 'needs --output'
"$lq" convert "$demo" -o f16.gguf --type f16 >out 2>err
run convert "$demo" -o es.gguf --type q4_0 --split-max-tensors 20 --attest es.json --eval text
check "several files are evaluated as one model" eval 'exits 0 && grep -q logprobDigest es.json'
run quantize f16.gguf eq.gguf Q4_0 --attest eq.json --eval text
check "quantizing can be evaluated and attested" exits 0
run reproduce eq.json --source f16.gguf --output eq.gguf --eval text
check "and is accepted with its figures" eval 'exits 0 && prints "computed again, and the same"'

# ---- signed ----
forge=$build/tests/cli/forge
"$forge" key P-384 signer
"$forge" key P-384 other
rm -rf signed
mkdir signed
run convert "$demo" -o signed/q.gguf --type q8_0 --attest signed/q.intoto.json --attest-key signer
check "an attestation can be signed" exits 0
run reproduce signed/q.intoto.json --source "$demo" --output signed/q.gguf --public-key signer.pub
check "and is accepted with its key" eval 'exits 0 && prints "attestation: signed with this key"'
run reproduce signed/q.intoto.json --source "$demo" --output signed/q.gguf
check "without it that is said" eval 'exits 0 && prints "attestation: signature not checked"'
run reproduce signed/q.intoto.json --source "$demo" --public-key other.pub
check "another key is refused" refused 1 'not one of this key'
run reproduce signed/q.intoto.json --source "$demo" --public-key other.pub --json
check "as JSON, too" eval 'exits 1 && "$json_valid" out && prints "\"accepted\": false" && prints "not one of this key"'
run reproduce q.json --source "$demo" --public-key signer.pub
check "an attestation that is not signed is none of this key" refused 1 'q.json: is not signed'
run verify signed --public-key signer.pub
check "lq verify names the signer" eval 'exits 0 && prints "1 verified; signed by P-384 key"'
run verify signed --public-key other.pub
check "and refuses another key" eval 'exits 1 && prints "^bad +q.intoto.json +an attestation whose signature does not verify"'
run verify signed
check "or tells that it needs one" eval 'exits 0 && prints "^claims +q.intoto.json +attestation; --public-key is needed"'
run convert "$demo" -o signed/q.gguf --type q8_0 --attest-key signer
check "a key alone signs nothing" refused 2 'attest-key is for --attest'

finish
