#include "score/tuning.h"

#include "base/error.h"
#include "base/file.h"
#include "device/program_cache.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

const char *kernel_form_name(enum kernel_form form)
{
    static const char *const names[N_FORMS] = {
        [FORM_ITEM] = "item", [FORM_GROUP] = "group", [FORM_PIPELINE] = "pipeline"};
    return names[form];
}

struct tuning tuning_default(const struct device_info *device)
{
    struct tuning t = {.group_size = 64, .row_ahead = 16, .remap_ahead = 48};
    if (device->type & CL_DEVICE_TYPE_CPU)
        t.prefetch = 1;
    else
        t.form = device->type & CL_DEVICE_TYPE_ACCELERATOR ? FORM_PIPELINE : FORM_GROUP;
    return t;
}

/* What the best choice depends on: the device, and how many lines a lookup touches. */
static bool path_of(const char *cache_dir, const struct device_info *device, const struct model *m, char *out,
                    size_t capacity)
{
    char folder[3800], key[1024];
    if (!program_cache_folder(cache_dir, folder, sizeof folder))
        return false;
    int n = snprintf(key, sizeof key, "%s\n%s\n%s\n%s %s %u %u", device->platform, device->name,
                     device->driver, precision_name(m->rows.precision), scaling_name(m->rows.scaling),
                     m->rows.width, m->mapping.n_lookups);
    n = snprintf(out, capacity, "%s/%016llx.tuning", folder, (unsigned long long)XXH3_64bits(key, (size_t)n));
    return n > 0 && (size_t)n < capacity;
}

static const char FORMAT[] = "collide tuning 1: form %u group %u prefetch %u row_ahead %u remap_ahead %u\n";

enum { MAX_AHEAD = 4096, MAX_GROUP = 1024, GROUP_STEP = 16 };

struct tuning tuning_load(const char *cache_dir, const struct device_info *device, const struct model *model)
{
    char path[4096];
    unsigned form = 0;
    struct tuning t;
    FILE *file = path_of(cache_dir, device, model, path, sizeof path) ? fopen(path, "re") : NULL;
    bool read = file &&
                fscanf(file, FORMAT, &form, &t.group_size, &t.prefetch, &t.row_ahead, &t.remap_ahead) == 5 &&
                form < N_FORMS && t.prefetch <= 1 && t.row_ahead <= MAX_AHEAD && t.remap_ahead <= MAX_AHEAD &&
                t.group_size >= GROUP_STEP && t.group_size <= MAX_GROUP && t.group_size % GROUP_STEP == 0;
    if (file)
        fclose(file);
    t.form = (enum kernel_form)form;
    return read ? t : tuning_default(device);
}

enum collide_status tuning_store(const char *cache_dir, const struct device_info *device,
                                 const struct model *model, const struct tuning *t, struct collide_error *err)
{
    char path[4096], text[256];
    if (!path_of(cache_dir, device, model, path, sizeof path))
        return error_set(err, COLLIDE_NOT_FOUND,
                         "there is no folder to keep the tuning in; set HOME or --kernel-cache");
    int n = snprintf(text, sizeof text, FORMAT, (unsigned)t->form, t->group_size, t->prefetch, t->row_ahead,
                     t->remap_ahead);
    struct file_replace file;
    enum collide_status status = file_replace_begin(path, &file, err);
    if (status != COLLIDE_OK)
        return status;
    status = file_write_all(file.fd, text, (size_t)n, path, err);
    if (status == COLLIDE_OK)
        return file_replace_commit(&file, err);
    file_replace_abandon(&file);
    return status;
}
