#!/bin/sh
# version.sh -- lq version, and LQ_ISA, which every command obeys.
. "$(dirname "$0")/lib.sh"

version=$(sed -n 's/^#define LQ_VERSION "\(.*\)"/\1/p' "$root/libquant/quant.h")
run version
check "lq version begins with the version of the header" test "$(head -n 1 out)" = "lq $version"
check "lq version names the libraries" prints '^libraries .*zlib .*OpenSSL [0-9]'
cp out plain
run --version
check "lq --version is lq version" cmp -s out plain
run version --json
check "lq version --json is valid JSON" "$json_valid" out

LQ_ISA=scalar run version
check "LQ_ISA=scalar leaves the scalar kernels" prints '^in use +scalar$'
LQ_ISA=mmx run version
check "an unknown LQ_ISA is wrong usage, with the names" refused 2 'LQ_ISA=mmx: not one of scalar'
LQ_ISA=mmx run help
check "LQ_ISA is checked whatever the command" refused 2 'LQ_ISA=mmx'
LQ_ISA='' run version
check "an empty LQ_ISA is none" exits 0
run version
for isa in avx2 avx512 neon; do
    if grep -q "^machine .* $isa" plain; then
        LQ_ISA=$isa run version
        check "LQ_ISA=$isa is in use where the machine has it" prints "^in use .* $isa\$"
    else
        LQ_ISA=$isa run version
        check "LQ_ISA=$isa is refused where the machine lacks it" \
            refused 2 "LQ_ISA=$isa: this machine does not have it"
    fi
done
finish
