#include "model_walk.h"

#include <math.h>
#include <stdbool.h>

static uint64_t sum_bytes(const void *bytes, uint64_t n)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < n; i++)
        sum += ((const unsigned char *)bytes)[i];
    return sum;
}

/* [array, array + n_bytes) lies inside one tensor. */
static bool inside(const struct model_file *file, const void *array, uint64_t n_bytes)
{
    const struct safetensors *s = model_file_tensors(file);
    for (size_t i = 0; i < safetensors_n_tensors(s); i++) {
        const struct tensor *t = safetensors_tensor(s, i);
        if (t->data == array && t->n_bytes >= n_bytes)
            return true;
    }
    return false;
}

static bool tensors_fill_the_file(const struct safetensors *s)
{
    const unsigned char *at = NULL;
    uint64_t total = 0;
    for (size_t i = 0; i < safetensors_n_tensors(s); i++) {
        const struct tensor *t = safetensors_tensor(s, i);
        if (at && t->data != at)
            return false;
        at = (const unsigned char *)t->data + t->n_bytes;
        total += t->n_bytes;
        volatile uint64_t sink = sum_bytes(t->data, t->n_bytes);
        (void)sink;
    }
    return total < safetensors_file_bytes(s);
}

static const char *walk_keys(const struct model_file *file, const struct keys *keys, uint32_t n_ids)
{
    if (keys->kind == KEYS_DENSE)
        return NULL;
    if (!inside(file, keys->slots, keys->n_slots * 4ull))
        return "slots outside their tensor";
    if (keys->n_slots == 0 || (keys->n_slots & (keys->n_slots - 1)))
        return "the number of slots is no power of two";
    uint32_t n_free = 0;
    for (uint32_t i = 0; i < keys->n_slots; i++)
        if (keys->slots[i] == UINT32_MAX)
            n_free++;
        else if (keys->slots[i] >= n_ids)
            return "a slot names no id";
    if (n_free == 0)
        return "looking up an unknown key would not end";
    if (keys->kind == KEYS_U64)
        return inside(file, keys->u64, n_ids * 8ull) ? NULL : "keys outside their tensor";
    if (!inside(file, keys->offsets, (n_ids + 1ull) * 8) || !inside(file, keys->bytes, keys->offsets[n_ids]))
        return "key texts outside their tensors";
    for (uint32_t i = 0; i < n_ids; i++)
        if (keys->offsets[i] > keys->offsets[i + 1])
            return "a key of negative length";
    return keys->offsets[0] == 0 ? NULL : "bytes before the first key";
}

static const char *walk_items(const struct model_file *file, const struct model *m)
{
    const struct item_space *item = &m->item;
    uint64_t n_entries = item->n_ids + 1ull;
    if (m->dim < 1 || m->dim > MODEL_MAX_DIM || item->n_rows < 1)
        return "no rows, or a dim that kernels cannot have";
    if (!inside(file, item->rows, (uint64_t)item->n_rows * model_row_bytes(m)))
        return "rows outside their tensor";
    if ((item->scales != NULL) != (item->precision == PRECISION_I8) ||
        (item->scales && !inside(file, item->scales, item->n_rows * 4ull)))
        return "scales missing or outside their tensor";
    if (!inside(file, item->remap, n_entries * 4) ||
        (item->weights && !inside(file, item->weights, n_entries * 4)) ||
        (item->bias && !inside(file, item->bias, n_entries * 4)))
        return "an array of ids outside its tensor";
    for (uint64_t i = 0; i < n_entries; i++)
        if (item->remap[i] >= item->n_rows)
            return "an id maps to no row";
    return walk_keys(file, &item->keys, item->n_ids);
}

static const char *walk_users(const struct model_file *file, const struct model *m)
{
    const struct user_space *user = &m->user;
    if (user->n_ids == 0)
        return NULL;
    if (!inside(file, user->offsets, (user->n_ids + 2ull) * 4) ||
        !inside(file, user->history, user->offsets[user->n_ids + 1ull] * 4ull))
        return "histories outside their tensors";
    for (uint64_t u = 0; u <= user->n_ids; u++)
        if (user->offsets[u] > user->offsets[u + 1])
            return "a history of negative length";
    if (user->offsets[0] != 0 || user->offsets[user->n_ids] != user->offsets[user->n_ids + 1ull])
        return "the unknown user has a history";
    for (uint32_t i = 0; i < user->offsets[user->n_ids]; i++)
        if (user->history[i] >= m->item.n_ids)
            return "a history holds no item";
    return walk_keys(file, &user->keys, user->n_ids);
}

const char *model_walk(const struct model_file *file)
{
    const struct model *m = model_file_model(file);
    if (!tensors_fill_the_file(model_file_tensors(file)))
        return "tensors do not follow one another";
    if (!isfinite(m->logit_scale) || m->pooling > POOLING_NORMALISED)
        return "a wrong scale or pooling";
    for (size_t i = 0; i < m->n_provenance; i++)
        if (!m->provenance[i].name || !m->provenance[i].value)
            return "provenance without text";
    const char *wrong = walk_items(file, m);
    return wrong ? wrong : walk_users(file, m);
}
