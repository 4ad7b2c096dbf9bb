// zlib: deflateInit2 and inflateInit2 are macros that carry the version and the size of the structure.
#pragma once
#include <zlib.h>

/// deflateInit2 for the gzip format (RFC 1952), window of 32 KiB.
static inline int serai_gzip_begin(z_stream *_Nonnull stream, int level) {
  return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}

/// inflateInit2 that accepts the gzip format only.
static inline int serai_gunzip_begin(z_stream *_Nonnull stream) { return inflateInit2(stream, 15 + 16); }
