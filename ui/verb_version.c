/* spillway version */
#include "analyzer/event.h"
#include "ui/cli.h"
#include "ui/json_writer.h"
#include "ui/render_json.h"

int verb_version(const struct cli *cli)
{
    struct strbuf out = { 0 };

    if (cli_format(cli) == FORMAT_JSON) {
        struct json_writer w = { .out = &out };

        json_object(&w);
        json_put_text(&w, "schema", sv("spillway/version/1"));
        json_put_text(&w, "spillway", sv(SPILLWAY_VERSION));
        json_key(&w, "schemas");
        json_array(&w);
        json_text(&w, sv(ANALYSIS_SCHEMA));
        json_text(&w, sv("spillway/check/1"));
        json_text(&w, sv("spillway/conf/1"));
        json_text(&w, sv("spillway/rules/1"));
        json_array_end(&w);
        json_put_text(&w, "instruction_set", sv(decode_isa_best()->name));
#ifdef HAVE_GRAPHVIZ
        json_put_bool(&w, "graphviz", true);
#else
        json_put_bool(&w, "graphviz", false);
#endif
        json_object_end(&w);
        strbuf_addc(&out, '\n');
    } else {
        strbuf_addz(&out, "spillway " SPILLWAY_VERSION "\n");
    }
    int code = cli_write(cli, strbuf_sv(&out));
    strbuf_release(&out);
    return code;
}
