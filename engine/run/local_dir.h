/* The run's folder for shuffle and spill files, under spark.local.dir. */
#ifndef ENGINE_RUN_LOCAL_DIR_H
#define ENGINE_RUN_LOCAL_DIR_H

#include "base/err.h"
#include "base/sv.h"

struct local_dir { /* zeroed: none */
    char *path;
    int lock; /* held while the folder is in use */
};

/* A new folder that only this user reads, in the first of the comma-separated places.
 * Folders of the same name that nobody holds any more are taken away. */
enum errc local_dir_make(struct sv places, struct local_dir *out,
                         struct err *err) MUST_CHECK;
/* With all that is in it. */
void local_dir_remove(struct local_dir *dir);

#endif
