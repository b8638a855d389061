/* Reads a log into an application: the pipeline from files to model.
 *
 * Chunks of whole lines are decoded on all cores and applied in order, so the
 * result does not depend on the number of threads. */
#ifndef ANALYZER_LOAD_H
#define ANALYZER_LOAD_H

#include "analyzer/app.h"
#include "analyzer/source.h"

struct load_progress {
    int64_t read_bytes, total_bytes; /* stored bytes; total -1: unknown */
    int64_t events;
};

struct load_options {
    int threads; /* 0: one per processor this process may use */
    /* NULL: not called. Called now and then by one thread at a time. */
    void (*progress)(void *arg, const struct load_progress *p);
    void *progress_arg;
};

/* Fills a zeroed app. ERR_NOT_A_LOG: nothing in it is an event of Spark (and the
 * text says what was there instead); ERR_OPEN: cannot be read. Damage is no error:
 * it is counted in app->complete. On failure app is released and zeroed. */
enum errc app_load(struct app *app, const struct log_input *input,
                   const struct load_options *options, struct err *err) MUST_CHECK;

#endif
