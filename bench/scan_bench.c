/* How fast lines become events on one core: reads each file, decodes it in chunks of
 * whole lines of about 1 MiB that stay in the cache, prints GB/s per instruction set.
 *
 *     scan_bench [-n ROUNDS] [-i ISA] FILE...        best round counts
 */
#include "analyzer/event.h"
#include "base/err.h"
#include "base/mem.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CHUNK ((size_t)1 << 20)
#define MAX_BYTES ((size_t)1 << 30) /* of a file: enough to measure */

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* others may be running */
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static char *load(const char *path, size_t *len)
{
    int fd = open(path, O_RDONLY);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0)
        die("%s: cannot be read", path);
    *len = (size_t)st.st_size < MAX_BYTES ? (size_t)st.st_size : MAX_BYTES;
    char *text = xcalloc(1, *len + DECODE_PADDING);
    for (size_t at = 0; at < *len;) {
        ssize_t n = read(fd, text + at, *len - at);

        if (n <= 0)
            die("%s: cannot be read", path);
        at += (size_t)n;
    }
    close(fd);
    while (*len && text[*len - 1] != '\n')
        --*len;
    return text;
}

static double round_s(const struct decode_isa *isa, const char *text, size_t len,
                      struct event_batch *b, size_t *events)
{
    double spent = 0;

    *events = 0;
    for (size_t at = 0; at < len;) {
        size_t n = len - at < CHUNK ? len - at : CHUNK;
        char *nl = memchr(text + at + n - 1, '\n', len - at - n + 1);
        unsigned char touched = 0;

        n = (size_t)(nl - (text + at)) + 1;
        for (size_t i = 0; i < n; i += 64)
            touched ^= (unsigned char)text[at + i];
        __asm__ volatile("" : : "r"(touched)); /* into the cache, as a reader would */
        double start = now_s();
        isa->lines(text + at, n, false, b);
        spent += now_s() - start;
        *events += b->n;
        event_batch_reset(b);
        at += n;
    }
    return spent;
}

int main(int argc, char **argv)
{
    const char *only = NULL;
    int rounds = 3, opt;

    while ((opt = getopt(argc, argv, "n:i:")) != -1) {
        if (opt == 'n')
            rounds = atoi(optarg);
        else if (opt == 'i')
            only = optarg;
        else
            return 2;
    }
    for (int i = optind; i < argc; i++) {
        size_t len, events = 0;
        char *text = load(argv[i], &len);

        for (size_t k = 0; decode_isas[k]; k++) {
            const struct decode_isa *isa = decode_isas[k];
            struct event_batch b = { 0 };
            double best = 1e9;

            if (!isa->supported() || (only && strcmp(only, isa->name) != 0))
                continue;
            for (int r = 0; r < rounds; r++) {
                double s = round_s(isa, text, len, &b, &events);

                best = s < best ? s : best;
            }
            printf("%-9s %6.3f GB/s  %9zu events  %s\n", isa->name,
                   (double)len / best / 1e9, events, argv[i]);
            event_batch_release(&b);
        }
        free(text);
    }
    return 0;
}
