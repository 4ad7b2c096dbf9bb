// GnuTLS, loaded when it is first needed (lazy_library.h): a function that is used must be in the list of serai_gnutls.c.
#pragma once
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdint.h>

// Macros that are expressions or casts, which Swift does not import.
static const unsigned int SERAI_GNUTLS_CLIENT = GNUTLS_CLIENT | GNUTLS_NONBLOCK;
static const unsigned int SERAI_GNUTLS_SERVER = GNUTLS_SERVER | GNUTLS_NONBLOCK;
static const unsigned int SERAI_GNUTLS_CA_USAGE = GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN;
static const unsigned int SERAI_GNUTLS_LEAF_USAGE = GNUTLS_KEY_DIGITAL_SIGNATURE;

/// The bits of a key on the curve NIST P-256, for gnutls_x509_privkey_generate: a macro of an enum in C.
static inline unsigned int serai_gnutls_p256(void) { return GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1); }

/// gnutls_certificate_verify_peers with a host name (NULL for none) and a key purpose: the array of unions that it takes
/// holds pointers that must outlive the call, which they do here.
static inline int serai_gnutls_verify(gnutls_session_t _Nonnull session, const char *_Nullable host,
                                      const char *_Nonnull purpose, unsigned int *_Nonnull status) {
  gnutls_typed_vdata_st data[2] = {
      {.type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)purpose, .size = 0},
      {.type = GNUTLS_DT_DNS_HOSTNAME, .data = (unsigned char *)host, .size = 0},
  };
  return gnutls_certificate_verify_peers(session, data, host ? 2 : 1, status);
}

/// gnutls_free is a variable in C, which Swift takes for shared mutable state.
void serai_gnutls_free(void *_Nullable memory);
