/* The flags that say what the columns of a click log are. */
#ifndef CLI_CLICK_ARGS_H
#define CLI_CLICK_ARGS_H

#include "base/args.h"
#include "data/click_columns.h"

#define CLICK_GROUP "Click logs (columns by name, or by number from 1)"

struct arg label_arg(struct click_choices *choices);    /* --label */
struct arg item_arg(struct click_choices *choices);     /* --item */
struct arg features_arg(struct click_choices *choices); /* --features */

#define CLICK_ARGS(choices) label_arg(choices), item_arg(choices), features_arg(choices)

#endif
