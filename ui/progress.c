/* The progress line. See progress.h. */
#include "ui/progress.h"

#include "base/units.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 500 /* shorter reads show nothing */
#define EVERY_MS 100

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void progress_init(struct progress *p, const char *name, bool allowed)
{
    const char *term = getenv("TERM");
    bool dumb = !term || !*term || strcmp(term, "dumb") == 0;

    *p = (struct progress){ .name = name, .started_ms = now_ms() };
    p->on = allowed && !dumb && isatty(STDERR_FILENO);
}

void progress_text(struct strbuf *out, const char *name, const struct load_progress *now,
                   int64_t elapsed_ms)
{
    int64_t left_bytes = now->total_bytes - now->read_bytes;
    double rate = elapsed_ms > 0 ? (double)now->read_bytes / (double)elapsed_ms : 0;

    utf8_clean(out, sv(name), 30);
    strbuf_addz(out, "  ");
    units_bytes(out, now->read_bytes);
    if (now->total_bytes > 0) {
        strbuf_addz(out, " of ");
        units_bytes(out, now->total_bytes);
        strbuf_addz(out, "  ");
        units_share(out, (double)now->read_bytes / (double)now->total_bytes);
    }
    if (elapsed_ms > 0) {
        strbuf_addz(out, "  ");
        units_count(out, now->events * 1000 / elapsed_ms);
        strbuf_addz(out, " events/s");
    }
    if (now->total_bytes > 0 && rate > 0 && left_bytes > 0) {
        strbuf_addz(out, "  ETA ");
        /* whole seconds: a flickering fraction says nothing */
        units_ms(out, ((int64_t)((double)left_bytes / rate) + 999) / 1000 * 1000);
    }
}

static bool due(struct progress *p)
{
    int64_t now = now_ms();

    if (!p->on || now - p->started_ms < WAIT_MS || now - p->printed_ms < EVERY_MS)
        return false;
    p->printed_ms = now;
    return true;
}

/* The terminal clears the rest of the line itself: no width needed. */
static void print(struct progress *p, const struct strbuf *text)
{
    struct strbuf line = { 0 };

    strbuf_printf(&line, "\r%s\033[K", text->p ? text->p : "");
    p->shown = write(STDERR_FILENO, line.p, line.len) > 0;
    strbuf_release(&line);
}

void progress_load(void *arg, const struct load_progress *now)
{
    struct progress *p = arg;
    struct strbuf text = { 0 };

    if (!due(p))
        return;
    progress_text(&text, p->name, now, p->printed_ms - p->started_ms);
    print(p, &text);
    strbuf_release(&text);
}

void progress_count(struct progress *p, size_t done, size_t total)
{
    struct strbuf text = { 0 };

    if (!due(p))
        return;
    strbuf_printf(&text, "%zu of %zu applications", done, total);
    print(p, &text);
    strbuf_release(&text);
}

void progress_end(struct progress *p)
{
    if (p->shown && write(STDERR_FILENO, "\r\033[K", 4) < 0)
        p->on = false; /* the terminal is gone */
    p->shown = false;
}
