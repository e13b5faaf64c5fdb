#include "support/scratch.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

void scratch_create(struct scratch *s)
{
    const char *parent = getenv("TMPDIR");
    int n = snprintf(s->folder, sizeof s->folder, "%s/collide-test-XXXXXX", parent ? parent : "/tmp");
    assert_in_range(n, 1, sizeof s->folder - 1);
    assert_non_null(mkdtemp(s->folder));
}

static int remove_entry(const char *path, const struct stat *what, int type, struct FTW *where)
{
    (void)what, (void)type, (void)where;
    return remove(path);
}

void scratch_destroy(const struct scratch *s)
{
    enum { MAX_OPEN_FOLDERS = 8 };
    assert_int_equal(nftw(s->folder, remove_entry, MAX_OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS), 0);
}

void scratch_path(const struct scratch *s, const char *name, char *out)
{
    int n = snprintf(out, 2 * SCRATCH_PATH_BYTES, "%s/%s", s->folder, name);
    assert_in_range(n, 1, 2 * SCRATCH_PATH_BYTES - 1);
}
