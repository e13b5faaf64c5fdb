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

static struct fixture_kind plain_kind(unsigned i)
{
    unsigned parts = i / 9 % 8;
    return (struct fixture_kind){.precision = (enum precision)(i % 3),
                                 .keys = (enum key_kind)(i / 3 % 3),
                                 .parts = parts,
                                 .pooling = (enum pooling)(parts % 3)};
}

static struct fixture_kind own_rows_kind(unsigned i)
{
    enum { SPACES = FIXTURE_HISTORIES | FIXTURE_EMBEDDED_USERS | FIXTURE_FEATURES };
    return (struct fixture_kind){.mapping = i % 2 ? MAPPING_PACKED : MAPPING_HASHED,
                                 .n_lookups = i / 2 + 1,
                                 .parts = SPACES | FIXTURE_OWN_ROWS |
                                          (i % 4 < 2 ? FIXTURE_CLASSES : FIXTURE_WEIGHTS | FIXTURE_BIAS)};
}

struct fixture_kind fixture_kind(unsigned i)
{
    static const struct {
        enum precision precision;
        enum scaling scaling;
    } rows[] = {{PRECISION_F32, SCALING_NONE},      {PRECISION_I8, SCALING_ROW_OFFSET},
                {PRECISION_I8, SCALING_DIM},        {PRECISION_I4, SCALING_ROW_OFFSET},
                {PRECISION_I3, SCALING_ROW_OFFSET}, {PRECISION_I2, SCALING_ROW_OFFSET}};
    if (i < FIXTURE_N_PLAIN_KINDS)
        return plain_kind(i);
    i -= FIXTURE_N_PLAIN_KINDS;
    if (i >= FIXTURE_N_MAPPED_KINDS)
        return own_rows_kind(i - FIXTURE_N_MAPPED_KINDS);
    enum combine combine = (enum combine)(i / 3 % 3);
    return (struct fixture_kind){.precision = rows[i / 9].precision,
                                 .scaling = rows[i / 9].scaling,
                                 .mapping = (enum mapping_kind)(i % 3),
                                 .combine = combine,
                                 .n_lookups = combine == COMBINE_CONCAT ? 3 : 2,
                                 .keys = (enum key_kind)(i / 2 % 3),
                                 .pooling = (enum pooling)(i % 4),
                                 .parts = FIXTURE_FEATURES | (i % 2 ? FIXTURE_EMBEDDED_USERS : 0) |
                                          (i % 4 < 2 ? FIXTURE_ALL : FIXTURE_BIAS)};
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
        else if (precision == PRECISION_I8)
            f->rows.i8[i] = (int8_t)(i * 7 - 100);
        else
            f->rows.packed[i] = (uint8_t)(i * 37);
}

static void fill_scales(enum scaling scaling, struct fixture *f)
{
    if (scaling == SCALING_ROW_OFFSET)
        for (int i = 0; i < 2 * FIXTURE_ROWS; i++)
            f->scales.f16[i] = (uint16_t)(0x2400 + 100 * i); /* from 2^-6 on */
    else
        for (int i = 0; i < FIXTURE_DIM; i++)
            f->scales.f32[i] = (float)(i + 1) / 127.0f;
}

/* Entry e is the bits from 3 e on. */
static void pack(const uint32_t *entries, unsigned n, uint32_t *words)
{
    for (unsigned bit = 0; bit < n * FIXTURE_BITS; bit++)
        if (entries[bit / FIXTURE_BITS] >> bit % FIXTURE_BITS & 1)
            words[bit / 32] |= 1u << bit % 32;
}

/* Id i is of class 5 i % 8. */
static struct id_classes make_classes(uint32_t n_ids, struct fixture_space *f)
{
    uint32_t codes[FIXTURE_ITEMS + 1];
    for (unsigned i = 0; i <= n_ids; i++)
        codes[i] = 5 * i % FIXTURE_N_CLASSES;
    pack(codes, n_ids + 1, f->class_words);
    for (unsigned c = 0; c < FIXTURE_N_CLASSES; c++) {
        f->class_weights[c] = 0.25f * (float)c;
        f->class_bias[c] = 2.0f - (float)c;
    }
    return (struct id_classes){
        .bits = FIXTURE_CLASS_BITS, .words = f->class_words, .weights = f->class_weights};
}

static void clear_last_row(struct model *m)
{
    size_t n_bytes = row_bytes(&m->rows), last = m->rows.n - 1;
    memset((char *)m->rows.values + last * n_bytes, 0, n_bytes);
    if (m->rows.scaling == SCALING_ROW_OFFSET)
        memset((uint16_t *)m->rows.scales + 2 * last, 0, 2 * sizeof(uint16_t));
}

/* Of n_lookups rows an id. */
static struct space make_space(struct fixture_kind kind, uint32_t n_ids, uint32_t n_lookups,
                               struct fixture_space *f)
{
    const uint32_t n_each = kind.parts & FIXTURE_OWN_ROWS ? (FIXTURE_ROWS - 1) / n_lookups : 0;
    for (unsigned e = 0; e < (n_ids + 1) * n_lookups; e++) {
        f->remap[e] = e * 3 % (n_each ? n_each : FIXTURE_ROWS);
        f->lookup_weights[e] = 1.0f - 0.25f * (float)e;
    }
    for (unsigned i = 0; i <= n_ids; i++)
        f->weights[i] = i == n_ids ? 0.0f : 1.0f / (float)(i + 1);
    pack(f->remap, (n_ids + 1) * n_lookups, f->words);
    const uint32_t *const remaps[] = {
        [MAPPING_STORED] = f->remap, [MAPPING_PACKED] = f->words, [MAPPING_HASHED] = NULL};
    return (struct space){.n_ids = n_ids,
                          .own_rows = {.n = n_each * n_lookups},
                          .n_lookups = n_lookups,
                          .keys = make_keys(kind.keys, n_ids, &f->keys),
                          .remap = remaps[kind.mapping],
                          .weights = kind.parts & FIXTURE_WEIGHTS ? f->weights : NULL,
                          .lookup_weights = kind.parts & FIXTURE_LOOKUP_WEIGHTS ? f->lookup_weights : NULL,
                          .classes = kind.parts & FIXTURE_CLASSES ? make_classes(n_ids, f)
                                                                  : (struct id_classes){.words = NULL}};
}

static void add_users(struct fixture_kind kind, struct fixture *f)
{
    static const uint32_t offsets[] = {0, 3, 3, 6, 6}, history[] = {6, 0, 1, 5, 5, 2};
    struct model *m = &f->model;
    memcpy(f->offsets, offsets, sizeof offsets);
    memcpy(f->history, history, sizeof history);
    m->user_is_embedded = kind.parts & FIXTURE_EMBEDDED_USERS;
    if (kind.parts & (FIXTURE_HISTORIES | FIXTURE_EMBEDDED_USERS))
        m->user = make_space(kind, FIXTURE_USERS, kind.n_few ? kind.n_few : m->mapping.n_lookups, &f->user);
    if (!m->user_is_embedded)
        m->user = (struct space){.n_ids = m->user.n_ids, .keys = m->user.keys};
    if (kind.parts & FIXTURE_HISTORIES)
        m->histories = (struct stored_histories){.offsets = f->offsets, .items = f->history};
}

static void add_features(struct fixture_kind kind, struct fixture *f)
{
    static const char *const names[] = {"country", "os"};
    for (size_t i = 0; i < FIXTURE_FEATURES_N; i++) {
        f->features[i].name = names[i];
        f->features[i].space = make_space(
            kind, FIXTURE_USERS, kind.n_few ? kind.n_few : f->model.mapping.n_lookups, &f->of_features[i]);
    }
    f->model.features = f->features;
    f->model.n_features = FIXTURE_FEATURES_N;
}

void fixture_model(struct fixture_kind kind, struct fixture *f)
{
    static const enum scaling scalings[] = {
        [PRECISION_F32] = SCALING_NONE,      [PRECISION_F16] = SCALING_NONE,
        [PRECISION_I8] = SCALING_ROW,        [PRECISION_I4] = SCALING_ROW_OFFSET,
        [PRECISION_I3] = SCALING_ROW_OFFSET, [PRECISION_I2] = SCALING_ROW_OFFSET};
    *f = (struct fixture){.provenance = {{"method", "by hand"}, {"note \"1\"\n", "caf\xc3\xa9 \\"}}};
    fill_rows(kind.precision, f);
    for (unsigned i = 0; i <= FIXTURE_ITEMS; i++)
        f->bias[i] = -0.1f * (float)i;
    enum scaling scaling = kind.scaling ? kind.scaling : scalings[kind.precision];
    fill_scales(scaling, f);
    uint32_t n_lookups = kind.n_lookups ? kind.n_lookups : 1;
    uint32_t parts = kind.combine != COMBINE_CONCAT ? 1 : kind.n_parts ? kind.n_parts : n_lookups;
    uint32_t width = kind.precision > PRECISION_I4 ? FIXTURE_PACKED_WIDTH : FIXTURE_DIM / parts;
    f->model = (struct model){
        .dim = width * parts,
        .pooling = kind.pooling,
        .logit_scale = 14.2857141f,
        .rows = {.n = FIXTURE_ROWS,
                 .width = width,
                 .precision = kind.precision,
                 .scaling = scaling,
                 .values = &f->rows,
                 .scales = scaling == SCALING_NONE ? NULL : &f->scales},
        .mapping = {.kind = kind.mapping,
                    .combine = kind.combine,
                    .n_lookups = n_lookups,
                    .n_parts = kind.n_parts,
                    .bits = kind.mapping == MAPPING_PACKED ? FIXTURE_BITS : 0,
                    .seed = kind.mapping == MAPPING_HASHED ? 0xfedcba9876543210 : 0},
        .item = make_space(kind, FIXTURE_ITEMS, n_lookups, &f->item),
        .bias = kind.parts & FIXTURE_BIAS ? f->bias : NULL,
        .provenance = f->provenance,
        .n_provenance = 2,
    };
    if (kind.parts & FIXTURE_CLASSES)
        f->model.item.classes.bias = f->item.class_bias;
    if (kind.n_few)
        clear_last_row(&f->model);
    add_users(kind, f);
    if (kind.parts & FIXTURE_FEATURES)
        add_features(kind, f);
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
