// libarchive, loaded when it is first needed (lazy_library.h): a function that is used must be in the list of
// serai_archive.c.
#pragma once
#include <archive.h>
#include <archive_entry.h>

// The kinds of entries are macros with casts, which Swift does not see.
enum {
  SERAI_ARCHIVE_REGULAR = AE_IFREG,
  SERAI_ARCHIVE_LINK = AE_IFLNK,
  SERAI_ARCHIVE_DIRECTORY = AE_IFDIR,
};
