/* spillway completion bash|zsh|fish */
#include "ui/help.h"

int verb_completion(const struct cli *cli)
{
    static const struct {
        const char *name;
        void (*write)(struct strbuf *out);
    } shells[] = { { "bash", completion_bash },
                   { "zsh", completion_zsh },
                   { "fish", completion_fish } };
    struct strbuf out = { 0 };

    for (size_t i = 0; i < ARRAY_LEN(shells); i++) {
        if (strcmp(cli->inputs[0], shells[i].name) == 0)
            shells[i].write(&out);
    }
    if (!out.len) {
        cli_error("no completion for %s; there is bash, zsh and fish", cli->inputs[0]);
        return EXIT_USAGE;
    }
    int code = cli_write(cli, strbuf_sv(&out));
    strbuf_release(&out);
    return code;
}
