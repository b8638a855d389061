/* DOT to SVG or PNG by graphviz, in a process of its own.
 *
 * Layout time is without bound, graphviz keeps global state and switches the
 * locale: none of it may reach us. So a child lays out, under limits of time and
 * memory, and sends the picture back through a pipe. Call it while no other
 * threads run. */
#ifndef UI_GRAPH_LAYOUT_H
#define UI_GRAPH_LAYOUT_H

#include "base/err.h"
#include "base/strbuf.h"

#define LAYOUT_PNG_PIXELS 16000000 /* more is cut down by resolution */
#define LAYOUT_PNG_DPI 120

enum layout_end {
    LAYOUT_DONE,
    LAYOUT_TIMEOUT, /* of wall clock, CPU or memory */
    LAYOUT_FAILED,  /* graphviz refused, or is not built in: err says what */
};

bool layout_available(void);

/* Adds the picture to out, nothing unless LAYOUT_DONE. format: "svg" or "png".
 * *dpi: the resolution taken for a PNG. */
enum layout_end layout_run(struct strbuf *out, struct sv dot, const char *format,
                           int64_t timeout_ms, int *dpi, struct err *err);

#endif
