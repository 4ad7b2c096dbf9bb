// A task that uses as good as nothing and never ends by itself.
#include "bare.h"

void _start(void) {
  for (;;) bare_call3(BARE_PAUSE, 0, 0, 0);
}
