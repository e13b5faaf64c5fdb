#include "serve/model_path.h"

#include <stdio.h>
#include <string.h>

bool model_name_is_valid(const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f || strchr("/\"\\", name[i]))
            return false;
    return n > 0 && n < MODEL_NAME_CHARS;
}

size_t model_path_stem_bytes(const char *file_name)
{
    static const char *const endings[] = {".safetensors", ".collide"};
    size_t n = strlen(file_name);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t n_ending = strlen(endings[i]);
        if (n > n_ending && strcmp(file_name + n - n_ending, endings[i]) == 0)
            return n - n_ending;
    }
    return n;
}

/* Of text[0, n). */
static uint64_t number_of(const char *text, size_t n)
{
    uint64_t number = 0;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9' || number > UINT64_MAX / 100 || text[0] == '0')
            return 0;
        number = number * 10 + (uint64_t)(text[i] - '0');
    }
    return number;
}

uint64_t model_path_number(const char *text)
{
    return number_of(text, strlen(text));
}

/* Where the last of a path's parts before `end` begins. */
static size_t part_before(const char *path, size_t end)
{
    while (end > 0 && path[end - 1] != '/')
        end--;
    return end;
}

/* The folder that the file is in, as [*begin, *end) of the path. */
static uint64_t version_part(const char *path, size_t *begin, size_t *end)
{
    size_t file = part_before(path, strlen(path));
    *end = file > 0 ? file - 1 : 0;
    *begin = part_before(path, *end);
    return number_of(path + *begin, *end - *begin);
}

uint64_t model_path_version(const char *path)
{
    size_t begin, end;
    return version_part(path, &begin, &end);
}

void model_path_name(const char *path, char out[MODEL_NAME_CHARS])
{
    size_t begin, end;
    if (version_part(path, &begin, &end) > 0 && begin > 1) {
        end = begin - 1;
        begin = part_before(path, end);
    } else {
        begin = part_before(path, strlen(path));
        end = begin + model_path_stem_bytes(path + begin);
    }
    snprintf(out, MODEL_NAME_CHARS, "%.*s", (int)(end - begin), path + begin);
}
