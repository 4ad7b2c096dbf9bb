#define LAZY_LIBRARY "libarchive.so.13"
#define LAZY_PACKAGE "libarchive13"
#define LAZY_LOADER "serai_archive_load"
#define LAZY_FUNCTIONS(DO)                                                                                            \
  DO(archive_entry_filetype)                                                                                          \
  DO(archive_entry_hardlink)                                                                                          \
  DO(archive_entry_hardlink_utf8)                                                                                     \
  DO(archive_entry_pathname)                                                                                          \
  DO(archive_entry_pathname_utf8)                                                                                     \
  DO(archive_entry_perm)                                                                                              \
  DO(archive_entry_symlink)                                                                                           \
  DO(archive_entry_symlink_utf8)                                                                                      \
  DO(archive_error_string)                                                                                            \
  DO(archive_read_data)                                                                                               \
  DO(archive_read_free)                                                                                               \
  DO(archive_read_new)                                                                                                \
  DO(archive_read_next_header)                                                                                        \
  DO(archive_read_open_fd)                                                                                            \
  DO(archive_read_support_filter_bzip2)                                                                               \
  DO(archive_read_support_filter_gzip)                                                                                \
  DO(archive_read_support_filter_lzma)                                                                                \
  DO(archive_read_support_filter_xz)                                                                                  \
  DO(archive_read_support_filter_zstd)                                                                                \
  DO(archive_read_support_format_raw)                                                                                 \
  DO(archive_read_support_format_tar)                                                                                 \
  DO(archive_read_support_format_zip)
#include "../lazy_library.h"

LAZY_HIDDEN void serai_archive_load(void);
void serai_archive_load(void) { pthread_once(&lazy_once, lazy_load_once); }
