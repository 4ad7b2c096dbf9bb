#include "include/CCurl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

// Every function that is used, with the type that curl.h declares for it.
#define EACH_FUNCTION(DO)                                                                                             \
  DO(curl_global_init)                                                                                                \
  DO(curl_easy_init)                                                                                                  \
  DO(curl_easy_cleanup)                                                                                               \
  DO(curl_easy_perform)                                                                                               \
  DO(curl_easy_pause)                                                                                                 \
  DO(curl_easy_recv)                                                                                                  \
  DO(curl_easy_send)                                                                                                  \
  DO(curl_easy_strerror)                                                                                              \
  DO(curl_easy_setopt)                                                                                                \
  DO(curl_easy_getinfo)                                                                                               \
  DO(curl_slist_append)                                                                                               \
  DO(curl_slist_free_all)                                                                                             \
  DO(curl_multi_init)                                                                                                 \
  DO(curl_multi_cleanup)                                                                                              \
  DO(curl_multi_add_handle)                                                                                           \
  DO(curl_multi_remove_handle)                                                                                        \
  DO(curl_multi_perform)                                                                                              \
  DO(curl_multi_poll)                                                                                                 \
  DO(curl_multi_wakeup)                                                                                               \
  DO(curl_multi_info_read)

// curl.h checks the arguments of these with macros of the same name.
#undef curl_easy_setopt
#undef curl_easy_getinfo

#define MEMBER(name) __typeof__(name) *name;
static struct {
  EACH_FUNCTION(MEMBER)
} loaded;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char problem[256];

static void load(void) {
  // Its ABI has not changed since 2006; the GnuTLS flavour, so that one process has one TLS library.
  void *library = dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    snprintf(problem, sizeof problem, "%s: install the package libcurl3-gnutls", dlerror());
    return;
  }
#define FIND(name)                                                                                                    \
  if (!(loaded.name = (__typeof__(loaded.name))dlsym(library, #name))) {                                               \
    snprintf(problem, sizeof problem, "libcurl-gnutls.so.4 has no %s: version 7.68 or later is needed", #name);      \
    return;                                                                                                           \
  }
  EACH_FUNCTION(FIND)
  if (loaded.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    snprintf(problem, sizeof problem, "libcurl could not be initialised: is there memory left?");
}

const char *serai_curl_load(void) {
  pthread_once(&once, load);
  return problem[0] ? problem : NULL;
}

CURL *serai_curl_easy_init(void) { return loaded.curl_easy_init(); }
void serai_curl_easy_cleanup(CURL *handle) { loaded.curl_easy_cleanup(handle); }
CURLcode serai_curl_easy_perform(CURL *handle) { return loaded.curl_easy_perform(handle); }
CURLcode serai_curl_easy_pause(CURL *handle, int bitmask) { return loaded.curl_easy_pause(handle, bitmask); }
CURLcode serai_curl_easy_recv(CURL *handle, void *buffer, size_t size, size_t *count) {
  return loaded.curl_easy_recv(handle, buffer, size, count);
}
CURLcode serai_curl_easy_send(CURL *handle, const void *buffer, size_t size, size_t *count) {
  return loaded.curl_easy_send(handle, buffer, size, count);
}
const char *serai_curl_easy_strerror(CURLcode code) { return loaded.curl_easy_strerror(code); }

struct curl_slist *serai_curl_slist_append(struct curl_slist *list, const char *line) {
  return loaded.curl_slist_append(list, line);
}
void serai_curl_slist_free_all(struct curl_slist *list) { loaded.curl_slist_free_all(list); }

CURLM *serai_curl_multi_init(void) { return loaded.curl_multi_init(); }
CURLMcode serai_curl_multi_cleanup(CURLM *multi) { return loaded.curl_multi_cleanup(multi); }
CURLMcode serai_curl_multi_add_handle(CURLM *multi, CURL *handle) {
  return loaded.curl_multi_add_handle(multi, handle);
}
CURLMcode serai_curl_multi_remove_handle(CURLM *multi, CURL *handle) {
  return loaded.curl_multi_remove_handle(multi, handle);
}
CURLMcode serai_curl_multi_perform(CURLM *multi, int *running) { return loaded.curl_multi_perform(multi, running); }
CURLMcode serai_curl_multi_poll(CURLM *multi, int milliseconds) {
  return loaded.curl_multi_poll(multi, NULL, 0, milliseconds, NULL);
}
CURLMcode serai_curl_multi_wakeup(CURLM *multi) { return loaded.curl_multi_wakeup(multi); }

CURLcode serai_curl_set_long(CURL *handle, CURLoption option, long value) {
  return loaded.curl_easy_setopt(handle, option, value);
}

CURLcode serai_curl_set_string(CURL *handle, CURLoption option, const char *value) {
  return loaded.curl_easy_setopt(handle, option, value);
}

CURLcode serai_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
  return loaded.curl_easy_setopt(handle, option, value);
}

CURLcode serai_curl_set_body(CURL *handle, const void *bytes, curl_off_t count) {
  CURLcode code = loaded.curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, count);
  if (code == CURLE_OK) code = loaded.curl_easy_setopt(handle, CURLOPT_COPYPOSTFIELDS, count ? bytes : "");
  return code;
}

CURLcode serai_curl_set_receivers(CURL *handle, serai_curl_callback header, serai_curl_callback body, void *context) {
  CURLcode code = loaded.curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, header);
  if (code == CURLE_OK) code = loaded.curl_easy_setopt(handle, CURLOPT_HEADERDATA, context);
  if (code == CURLE_OK) code = loaded.curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, body);
  if (code == CURLE_OK) code = loaded.curl_easy_setopt(handle, CURLOPT_WRITEDATA, context);
  return code;
}

CURLcode serai_curl_get_long(CURL *handle, CURLINFO info, long *value) {
  return loaded.curl_easy_getinfo(handle, info, value);
}

curl_socket_t serai_curl_active_socket(CURL *handle) {
  curl_socket_t socket = CURL_SOCKET_BAD;
  return loaded.curl_easy_getinfo(handle, CURLINFO_ACTIVESOCKET, &socket) == CURLE_OK ? socket : CURL_SOCKET_BAD;
}

CURL *serai_curl_next_done(CURLM *multi, CURLcode *result) {
  int left = 0;
  CURLMsg *message;
  while ((message = loaded.curl_multi_info_read(multi, &left))) {
    if (message->msg != CURLMSG_DONE) continue;
    *result = message->data.result;
    return message->easy_handle;
  }
  return NULL;
}
