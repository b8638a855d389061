/* Writing CSV and JSON lines: one writer, two ways to put a row. */
#ifndef ENGINE_STORE_TEXT_WRITE_H
#define ENGINE_STORE_TEXT_WRITE_H

#include "engine/store/format.h"

enum errc csv_create(struct writer **out, struct arena *a,
                     const struct write_request *req, struct err *err) MUST_CHECK;
enum errc json_create(struct writer **out, struct arena *a,
                      const struct write_request *req, struct err *err) MUST_CHECK;
enum errc text_add(struct writer *w, const struct batch *b, struct err *err) MUST_CHECK;
int64_t text_written(const struct writer *w);
enum errc text_finish(struct writer *w, struct write_counts *out,
                      struct err *err) MUST_CHECK;
void text_abort(struct writer *w);

#endif
