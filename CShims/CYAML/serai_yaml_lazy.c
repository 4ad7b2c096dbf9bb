#define LAZY_LIBRARY "libyaml-0.so.2"
#define LAZY_PACKAGE "libyaml-0-2"
#define LAZY_LOADER "serai_yaml_load"
#define LAZY_FUNCTIONS(DO)                                                                                            \
  DO(yaml_event_delete)                                                                                               \
  DO(yaml_parser_delete)                                                                                              \
  DO(yaml_parser_initialize)                                                                                          \
  DO(yaml_parser_parse)                                                                                               \
  DO(yaml_parser_set_encoding)                                                                                        \
  DO(yaml_parser_set_input_string)
#include "../lazy_library.h"

LAZY_HIDDEN void serai_yaml_load(void);
void serai_yaml_load(void) { pthread_once(&lazy_once, lazy_load_once); }
