// swap PATH...: exchanges, as fast as it can and until it is killed, each PATH, a directory or a file, with PATH.link, a
// symbolic link beside it (renameat2 EXCHANGE, so that one of the two is there at every moment). What a neighbour with
// access to the same directory can do while a sandbox is built.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>

int main(int argc, char **argv) {
  for (;;)
    for (int i = 1; i < argc; i++) {
      char link[512];
      snprintf(link, sizeof link, "%s.link", argv[i]);
      renameat2(AT_FDCWD, argv[i], AT_FDCWD, link, RENAME_EXCHANGE);
    }
}
