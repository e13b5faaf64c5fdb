/* Where the fields of docs/WIRE.md lie. */
#ifndef WIRE_LAYOUT_H
#define WIRE_LAYOUT_H

enum { WIRE_MAGIC = 0x31444c43 }; /* "CLD1" */

enum header_flags { HEADER_TAGGED = 1, HEADER_RESPONSES = 2 };

enum header_field {
    HEADER_MAGIC = 0,
    HEADER_VERSION = 4,
    HEADER_FLAGS = 5,
    HEADER_N_MESSAGES = 6,
    HEADER_N_BYTES = 8,
    HEADER_RESERVED_16 = 10,
    HEADER_RESERVED_32 = 12,
    HEADER_TAG = 16,
};

/* Of both kinds of messages. */
enum message_field { MESSAGE_N_BYTES = 0, MESSAGE_KIND = 2, MESSAGE_FLAGS = 3, MESSAGE_ID = 8 };

enum request_field {
    REQUEST_MODEL = 4,
    REQUEST_N_HISTORY = 6,
    REQUEST_USER = 16,
    REQUEST_N_ITEMS = 24,
    REQUEST_K = 26,
    REQUEST_DEADLINE = 28,
};

enum response_field {
    RESPONSE_CODE = 4,
    RESPONSE_RESERVED_8 = 5,
    RESPONSE_N_RESULTS = 6,
    RESPONSE_N_UNKNOWN = 16,
    RESPONSE_RESERVED_32 = 20,
};

enum times_field {
    TIMES_ARRIVED = 0,
    TIMES_WAIT = 8,
    TIMES_READ = 12,
    TIMES_SCORE = 16,
    TIMES_N_TOGETHER = 20,
};

#endif
