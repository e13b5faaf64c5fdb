/* The secret behind datagrams' tags, as a file of 32 hexadecimal digits. */
#ifndef TRANSPORT_KEY_FILE_H
#define TRANSPORT_KEY_FILE_H

#include "collide/status.h"

#include <stdint.h>

enum { KEY_BYTES = 16 };

enum collide_status key_file_read(const char *path, uint8_t out[KEY_BYTES], struct collide_error *err);

#endif
