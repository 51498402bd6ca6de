#!/bin/sh
# license.sh -- lq license: model folders, each broken in one way.
. "$(dirname "$0")/lib.sh"

apache=$demo/LICENSE

# model NAME LINES [METADATA]: a folder with a small model and a card with these lines (\n between).
model() {
    mkdir -p "$1"
    safetensors "$1/model.safetensors" \
        "{${3:+\"__metadata__\":{$3\},}\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}" '\0\0\0\0'
    # shellcheck disable=SC2059
    [ -z "$2" ] || printf "%s\n$2\n%s\n" --- --- >"$1/README.md"
}

# The rules of the findings of the last run, in order: "error LIC-NC-BASE note LIC-..."
found() { sed -n 's/^\(error\|warning\|note\) *\(LIC-[A-Z-]*\).*/\1 \2/p' out | tr '\n' ' ' | sed 's/ $//'; }
only() { [ "$(found)" = "$1" ]; }

# ---- what fits together ----
run license "$demo"
check "the demo model's parts agree" eval 'exits 0 && only "" && prints "^licence +Apache-2.0" && prints "^class +open source"'
check "it says that it is no legal advice, and by which index it went" \
    eval 'prints "no legal advice" && prints "Index: SPDX [0-9.]+"'
run license "$demo" --json
check "license --json is valid JSON" "$json_valid" out
check "license --json has the statements and the class" \
    eval 'prints "\"class\": \"osi\"" && prints "\"claim\": \"apache-2.0\""'
run license "$apache"
check "a licence text alone is named" eval 'exits 0 && prints "^text +.*LICENSE +Apache-2.0, "'

sed '/END OF TERMS AND CONDITIONS/q' "$apache" >short
run license short
check "the Apache licence without its appendix is the same licence" prints '^text +short +Apache-2.0, (exact|match)'
head -c $(($(wc -c <"$apache") * 6 / 10)) "$apache" >half
run license half
check "half of a licence is like it, and is not it" eval 'only "warning LIC-UNKNOWN" && prints "^text .*similar"'
cat >swift <<'EOF'
Runtime Library Exception to the Apache 2.0 License

As an exception, if you use this Software to compile your source code and
portions of this Software are embedded into the binary product as a result,
you may redistribute such product without providing attribution as would
otherwise be required by Sections 4(a), 4(b) and 4(d) of the License.
EOF
mkdir excepted
cat "$apache" swift >excepted/LICENSE
run license excepted/LICENSE
check "an exception behind a licence belongs to it" \
    eval 'only "" && prints "^licence +Apache-2.0 WITH Swift-exception$"'
printf -- '---\nlicense: apache-2.0\n---\n' >excepted/README.md
run license excepted
check "a card that names the licence only does not contradict" only ""
run license swift
check "an exception alone is no licence" \
    eval 'only "note LIC-EXCEPTION" && prints "^text +swift +Swift-exception, exception"'
{ cat "$apache" swift; echo 'This exception holds for those only that were told so in writing by the makers of it, and by no others.'; } >told
run license told
check "with a passage more it is a changed licence" only "warning LIC-FILE-MODIFIED"
sed 's/without providing/not without providing/' swift | cat "$apache" - >turned
run license turned
check "a changed exception is one" \
    eval 'only "warning LIC-FILE-MODIFIED" && prints "Swift-exception, modified"'
run license "$root/docs/architecture.md"
check "a page about licences is none" prints 'no licence text that is known'
: >nothing
run license nothing
check "an empty file is no text" refused 3 'empty'

# ---- folders, each broken in one way: that finding, and nothing else ----
model Llama-Foo 'license: apache-2.0\nbase_model: meta-llama/Llama-3.1-8B'
cp "$apache" Llama-Foo/LICENSE
run license Llama-Foo
check "a relabelled Llama is found" eval 'exits 1 && only "error LIC-DERIV-RELAXED"'

terms='license: other\nlicense_name: gemma\nlicense_link: https://ai.google.dev/gemma/terms'
model gemma "$terms"
run license gemma
check "a missing notice is found" eval 'exits 1 && only "error LIC-NOTICE-MISSING"'

model nc 'license: other\nlicense_name: cc-by-nc-4.0\nlicense_link: https://x'
model commercial 'license: apache-2.0'
cp "$apache" commercial/LICENSE
run license commercial --base nc
check "a non-commercial base is found" eval 'exits 1 && only "error LIC-NC-BASE"'

model gnu 'license: gpl-3.0'
model merged 'license: other\nlicense_name: cc-by-nc-4.0\nlicense_link: https://x\nbase_model: [a/nc, a/gnu]'
run license merged --base nc --base gnu
check "bases that cannot be merged are found" eval 'exits 1 && only "error LIC-MERGE-CONFLICT"'

model card 'license: mit'
cp "$apache" card/LICENSE
run license card
check "a card against its text is found" eval 'exits 1 && only "error LIC-CARD-FILE-MISMATCH"'

model family 'license: bsd'
cp "$apache" family/LICENSE
run license family
check "a family of licences is noted" eval 'exits 0 && only "note LIC-FAMILY"'

model metadata 'license: apache-2.0' '"license":"mit"'
cp "$apache" metadata/LICENSE
run license metadata
check "metadata against the card are found" eval 'exits 1 && only "error LIC-METADATA-MISMATCH"'

model changed 'license: apache-2.0'
{ cat "$apache"; echo 'The Work may be used for non-commercial purposes only.'; } >changed/LICENSE
run license changed
check "a changed text is found, and what was added is shown" \
    eval 'exits 0 && only "warning LIC-FILE-MODIFIED" && prints "noncommercial purposes only"'

{ cat "$apache"; echo 'Nobody may run this on a Monday, or in May.'; } >changed/LICENSE
run license changed
check "also where the words added are none that are looked for" \
    eval 'only "warning LIC-FILE-MODIFIED" && prints "added: nobody may run this on a monday or in"'
sed 's/and do not modify the License/and modify the License/; /^  *reproduction, and distribution of the Work otherwise/d' \
    "$apache" >changed/LICENSE
run license changed --json
check "the words that are missing are told" prints '"differs": ".*missing: '

model foo 'license: other\nlicense_name: llama3.1\nlicense_link: https://x\nbase_model: meta-llama/Llama-3.1-8B'
echo 'Built with Llama' >>foo/README.md
notice='Llama 3.1 is licensed under the Llama 3.1 Community License,
Copyright © Meta Platforms, Inc. All Rights Reserved.'
echo "$notice" >foo/Notice.txt
run license foo
check "a name that the licence forbids is found" \
    eval 'exits 0 && only "warning LIC-NAME-PREFIX note LIC-THRESHOLD"'
mv foo Llama-foo
run license Llama-foo
check "the note is of the licence: it is there under a good name too" eval 'exits 0 && only "note LIC-THRESHOLD"'

model nd 'license: cc-by-nd-4.0'
model adapted 'license: apache-2.0\nbase_model_relation: quantized'
cp "$apache" adapted/LICENSE
run license adapted --base nd
check "a base that may not be changed is found" eval 'exits 1 && only "error LIC-ND-BASE"'

model untold ''
run license untold
check "a model without any statement is found" eval 'exits 0 && only "warning LIC-NONE"'

model other 'license: other'
cp "$apache" other/LICENSE
run license other
check "an incomplete \"other\" is found" eval 'exits 0 && only "warning LIC-OTHER-INCOMPLETE"'

model textless 'license: gemma'
echo 'Gemma is provided under and subject to the Gemma Terms of Use found at
ai.google.dev/gemma/terms' >textless/NOTICE.md
run license textless
check "a missing text is found" eval 'exits 0 && only "warning LIC-MISSING-FILE"'

model cardless 'language: en'
cp "$apache" cardless/LICENSE
run license cardless
check "a card without a licence is found" eval 'exits 0 && only "warning LIC-MISSING-CARD"'

cp -R cardless two
printf -- '---\nlicense: apache-2.0\n---\n' >two/README.md
cat >two/LICENSE-examples <<'END'
MIT No Attribution

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction, including
without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is furnished to do so.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT
LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO
EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER
IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE
USE OR OTHER DEALINGS IN THE SOFTWARE.
END
echo 'Do no harm.' >two/USE_POLICY.md
mkdir two/LICENSES
cp "$apache" two/LICENSES/Apache-2.0.txt
run license two
check "every text is named, and a second licence is noted" \
    eval 'only "note LIC-SECOND-TEXT" && prints "^text +LICENSE-examples +MIT-0, exact" &&
        prints "^policy +USE_POLICY.md" && prints "^text +LICENSES/Apache-2.0.txt"'

grep -o '`[a-z_0-9]*_[a-z_0-9]*`' "$root/tests/license-checklist.md" | tr -d '`' | sort -u >named
sed -n 's/^static void \([a-z_0-9]*\)(void \*\*state)$/\1/p' "$root"/tests/unit/test_license_*.c \
    "$root/tests/unit/test_metadata.c" | sort >tests
check "the tests that the checklist names are there" eval '[ -s named ] && [ -z "$(comm -23 named tests)" ]'

sed -n 's/^RULE([A-Z_]*, "\([A-Z-]*\)".*/\1/p' "$root/libquant/audit/license_rules.def" | sort >rules
sed -n 's/^| `\(LIC-[A-Z-]*\)`.*/\1/p' "$root/docs/license.md" | sort >documented
check "the page of the command has every rule" cmp rules documented

# ---- other commands ----
run inspect "$demo"
check "inspect shows identifier and class" prints '^licence +Apache-2.0, open source'
run inspect "$demo" --json
check "inspect --json has the class" eval 'prints "\"license\": \"Apache-2.0\"" && prints "\"license_class\": \"osi\""'
cp -R "$demo" copy
printf -- '---\nlicense: gemma\nlicense_link: https://ai.google.dev/gemma/terms\nmodel_name: x\n---\n' >copy/README.md
rm copy/LICENSE
mkdir out1 out2
echo 'Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms' >out2/Notice.txt
run convert copy -o out1/x.gguf --type bf16
check "convert warns where a notice stays behind" eval 'exits 0 && says "warning: .*no file NOTICE with the line .Gemma is provided"'
run inspect out1/x.gguf general.license general.license.link
check "convert carries the licence over as it is written" \
    eval 'prints "^general.license: gemma$" && prints "^general.license.link: https://ai.google.dev/gemma/terms$"'
run quantize out1/x.gguf out2/y.gguf Q8_0
check "quantize does not warn where the notice is there" eval 'exits 0 && not says NOTICE'
run inspect out2/y.gguf general.license general.license.link
check "quantize carries the licence over as it is written" \
    eval 'prints "^general.license: gemma$" && prints "^general.license.link: https://ai.google.dev/gemma/terms$"'
mkdir out3
run quantize out1/x.gguf out3/y.gguf Q8_0
check "quantize warns where the notice stays behind" says 'no file NOTICE'


mkdir out4 out5
run convert copy -o out4/model.safetensors --format safetensors
check "convert to safetensors carries the licence over, and warns too" \
    eval 'exits 0 && says "no file NOTICE" && head -c 200 out4/model.safetensors | grep -aq \
        "{\"__metadata__\":{\"format\":\"pt\",\"license\":\"gemma\",\"license_link\":\"https://ai.google.dev/gemma/terms\"}"'
cp out2/Notice.txt out4/
run license out4
check "and it is read there" prints '^metadata +model.safetensors license +gemma'
run convert out1/x.gguf -o out5/model.safetensors --format safetensors
run license out5
check "also from a GGUF file" prints '^metadata +model.safetensors license +gemma'
rm copy/README.md copy/*.safetensors*
cp out4/model.safetensors copy/
run convert copy -o out5/again.gguf --type bf16
run inspect out5/again.gguf general.license
check "without a card the licence comes from the metadata of the weights" prints '^gemma$'

mkdir several
cp out1/x.gguf several/a-bf16.gguf
"$lq" quantize out1/x.gguf several/a-q8_0.gguf Q8_0 --override-kv general.license=str:mit >/dev/null 2>&1
printf -- '---\nlicense: gemma\nmodel_name: x\n---\n' >several/README.md
cp out2/Notice.txt several/
run license several
check "of several variants in a folder the one that disagrees is found" \
    eval 'exits 1 && prints "^error +LIC-METADATA-MISMATCH +a-q8_0.gguf general.license" && prints "^metadata +a-bf16.gguf"'

# ---- levels ----
run license other --fail-on warning
check "--fail-on warning makes warnings fail" exits 1
run license card --fail-on never
check "--fail-on never makes nothing fail" exits 0
run license card --fail-on nothing
check "an unknown level is wrong usage" refused 2 'none of note, warning, error'
run license missing
check "a missing model is an I/O error" refused 4 '^lq: missing: '

# ---- bad input: each in 128 MiB and 10 seconds ----
# Under a sanitizer, which reserves more, memory is not limited.
limit='ulimit -v 131072'
(eval "$limit" && exec "$lq" version) >/dev/null 2>&1 || limit=:

# bounded ARGUMENT...: as run; 99 where it took too long
bounded() {
    begin=$(date +%s)
    (eval "$limit" && exec "$lq" "$@") >out 2>err </dev/null
    code=$?
    [ $(($(date +%s) - begin)) -le 10 ] || code=99
}
printf -- '---\nlicense: apache-2.0\na: &a [x,x,x,x,x,x,x,x,x]\n' >bomb
i=0
while [ $i -lt 9 ]; do
    printf '%s: &%s [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n' b b | sed "s/b/b$i/g; s/\*a/*$([ $i -eq 0 ] && echo a || echo b$((i - 1)))/g" >>bomb
    i=$((i + 1))
done
echo --- >>bomb
model bombed ''
cp bomb bombed/README.md
bounded license bombed
check "a bomb of aliases is refused" eval 'exits 0 && only "warning LIC-CARD-INVALID" && prints "aliases make it too large"'
model tagged 'license: !!python/object/apply:os.system ["touch x"]'
bounded license tagged
check "tags of YAML run nothing" eval 'exits 0 && [ ! -e x ] && [ ! -e tagged/x ]'
model endless ''
{ echo ---; echo 'license: [apache-2.0'; yes 'a: b' | head -n 300000; } >endless/README.md
bounded license endless
check "front matter without end is refused" eval 'exits 0 && only "warning LIC-CARD-INVALID"'
model large 'license: apache-2.0'
if truncate -s 1073741824 large/LICENSE 2>/dev/null; then
    bounded license large
    check "a licence of 1 GB is not read" eval 'exits 0 && only "warning LIC-FILE-INVALID" && prints "larger than 2 MiB"'
    bounded license large/LICENSE
    check "nor where it is named" refused 3 'larger than 2 MiB'
    rm large/LICENSE
fi
model binary 'license: apache-2.0'
printf 'MIT\0\1\2' >binary/LICENSE
bounded license binary
check "a binary licence is not read" eval 'only "warning LIC-FILE-INVALID" && prints "not plain text"'
model linked 'license: apache-2.0'
ln -s /etc/passwd linked/LICENSE
bounded license linked
check "a link out of the folder is not followed" eval 'exits 0 && only "warning LIC-FILE-INVALID" && not prints root:'
model steer 'license: "\\x1b[31m\\u202eapache"'
bounded license steer
check "what a card says does not steer the terminal" \
    eval 'exits 0 && prints "x1b" && ! grep -q "$(printf "\033")" out && ! grep -q "$(printf "\342\200\256")" out'
model organs 'license: mit\nbase_model: "x/\\e[2J\\u2066b"'
cp "$apache" "organs/LICENSE$(printf '\342\200\256')txt.evil"
cp "$apache" "organs/LICENSE.$(printf '\033')[31m"
bounded license organs
check "nor do the names of files and of base models" \
    eval 'exits 1 && prints "u.202e.txt" && ! grep -q "$(printf "\033")" out err && ! grep -q "$(printf "\342\200")" out'
bounded license organs --json
check "in JSON neither" eval '"$json_valid" out && ! grep -q "$(printf "\033")" out'
model pipe 'license: apache-2.0'
mkfifo pipe/LICENSE pipe/NOTICE
bounded license pipe
check "pipes are not waited for" eval 'exits 0 && only "note LIC-MISSING-FILE"'
model device 'license: apache-2.0'
ln -s /dev/zero device/LICENSE
bounded license device
check "nor are devices read" exits 0
model repeated 'license: apache-2.0'
i=0
while [ $i -lt 180 ]; do cat "$apache" && i=$((i + 1)); done >repeated/LICENSE
bounded license repeated
check "a licence 180 times is still that licence" eval 'exits 0 && prints "^text +LICENSE +Apache-2.0"'
model words 'license: apache-2.0'
tr -s ' \n' '\n\n' <"$apache" | sort | head -c 12000 >words/one
i=0
while [ $i -lt 160 ]; do cat words/one && i=$((i + 1)); done >words/LICENSE
rm words/one
bounded license words
check "its words in another order are none" eval 'exits 0 && only "warning LIC-UNKNOWN"'
finish
