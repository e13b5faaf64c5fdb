/* The names that a model file uses. docs/FORMAT.md is their specification. */
#ifndef MODEL_LAYOUT_H
#define MODEL_LAYOUT_H

#include <stdbool.h>
#include <string.h>

#define MODEL_FORMAT_VERSION "1"

#define META_FORMAT       "collide.format"
#define META_POOLING      "collide.pooling"
#define META_LOGIT_SCALE  "collide.logit_scale"
#define META_SCALING      "collide.scaling"
#define META_ROW_BITS     "collide.row_bits"
#define META_LOOKUPS      "collide.lookups"
#define META_LOOKUPS_OF   "collide.lookups."
#define META_COMBINE      "collide.combine"
#define META_PARTS        "collide.parts"
#define META_MAPPING      "collide.mapping"
#define META_MAPPING_BITS "collide.mapping_bits"
#define META_SEED         "collide.seed"
#define META_DIVISOR      "collide.divisor"
#define META_FEATURES     "collide.features"
#define META_CLASS_BITS   "collide.class_bits"
#define META_IDS          "collide.ids."
#define META_OWN_ROWS     "collide.rows."
#define META_PREFIX       "collide."
#define META_CHECKSUM     "xxh3."

/* Names of spaces; all others are features. */
#define SPACE_NAME_ITEM "item"
#define SPACE_NAME_USER "user"

/* Of a feature's name, which consists of letters, digits and underscores. */
enum { FEATURE_NAME_MAX_CHARS = 32 };

/* Metadata that is the format's own; the rest is provenance. */
static inline bool metadata_is_reserved(const char *name)
{
    return strncmp(name, META_PREFIX, sizeof META_PREFIX - 1) == 0 ||
           strncmp(name, META_CHECKSUM, sizeof META_CHECKSUM - 1) == 0;
}

#define TENSOR_ROWS            "item.rows"
#define TENSOR_SCALES          "item.scales"
#define TENSOR_BIAS            "item.bias"
#define TENSOR_CLASS_BIAS      "item.class_bias"
#define TENSOR_HISTORY_OFFSETS "user.history_offsets"
#define TENSOR_HISTORY         "user.history"

/* Of a space: an item, a user or a feature. */
#define TENSOR_REMAP          "%s.remap"
#define TENSOR_PACKED         "%s.remap_packed"
#define TENSOR_WEIGHTS        "%s.weights"
#define TENSOR_LOOKUP_WEIGHTS "%s.lookup_weights"
#define TENSOR_CLASSES        "%s.classes"
#define TENSOR_CLASS_WEIGHTS  "%s.class_weights"
#define TENSOR_KEYS           "%s.keys"
#define TENSOR_KEY_BYTES      "%s.key_bytes"
#define TENSOR_KEY_OFFSETS    "%s.key_offsets"
#define TENSOR_KEY_SLOTS      "%s.key_slots"

enum { TENSOR_NAME_BYTES = FEATURE_NAME_MAX_CHARS + 16 };

#endif
