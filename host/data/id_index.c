#include "data/id_index.h"

#include "base/number.h"
#include "data/id_hash.h"

enum { U64_MAX_DIGITS = 20 };

bool id_parse_u64(const char *text, size_t n_bytes, uint64_t *out)
{
    if (n_bytes == 0 || n_bytes > U64_MAX_DIGITS || (text[0] == '0' && n_bytes > 1))
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < n_bytes; i++) {
        unsigned digit = (unsigned)(unsigned char)text[i] - '0';
        if (digit > 9 || value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

static uint32_t find_number(const struct id_index *index, struct collide_id id)
{
    uint64_t number = id.number;
    if (id.text && !id_parse_u64(id.text, id.n_bytes, &number))
        return index->n_ids;
    if (index->kind == ID_DENSE)
        return number < index->n_ids ? (uint32_t)number : index->n_ids;
    uint32_t slot = id_slot_u64(index, number);
    return slot < index->n_slots ? index->slots[slot] : ID_NONE;
}

static uint32_t find_text(const struct id_index *index, struct collide_id id)
{
    char digits[NUMBER_MAX_CHARS];
    if (!id.text)
        id = collide_id_text(digits, number_print_u64(digits, id.number));
    uint32_t slot = id_slot_text(index, id.text, id.n_bytes);
    return slot < index->n_slots ? index->slots[slot] : ID_NONE;
}

uint32_t id_index_find(const struct id_index *index, struct collide_id id)
{
    if (index->n_ids == 0)
        return 0;
    uint32_t d = index->kind == ID_STRING ? find_text(index, id) : find_number(index, id);
    return d < index->n_ids ? d : index->n_ids;
}

struct collide_id id_index_key(const struct id_index *index, uint32_t d)
{
    if (index->kind == ID_DENSE)
        return collide_id_number(d);
    if (index->kind == ID_U64)
        return collide_id_number(index->keys[d]);
    uint64_t begin = index->key_offsets[d];
    return collide_id_text(index->key_bytes + begin, index->key_offsets[d + 1] - begin);
}
