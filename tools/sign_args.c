/* sign_args.c -- keys, certificates and files from the command line. */
#include "tools/sign_args.h"

#include "libquant/trust/certificate.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { PASSPHRASE_LIMIT = 64 << 10 };

bool sign_method(const char *name, enum bundle_method *m)
{
    for (*m = 0; *m < BUNDLE_METHODS; (*m)++)
        if (strcmp(name, bundle_method_name(*m)) == 0)
            return true;
    return false;
}

/* ---- files ---- */

lq_status sign_args_read(struct sign_args *s, const struct context *ctx, const struct args *args,
                         const char *model, lq_error *err)
{
    const char *const *paths;
    const size_t n = args_list(args, "ignore-paths", &paths);
    s->ignore = calloc(n + 1, sizeof *s->ignore);
    s->names = calloc(n + 1, sizeof *s->names);
    if (!s->ignore || !s->names)
        return lq_fail_memory(err);
    for (; s->n < n; s->n++) {
        if (!model_relative(model, paths[s->n], &s->ignore[s->n]))
            return lq_fail_at(err, LQ_E_USAGE, paths[s->n], -1,
                              "option --ignore-paths: is not within %.200s", model);
        s->names[s->n] = s->ignore[s->n].data;
    }
    if (args_flag(args, "ignore-git-paths") && args_flag(args, "no-ignore-git-paths"))
        return lq_fail(err, LQ_E_USAGE, "--ignore-git-paths and --no-ignore-git-paths contradict");
    s->options = (struct signature_options){
        .files = {.ignore = s->names, .n_ignore = n,
                  .keep_git = args_flag(args, "no-ignore-git-paths"),
                  .allow_symlinks = args_flag(args, "allow-symlinks")},
        .threads = ctx->threads, .progress = ctx->progress};
    return LQ_OK;
}

void sign_args_free(struct sign_args *s)
{
    for (size_t i = 0; i <= s->n && s->ignore; i++)
        text_free(&s->ignore[i]);
    free(s->ignore);
    free(s->names);
}

/* ---- keys ---- */

/* Up to the first line's end. */
static lq_status first_line(const char *text, const char *name, char *dst, size_t size, size_t *len,
                            lq_error *err)
{
    *len = strcspn(text, "\r\n");
    if (*len > size)
        return lq_fail_at(err, LQ_E_UNSUPPORTED, name, -1, "the passphrase is too long");
    memcpy(dst, text, *len);
    return LQ_OK;
}

static lq_status from_file(const char *path, char *dst, size_t size, size_t *len, lq_error *err)
{
    struct source *s;
    char *text;
    size_t n;
    LQ_TRY(source_open_file(&s, path, err));
    lq_status status = source_read_all(s, PASSPHRASE_LIMIT, &text, &n, err);
    source_close(s);
    LQ_TRY(status);
    status = first_line(text, path, dst, size, len, err);
    OPENSSL_cleanse(text, n);
    free(text);
    return status;
}

static lq_status from_terminal(const char *path, char *dst, size_t size, size_t *len, lq_error *err)
{
    struct termios shown, hidden;
    const int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (fd < 0 || tcgetattr(fd, &shown) != 0) {
        if (fd >= 0)
            close(fd);
        return lq_fail_at(err, LQ_E_USAGE, path, -1,
                          "the key is encrypted: --passphrase-file or --passphrase-env is needed "
                          "where there is no terminal to ask at");
    }
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    dprintf(fd, "Passphrase for %s: ", path);
    tcsetattr(fd, TCSAFLUSH, &hidden);
    const ssize_t n = read(fd, dst, size);
    tcsetattr(fd, TCSAFLUSH, &shown);
    dprintf(fd, "\n");
    close(fd);
    *len = n > 0 ? (size_t)n : 0;
    if (*len && dst[*len - 1] == '\n')
        (*len)--;
    return n >= 0 ? LQ_OK : lq_fail_errno(err, "/dev/tty", "cannot read");
}

struct passphrase {
    const struct args *args;
    const char *key;
};

static lq_status ask(void *ctx, char *dst, size_t size, size_t *len, lq_error *err)
{
    const struct passphrase *const p = ctx;
    const char *const file = args_value(p->args, "passphrase-file");
    const char *const variable = args_value(p->args, "passphrase-env");
    if (file)
        return from_file(file, dst, size, len, err);
    if (!variable)
        return from_terminal(p->key, dst, size, len, err);
    const char *const value = getenv(variable);
    if (!value)
        return lq_fail(err, LQ_E_USAGE, "option --passphrase-env: there is no variable %.100s",
                       variable);
    return first_line(value, variable, dst, size, len, err);
}

lq_status sign_args_private_key(struct sign_key *k, const struct args *args, const char *path,
                                lq_error *err)
{
    struct passphrase p = {args, path};
    struct source *s;
    LQ_TRY(source_open_file(&s, path, err));
    const lq_status status = key_read_private(k, s, ask, &p, err);
    source_close(s);
    return status;
}

lq_status sign_args_certificates(STACK_OF(X509) **list, const char *const *paths, size_t n,
                                 lq_error *err)
{
    for (size_t i = 0; i < n; i++) {
        struct source *s;
        LQ_TRY(source_open_file(&s, paths[i], err));
        const lq_status status = certificates_read(list, s, err);
        source_close(s);
        LQ_TRY(status);
    }
    return LQ_OK;
}
