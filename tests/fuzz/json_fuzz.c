#include "tests/fuzz/text_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    text_fuzz("json", data, size);
    return 0;
}
