// libcurl's variadic calls, one function per kind of argument.
#pragma once
#include <curl/curl.h>

typedef size_t (*serai_curl_callback)(char *_Nullable bytes, size_t size, size_t count, void *_Nullable context);

static inline CURLcode serai_curl_set_long(CURL *_Nonnull handle, CURLoption option, long value) {
  return curl_easy_setopt(handle, option, value);
}

/// libcurl copies the string.
static inline CURLcode serai_curl_set_string(CURL *_Nonnull handle, CURLoption option, const char *_Nullable value) {
  return curl_easy_setopt(handle, option, value);
}

static inline CURLcode serai_curl_set_pointer(CURL *_Nonnull handle, CURLoption option, void *_Nullable value) {
  return curl_easy_setopt(handle, option, value);
}

/// libcurl copies the body.
static inline CURLcode serai_curl_set_body(CURL *_Nonnull handle, const void *_Nullable bytes, curl_off_t count) {
  CURLcode code = curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, count);
  if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_COPYPOSTFIELDS, count ? bytes : "");
  return code;
}

static inline CURLcode serai_curl_set_receivers(CURL *_Nonnull handle, serai_curl_callback _Nonnull header,
                                                serai_curl_callback _Nonnull body, void *_Nullable context) {
  CURLcode code = curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, header);
  if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_HEADERDATA, context);
  if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, body);
  if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_WRITEDATA, context);
  return code;
}

static inline CURLcode serai_curl_get_long(CURL *_Nonnull handle, CURLINFO info, long *_Nonnull value) {
  return curl_easy_getinfo(handle, info, value);
}

static inline curl_socket_t serai_curl_active_socket(CURL *_Nonnull handle) {
  curl_socket_t socket = CURL_SOCKET_BAD;
  return curl_easy_getinfo(handle, CURLINFO_ACTIVESOCKET, &socket) == CURLE_OK ? socket : CURL_SOCKET_BAD;
}

/// The handle and result of the next finished transfer; NULL if there is none.
static inline CURL *_Nullable serai_curl_next_done(CURLM *_Nonnull multi, CURLcode *_Nonnull result) {
  int left = 0;
  CURLMsg *message;
  while ((message = curl_multi_info_read(multi, &left))) {
    if (message->msg != CURLMSG_DONE) continue;
    *result = message->data.result;
    return message->easy_handle;
  }
  return NULL;
}

static inline size_t serai_curl_write_pause(void) { return CURL_WRITEFUNC_PAUSE; }
/// Any number other than the one given aborts; this one is never given.
static inline size_t serai_curl_write_abort(void) { return CURL_WRITEFUNC_ERROR; }
static inline CURLcode serai_curl_global_init(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }
