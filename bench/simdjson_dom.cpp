// What a fast general parser needs for the same lines: simdjson builds the DOM of each
// and nothing is done with it. Chunks are warmed as in scan_bench.c.
//
//     simdjson_dom [ROUNDS] FILE...
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <simdjson.h>
#include <string>
#include <time.h>

static double cpu_s()
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return double(t.tv_sec) + double(t.tv_nsec) / 1e9;
}

int main(int argc, char **argv)
{
    const size_t chunk = size_t(1) << 20, max_bytes = size_t(1) << 30;
    int first = 1, rounds = 3;

    if (argc > 1 && atoi(argv[1]) > 0)
        rounds = atoi(argv[first++]);
    for (int i = first; i < argc; i++) {
        std::ifstream in(argv[i], std::ios::binary);
        std::string text;
        in.seekg(0, std::ios::end);
        size_t len = size_t(in.tellg()) < max_bytes ? size_t(in.tellg()) : max_bytes;
        in.seekg(0);
        text.resize(len);
        in.read(&text[0], std::streamsize(len));
        while (len && text[len - 1] != '\n')
            len--;
        text.resize(len);
        text.reserve(len + simdjson::SIMDJSON_PADDING);
        simdjson::dom::parser parser;
        double best = 1e9;
        size_t lines = 0, bad = 0;
        for (int r = 0; r < rounds; r++) {
            double spent = 0;
            lines = bad = 0;
            for (size_t at = 0; at < len;) {
                size_t n = len - at < chunk ? len - at : chunk;
                n = size_t(
                        (const char *)memchr(&text[at + n - 1], '\n', len - at - n + 1) -
                        &text[at]) +
                    1;
                unsigned char touched = 0;
                for (size_t k = 0; k < n; k += 64)
                    touched ^= (unsigned char)text[at + k];
                asm volatile("" : : "r"(touched));
                double start = cpu_s();
                for (size_t p = at; p < at + n;) {
                    const char *nl = (const char *)memchr(&text[p], '\n', at + n - p);
                    size_t line_len = size_t(nl - &text[p]);
                    bad += parser.parse(&text[p], line_len, false).error() !=
                           simdjson::SUCCESS;
                    lines++;
                    p += line_len + 1;
                }
                spent += cpu_s() - start;
                at += n;
            }
            best = spent < best ? spent : best;
        }
        printf("%-9s %6.3f GB/s  %9zu lines (%zu refused)  %s\n", "simdjson",
               double(len) / best / 1e9, lines, bad, argv[i]);
    }
}
