/* Answers to a wrong world: a code and one line of text with the place.
 *
 * Functions that can fail return enum errc and take a struct err * last. On
 * failure they fill it once; callers add context in front with err_prefix().
 * Outputs stay untouched on failure. A wrong program is an assert instead. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/util.h"

enum errc {
    ERR_OK = 0,
    ERR_USAGE,    /* wrong arguments */
    ERR_SYNTAX,   /* text that does not parse */
    ERR_OPEN,     /* cannot be opened or read */
    ERR_NOT_A_LOG, /* readable, but no Spark event log */
    ERR_CORRUPT,  /* damaged beyond use */
    ERR_LIMIT,    /* a stated limit was reached */
    ERR_OUTPUT,   /* cannot be written or rendered */
    ERR_UNDECIDED, /* the log lacks what the question needs */
};

struct err {
    enum errc code;
    char text[512]; /* one line, no newline at the end */
};

/* Fills *err (text is cut to fit) and returns code. err may be NULL. */
enum errc err_set(struct err *err, enum errc code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Puts "context: " in front of the text. */
void err_prefix(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Out of memory and other things no input should reach: says so and aborts. */
_Noreturn void die(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Returns early with the code of a failed call; for functions that hold nothing. */
#define TRY(call)                                                                        \
    do {                                                                                 \
        enum errc try_rc_ = (call);                                                      \
        if (try_rc_ != ERR_OK)                                                           \
            return try_rc_;                                                              \
    } while (0)

#endif
