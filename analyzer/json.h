/* Small JSON texts off the hot path, by cJSON; the only module that includes it. */
#ifndef ANALYZER_JSON_H
#define ANALYZER_JSON_H

#include "base/arena.h"

/* The text of a field of the top object, copied into the arena; absent (p NULL)
 * where json is no object, or has no such field, or the field is no text. */
struct sv json_text_field(struct sv json, const char *field, struct arena *arena);

#endif
