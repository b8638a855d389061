/* Graphviz behind a pipe. See graph_layout.h.
 *
 *     parent                              child
 *     pipe, fork ------------------------> limits, gvLayout, gvRenderData
 *     poll until deadline, read <--------- struct head, then picture or message
 *     kill if late, waitpid                _exit
 *
 * The child holds one GVC_t and never frees it: a second context after the first
 * was freed reads freed memory (2.42). agseterrf collects what graphviz says. */
#include "ui/graph_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef HAVE_GRAPHVIZ

#include <gvc.h>

#define MEMORY_LIMIT ((rlim_t)2 << 30) /* on top of what the parent had mapped */
#define PNG_SIDE 32000                 /* cairo draws no longer sides */

/* unsigned before graphviz 13, size_t since */
typedef int render_before_13(GVC_t *, graph_t *, const char *, char **, unsigned int *);
#define RENDER_LENGTH                                                                    \
    __typeof__(_Generic(&gvRenderData, render_before_13 *                                \
                        : (unsigned int)0, default                                       \
                        : (size_t)0))

struct head {
    int32_t ok;
    int32_t dpi;
};

bool layout_available(void)
{
    return true;
}

/* --- in the child -------------------------------------------------------------- */

static char messages[400];
static size_t n_messages;

static int keep_message(char *text)
{
    for (; *text && n_messages + 1 < sizeof messages; text++)
        messages[n_messages++] = *text == '\n' ? ' ' : *text;
    return 0;
}

static void send_all(int fd, const void *data, size_t n)
{
    const char *p = data;

    while (n) {
        ssize_t sent = write(fd, p, n);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            _exit(1);
        p += sent;
        n -= (size_t)sent;
    }
}

static _Noreturn void answer(int fd, bool ok, int dpi, const void *data, size_t n)
{
    struct head head = { ok, dpi };

    send_all(fd, &head, sizeof head);
    send_all(fd, data, n);
    _exit(0);
}

static void limit(int what, rlim_t soft)
{
    struct rlimit r;

    if (getrlimit(what, &r) != 0)
        return;
    if (r.rlim_max != RLIM_INFINITY && soft > r.rlim_max)
        soft = r.rlim_max;
    r.rlim_cur = soft;
    (void)setrlimit(what, &r);
}

static void set_limits(int64_t timeout_ms)
{
    rlim_t seconds = (rlim_t)((timeout_ms + 999) / 1000);

    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, seconds ? seconds : 1);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    /* a sanitizer's shadow alone is larger than any limit */
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (f) {
        if (fscanf(f, "%ld", &pages) == 1 && pages > 0)
            limit(RLIMIT_AS,
                  (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + MEMORY_LIMIT);
        fclose(f);
    }
#endif
}

/* The resolution at which the drawing keeps below the pixel limits. */
static int fitting_dpi(graph_t *g)
{
    double pad = 2 * 0.2 * 72;
    double width = GD_bb(g).UR.x - GD_bb(g).LL.x + pad;
    double height = GD_bb(g).UR.y - GD_bb(g).LL.y + pad;
    double dpi = LAYOUT_PNG_DPI;
    double longer = width > height ? width : height;

    if (width * height * dpi * dpi / (72 * 72) > LAYOUT_PNG_PIXELS)
        dpi = sqrt(LAYOUT_PNG_PIXELS / (width * height)) * 72;
    if (longer * dpi / 72 > PNG_SIDE)
        dpi = PNG_SIDE * 72 / longer;
    return dpi < 1 ? 1 : (int)dpi;
}

static _Noreturn void lay_out(int fd, const char *dot, const char *format,
                              int64_t timeout_ms)
{
    bool png = strcmp(format, "png") == 0;
    RENDER_LENGTH n = 0;
    char *data = NULL;
    int dpi = 0;

    set_limits(timeout_ms);
    int null = open("/dev/null", O_RDWR);
    if (null >= 0) { /* fonts complain there */
        (void)dup2(null, STDOUT_FILENO);
        (void)dup2(null, STDERR_FILENO);
    }
    agseterrf(keep_message);
    GVC_t *gvc = gvContext();
    graph_t *g = gvc ? agmemread(dot) : NULL;
    if (!g || gvLayout(gvc, g, "dot") != 0)
        answer(fd, false, 0, messages, n_messages);
    if (png) {
        dpi = fitting_dpi(g);
        GD_drawing(g)->dpi = dpi;
    }
    if (gvRenderData(gvc, g, png ? "png:cairo" : "svg", &data, &n) != 0 || !data ||
        n == 0)
        answer(fd, false, 0, messages, n_messages);
    answer(fd, true, dpi, data, n);
}

/* --- in the parent ------------------------------------------------------------- */

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Reads to the end. False: the deadline passed first. */
static bool receive(int fd, int64_t deadline_ms, struct strbuf *in)
{
    char part[65536];

    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        int64_t left = deadline_ms - now_ms();
        int n;

        if (left <= 0)
            return false;
        n = poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left);
        if (n < 0 && errno != EINTR)
            return false;
        if (n <= 0)
            continue;
        ssize_t got = read(fd, part, sizeof part);
        if (got == 0)
            return true;
        if (got > 0)
            strbuf_add(in, (struct sv){ part, (size_t)got });
        else if (errno != EINTR)
            return false;
    }
}

/* Without graphviz's comments, which repeat every name and tell its version, and with
 * plain hyphens for the entity that it writes for fear of comments. */
static void add_tidy_svg(struct strbuf *out, struct sv svg)
{
    while (svg.len) {
        size_t n = 0;

        while (n < svg.len && svg.p[n] != '<' && svg.p[n] != '&')
            n++;
        strbuf_add(out, (struct sv){ svg.p, n });
        svg = sv_from(svg, n);
        if (sv_starts(svg, SV("<!--"))) {
            size_t end = sv_find(svg, SV("-->"));

            svg = sv_from(svg, end == SIZE_MAX ? svg.len : end + 3);
            if (sv_starts(svg, SV("\n")))
                svg = sv_from(svg, 1);
        } else if (sv_starts(svg, SV("&#45;"))) {
            strbuf_addc(out, '-');
            svg = sv_from(svg, 5);
        } else if (svg.len) {
            strbuf_addc(out, *svg.p);
            svg = sv_from(svg, 1);
        }
    }
}

enum layout_end layout_run(struct strbuf *out, struct sv dot, const char *format,
                           int64_t timeout_ms, int *dpi, struct err *err)
{
    int ends[2], status = 0;
    struct strbuf in = { 0 };
    struct head head = { 0 };
    enum layout_end end = LAYOUT_FAILED;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        err_set(err, ERR_OUTPUT, "graphviz: no pipe: %s", strerror(errno));
        return LAYOUT_FAILED;
    }
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        lay_out(ends[1], dot.p, format, timeout_ms);
    }
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        err_set(err, ERR_OUTPUT, "graphviz: no process: %s", strerror(errno));
        return LAYOUT_FAILED;
    }
    bool in_time = receive(ends[0], now_ms() + timeout_ms, &in);
    if (!in_time)
        kill(child, SIGKILL);
    close(ends[0]);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (in.len >= sizeof head)
        memcpy(&head, in.p, sizeof head);
    if (!in_time || !WIFEXITED(status) || WEXITSTATUS(status) != 0 ||
        in.len < sizeof head) {
        err_set(err, ERR_LIMIT, "graphviz did not finish within its limits");
        end = LAYOUT_TIMEOUT;
    } else if (!head.ok) {
        struct sv said = sv_trim(sv_from(strbuf_sv(&in), sizeof head));

        err_set(err, ERR_OUTPUT, "graphviz: %.*s",
                SV_FMT(said.len ? said : SV("cannot draw it")));
    } else {
        struct sv picture = sv_from(strbuf_sv(&in), sizeof head);

        if (strcmp(format, "svg") == 0)
            add_tidy_svg(out, picture);
        else
            strbuf_add(out, picture);
        *dpi = head.dpi;
        end = LAYOUT_DONE;
    }
    strbuf_release(&in);
    return end;
}

#else

bool layout_available(void)
{
    return false;
}

enum layout_end layout_run(struct strbuf *out, struct sv dot, const char *format,
                           int64_t timeout_ms, int *dpi, struct err *err)
{
    (void)out;
    (void)dot;
    (void)format;
    (void)timeout_ms;
    (void)dpi;
    err_set(err, ERR_OUTPUT, "built without graphviz");
    return LAYOUT_FAILED;
}

#endif
