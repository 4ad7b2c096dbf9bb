// libmicrohttpd's variadic calls and macros, which Swift cannot call or see.
#pragma once
#include <gnutls/abstract.h>
#include <microhttpd.h>

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

/// The path and query are decoded by us, so that an encoded slash stays distinguishable: the library leaves them alone.
static size_t serai_mhd_no_unescape(void *_Nullable context, struct MHD_Connection *_Nullable connection,
                                    char *_Nonnull text) {
  (void)context;
  (void)connection;
  return __builtin_strlen(text);
}

/// MHD_start_daemon: epoll threads that serve what MHD_add_connection gives them. NULL on failure.
///
/// Without a listening socket of its own: MHD_quiesce_daemon of 0.9.75 races with its worker threads and then ends the
/// process ("Failed to remove listen FD from epoll set"). And not MHD_USE_TURBO: with it that version does not shut a
/// connection down whose content reader failed, and the client waits.
static inline struct MHD_Daemon *_Nullable serai_mhd_start(const struct serai_mhd_settings *_Nonnull settings) {
  // A pool of one is refused by the library: one thread is what it has without a pool.
  struct MHD_OptionItem pool[] = {
      {settings->thread_count > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, settings->thread_count, NULL},
      {MHD_OPTION_END, 0, NULL}};
  struct MHD_OptionItem tls[4] = {{MHD_OPTION_END, 0, NULL}};
  if (settings->priorities) {
    tls[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)settings->priorities};
    tls[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)settings->retrieve_certificate};
    tls[2] = settings->client_authority
                 ? (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, (void *)settings->client_authority}
                 : (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    tls[3] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
  }
  return MHD_start_daemon(
      (settings->priorities ? MHD_USE_TLS : 0) | MHD_USE_EPOLL | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE |
          MHD_USE_NO_LISTEN_SOCKET,
      0, NULL, NULL, settings->access, settings->context, MHD_OPTION_CONNECTION_LIMIT, settings->connection_limit, MHD_OPTION_CONNECTION_TIMEOUT, settings->idle_timeout,
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, settings->connection_memory, MHD_OPTION_URI_LOG_CALLBACK,
      settings->request_begins, settings->context, MHD_OPTION_NOTIFY_COMPLETED, settings->request_completed,
      settings->context, MHD_OPTION_NOTIFY_CONNECTION, settings->connection_changed, settings->context,
      MHD_OPTION_UNESCAPE_CALLBACK, serai_mhd_no_unescape, NULL, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY,
      pool, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

/// MHD_add_connection. The library owns the socket from here on, also if it fails (0).
static inline int serai_mhd_add(struct MHD_Daemon *_Nonnull daemon, int socket, const struct sockaddr *_Nonnull address,
                                socklen_t length) {
  return MHD_add_connection(daemon, socket, address, length) == MHD_YES;
}

static inline int serai_mhd_socket(struct MHD_Connection *_Nonnull connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info ? info->connect_fd : -1;
}

/// The slot that MHD_OPTION_NOTIFY_CONNECTION filled in for this connection.
static inline void *_Nullable serai_mhd_connection_context(struct MHD_Connection *_Nonnull connection) {
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info ? info->socket_context : NULL;
}

static inline void serai_mhd_upgrade_close(struct MHD_UpgradeResponseHandle *_Nonnull handle) {
  MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
}

static inline struct MHD_Response *_Nullable serai_mhd_stream_response(size_t block, MHD_ContentReaderCallback _Nonnull reader,
                                                             void *_Nullable context,
                                                             MHD_ContentReaderFreeCallback _Nonnull release) {
  return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, block, reader, context, release);
}

static inline ssize_t serai_mhd_end_of_stream(void) { return MHD_CONTENT_READER_END_OF_STREAM; }
static inline ssize_t serai_mhd_end_with_error(void) { return MHD_CONTENT_READER_END_WITH_ERROR; }

// The library's enumerations reach Swift under names that depend on the importer's prefix rules; these don't.
static const enum MHD_Result SERAI_MHD_YES = MHD_YES;
static const enum MHD_Result SERAI_MHD_NO = MHD_NO;
static const enum MHD_ValueKind SERAI_MHD_HEADER_KIND = MHD_HEADER_KIND;
static const enum MHD_ResponseMemoryMode SERAI_MHD_MUST_COPY = MHD_RESPMEM_MUST_COPY;
static const enum MHD_ConnectionNotificationCode SERAI_MHD_CONNECTION_STARTED = MHD_CONNECTION_NOTIFY_STARTED;
