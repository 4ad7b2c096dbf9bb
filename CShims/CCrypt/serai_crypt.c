#include "CCrypt.h"
#include <crypt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int serai_bcrypt(const char *password, const char *setting, char *hash) {
  struct crypt_data *work = calloc(1, sizeof *work);
  if (!work) return -ENOMEM;
  const char *made = crypt_rn(password, setting, work, sizeof *work);
  int result = made ? 0 : errno ? -errno : -EINVAL;
  if (made && strlen(made) != 60) result = -EINVAL;
  if (result == 0) memcpy(hash, made, 61);
  explicit_bzero(work, sizeof *work);
  free(work);
  return result;
}
