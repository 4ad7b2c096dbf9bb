// Memory of this process that the kernel may have back.
#pragma once

/// malloc_trim(3), and madvise(2) MADV_DONTNEED for the program's and its libraries' code: what is needed of it is mapped
/// again from the page cache when it runs next.
void serai_give_back_memory(void);
