/* Damaged logs do no harm: logs cut at random bytes and mutated at random, as stored and
 * as decoded text, go through everything up to the JSON.
 *
 *     survive_test                              a short turn over tests/data
 *     survive_test PATH CUTS MUTATIONS SEED     the long one, over every file below PATH
 *                                               that is a log of less than 5 MB
 *
 * Variants run in children, some at a time: a crash, a leak (when built with a sanitizer
 * that looks for them), a hang of more than 30 s, or 64 MiB of memory beyond what the
 * clean log takes end a child, and the variant it was at is kept in /tmp. Every variant
 * follows from the file, its number and the seed. */
#include "base/mem.h"
#include "rules/rule.h"
#include "tests/unit/load_helper.h"
#include "ui/report.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define SIZE_LIMIT ((size_t)5 << 20)
#define BATCH 50 /* variants in one child */
#define HANG_S 30
#define SHORT_SEED 0       /* of the short turn, which does not say how far it is */
#define MEMORY_KIB (64 << 10) /* allowed beyond the clean log */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY_TELLS 0 /* a sanitizer's own memory hides ours */
#else
#define MEMORY_TELLS 1
#endif

struct tally {
    long logs, variants, loaded, refused; /* refused: an answer, not a crash */
    long crashed, hung, fat;
    long worst_kib; /* beyond the clean log */
};

struct shared { /* between a child and its parent */
    long at;    /* variant that is being tried */
    long loaded, refused, max_kib;
};

struct bytes {
    char *p;
    size_t n;
};

static uint64_t next_random(uint64_t *s)
{
    *s += 0x9E3779B97F4A7C15u;
    uint64_t z = *s;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static size_t below(uint64_t *s, size_t n)
{
    return n ? (size_t)(next_random(s) % n) : 0;
}

/* --- variants
 * --------------------------------------------------------------------------- */

static void mutate_once(struct bytes *b, size_t cap, uint64_t *s)
{
    static const char special[] = "\"\\{}[],:\n\0\xff\x80-09.eEtfn \r\t";
    static const char *const words[] = { "99999999999999999999",
                                         "-1",
                                         "null",
                                         "1e999",
                                         "\\u0000",
                                         "\\ud800",
                                         "{}",
                                         "[]",
                                         "\"\"",
                                         "\n\n",
                                         "NaN",
                                         "2147483648" };
    size_t at = below(s, b->n), len = below(s, 1 + below(s, 200));
    const char *word;

    if (b->n == 0)
        return;
    if (len > b->n - at)
        len = b->n - at;
    switch (below(s, 7)) {
    case 0:
        b->p[at] = (char)(b->p[at] ^ 1 << below(s, 8));
        break;
    case 1:
        b->p[at] = (char)next_random(s);
        break;
    case 2:
        b->p[at] = special[below(s, sizeof special - 1)];
        break;
    case 3: /* a span goes */
        memmove(b->p + at, b->p + at + len, b->n - at - len);
        b->n -= len;
        break;
    case 4: /* a span comes twice */
        if (b->n + len <= cap) {
            memmove(b->p + at + len, b->p + at, b->n - at);
            b->n += len;
        }
        break;
    case 5: /* a word comes in */
        word = words[below(s, ARRAY_LEN(words))];
        len = strlen(word);
        if (b->n + len <= cap) {
            memmove(b->p + at + len, b->p + at, b->n - at);
            memcpy(b->p + at, word, len);
            b->n += len;
        }
        break;
    case 6: /* a span goes elsewhere */
        memmove(b->p + below(s, b->n - len), b->p + at, len);
        break;
    }
}

/* The first `cuts` variants are cut, the others mutated. */
static struct bytes variant(const struct bytes *clean, long ix, long cuts, uint64_t seed,
                            char *buffer, size_t cap)
{
    uint64_t s = seed * 1000003u + (uint64_t)ix;
    struct bytes b = { buffer, clean->n };

    memcpy(buffer, clean->p, clean->n);
    if (ix < cuts) {
        b.n = below(&s, clean->n);
        return b;
    }
    for (size_t left = 1 + below(&s, 12); left; left--)
        mutate_once(&b, cap, &s);
    return b;
}

/* --- one child
 * ---------------------------------------------------------------------------- */

static void write_file(const char *path, const struct bytes *b)
{
    FILE *f = fopen(path, "wb");

    if (!f || fwrite(b->p, 1, b->n, f) != b->n || fclose(f) != 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(3);
    }
}

/* Everything from the file to the JSON. False: refused. */
static bool go_through(const char *path, int threads)
{
    struct analysis a = { 0 };
    struct report r = { 0 };
    struct strbuf text = { 0 };
    struct err err = { 0 };

    if (!try_load(&a.app, path, 0, threads, NULL, &err)) {
        if (err.code == ERR_OK || err.text[0] == '\0') {
            fprintf(stderr, "refused without a word\n");
            abort();
        }
        return false;
    }
    analysis_build(&a);
    report_build(&r, &a, sv(path));
    render_json(&text, &r);
    strbuf_release(&text);
    report_release(&r);
    analysis_release(&a);
    return true;
}

static long peak_kib(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss;
}

static void run_child(const struct bytes *clean, long from, long to, long cuts,
                      uint64_t seed, const char *path, struct shared *out)
{
    size_t cap = clean->n + 4096;
    char *buffer = xmalloc(cap);

    for (long ix = from; ix < to; ix++) {
        struct bytes b = variant(clean, ix, cuts, seed, buffer, cap);

        out->at = ix;
        alarm(HANG_S);
        write_file(path, &b);
        if (go_through(path, 1 + (int)(ix % 2)))
            out->loaded++;
        else
            out->refused++;
        long kib = peak_kib();
        out->max_kib = kib > out->max_kib ? kib : out->max_kib;
    }
    alarm(0);
    free(buffer);
}

/* Memory of the clean log, with the same buffers about it. */
static long clean_kib(const struct bytes *clean, const char *path, struct shared *out)
{
    *out = (struct shared){ 0 };
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        size_t cap = clean->n + 4096;
        char *buffer = xmalloc(cap);

        memset(buffer, 1, cap);
        write_file(path, clean);
        go_through(path, 2);
        out->max_kib = peak_kib();
        free(buffer);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    return out->max_kib;
}

static void keep_variant(const char *path, const char *log, long ix, const char *why)
{
    const char *name = strrchr(log, '/');
    char kept[512];

    snprintf(kept, sizeof kept, "/tmp/survive-%s-%ld", name ? name + 1 : log, ix);
    fprintf(stderr, "%s: variant %ld %s; kept as %s\n", log, ix, why, kept);
    rename(path, kept);
}

static void try_bytes(const char *log, const struct bytes *clean, long cuts,
                      long mutations, uint64_t seed, struct tally *t)
{
    struct shared *out = mmap(NULL, sizeof *out, PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    char path[64];
    long total = cuts + mutations;

    snprintf(path, sizeof path, "/tmp/survive-%d", (int)getpid());
    long base_kib = clean_kib(clean, path, out);
    for (long from = 0; from < total; from += BATCH) {
        long to = from + BATCH < total ? from + BATCH : total;
        int status = 0;

        *out = (struct shared){ 0 };
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            run_child(clean, from, to, cuts, seed, path, out);
            exit(0); /* not _exit: leaks are looked for at exit */
        }
        waitpid(child, &status, 0);
        t->variants += to - from;
        t->loaded += out->loaded;
        t->refused += out->refused;
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
            t->hung++;
            keep_variant(path, log, out->at, "hangs");
        } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            t->crashed++;
            keep_variant(path, log, out->at, "crashes or leaks");
        }
        long more = out->max_kib - base_kib;
        t->worst_kib = more > t->worst_kib ? more : t->worst_kib;
        if (MEMORY_TELLS && more > MEMORY_KIB) {
            t->fat++;
            fprintf(stderr,
                    "%s: variants %ld to %ld take %ld KiB more than the clean log\n", log,
                    from, to, more);
        }
    }
    unlink(path);
    munmap(out, sizeof *out);
}

/* The decoded text of one part; p NULL where it is not under the limit or no log. */
static struct bytes decoded(const char *path)
{
    struct log_list list = { 0 };
    struct arena arena = { 0 };
    struct decoder *d = NULL;
    struct err err = { 0 };
    struct bytes b = { 0 };

    if (log_list_find(&list, sv(path), &arena, &err) == ERR_OK && list.n == 1 &&
        list.logs[0].n_parts == 1 &&
        decoder_open(&d, &list.logs[0].parts[0], &err) == ERR_OK) {
        size_t got = 0;

        b.p = xmalloc(SIZE_LIMIT);
        while (b.n < SIZE_LIMIT &&
               decoder_read(d, b.p + b.n, SIZE_LIMIT - b.n, &got, &err) == NEXT_ITEM)
            b.n += got;
        if (b.n == SIZE_LIMIT || decoder_codec(d) == CODEC_NONE) {
            free(b.p); /* too large, or the same as stored */
            b = (struct bytes){ 0 };
        }
        decoder_close(d);
    }
    arena_release(&arena);
    return b;
}

static void try_log(const char *path, long cuts, long mutations, uint64_t seed,
                    struct tally *t)
{
    struct bytes stored = { 0 }, text;

    stored.p = slurp(path, &stored.n);
    if (stored.p && stored.n && stored.n < SIZE_LIMIT) {
        t->logs++;
        try_bytes(path, &stored, cuts, mutations, seed, t);
        text = decoded(path);
        if (text.n)
            try_bytes(path, &text, cuts, mutations, seed + 1, t);
        free(text.p);
    }
    free(stored.p);
}

/* --- which logs
 * ---------------------------------------------------------------------------- */

static struct tally all;
static long n_cuts, n_mutations;
static uint64_t the_seed;

static int visit(const char *path, const struct stat *st, int type, struct FTW *where)
{
    size_t len = strlen(path);

    if (type != FTW_F || st->st_size == 0 || path[where->base] == '.' ||
        (len > 5 && strcmp(path + len - 5, ".json") == 0) ||
        (len > 3 && strcmp(path + len - 3, ".md") == 0) ||
        (len > 4 && strcmp(path + len - 4, ".csv") == 0))
        return 0;
    try_log(path, n_cuts, n_mutations, the_seed, &all);
    if (the_seed != SHORT_SEED)
        fprintf(stderr, "%s: %ld variants so far\n", path + where->base, all.variants);
    return 0;
}

static void damaged_logs_do_no_harm(void **state)
{
    (void)state;
    n_cuts = MEMORY_TELLS ? 30 : 10;
    n_mutations = MEMORY_TELLS ? 100 : 20;
    the_seed = SHORT_SEED;
    nftw("tests/data/minimal", visit, 8, FTW_PHYS);
    nftw("tests/data/history-server", visit, 8, FTW_PHYS);
    print_message(
        "%ld variants of %ld logs, %ld loaded, %ld refused, at most %ld KiB more\n",
        all.variants, all.logs, all.loaded, all.refused, all.worst_kib);
    assert_int_equal(all.logs, 4);
    assert_true(all.loaded > all.refused);
    assert_int_equal(all.crashed + all.hung + all.fat, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(damaged_logs_do_no_harm) };

    if (argc == 1)
        return cmocka_run_group_tests_name("survive", tests, NULL, NULL);
    if (argc != 5) {
        fprintf(stderr, "usage: survive_test [PATH CUTS MUTATIONS SEED]\n");
        return 2;
    }
    n_cuts = atol(argv[2]);
    n_mutations = atol(argv[3]);
    the_seed = (uint64_t)atol(argv[4]);
    nftw(argv[1], visit, 16, FTW_PHYS);
    printf("%ld logs, %ld variants: %ld loaded, %ld refused; %ld crashed or leaked, %ld "
           "hung, "
           "%ld over memory (at most %ld KiB more)\n",
           all.logs, all.variants, all.loaded, all.refused, all.crashed, all.hung,
           all.fat, all.worst_kib);
    return all.crashed + all.hung + all.fat != 0;
}
