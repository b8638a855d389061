/* Results of SQL statements as text, CSV and JSON. */
#ifndef UI_RESULT_H
#define UI_RESULT_H

#include "engine/run/session.h"

/* A table as Spark's show() draws it, nothing cut: numbers right, text left. */
void result_text(struct strbuf *out, const struct result *r, const struct zone *zone);
/* A line of names, then the rows; NULL is an empty field, an empty string "". */
void result_csv(struct strbuf *out, const struct result *r, const struct zone *zone);
/* One line: {"columns":[{"name":..,"type":..}],"rows":[[..]]}. */
void result_json(struct strbuf *out, const struct result *r, const struct zone *zone);

#endif
