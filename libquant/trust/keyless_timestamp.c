/* keyless_timestamp.c -- times that an authority has signed: RFC 3161. OpenSSL checks the token. */
#include "libquant/trust/keyless.h"

#include <openssl/err.h>
#include <openssl/ts.h>

/* The authority's certificates, each with a reference of its own, and a store of its roots. */
static bool prepare(TS_VERIFY_CTX *ctx, const struct trusted_authority *a, time_t at)
{
    STACK_OF(X509) *const all = X509_chain_up_ref(a->certificates);
    X509_STORE *const store = X509_STORE_new();
    bool ok = all && store;
    for (int i = 0; ok && i < sk_X509_num(all); i++)
        if (X509_self_signed(sk_X509_value(all, i), 1) == 1)
            ok = X509_STORE_add_cert(store, sk_X509_value(all, i)) == 1;
    if (!ok) {
        sk_X509_pop_free(all, X509_free);
        X509_STORE_free(store);
        return false;
    }
    X509_VERIFY_PARAM *const p = X509_STORE_get0_param(store);
    X509_VERIFY_PARAM_set_time(p, at);
    X509_VERIFY_PARAM_set_auth_level(p, 2);
    TS_VERIFY_CTX_set_store(ctx, store);
    TS_VERIFY_CTS_set_certs(ctx, all);
    return true;
}

/* Whether this authority has signed the token, with a certificate that is listed. */
static bool is_signed_by(const struct trusted_authority *a, TS_RESP *response, const void *data,
                         size_t n, time_t at)
{
    STACK_OF(X509) *const signers =
        PKCS7_get0_signers(TS_RESP_get_token(response), a->certificates, PKCS7_NOINTERN);
    TS_VERIFY_CTX *const ctx = TS_VERIFY_CTX_new();
    bool ok = false;
    if (signers && ctx && at >= a->start && at <= a->end && prepare(ctx, a, at)) {
        TS_VERIFY_CTX_set_flags(ctx, TS_VFY_SIGNATURE | TS_VFY_VERSION | TS_VFY_DATA);
        TS_VERIFY_CTX_set_data(ctx, BIO_new_mem_buf(data, (int)n));
        ok = TS_RESP_verify_response(ctx, response) == 1;
    }
    TS_VERIFY_CTX_free(ctx);
    sk_X509_free(signers);
    ERR_clear_error();
    return ok;
}

static bool read_time(TS_RESP *response, time_t *at)
{
    TS_TST_INFO *const info = TS_RESP_get_tst_info(response);
    struct tm tm;
    if (!info || !TS_RESP_get_token(response) || ASN1_TIME_to_tm(TS_TST_INFO_get_time(info), &tm) != 1)
        return false;
    *at = timegm(&tm);
    return true;
}

lq_status keyless_timestamp(const void *token, size_t token_len, const void *data, size_t n,
                            const struct trusted_root *root, time_t *at, const char *name,
                            lq_error *err)
{
    const uint8_t *p = token;
    TS_RESP *const response = d2i_TS_RESP(NULL, &p, (long)token_len);
    lq_status status = LQ_E_VERIFY;
    if (!response || p != (const uint8_t *)token + token_len || !read_time(response, at))
        status = lq_fail_at(err, LQ_E_FORMAT, name, -1, "a timestamp in it is none");
    for (size_t i = 0; status == LQ_E_VERIFY && i < root->n_clocks; i++)
        if (is_signed_by(&root->clocks[i], response, data, n, *at))
            status = LQ_OK;
    if (status == LQ_E_VERIFY)
        lq_fail_at(err, status, name, -1,
                   "a timestamp is not one of this signature by an authority that is trusted for it");
    TS_RESP_free(response);
    ERR_clear_error();
    return status;
}
