// libyaml's parser, loaded when it is first needed (lazy_library.h). Its structures are unions of unions, of which Swift
// would see only bytes: a document's events come flat here.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum serai_yaml_kind {
  SERAI_YAML_SCALAR,
  SERAI_YAML_ALIAS,
  SERAI_YAML_SEQUENCE_START,
  SERAI_YAML_SEQUENCE_END,
  SERAI_YAML_MAPPING_START,
  SERAI_YAML_MAPPING_END,
  SERAI_YAML_DOCUMENT_START,
  SERAI_YAML_DOCUMENT_END,
  SERAI_YAML_STREAM_END,
};

enum serai_yaml_style { SERAI_YAML_PLAIN, SERAI_YAML_QUOTED, SERAI_YAML_BLOCK };

/// One event. The pointers belong to the parser and hold until the next call of it.
struct serai_yaml_event {
  enum serai_yaml_kind kind;
  /// Of a scalar or collection, or the name of an alias; NULL for none. NUL-terminated.
  const char *_Nullable anchor;
  /// As resolved by the %TAG directives; NULL for none. NUL-terminated.
  const char *_Nullable tag;
  /// A scalar's UTF-8 text. Not NUL-terminated by contract: it may hold NULs.
  const uint8_t *_Nullable text;
  size_t length;
  /// How a scalar is written.
  enum serai_yaml_style style;
  /// Where it begins, from 0.
  size_t line, column;
};

struct serai_yaml_parser;

/// A parser of `length` bytes, which must stay where they are until it is closed. NULL when there is no memory.
struct serai_yaml_parser *_Nullable serai_yaml_open(const uint8_t *_Nonnull bytes, size_t length);

/// The next event. Returns 0, or -1: then `serai_yaml_problem` says why. After an error or the end it is not called again.
int serai_yaml_next(struct serai_yaml_parser *_Nonnull parser, struct serai_yaml_event *_Nonnull event);

/// What is wrong, in libyaml's words, and where, from 0.
const char *_Nonnull serai_yaml_problem(struct serai_yaml_parser *_Nonnull parser, size_t *_Nonnull line,
                                        size_t *_Nonnull column);

void serai_yaml_close(struct serai_yaml_parser *_Nonnull parser);
