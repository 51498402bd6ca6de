/* lineage.h -- what a model is, measured against the models that it is said to be made of.
 *
 *   open, give common names      libquant/convert/model_view.h
 *   pair layers and tensors      lineage_layers.c
 *   each tensor: is it a copy, or a quantization of a base, bit for bit?      lineage_derive.c
 *                does every block lie within what an honest quantizer makes?  lineage_honest.c
 *                how far is it from the bases, and in which way?              lineage_change.c
 *   the model: the strongest statement that holds for all of them             lineage_verdict.c
 *
 * Verdicts and figures are functions of the models' contents alone. docs/lineage.md has the
 * statistics and their limits.
 */
#ifndef LQ_PROVENANCE_LINEAGE_H
#define LQ_PROVENANCE_LINEAGE_H

#include "libquant/convert/imatrix.h"
#include "libquant/convert/model_view.h"
#include "libquant/provenance/lineage_pass.h"

enum lineage_verdict {
    LINEAGE_IDENTICAL, /* the same values */
    LINEAGE_DERIVED,   /* re-derived: the quantization of a base, bit for bit */
    LINEAGE_EXPLAINED, /* every block is within what an honest quantizer makes of a base */
    LINEAGE_ALTERED,   /* one of these three, but for the blocks that are listed */
    LINEAGE_PARTIAL,   /* layers left out, moved or repeated; another vocabulary */
    LINEAGE_MERGED,    /* a weighted sum of the bases, or tensors of several */
    LINEAGE_TUNED,     /* fine-tuned: another set of weights that began as a base */
    LINEAGE_UNRELATED,
    LINEAGE_UNDETERMINED,
    LINEAGE_VERDICTS
};

/* "re-derived". */
const char *lineage_verdict_name(enum lineage_verdict v);
/* LINEAGE_VERDICTS where there is none of that name. */
enum lineage_verdict lineage_verdict_by_name(const char *name, size_t len);

/* A way from a base's values to stored ones. */
struct hypothesis {
    bool copy;                   /* the values as they are */
    bool weighted;               /* with the importance matrix */
    enum rounding rounding;      /* of products and sums: see codec/type.h */
    const struct type_info *via; /* rounded to this type first, or NULL */
};

/* A block of the claimed tensor, counted from its beginning. */
struct marked_block {
    uint64_t block;
    float far; /* explained: how many times the bound its worst statistic is; else 0 */
};

/* Low-rank structure of a difference; see lineage_rank.h. */
struct rank_result {
    bool measured, low; /* low: beyond `rank` directions nothing is left but rounding */
    uint32_t rank;
};

struct tensor_lineage {
    const struct tensor *claimed;
    const struct tensor *base; /* NULL: none has its name and shape */
    size_t from;               /* which base */
    enum lineage_verdict verdict;
    bool other_shape;      /* a base has the name, but not the shape */
    bool more_rows;        /* the base's rows are the first of the claimed tensor's */
    bool vector;           /* too few elements, or one row: no statistics */
    struct hypothesis how; /* identical, re-derived, altered by comparison with these */
    bool derived;          /* `how` holds but for the marked blocks */
    uint64_t blocks;       /* compared: of the stored type; where it has none, of one element */
    uint64_t marked;       /* of these: differ (derived) or lie outside of what is honest */
    struct marked_block *marks; /* of these, in order; LINEAGE_MARKS at most */
    size_t n_marks;
    uint64_t nonfinite; /* elements that are NaN or infinite on either side */
    double change;      /* |claimed - base| / |base|; NaN where the base is all zero */
    double rounding;    /* the same for what storing in the claimed type alone does, estimated */
    double correlation; /* mean over the rows of the cosine of claimed and base row; NaN: none */
    double chance;      /* the same for the base's next row: what the two have alike anyway */
    uint64_t rows_tested, rows_closer; /* closer to their own row than to the next one */
    struct rank_result rank;
    double weight[LINEAGE_BASES]; /* of the bases, least squares */
    double residual; /* |claimed - sum of weight * base| / |claimed|; NaN: not fitted */
    bool fitted;     /* merged: more than one base takes part, and the residual is rounding */
    bool spherical;  /* the weights are those of a spherical, and not of a linear interpolation */
};

enum {
    LINEAGE_MARKS = 100000,     /* of a tensor; more are counted only */
    LINEAGE_ALL_MARKS = 1000000 /* of all tensors */
};

/* The layer of a base that a claimed one continues. */
struct layer_match {
    uint32_t layer;
    bool found;      /* by its weights; else it is the one of the same number */
    double likeness; /* mean cosine of samples */
};

struct lineage {
    struct model_view claimed;
    struct model_view base[LINEAGE_BASES];
    size_t n_bases;
    struct tensor_lineage *tensors; /* of every claimed tensor, in its order */
    size_t n_tensors;
    struct layer_match *layers; /* [n_bases][n_layers] */
    uint32_t n_layers, base_layers[LINEAGE_BASES];
    size_t main;         /* the base that most tensors come from; the first of several */
    size_t missing;      /* tensors of base[main] that nothing claimed was paired with */
    uint64_t extra_rows; /* of extended vocabularies: the most */
    enum lineage_verdict verdict;
    size_t count[LINEAGE_VERDICTS]; /* tensors by verdict */
    uint64_t marked;
    char why[256]; /* one line */
};

/* [n_layers], those of the main base. */
static inline const struct layer_match *lineage_layers(const struct lineage *l)
{
    return l->layers + l->main * l->n_layers;
}

struct lineage_options {
    const struct imatrix *imatrix; /* or NULL */
    unsigned isa, threads;
    const struct progress *progress;
};

/* Fills a zeroed struct, which must not move afterwards; lineage_release also after a failure.
 * Fails where a model cannot be read, or where no two tensors have a name in common. */
lq_status lineage_find(struct lineage *l, const char *claimed, const char *const *bases,
                       size_t n_bases, const struct lineage_options *options, lq_error *err);
void lineage_release(struct lineage *l);

#endif
