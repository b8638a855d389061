/* Any bytes as a zip: its index, its members, and the logs found in it. */
#include "analyzer/source.h"
#include "analyzer/zip.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define TEXT_MAX ((size_t)1 << 20)
#define MEMBERS_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_member(int fd, const struct zip_member *member)
{
    static char buf[10000];
    struct zip_stream *zs = NULL;
    bool truncated;
    int64_t at_byte;
    size_t got, all = 0;

    if (zip_stream_open(&zs, fd, member, NULL) != ERR_OK)
        return;
    while (all < TEXT_MAX &&
           zip_stream_read(zs, buf, sizeof buf, &got, NULL) == NEXT_ITEM) {
        if (!got || got > sizeof buf)
            abort();
        all += got;
    }
    (void)zip_stream_damage(zs, &truncated, &at_byte);
    zip_stream_close(zs);
}

static void read_log(const struct log_input *log)
{
    static char buf[10000];

    for (size_t i = 0; i < log->n_parts && i < MEMBERS_MAX; i++) {
        struct decoder *d = NULL;
        size_t got, all = 0;

        if (decoder_open(&d, &log->parts[i], NULL) != ERR_OK)
            continue;
        while (all < TEXT_MAX &&
               decoder_read(d, buf, sizeof buf, &got, NULL) == NEXT_ITEM)
            all += got;
        decoder_close(d);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("zip", MFD_CLOEXEC);
    struct zip_index index = { 0 };
    struct log_list list = { 0 };
    struct arena arena = { 0 };
    char path[32];

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    if (zip_index_read(&index, fd, (int64_t)size, &arena, NULL) == ERR_OK) {
        for (size_t i = 0; i < index.n && i < MEMBERS_MAX; i++)
            read_member(fd, &index.members[i]);
    }
    snprintf(path, sizeof path, "/dev/fd/%d", fd);
    if (log_list_find(&list, sv(path), &arena, NULL) == ERR_OK) {
        for (size_t i = 0; i < list.n && i < MEMBERS_MAX; i++)
            read_log(&list.logs[i]);
    }
    close(fd);
    arena_release(&arena);
    return 0;
}
