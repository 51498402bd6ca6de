#!/bin/sh
# output.sh -- how files are written: whole or not at all, where they were asked for, with the rights
# that the umask gives, and with the same bytes whatever surrounds the run.
. "$(dirname "$0")/lib.sh"

cc=${CC:-cc}
$cc -std=c17 -D_GNU_SOURCE -O1 -o make_random "$root/tests/interop/make_random.c" -lm || exit 1
# 13 million weights: long enough to be interrupted, short enough to be made again and again.
./make_random gguf in.gguf f16 512 1536 4 8 8 2048 1 >/dev/null || exit 1
mkdir out.d
"$lq" quantize in.gguf good.gguf Q8_0 >/dev/null 2>&1
code=$?
check "a model is quantized" exits 0

# What is in the folder of outputs.
left() { ls -A out.d; }

# ---- what surrounds a run has no influence ----
run quantize --threads 1 in.gguf out.d/a.gguf Q8_0
check "one thread makes the same bytes as all" cmp good.gguf out.d/a.gguf
run quantize in.gguf out.d/a.gguf Q8_0 7
check "seven threads make the same bytes" cmp good.gguf out.d/a.gguf
LQ_ISA=scalar run quantize in.gguf out.d/a.gguf Q8_0
check "scalar kernels make the same bytes" cmp good.gguf out.d/a.gguf
mkdir 'another place'
cp in.gguf 'another place/name.gguf'
(cd 'another place' && TZ=Asia/Tokyo LC_ALL=tr_TR.UTF-8 "$lq" quantize name.gguf ../out.d/a.gguf q8_0) >out 2>err
check "another place, name, time zone and locale make the same bytes" cmp good.gguf out.d/a.gguf
rm -rf 'another place' out.d/*

# ---- targets that are no regular files ----
run quantize in.gguf /dev/null Q8_0
check "/dev/null is written to, not replaced" eval 'exits 0 && test -c /dev/null'
run quantize in.gguf /dev/full Q8_0
check "a full device is an I/O error, and still a device" \
    eval 'exits 4 && says "No space left" && test -c /dev/full'
mkfifo pipe
timeout 30 cat pipe >got &
run quantize in.gguf pipe Q8_0
wait
check "a named pipe gets the same bytes" eval 'exits 0 && cmp good.gguf got && test -p pipe'
"$lq" quantize in.gguf - Q8_0 >got 2>err
code=$?
check "standard output gets the same bytes, and nothing else" eval 'exits 0 && cmp good.gguf got'
"$lq" convert "$demo" -o demo.gguf --type q4_0 >out 2>err && "$lq" convert "$demo" -o - --type q4_0 >got 2>err
code=$?
check "a conversion to standard output is that to a file, and nothing else" \
    eval 'exits 0 && cmp demo.gguf got'
"$lq" quantize in.gguf - Q8_0 2>err | head -c 100 >/dev/null
check "a reader that goes away is no crash" not says 'Aborted|Segmentation'
rm -f got

# ---- symbolic links ----
echo old >out.d/real.gguf
ln -s real.gguf out.d/link.gguf
run quantize in.gguf out.d/link.gguf Q8_0
check "what a symbolic link points to is replaced, the link stays" \
    eval 'exits 0 && test -L out.d/link.gguf && cmp good.gguf out.d/real.gguf'
rm out.d/real.gguf
run quantize in.gguf out.d/link.gguf Q8_0
check "a symbolic link to nothing has its file made" \
    eval 'exits 0 && test -L out.d/link.gguf && cmp good.gguf out.d/real.gguf'
rm out.d/*
ln -s loop out.d/loop
run quantize in.gguf out.d/loop Q8_0
check "a link to itself is an I/O error" eval 'exits 4 && test -L out.d/loop'
rm out.d/*

# ---- rights ----
(umask 077 && "$lq" quantize in.gguf out.d/a.gguf Q8_0) >out 2>err
check "umask 077 makes a private file" test "$(stat -c %a out.d/a.gguf)" = 600
(umask 002 && "$lq" quantize in.gguf out.d/b.gguf Q8_0) >out 2>err
check "umask 002 makes a file that the group can write" test "$(stat -c %a out.d/b.gguf)" = 664
rm out.d/*

# Runs as somebody whom rights stop.
chmod 755 .
as_nobody() {
    if [ "$(id -u)" -ne 0 ]; then
        "$@"
    else
        setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
    fi
}
if as_nobody "$lq" version >out 2>err && as_nobody test -r "$work/in.gguf"; then
    mkdir locked
    echo old >locked/old.gguf
    chmod 555 locked
    as_nobody "$lq" quantize in.gguf locked/a.gguf Q8_0 >out 2>err
    code=$?
    check "a folder that cannot be written to is an I/O error that names the file" \
        eval 'exits 4 && says "locked/a.gguf.*Permission denied"'
    check "nothing is left in it" test "$(ls -A locked)" = old.gguf
    chmod 755 locked
    cp in.gguf secret.gguf
    chmod 000 secret.gguf
    as_nobody "$lq" quantize secret.gguf out.d/a.gguf Q8_0 >out 2>err
    code=$?
    check "an input that cannot be read is an I/O error that names it" \
        eval 'exits 4 && says "secret.gguf.*Permission denied"'
    rm -f secret.gguf
else
    skip "a folder that cannot be written to is an I/O error that names the file" "no way to be nobody"
    skip "nothing is left in it" "no way to be nobody"
    skip "an input that cannot be read is an I/O error that names it" "no way to be nobody"
fi
run quantize in.gguf no/such/folder/a.gguf Q8_0
check "a folder that is not there is an I/O error" eval 'exits 4 && says "no/such/folder/a.gguf"'
run quantize in.gguf out.d Q8_0
check "a folder as the target is wrong usage" exits 2

# ---- full disks ----
echo old >out.d/a.gguf
(ulimit -f 100 && exec "$lq" quantize in.gguf out.d/a.gguf Q8_0) >out 2>err
code=$?
check "a file that may not grow is an I/O error" eval 'exits 4 && says "File too large"'
check "what stood under the target's name stays" test "$(cat out.d/a.gguf)" = old
check "nothing else is left" test "$(left)" = a.gguf
rm out.d/*
mkdir small
if mount -t tmpfs -o size=1m tmpfs small 2>/dev/null; then
    run quantize in.gguf small/a.gguf Q8_0
    check "a full disk is an I/O error" eval 'exits 4 && says "small/a.gguf.*No space left"'
    check "a full disk is left as it was" test -z "$(ls -A small)"
    umount small
else
    skip "a full disk is an I/O error" "needs root"
    skip "a full disk is left as it was" "needs root"
fi

# ---- interruption ----
# One thread and scalar kernels: many seconds of work for a type that is found by search.
# In the foreground, as timeout otherwise signals twice, and the second signal ends a run at once.
interrupt() {  # interrupt SIGNAL SECONDS
    LQ_ISA=scalar timeout --foreground --preserve-status -s "$1" "$2" \
        "$lq" quantize --threads 1 in.gguf out.d/a.gguf IQ4_XS >out 2>err
    code=$?
}
for signal in INT TERM HUP; do
    echo old >out.d/a.gguf
    interrupt $signal 0.5
    check "SIG$signal ends the run with 130, and says so" eval 'exits 130 && says "interrupted"'
    check "after SIG$signal the target is as it was, and nothing else is left" \
        eval '[ "$(left)" = a.gguf ] && [ "$(cat out.d/a.gguf)" = old ]'
done
rm -f out.d/*
interrupt KILL 0.5
check "even a killed run leaves nothing under the target's name" test ! -e out.d/a.gguf
rm -rf out.d/* out.d/.[!.]*

# ---- input and output the same ----
cp in.gguf same.gguf
run quantize same.gguf same.gguf Q8_0
check "an output that is the input is refused, or replaces it whole" \
    eval '{ exits 2 && cmp in.gguf same.gguf; } || { exits 0 && cmp good.gguf same.gguf; }'

# ---- a terminal ----
if command -v script >/dev/null 2>&1 && script -qec true /dev/null >/dev/null 2>&1; then
    run quantize in.gguf out.d/a.gguf Q8_0
    check "no progress line is drawn where there is no terminal" not grep -q "$(printf '\r')" err
    LQ_ISA=scalar script -qec "timeout -s INT 1.5 '$lq' quantize --threads 1 in.gguf out.d/a.gguf IQ4_XS" /dev/null \
        >out 2>err </dev/null
    check "a progress line is drawn on a terminal" prints "%.*/s .*left"
    LQ_ISA=scalar script -qec "timeout -s INT 1.5 '$lq' quantize --quiet --threads 1 in.gguf out.d/a.gguf IQ4_XS" \
        /dev/null >out 2>err </dev/null
    check "--quiet draws none" not prints "%.*/s .*left"
else
    skip "no progress line is drawn where there is no terminal" "no script(1)"
    skip "a progress line is drawn on a terminal" "no script(1)"
    skip "--quiet draws none" "no script(1)"
fi
finish
