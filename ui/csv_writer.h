/* Fields of CSV. */
#ifndef UI_CSV_WRITER_H
#define UI_CSV_WRITER_H

#include "base/strbuf.h"

/* Quoted where it holds what divides fields or lines, or where asked. */
void csv_text(struct strbuf *out, struct sv text, bool quote);

#endif
