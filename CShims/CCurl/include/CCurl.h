// libcurl, loaded when it is first needed: it brings thirty other libraries, which cost 4 ms and 2 MB of every process
// that is linked to it. What an agent and a command do all the time, talking to an agent on the same host, needs none of
// them (LocalExchange.swift).
//
// The functions are libcurl's own with "serai_" in front, and with its variadic calls as one function per kind of argument.
// All but `serai_curl_load` may be called only after that has returned NULL once.
#pragma once
#include <curl/curl.h>

typedef size_t (*serai_curl_callback)(char *_Nullable bytes, size_t size, size_t count, void *_Nullable context);

/// Loads and initialises libcurl, once; from any thread. NULL, or what went wrong: text that stays valid.
const char *_Nullable serai_curl_load(void);

CURL *_Nullable serai_curl_easy_init(void);
void serai_curl_easy_cleanup(CURL *_Nonnull handle);
CURLcode serai_curl_easy_perform(CURL *_Nonnull handle);
CURLcode serai_curl_easy_pause(CURL *_Nonnull handle, int bitmask);
CURLcode serai_curl_easy_recv(CURL *_Nonnull handle, void *_Nonnull buffer, size_t size, size_t *_Nonnull count);
CURLcode serai_curl_easy_send(CURL *_Nonnull handle, const void *_Nonnull buffer, size_t size, size_t *_Nonnull count);
const char *_Nonnull serai_curl_easy_strerror(CURLcode code);

/// A list that is one line longer, or NULL without memory.
struct curl_slist *_Nullable serai_curl_slist_append(struct curl_slist *_Nullable list, const char *_Nonnull line);
void serai_curl_slist_free_all(struct curl_slist *_Nullable list);

CURLM *_Nullable serai_curl_multi_init(void);
CURLMcode serai_curl_multi_cleanup(CURLM *_Nonnull multi);
CURLMcode serai_curl_multi_add_handle(CURLM *_Nonnull multi, CURL *_Nonnull handle);
CURLMcode serai_curl_multi_remove_handle(CURLM *_Nonnull multi, CURL *_Nonnull handle);
CURLMcode serai_curl_multi_perform(CURLM *_Nonnull multi, int *_Nonnull running);
CURLMcode serai_curl_multi_poll(CURLM *_Nonnull multi, int milliseconds);
CURLMcode serai_curl_multi_wakeup(CURLM *_Nonnull multi);

CURLcode serai_curl_set_long(CURL *_Nonnull handle, CURLoption option, long value);
/// libcurl copies the string.
CURLcode serai_curl_set_string(CURL *_Nonnull handle, CURLoption option, const char *_Nullable value);
CURLcode serai_curl_set_pointer(CURL *_Nonnull handle, CURLoption option, void *_Nullable value);
/// libcurl copies the body.
CURLcode serai_curl_set_body(CURL *_Nonnull handle, const void *_Nullable bytes, curl_off_t count);
CURLcode serai_curl_set_receivers(CURL *_Nonnull handle, serai_curl_callback _Nonnull header,
                                  serai_curl_callback _Nonnull body, void *_Nullable context);
CURLcode serai_curl_get_long(CURL *_Nonnull handle, CURLINFO info, long *_Nonnull value);
curl_socket_t serai_curl_active_socket(CURL *_Nonnull handle);

/// The handle and result of the next finished transfer; NULL if there is none.
CURL *_Nullable serai_curl_next_done(CURLM *_Nonnull multi, CURLcode *_Nonnull result);

static inline size_t serai_curl_write_pause(void) { return CURL_WRITEFUNC_PAUSE; }
/// Any number other than the one given aborts; this one is never given.
static inline size_t serai_curl_write_abort(void) { return CURL_WRITEFUNC_ERROR; }
