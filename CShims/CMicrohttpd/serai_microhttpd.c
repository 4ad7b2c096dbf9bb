#include "include/CMicrohttpd.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

// Every function that is used, with the type that microhttpd.h declares for it.
#define EACH_FUNCTION(DO)                                                                                             \
  DO(MHD_start_daemon)                                                                                                \
  DO(MHD_stop_daemon)                                                                                                 \
  DO(MHD_add_connection)                                                                                              \
  DO(MHD_get_connection_info)                                                                                         \
  DO(MHD_get_connection_values_n)                                                                                     \
  DO(MHD_suspend_connection)                                                                                          \
  DO(MHD_resume_connection)                                                                                           \
  DO(MHD_upgrade_action)                                                                                              \
  DO(MHD_create_response_from_buffer)                                                                                 \
  DO(MHD_create_response_from_fd_at_offset64)                                                                         \
  DO(MHD_create_response_from_callback)                                                                               \
  DO(MHD_create_response_for_upgrade)                                                                                 \
  DO(MHD_add_response_header)                                                                                         \
  DO(MHD_queue_response)                                                                                              \
  DO(MHD_destroy_response)

#define MEMBER(name) __typeof__(name) *name;
static struct {
  EACH_FUNCTION(MEMBER)
} loaded;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char problem[256];

static void load(void) {
  void *library = dlopen("libmicrohttpd.so.12", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    snprintf(problem, sizeof problem, "%s: install the package libmicrohttpd12", dlerror());
    return;
  }
#define FIND(name)                                                                                                    \
  if (!(loaded.name = (__typeof__(loaded.name))dlsym(library, #name))) {                                               \
    snprintf(problem, sizeof problem, "libmicrohttpd.so.12 has no %s: version 0.9.72 or later is needed", #name);    \
    return;                                                                                                           \
  }
  EACH_FUNCTION(FIND)
}

const char *serai_mhd_load(void) {
  pthread_once(&once, load);
  return problem[0] ? problem : NULL;
}

// The path and query are decoded by us, so that an encoded slash stays distinguishable: the library leaves them alone.
static size_t leave_escapes(void *context, struct MHD_Connection *connection, char *text) {
  (void)context, (void)connection;
  return strlen(text);
}

// Without a listening socket of its own: MHD_quiesce_daemon of 0.9.75 races with its worker threads and then ends the
// process ("Failed to remove listen FD from epoll set"). And not MHD_USE_TURBO: with it that version does not shut a
// connection down whose content reader failed, and the client waits.
struct MHD_Daemon *serai_mhd_start(const struct serai_mhd_settings *settings) {
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
  return loaded.MHD_start_daemon(
      (settings->priorities ? MHD_USE_TLS : 0) | MHD_USE_EPOLL | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE |
          MHD_USE_NO_LISTEN_SOCKET,
      0, NULL, NULL, settings->access, settings->context, MHD_OPTION_CONNECTION_LIMIT, settings->connection_limit,
      MHD_OPTION_CONNECTION_TIMEOUT, settings->idle_timeout, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      settings->connection_memory, MHD_OPTION_URI_LOG_CALLBACK, settings->request_begins, settings->context,
      MHD_OPTION_NOTIFY_COMPLETED, settings->request_completed, settings->context, MHD_OPTION_NOTIFY_CONNECTION,
      settings->connection_changed, settings->context, MHD_OPTION_UNESCAPE_CALLBACK, leave_escapes, NULL,
      MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, pool, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

void serai_mhd_stop(struct MHD_Daemon *daemon) { loaded.MHD_stop_daemon(daemon); }

int serai_mhd_add(struct MHD_Daemon *daemon, int socket, const struct sockaddr *address, socklen_t length) {
  return loaded.MHD_add_connection(daemon, socket, address, length) == MHD_YES;
}

int serai_mhd_socket(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      loaded.MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info ? info->connect_fd : -1;
}

void *serai_mhd_connection_context(struct MHD_Connection *connection) {
  const union MHD_ConnectionInfo *info =
      loaded.MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info ? info->socket_context : NULL;
}

void serai_mhd_suspend(struct MHD_Connection *connection) { loaded.MHD_suspend_connection(connection); }
void serai_mhd_resume(struct MHD_Connection *connection) { loaded.MHD_resume_connection(connection); }

int serai_mhd_headers(struct MHD_Connection *connection, MHD_KeyValueIteratorN each, void *context) {
  return loaded.MHD_get_connection_values_n(connection, MHD_HEADER_KIND, each, context);
}

void serai_mhd_upgrade_close(struct MHD_UpgradeResponseHandle *handle) {
  loaded.MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
}

struct MHD_Response *serai_mhd_buffer_response(const void *bytes, size_t count) {
  // It copies before it returns, and takes a pointer to what it may change for its other modes only.
  return loaded.MHD_create_response_from_buffer(count, (void *)bytes, MHD_RESPMEM_MUST_COPY);
}

struct MHD_Response *serai_mhd_file_response(uint64_t count, int descriptor, uint64_t offset) {
  return loaded.MHD_create_response_from_fd_at_offset64(count, descriptor, offset);
}

struct MHD_Response *serai_mhd_stream_response(size_t block, MHD_ContentReaderCallback reader, void *context,
                                               MHD_ContentReaderFreeCallback release) {
  return loaded.MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, block, reader, context, release);
}

struct MHD_Response *serai_mhd_upgrade_response(MHD_UpgradeHandler handler, void *context) {
  return loaded.MHD_create_response_for_upgrade(handler, context);
}

enum MHD_Result serai_mhd_add_header(struct MHD_Response *response, const char *name, const char *value) {
  return loaded.MHD_add_response_header(response, name, value);
}

enum MHD_Result serai_mhd_queue(struct MHD_Connection *connection, unsigned int status, struct MHD_Response *response) {
  return loaded.MHD_queue_response(connection, status, response);
}

void serai_mhd_destroy(struct MHD_Response *response) { loaded.MHD_destroy_response(response); }
