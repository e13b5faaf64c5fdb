/* Inference requests from literals. */
#ifndef TESTS_OIP_PARSED_H
#define TESTS_OIP_PARSED_H

#include "api/oip.h"

struct oip_text {
    const char *json;
    const void *binary; /* (n_binary) behind it */
    size_t n_binary;
};

/* One that must be accepted. form's texts borrow from the request and from the body, which is the caller's to
 * free: returned. */
char *oip_accepted(struct oip_text text, struct request *out, struct oip_form *form);

/* One that must be refused, with a message that has this in it. */
void oip_refused(struct oip_text text, const char *message);

#endif
