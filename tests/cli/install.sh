#!/bin/sh
# install.sh -- what make install puts where, and that a program can be built with it.
. "$(dirname "$0")/lib.sh"

cc=${CC:-cc}
stage=$work/stage
prefix=/opt/libquant
version=$(sed -n 's/^#define LQ_VERSION "\(.*\)"/\1/p' "$root/libquant/quant.h")

# The make that runs this test has said which variables to build with; what is built is up to date.
make -C "$root" install DESTDIR="$stage" PREFIX=$prefix >out 2>err </dev/null
code=$?
check "make install succeeds" exits 0
there=$stage$prefix
check "the program is installed and runs" "$there/bin/lq" version
check "the shared library has its version in its name" test -f "$there/lib/libquant.so.$version"
check "the links to the shared library are there" \
    eval '[ "$(readlink "$there/lib/libquant.so")" = "libquant.so.$version" ] &&
          [ "$(readlink "$there/lib/libquant.so.0")" = "libquant.so.$version" ]'
check "only the public header is installed" test "$(ls "$there/include/libquant")" = quant.h
check "the header is that of the sources" cmp "$there/include/libquant/quant.h" "$root/libquant/quant.h"
for page in lq lq-inspect lq-compare; do
    check "the manual page $page is there" test -s "$there/share/man/man1/$page.1"
done
if command -v man >/dev/null 2>&1; then
    man --warnings -l "$there"/share/man/man1/*.1 >page 2>warnings </dev/null
    check "the manual pages are without fault" eval '[ -s page ] && [ ! -s warnings ]'
else
    skip "the manual pages are without fault" "no man(1)"
fi
check "the completions are there" \
    test -s "$there/share/bash-completion/completions/lq" -a -s "$there/share/zsh/site-functions/_lq"

# ---- names ----
nm -D --defined-only "$there/lib/libquant.so" | awk '{ print $3 }' | grep -v '^lq_' >names
check "the shared library exports lq_ names only" test ! -s names
nm -g --defined-only "$there/lib/libquant.a" | awk 'NF == 3 { print $3 }' | grep -v '^lq_' >names
check "the static library defines lq_ names only" test ! -s names
sed -n 's/^LQ_API .*[ *]\(lq_[a-z0-9_]*\)(.*/\1/p' "$root/libquant/quant.h" | sort >declared
nm -D --defined-only "$there/lib/libquant.so" | awk '{ print $3 }' | sort >exported
check "what the header declares is what the library exports" cmp declared exported

# ---- a program ----
cat >program.c <<'END'
#include <libquant/quant.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    lq_model *model;
    lq_error err;
    if (argc != 2 || strcmp(lq_version(), LQ_VERSION) != 0)
        return 2;
    const lq_status status = lq_model_open(&model, argv[1], &err);
    if (status != LQ_OK) {
        char text[1600];
        puts(lq_error_text(&err, text, sizeof text));
        return lq_exit_code(status);
    }
    printf("%s %zu\n", lq_model_format(model), lq_model_tensor_count(model));
    lq_model_close(model);
    return 0;
}
END
export PKG_CONFIG_PATH="$there/lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR=
pc() { pkg-config --define-variable=prefix="$there" --define-variable=libdir="$there/lib" \
    --define-variable=includedir="$there/include" "$@" libquant; }
sanitize=${SANITIZE:+-fsanitize=$SANITIZE}
check "pkg-config knows the version" test "$(pkg-config --modversion libquant)" = "$version"
check "a C program builds against the shared library" \
    sh -c "$cc -std=c17 -Wall -Wextra -Werror -pedantic -o shared program.c $(pc --cflags --libs) $sanitize"
LD_LIBRARY_PATH=$there/lib ./shared "$demo" >out 2>err
code=$?
check "it opens a model" eval 'exits 0 && prints "^hf_dir 39$"'
LD_LIBRARY_PATH=$there/lib ./shared missing >out 2>err
code=$?
check "it is told what is wrong" eval 'exits 4 && prints "^missing: "'
# shellcheck disable=SC2046
needs=$(pkg-config --libs $(pkg-config --print-requires-private libquant))
check "a C program builds against the static library" \
    sh -c "$cc -std=c17 -o static program.c $(pc --cflags) $there/lib/libquant.a $needs -fopenmp -lm $sanitize"
./static "$demo" >out 2>err
code=$?
check "the static one opens a model too" eval 'exits 0 && prints "^hf_dir 39$"'

make -C "$root" uninstall DESTDIR="$stage" PREFIX=$prefix >out 2>err </dev/null
check "make uninstall leaves no file" test -z "$(find "$stage" ! -type d)"
finish
