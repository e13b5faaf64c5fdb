#include "model_fixture.h"

#include "model/write.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <cmocka.h>

struct fixture_kind fixture_kind(unsigned i)
{
    return (struct fixture_kind){
        .precision = (enum precision)(i % 3), .keys = (enum key_kind)(i / 3 % 3), .parts = i / 9 % 8};
}

/* Puts d into the first free slot from the hash of its key on. */
static void insert(struct fixture_keys *k, uint32_t d, const void *key, size_t n_bytes)
{
    size_t slot = XXH3_64bits(key, n_bytes) % FIXTURE_SLOTS;
    while (k->slots[slot] != UINT32_MAX)
        slot = (slot + 1) % FIXTURE_SLOTS;
    k->slots[slot] = d;
}

/* Keys 1000000007, 2000000014... or "a", "bb"...: little-endian machines only, as the integers' bytes are
 * hashed. */
static struct keys make_keys(enum key_kind kind, uint32_t n, struct fixture_keys *k)
{
    memset(k->slots, 0xff, sizeof k->slots);
    for (uint32_t d = 0; d < n; d++) {
        k->u64[d] = (d + 1) * 1000000007ull;
        memset(k->bytes + k->offsets[d], 'a' + (int)d, d + 1);
        k->offsets[d + 1] = k->offsets[d] + d + 1;
        if (kind == KEYS_U64)
            insert(k, d, &k->u64[d], sizeof k->u64[d]);
        else
            insert(k, d, k->bytes + k->offsets[d], d + 1);
    }
    struct keys keys = {.kind = kind};
    if (kind == KEYS_U64)
        keys.u64 = k->u64;
    if (kind == KEYS_STRING) {
        keys.bytes = k->bytes;
        keys.offsets = k->offsets;
    }
    if (kind != KEYS_DENSE) {
        keys.slots = k->slots;
        keys.n_slots = FIXTURE_SLOTS;
    }
    return keys;
}

static void fill_rows(enum precision precision, struct fixture *f)
{
    for (int i = 0; i < FIXTURE_ROWS * FIXTURE_DIM; i++)
        if (precision == PRECISION_F32)
            f->rows.f32[i] = (float)(i - 11) / 8.0f;
        else if (precision == PRECISION_F16)
            f->rows.f16[i] = (uint16_t)(0x3c00 + i); /* from 1.0 on */
        else
            f->rows.i8[i] = (int8_t)(i * 7 - 100);
    for (int r = 0; r < FIXTURE_ROWS; r++)
        f->scales[r] = (float)(r + 1) / 127.0f;
}

static void fill_items(struct fixture *f)
{
    for (unsigned i = 0; i <= FIXTURE_ITEMS; i++) {
        f->remap[i] = i * 3 % FIXTURE_ROWS;
        f->weights[i] = i == FIXTURE_ITEMS ? 0.0f : 1.0f / (float)(i + 1);
        f->bias[i] = -0.1f * (float)i;
    }
}

void fixture_model(struct fixture_kind kind, struct fixture *f)
{
    static const uint32_t offsets[] = {0, 3, 3, 6, 6}, history[] = {6, 0, 1, 5, 5, 2};
    *f = (struct fixture){.provenance = {{"method", "by hand"}, {"note \"1\"\n", "caf\xc3\xa9 \\"}}};
    fill_rows(kind.precision, f);
    fill_items(f);
    memcpy(f->offsets, offsets, sizeof offsets);
    memcpy(f->history, history, sizeof history);
    f->model = (struct model){
        .dim = FIXTURE_DIM,
        .pooling = (enum pooling)(kind.parts % 3),
        .logit_scale = 14.2857141f,
        .item = {.n_ids = FIXTURE_ITEMS,
                 .n_rows = FIXTURE_ROWS,
                 .precision = kind.precision,
                 .keys = make_keys(kind.keys, FIXTURE_ITEMS, &f->item_keys),
                 .remap = f->remap,
                 .rows = &f->rows,
                 .scales = kind.precision == PRECISION_I8 ? f->scales : NULL,
                 .weights = kind.parts & FIXTURE_WEIGHTS ? f->weights : NULL,
                 .bias = kind.parts & FIXTURE_BIAS ? f->bias : NULL},
        .provenance = f->provenance,
        .n_provenance = 2,
    };
    if (kind.parts & FIXTURE_HISTORIES)
        f->model.user = (struct user_space){.n_ids = FIXTURE_USERS,
                                            .keys = make_keys(kind.keys, FIXTURE_USERS, &f->user_keys),
                                            .offsets = f->offsets,
                                            .history = f->history};
}

int folder_make(void **state)
{
    struct folder *f = calloc(1, sizeof *f);
    if (!f)
        return -1;
    snprintf(f->path, sizeof f->path, "/tmp/collide-model-XXXXXX");
    if (!mkdtemp(f->path))
        return -1;
    snprintf(f->file, sizeof f->file, "%s/model", f->path);
    *state = f;
    return 0;
}

/* Calls each on every file's path; returns how many there are. */
static unsigned for_each_file(const struct folder *f, int (*each)(const char *path))
{
    DIR *d = opendir(f->path);
    assert_non_null(d);
    unsigned n = 0;
    for (const struct dirent *entry; (entry = readdir(d));) {
        char path[512];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", f->path, entry->d_name);
        n++;
        if (each)
            assert_int_equal(each(path), 0);
    }
    closedir(d);
    return n;
}

int folder_remove(void **state)
{
    struct folder *f = *state;
    for_each_file(f, remove);
    int failed = rmdir(f->path);
    free(f);
    return failed;
}

unsigned folder_n_files(const struct folder *f)
{
    return for_each_file(f, NULL);
}

void write_model(const struct model *m, const char *path)
{
    struct collide_error err = {0};
    if (model_write(m, path, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
}

struct model_file *open_model(const char *path)
{
    struct model_file *file = NULL;
    struct collide_error err = {0};
    if (model_file_open(path, MODEL_CHECK_CONTENTS, &file, &err) != COLLIDE_OK)
        fail_msg("%s", err.text);
    return file;
}

unsigned char *read_bytes(const char *path, size_t *n_bytes)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    struct stat st;
    assert_int_equal(fstat(fileno(file), &st), 0);
    *n_bytes = (size_t)st.st_size;
    unsigned char *bytes = malloc(*n_bytes + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *n_bytes, file), *n_bytes);
    fclose(file);
    return bytes;
}

/* Over the old bytes: some file systems go to the disk when a file is emptied and written anew. */
void write_bytes(const char *path, const void *bytes, size_t n_bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n_bytes), n_bytes);
    assert_int_equal(ftruncate(fd, (off_t)n_bytes), 0);
    assert_int_equal(close(fd), 0);
}

void assert_refused(const char *path, enum model_check check, enum collide_status status, const char *text)
{
    struct model_file *file = NULL;
    struct collide_error err = {0};
    enum collide_status got = model_file_open(path, check, &file, &err);
    if (got != status || !strstr(err.text, path) || !strstr(err.text, text))
        fail_msg("expected %s with \"%s\", got %s: %s", collide_status_name(status), text,
                 collide_status_name(got), err.text);
    assert_null(file);
    assert_int_equal(err.status, status);
}
