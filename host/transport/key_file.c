#include "transport/key_file.h"

#include "base/error.h"
#include "base/secret_file.h"

#include <ctype.h>
#include <string.h>

static int digit_value(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return at ? (int)(at - digits) : -1;
}

static enum collide_status parse(const char *text, size_t n, uint8_t out[KEY_BYTES])
{
    while (n > 0 && isspace((unsigned char)text[n - 1]))
        n--;
    if (n != 2 * KEY_BYTES)
        return COLLIDE_INVALID;
    for (size_t i = 0; i < KEY_BYTES; i++) {
        int high = digit_value(text[2 * i]), low = digit_value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return COLLIDE_INVALID;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return COLLIDE_OK;
}

enum collide_status key_file_read(const char *path, uint8_t out[KEY_BYTES], struct collide_error *err)
{
    struct secret secret;
    enum collide_status status = secret_file_read(path, &secret, err);
    if (status != COLLIDE_OK)
        return status;
    if (parse(secret.bytes, secret.n_bytes, out) != COLLIDE_OK)
        status = error_set(err, COLLIDE_INVALID,
                           "%s is no key; write 32 hexadecimal digits, such as `openssl rand -hex 16` prints",
                           path);
    secret_free(&secret);
    return status;
}
