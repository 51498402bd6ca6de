/* expressions.c -- reads licence expressions, for scripts/interop-license. Each line of standard
 * input is "EXPRESSION" or "EXPRESSION|ID,ID,...": printed is
 *   error, or ok <tab> as it is written <tab> unknown or - <tab> satisfied, not, or - (no list) */
#include "libquant/license/expression.h"

#include <stdio.h>
#include <string.h>

static bool allowed(const char *list, const char *id)
{
    for (const char *s = list; *s;) {
        const size_t n = strcspn(s, ",");
        if (n == strlen(id) && strncmp(s, id, n) == 0)
            return true;
        s += n + (s[n] == ',');
    }
    return false;
}

/* Some choice has no licence but those of the list. */
static bool satisfied(const struct expression *e, const char *list)
{
    for (size_t c = 0; c < e->n_choices; c++) {
        bool all = true;
        for (size_t i = 0; i < e->n_leaves; i++)
            all &= !(e->choice[c] >> i & 1) || allowed(list, e->leaf[i].id);
        if (all)
            return true;
    }
    return false;
}

int main(void)
{
    char line[8192];
    while (fgets(line, sizeof line, stdin)) {
        struct expression e = {0};
        line[strcspn(line, "\n")] = '\0';
        char *const list = strchr(line, '|');
        if (list)
            *list = '\0';
        if (expression_parse(&e, line, NULL) != LQ_OK) {
            puts("error");
        } else {
            unsigned flags = 0;
            for (size_t i = 0; i < e.n_leaves; i++)
                flags |= e.leaf[i].flags;
            printf("ok\t%s\t%s\t%s\n", e.written.data, flags & LEAF_UNKNOWN ? "unknown" : "-",
                   !list                     ? "-"
                   : satisfied(&e, list + 1) ? "satisfied"
                                             : "not");
        }
        expression_release(&e);
    }
    return 0;
}
