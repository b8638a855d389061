/* The line on stderr that tells how far a long read has come. Only where stderr is
 * a terminal, and only after half a second. */
#ifndef UI_PROGRESS_H
#define UI_PROGRESS_H

#include "analyzer/load.h"
#include "base/strbuf.h"

struct progress {
    bool on, shown;
    const char *name;               /* of the log */
    int64_t started_ms, printed_ms; /* monotonic */
};

void progress_init(struct progress *p, const char *name, bool allowed);
/* A hook for struct load_options; arg is the struct progress. */
void progress_load(void *arg, const struct load_progress *now);
/* "12 of 40 applications", for a folder of them. */
void progress_count(struct progress *p, size_t done, size_t total);
/* Wipes the line. */
void progress_end(struct progress *p);

/* The text of the line, without control characters; for tests. */
void progress_text(struct strbuf *out, const char *name, const struct load_progress *now,
                   int64_t elapsed_ms);

#endif
