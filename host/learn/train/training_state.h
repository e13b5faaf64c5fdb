/* Arrays that training changes, by name: what a checkpoint keeps, and what is put back when training goes on
 * from one, or from its best parameters. */
#ifndef LEARN_TRAINING_STATE_H
#define LEARN_TRAINING_STATE_H

#include <stdbool.h>
#include <stddef.h>

enum { STATE_MAX_PARTS = 24, STATE_NAME_BYTES = 32 };

struct state_part {
    char name[STATE_NAME_BYTES];
    void *bytes; /* borrowed from whoever is in training */
    size_t n_bytes;
};

struct training_state {
    struct state_part parts[STATE_MAX_PARTS];
    size_t n;
};

/* The parameters are what a model is made of; all of the state is what the next epoch depends on. */
enum state_extent { STATE_PARAMETERS, STATE_ALL };

/* Named owner.name, which must be short enough. */
void training_state_add(struct training_state *s, const char *owner, const char *name, void *bytes,
                        size_t n_bytes);

size_t training_state_bytes(const struct training_state *s);

/* All parts one after the other; to, from: (training_state_bytes). */
void training_state_copy_out(const struct training_state *s, void *to);
void training_state_copy_in(const struct training_state *s, const void *from);

#endif
