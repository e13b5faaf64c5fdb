/* Any bytes as a .npy file. What is accepted has all of its values in the bytes. */
#include "data/npy.h"
#include "fuzz_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct npy array;
    struct collide_error err = {0};
    if (npy_parse(data, n, "array.npy", &array, &err) != COLLIDE_OK) {
        FUZZ_REQUIRE(err.text[0] != '\0');
        return 0;
    }
    FUZZ_REQUIRE(npy_is(data, n));
    FUZZ_REQUIRE(array.n_dims <= NPY_MAX_DIMS);
    uint64_t n_bytes = array.value_bytes;
    for (unsigned i = 0; i < array.n_dims; i++)
        FUZZ_REQUIRE(!__builtin_mul_overflow(n_bytes, array.shape[i], &n_bytes));
    FUZZ_REQUIRE(array.values >= data && n_bytes == (uint64_t)(data + n - array.values));
    return 0;
}
