#define LAZY_LIBRARY "libgnutls.so.30"
#define LAZY_PACKAGE "libgnutls30"
#define LAZY_LOADER "serai_gnutls_load"
#define LAZY_FUNCTIONS(DO)                                                                                            \
  DO(gnutls_aead_cipher_decrypt)                                                                                      \
  DO(gnutls_aead_cipher_deinit)                                                                                       \
  DO(gnutls_aead_cipher_encrypt)                                                                                      \
  DO(gnutls_aead_cipher_init)                                                                                         \
  DO(gnutls_alert_get)                                                                                                \
  DO(gnutls_alert_get_name)                                                                                           \
  DO(gnutls_alert_send)                                                                                               \
  DO(gnutls_alert_send_appropriate)                                                                                   \
  DO(gnutls_bye)                                                                                                      \
  DO(gnutls_certificate_allocate_credentials)                                                                         \
  DO(gnutls_certificate_free_credentials)                                                                             \
  DO(gnutls_certificate_get_peers)                                                                                    \
  DO(gnutls_certificate_server_set_request)                                                                           \
  DO(gnutls_certificate_set_x509_key_mem)                                                                             \
  DO(gnutls_certificate_set_x509_system_trust)                                                                        \
  DO(gnutls_certificate_set_x509_trust_mem)                                                                           \
  DO(gnutls_certificate_verification_status_print)                                                                    \
  DO(gnutls_certificate_verify_peers)                                                                                 \
  DO(gnutls_cipher_get)                                                                                               \
  DO(gnutls_cipher_get_name)                                                                                          \
  DO(gnutls_credentials_set)                                                                                          \
  DO(gnutls_deinit)                                                                                                   \
  DO(gnutls_handshake)                                                                                                \
  DO(gnutls_hash)                                                                                                     \
  DO(gnutls_hash_deinit)                                                                                              \
  DO(gnutls_hash_fast)                                                                                                \
  DO(gnutls_hash_init)                                                                                                \
  DO(gnutls_hash_output)                                                                                              \
  DO(gnutls_hmac_fast)                                                                                                \
  DO(gnutls_init)                                                                                                     \
  DO(gnutls_kx_get)                                                                                                   \
  DO(gnutls_kx_get_name)                                                                                              \
  DO(gnutls_mac_get)                                                                                                  \
  DO(gnutls_mac_get_name)                                                                                             \
  DO(gnutls_pcert_deinit)                                                                                             \
  DO(gnutls_pcert_list_import_x509_raw)                                                                               \
  DO(gnutls_priority_set_direct)                                                                                      \
  DO(gnutls_privkey_deinit)                                                                                           \
  DO(gnutls_privkey_import_x509_raw)                                                                                  \
  DO(gnutls_privkey_init)                                                                                             \
  DO(gnutls_protocol_get_version)                                                                                     \
  DO(gnutls_record_recv)                                                                                              \
  DO(gnutls_record_send)                                                                                              \
  DO(gnutls_rnd)                                                                                                      \
  DO(gnutls_server_name_set)                                                                                          \
  DO(gnutls_session_get_ptr)                                                                                          \
  DO(gnutls_session_set_verify_cert)                                                                                  \
  DO(gnutls_strerror)                                                                                                 \
  DO(gnutls_transport_set_errno)                                                                                      \
  DO(gnutls_transport_set_ptr)                                                                                        \
  DO(gnutls_transport_set_pull_function)                                                                              \
  DO(gnutls_transport_set_push_function)                                                                              \
  DO(gnutls_x509_crt_deinit)                                                                                          \
  DO(gnutls_x509_crt_export2)                                                                                         \
  DO(gnutls_x509_crt_get_activation_time)                                                                             \
  DO(gnutls_x509_crt_get_ca_status)                                                                                   \
  DO(gnutls_x509_crt_get_dn3)                                                                                         \
  DO(gnutls_x509_crt_get_expiration_time)                                                                             \
  DO(gnutls_x509_crt_get_fingerprint)                                                                                 \
  DO(gnutls_x509_crt_get_issuer_dn3)                                                                                  \
  DO(gnutls_x509_crt_get_subject_alt_name)                                                                            \
  DO(gnutls_x509_crt_import)                                                                                          \
  DO(gnutls_x509_crt_init)                                                                                            \
  DO(gnutls_x509_crt_set_activation_time)                                                                             \
  DO(gnutls_x509_crt_set_basic_constraints)                                                                           \
  DO(gnutls_x509_crt_set_dn_by_oid)                                                                                   \
  DO(gnutls_x509_crt_set_expiration_time)                                                                             \
  DO(gnutls_x509_crt_set_key)                                                                                         \
  DO(gnutls_x509_crt_set_key_purpose_oid)                                                                             \
  DO(gnutls_x509_crt_set_key_usage)                                                                                   \
  DO(gnutls_x509_crt_set_serial)                                                                                      \
  DO(gnutls_x509_crt_set_subject_alt_name)                                                                            \
  DO(gnutls_x509_crt_set_version)                                                                                     \
  DO(gnutls_x509_crt_sign2)                                                                                           \
  DO(gnutls_x509_privkey_deinit)                                                                                      \
  DO(gnutls_x509_privkey_export2)                                                                                     \
  DO(gnutls_x509_privkey_generate)                                                                                    \
  DO(gnutls_x509_privkey_import2)                                                                                     \
  DO(gnutls_x509_privkey_init)
#include "../lazy_library.h"

LAZY_HIDDEN void serai_gnutls_load(void);
void serai_gnutls_load(void) { pthread_once(&lazy_once, lazy_load_once); }

void serai_gnutls_free(void *memory);
void serai_gnutls_free(void *memory) {
  // What there is to free came from the library, so it is loaded; gnutls_free is a variable that holds a function.
  void (**release)(void *) = dlsym(lazy_handle, "gnutls_free");
  if (release) (*release)(memory);
}
