#include "CYAML.h"
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct serai_yaml_parser {
  yaml_parser_t parser;
  yaml_event_t event;
};

struct serai_yaml_parser *serai_yaml_open(const uint8_t *bytes, size_t length) {
  struct serai_yaml_parser *self = calloc(1, sizeof *self);
  if (!self) return NULL;
  if (!yaml_parser_initialize(&self->parser)) {
    free(self);
    return NULL;
  }
  // Strings are UTF-8 here; without this a first byte could make the parser take them for UTF-16.
  yaml_parser_set_encoding(&self->parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string(&self->parser, bytes, length);
  return self;
}

int serai_yaml_next(struct serai_yaml_parser *self, struct serai_yaml_event *out) {
  for (;;) {
    // Of the event before; an event of zeros is none.
    yaml_event_delete(&self->event);
    memset(&self->event, 0, sizeof self->event);
    if (!yaml_parser_parse(&self->parser, &self->event)) return -1;
    const yaml_event_t *event = &self->event;
    memset(out, 0, sizeof *out);
    out->line = event->start_mark.line;
    out->column = event->start_mark.column;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
      out->kind = SERAI_YAML_SCALAR;
      out->anchor = (const char *)event->data.scalar.anchor;
      out->tag = (const char *)event->data.scalar.tag;
      out->text = event->data.scalar.value;
      out->length = event->data.scalar.length;
      switch (event->data.scalar.style) {
      case YAML_SINGLE_QUOTED_SCALAR_STYLE:
      case YAML_DOUBLE_QUOTED_SCALAR_STYLE: out->style = SERAI_YAML_QUOTED; break;
      case YAML_LITERAL_SCALAR_STYLE:
      case YAML_FOLDED_SCALAR_STYLE: out->style = SERAI_YAML_BLOCK; break;
      default: out->style = SERAI_YAML_PLAIN;
      }
      return 0;
    case YAML_ALIAS_EVENT:
      out->kind = SERAI_YAML_ALIAS;
      out->anchor = (const char *)event->data.alias.anchor;
      return 0;
    case YAML_SEQUENCE_START_EVENT:
      out->kind = SERAI_YAML_SEQUENCE_START;
      out->anchor = (const char *)event->data.sequence_start.anchor;
      out->tag = (const char *)event->data.sequence_start.tag;
      return 0;
    case YAML_SEQUENCE_END_EVENT: out->kind = SERAI_YAML_SEQUENCE_END; return 0;
    case YAML_MAPPING_START_EVENT:
      out->kind = SERAI_YAML_MAPPING_START;
      out->anchor = (const char *)event->data.mapping_start.anchor;
      out->tag = (const char *)event->data.mapping_start.tag;
      return 0;
    case YAML_MAPPING_END_EVENT: out->kind = SERAI_YAML_MAPPING_END; return 0;
    case YAML_DOCUMENT_START_EVENT: out->kind = SERAI_YAML_DOCUMENT_START; return 0;
    case YAML_DOCUMENT_END_EVENT: out->kind = SERAI_YAML_DOCUMENT_END; return 0;
    case YAML_STREAM_END_EVENT: out->kind = SERAI_YAML_STREAM_END; return 0;
    default: continue;  // The start of the stream says nothing.
    }
  }
}

const char *serai_yaml_problem(struct serai_yaml_parser *self, size_t *line, size_t *column) {
  const yaml_mark_t *mark = &self->parser.problem_mark;
  *line = mark->line;
  *column = mark->column;
  if (self->parser.error == YAML_MEMORY_ERROR) return "there is not enough memory";
  return self->parser.problem ? self->parser.problem : "it can't be read";
}

void serai_yaml_close(struct serai_yaml_parser *self) {
  yaml_event_delete(&self->event);
  yaml_parser_delete(&self->parser);
  free(self);
}
