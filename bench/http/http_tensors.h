/* Bodies of the Open Inference Protocol. */
#ifndef BENCH_HTTP_TENSORS_H
#define BENCH_HTTP_TENSORS_H

#include "base/buffer.h"
#include "question.h"

enum tensor_data { TENSORS_AS_JSON, TENSORS_AS_BYTES };

/* Appends a request of question->batch rows, whose answer is wanted in the same form. ids: room for
 * (question->batch + 1) * (question_n_ids + 1). How many bytes are JSON. */
size_t http_tensors_append(struct buffer *body, const struct question *q, struct rng *rng, uint64_t *ids,
                           enum tensor_data data);

#endif
