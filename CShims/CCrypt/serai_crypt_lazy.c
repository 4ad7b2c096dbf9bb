#define LAZY_LIBRARY "libcrypt.so.1"
#define LAZY_PACKAGE "libcrypt1"
#define LAZY_LOADER "serai_crypt_load"
#define LAZY_FUNCTIONS(DO) DO(crypt_rn)
#include "../lazy_library.h"

LAZY_HIDDEN void serai_crypt_load(void);
void serai_crypt_load(void) { pthread_once(&lazy_once, lazy_load_once); }
