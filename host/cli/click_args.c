#include "cli/click_args.h"

struct arg label_arg(struct click_choices *choices)
{
    return (struct arg){.name = "label",
                        .type = ARG_TEXT,
                        .target = &choices->label,
                        .value_name = "COLUMN[>=VALUE]",
                        .group = CLICK_GROUP,
                        .help =
                            "what says whether it was clicked: 0 or 1, or a number that is at least VALUE; "
                            "with quotes, as in --label 'rating>=4'"};
}

struct arg item_arg(struct click_choices *choices)
{
    return (struct arg){.name = "item",
                        .type = ARG_TEXT,
                        .target = &choices->item,
                        .value_name = "COLUMN",
                        .group = CLICK_GROUP,
                        .help = "what was shown: the ids that are scored"};
}

struct arg features_arg(struct click_choices *choices)
{
    return (struct arg){.name = "features",
                        .type = ARG_TEXT,
                        .target = &choices->features,
                        .value_name = "[NAME=]COLUMN[:log2],...",
                        .group = CLICK_GROUP,
                        .help =
                            "the ids that a query brings, each column a feature of the model called NAME; "
                            "log2: numbers, told apart by powers of two"};
}
