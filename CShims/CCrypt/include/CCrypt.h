// libcrypt's bcrypt, loaded when it is first needed (lazy_library.h).
#pragma once

/// crypt_rn(3) with its work space on the heap: the structure has 32 KB, more than a Swift thread's stack should be asked
/// for. `setting` is `$2a$`, two digits of cost, `$` and 22 digits of salt; `hash` has room for the 60 characters and a NUL.
/// Returns 0, or -errno: -EINVAL for a setting or password that bcrypt does not take, -ENOMEM.
int serai_bcrypt(const char *_Nonnull password, const char *_Nonnull setting, char *_Nonnull hash);
