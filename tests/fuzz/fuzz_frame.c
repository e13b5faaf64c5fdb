/* Any bytes as a frame. What is accepted lies within them, and can be turned round again and again: its
 * payload stays, and each answer reads back. */
#include "fuzz_target.h"
#include "xdp/frame.h"

#include <string.h>

enum { ROOM = 4096 };

static void turn(struct frame *f, uint8_t *bytes, const uint8_t *payload, uint32_t n_payload)
{
    struct frame again = {0};
    frame_turn(f, n_payload);
    FUZZ_REQUIRE(f->bytes >= bytes && f->n_payload == n_payload);
    FUZZ_REQUIRE(memcmp(f->payload, payload, n_payload) == 0);
    enum frame_refusal refusal = frame_read(f->bytes, f->n_bytes, &again);
    FUZZ_REQUIRE(refusal == FRAME_ACCEPTED || refusal == FRAME_UNANSWERABLE); /* such as to port 0 */
    FUZZ_REQUIRE(refusal != FRAME_ACCEPTED || (again.payload == f->payload && again.n_payload == n_payload));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct frame f = {0};
    static const uint8_t none[ROOM];
    if (n > ROOM)
        return 0;
    uint8_t *bytes = malloc(n + !n), payload[ROOM];
    FUZZ_REQUIRE(bytes);
    if (n)
        memcpy(bytes, data, n);
    if (frame_read(bytes, n, &f) != FRAME_ACCEPTED) {
        FUZZ_REQUIRE(memcmp(&f, none, sizeof f) == 0);
    } else {
        FUZZ_REQUIRE(f.bytes == bytes && f.payload + f.n_payload <= bytes + n);
        memcpy(payload, f.payload, f.n_payload);
        turn(&f, bytes, payload, f.n_payload);
        turn(&f, bytes, payload, f.n_payload);
        if (f.n_payload)
            turn(&f, bytes, payload, f.n_payload - 1);
    }
    free(bytes);
    return 0;
}
