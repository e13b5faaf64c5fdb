/* Runs a fuzz target once over each file given, in builds without libFuzzer. */
#include "base/file.h"
#include "fuzz_target.h"

#include <stdio.h>
#include <string.h>

/* From the heap, so that a sanitizer sees a read past the end. */
static int replay(const char *path)
{
    struct file_map map = {0};
    struct collide_error err;
    enum collide_status status = file_map(path, &map, &err);
    if (status != COLLIDE_OK && status != COLLIDE_CORRUPT) { /* an empty file counts as corrupt */
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    uint8_t *bytes = malloc(map.n_bytes + !map.n_bytes);
    if (bytes) {
        if (map.n_bytes)
            memcpy(bytes, map.bytes, map.n_bytes);
        LLVMFuzzerTestOneInput(bytes, map.n_bytes);
    }
    free(bytes);
    file_unmap(&map);
    return bytes ? 0 : 1;
}

int main(int argc, char **argv)
{
    int n_failed = argc < 2;
    if (argc < 2)
        fprintf(stderr, "usage: %s FILE...\n", argv[0]);
    for (int i = 1; i < argc; i++)
        n_failed += replay(argv[i]);
    return n_failed > 0;
}
