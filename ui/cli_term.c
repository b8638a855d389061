/* What the terminal can do: width, colour, characters. */
#include "base/file.h"
#include "ui/cli.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define WIDTH_UNKNOWN 100
#define WIDTH_LEAST 40

static bool to_stdout(const struct cli *cli)
{
    return !cli->output || strcmp(cli->output, "-") == 0;
}

static bool is_pipe(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

int cli_width(const struct cli *cli)
{
    const char *columns = getenv("COLUMNS");
    int64_t n = 0;
    struct winsize size;

    if (cli->width)
        return cli->width;
    if (columns && sv_i64(sv(columns), &n) && n > 0 && n <= 1000)
        return n < WIDTH_LEAST ? WIDTH_LEAST : (int)n;
    /* into a pager or head, the terminal is that of the messages; a file's text does not
     * depend on a terminal */
    if (to_stdout(cli) &&
        (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ||
         (is_pipe(STDOUT_FILENO) && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0)) &&
        size.ws_col)
        return size.ws_col < WIDTH_LEAST ? WIDTH_LEAST : size.ws_col;
    return WIDTH_UNKNOWN;
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);

    return value && *value && strcmp(value, "0") != 0;
}

bool cli_color(const struct cli *cli)
{
    const char *term = getenv("TERM");

    if (cli->color != WHEN_AUTO)
        return cli->color == WHEN_ALWAYS;
    if (getenv("NO_COLOR") && *getenv("NO_COLOR")) /* any value: no-color.org */
        return false;
    if (is_set("FORCE_COLOR"))
        return true;
    if (!to_stdout(cli) || (term && strcmp(term, "dumb") == 0))
        return false;
    return isatty(STDOUT_FILENO);
}

int cli_write(const struct cli *cli, struct sv text)
{
    struct err err = { 0 };

    if (file_write(cli->output, text, &err) == ERR_OK)
        return EXIT_DONE;
    cli_error("%s", err.text);
    return EXIT_OUTPUT;
}
