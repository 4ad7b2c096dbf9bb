// libmicrohttpd, loaded when a server starts: with GnuTLS, which it brings, it costs 1.2 ms of every process that is linked
// to it, and a command serves nothing.
//
// The functions are the library's own with "serai_mhd_" in front, and with its variadic calls and macros in a form that Swift
// can call. All but `serai_mhd_load` may be called only after that has returned NULL once.
#pragma once
#include <gnutls/abstract.h>
#include <microhttpd.h>

/// Loads libmicrohttpd, once; from any thread. NULL, or what went wrong: text that stays valid.
const char *_Nullable serai_mhd_load(void);

/// What serai_mhd_start needs. All timeouts in seconds, 0 for none.
struct serai_mhd_settings {
  unsigned int thread_count;
  unsigned int connection_limit;
  unsigned int idle_timeout;
  size_t connection_memory;
  void *_Nullable context;
  MHD_AccessHandlerCallback _Nonnull access;
  void *_Nullable (*_Nonnull request_begins)(void *_Nullable, const char *_Nonnull, struct MHD_Connection *_Nonnull);
  MHD_RequestCompletedCallback _Nonnull request_completed;
  MHD_NotifyConnectionCallback _Nonnull connection_changed;
  /// GnuTLS' priority string; NULL for a server without TLS.
  const char *_Nullable priorities;
  /// Tells which certificate to show; needed with TLS.
  gnutls_certificate_retrieve_function2 *_Nullable retrieve_certificate;
  /// PEM of the CA of clients' certificates, which must outlive the server; NULL to ask for none.
  const char *_Nullable client_authority;
};

/// MHD_start_daemon: epoll threads that serve what MHD_add_connection gives them. NULL on failure.
struct MHD_Daemon *_Nullable serai_mhd_start(const struct serai_mhd_settings *_Nonnull settings);
void serai_mhd_stop(struct MHD_Daemon *_Nonnull daemon);

/// MHD_add_connection. The library owns the socket from here on, also if it fails (0).
int serai_mhd_add(struct MHD_Daemon *_Nonnull daemon, int socket, const struct sockaddr *_Nonnull address,
                  socklen_t length);

int serai_mhd_socket(struct MHD_Connection *_Nonnull connection);
/// The slot that MHD_OPTION_NOTIFY_CONNECTION filled in for this connection.
void *_Nullable serai_mhd_connection_context(struct MHD_Connection *_Nonnull connection);
void serai_mhd_suspend(struct MHD_Connection *_Nonnull connection);
void serai_mhd_resume(struct MHD_Connection *_Nonnull connection);
/// MHD_get_connection_values_n of the header fields.
int serai_mhd_headers(struct MHD_Connection *_Nonnull connection, MHD_KeyValueIteratorN _Nonnull each,
                      void *_Nullable context);
void serai_mhd_upgrade_close(struct MHD_UpgradeResponseHandle *_Nonnull handle);

/// A response with a copy of the bytes.
struct MHD_Response *_Nullable serai_mhd_buffer_response(const void *_Nullable bytes, size_t count);
/// `count` bytes of a file from an offset; the library owns the descriptor from here on.
struct MHD_Response *_Nullable serai_mhd_file_response(uint64_t count, int descriptor, uint64_t offset);
struct MHD_Response *_Nullable serai_mhd_stream_response(size_t block, MHD_ContentReaderCallback _Nonnull reader,
                                                         void *_Nullable context,
                                                         MHD_ContentReaderFreeCallback _Nonnull release);
struct MHD_Response *_Nullable serai_mhd_upgrade_response(MHD_UpgradeHandler _Nonnull handler, void *_Nullable context);
enum MHD_Result serai_mhd_add_header(struct MHD_Response *_Nonnull response, const char *_Nonnull name,
                                     const char *_Nonnull value);
enum MHD_Result serai_mhd_queue(struct MHD_Connection *_Nonnull connection, unsigned int status,
                                struct MHD_Response *_Nonnull response);
void serai_mhd_destroy(struct MHD_Response *_Nonnull response);

static inline ssize_t serai_mhd_end_of_stream(void) { return MHD_CONTENT_READER_END_OF_STREAM; }
static inline ssize_t serai_mhd_end_with_error(void) { return MHD_CONTENT_READER_END_WITH_ERROR; }

// The library's enumerations reach Swift under names that depend on the importer's prefix rules; these don't.
static const enum MHD_Result SERAI_MHD_YES = MHD_YES;
static const enum MHD_Result SERAI_MHD_NO = MHD_NO;
static const enum MHD_ConnectionNotificationCode SERAI_MHD_CONNECTION_STARTED = MHD_CONNECTION_NOTIFY_STARTED;
