/* The program: locale, signals, one verb. */
#include "base/file.h"
#include "ui/cli.h"

#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* Half-written results go, the line of progress too; then 130 or 143. */
static void on_signal(int number)
{
    file_writers_abandon();
    if (isatty(STDERR_FILENO) && write(STDERR_FILENO, "\r\033[K", 4) < 0)
        _exit(128 + number);
    _exit(128 + number);
}

static void watch_signals(void)
{
    struct sigaction stop = { .sa_handler = on_signal };
    struct sigaction none = { .sa_handler = SIG_IGN };

    sigemptyset(&stop.sa_mask);
    sigemptyset(&none.sa_mask);
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGPIPE, &none, NULL); /* a reader who leaves is an answer of write */
}

/* Characters only: numbers and order are the same everywhere. Where the locale asked
 * for is not installed, its characters can still be had. */
static void set_characters(void)
{
    static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

    if (setlocale(LC_CTYPE, ""))
        return;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = getenv(names[i]);

        if (!value || !*value)
            continue;
        if (sv_has_nocase(sv(value), "utf-8") || sv_has_nocase(sv(value), "utf8"))
            setlocale(LC_CTYPE, "C.UTF-8");
        return;
    }
}

int main(int argc, char **argv)
{
    static struct cli cli; /* reachable to the end: leak checkers */

    set_characters();
    watch_signals();
    int code = cli_parse(&cli, argc, argv);
    if (code != EXIT_DONE)
        return code;
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        cli.ascii = true;
    return cli.help ? verb_help(&cli) : cli.verb->run(&cli);
}
