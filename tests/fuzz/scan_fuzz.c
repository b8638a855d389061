/* libFuzzer target: any bytes; every decoder must agree with cJSON and with the others.
 * Seeds: tests/fuzz/corpus/scan. */
#include "tests/fuzz/scan_oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct oracle oracle;
    const char *why = oracle_disagrees(&oracle, (const char *)data, size);

    if (why) {
        fprintf(stderr, "%s\n", why);
        abort();
    }
    return 0;
}
