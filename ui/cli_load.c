/* From inputs to loaded applications. See cli.h. */
#include "ui/cli.h"

#include "base/mem.h"
#include "ui/progress.h"

#include <stdlib.h>

int cli_open_logs(const struct cli *cli, struct log_set *set)
{
    int code = EXIT_DONE;

    *set = (struct log_set){ 0 };
    for (size_t i = 0; i < cli->n_inputs; i++) {
        struct log_list list = { 0 };
        struct err err = { 0 };
        enum errc rc = log_list_find(&list, sv(cli->inputs[i]), &set->arena, &err);

        for (size_t s = 0; s < list.n_skipped && cli->verbose; s++)
            cli_note(cli, "left out: %.*s", SV_FMT(list.skipped[s]));
        if (list.n_skipped && !cli->verbose)
            cli_note(cli, "left out %zu %s (%.*s%s); --verbose lists them",
                     list.n_skipped, list.n_skipped == 1 ? "file" : "files",
                     SV_FMT(list.skipped[0]), list.n_skipped > 1 ? ", ..." : "");
        if (rc != ERR_OK) {
            cli_error("%s", err.text);
            code = exit_worse(code, exit_of(rc));
            set->n_failed++;
            continue;
        }
        set->searched |= list.searched;
        for (size_t k = 0; k < list.n; k++) {
            GROW(set->logs, set->n, set->cap);
            set->logs[set->n++] = list.logs[k];
        }
    }
    return code;
}

void log_set_release(struct log_set *set)
{
    free(set->logs);
    arena_release(&set->arena);
    *set = (struct log_set){ 0 };
}

enum errc cli_try_analysis(const struct log_input *log, int threads,
                           struct progress *progress, struct analysis *a, struct err *err)
{
    struct load_options options = { .threads = threads };

    if (progress) {
        options.progress = progress_load;
        options.progress_arg = progress;
    }
    *a = (struct analysis){ 0 };
    TRY(app_load(&a->app, log, &options, err));
    analysis_build(a);
    return ERR_OK;
}

int cli_load_analysis(const struct cli *cli, const struct log_input *log,
                      struct analysis *a)
{
    struct progress progress;
    struct err err = { 0 };

    progress_init(&progress, sv_is(log->path, "-") ? "standard input" : log->path.p,
                  !cli->quiet && !cli->no_progress);
    enum errc rc = cli_try_analysis(log, cli->threads, &progress, a, &err);
    progress_end(&progress);
    if (rc == ERR_OK)
        return EXIT_DONE;
    cli_error("%s", err.text);
    return exit_of(rc);
}

int cli_load_one(const struct cli *cli, struct analysis *a)
{
    struct log_set set;
    int code = cli_open_logs(cli, &set);

    *a = (struct analysis){ 0 };
    if (code == EXIT_DONE && set.n != 1) {
        cli_error("%s takes one application, but %s holds %zu; name one of them:",
                  cli->verb->name, cli->inputs[0], set.n);
        for (size_t i = 0; i < set.n && i < 20; i++)
            cli_error("  %.*s", SV_FMT(set.logs[i].path));
        if (set.n > 20)
            cli_error("  and %zu more", set.n - 20);
        code = EXIT_USAGE;
    }
    if (code == EXIT_DONE)
        code = cli_load_analysis(cli, &set.logs[0], a);
    log_set_release(&set);
    return code;
}
