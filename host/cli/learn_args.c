#include "cli/learn_args.h"

#include "cli/model_args.h"
#include "data/interactions.h"

static const char TRAINING[] = "Training";

static const char *const BACKBONES[] = {
    [BACKBONE_BAG] = "bag", [BACKBONE_USER] = "row", [BACKBONE_BOTH] = "both", NULL};

struct learn_flags learn_flags_default(void)
{
    const struct learn_options o = learn_options_default();
    return (struct learn_flags){.scalar_bits = o.scalar_bits,
                                .threads = o.n_threads,
                                .teacher_epochs = o.training.teacher_epochs,
                                .mapped_epochs = o.training.mapped_epochs,
                                .user_epochs = o.training.user_epochs,
                                .patience = o.patience,
                                .temperature = (double)o.training.temperature,
                                .precision = (int)o.form,
                                .mapping = (int)o.mapping,
                                .backbone = (int)o.training.backbone,
                                .user_method = (int)o.users.method};
}

struct learn_options learn_flags_options(const struct learn_flags *f)
{
    struct learn_options o = learn_options_default();
    o.users = (struct space_plan){.method = (enum learn_method)f->user_method,
                                  .settings = {.n_lookups = (uint32_t)f->user_lookups}};
    o.dim = f->dim ? (uint32_t)f->dim : o.dim;
    o.form = (enum row_form)f->precision;
    o.mapping = (enum mapping_entries)f->mapping;
    o.patience = (uint32_t)f->patience;
    o.scalar_bits = (uint32_t)f->scalar_bits;
    o.n_threads = (unsigned)f->threads;
    o.training.backbone = (enum backbone)f->backbone;
    o.training.temperature = (float)f->temperature;
    o.training.teacher_epochs = (uint32_t)f->teacher_epochs;
    o.training.mapped_epochs = (uint32_t)f->mapped_epochs;
    o.training.user_epochs = (uint32_t)f->user_epochs;
    return o;
}

uint32_t learn_rows(uint64_t asked, uint32_t n_ids)
{
    return asked ? (uint32_t)asked : n_ids / 8 + 1;
}

struct arg rows_arg(uint64_t *n_rows)
{
    return (struct arg){.name = "rows",
                        .type = ARG_U64,
                        .target = n_rows,
                        .min = 1,
                        .max = UINT32_MAX - 1,
                        .default_text = "an eighth of the items",
                        .help = "rows of dim values for items, in all codebooks together"};
}

struct arg dim_arg(struct learn_flags *flags)
{
    return (struct arg){.name = "dim",
                        .type = ARG_U64,
                        .target = &flags->dim,
                        .min = 1,
                        .max = MODEL_MAX_DIM,
                        .default_text = "64, or 16 with a click log",
                        .help = "values a row"};
}

struct arg learn_precision_arg(struct learn_flags *flags)
{
    return precision_arg(&flags->precision, row_form_names);
}

struct arg learn_mapping_arg(struct learn_flags *flags)
{
    struct arg arg = mapping_arg(&flags->mapping, mapping_entries_names);
    arg.help =
        "mapping entries of 32 bits, or of the bits that they need, or none: the kernels compute the rows "
        "of modulo, hash, double, bloom, qr, qr-mul, qr-concat and hashemb, of users without rows; auto: "
        "computed where that can be, else packed";
    return arg;
}

struct arg users_arg(struct learn_flags *flags)
{
    return (struct arg){.name = "users",
                        .type = ARG_CHOICE,
                        .target = &flags->backbone,
                        .choices = BACKBONES,
                        .help = "a user is the bag of its history over the items' rows, or has a row of its "
                                "own that others may share, or both"};
}

struct arg user_method_arg(struct learn_flags *flags)
{
    return (struct arg){.name = "user-method",
                        .type = ARG_CHOICE,
                        .target = &flags->user_method,
                        .choices = learn_method_names,
                        .value_name = "METHOD",
                        .help = "how users share rows, as --method says it of items"};
}

struct arg user_rows_arg(struct learn_flags *flags)
{
    return (struct arg){.name = "user-rows",
                        .type = ARG_U64,
                        .target = &flags->user_rows,
                        .min = 1,
                        .max = UINT32_MAX - 1,
                        .default_text = "an eighth of the users",
                        .help = "rows for users"};
}

struct arg user_lookups_arg(struct learn_flags *flags)
{
    return (struct arg){.name = "user-lookups",
                        .type = ARG_U64,
                        .target = &flags->user_lookups,
                        .min = 1,
                        .max = MODEL_MAX_LOOKUPS,
                        .default_text = "as the method has it",
                        .help = "rows a user, of methods that read several"};
}

struct arg scalar_bits_arg(struct learn_flags *flags)
{
    return (struct arg){.name = "scalar-bits",
                        .type = ARG_U64,
                        .target = &flags->scalar_bits,
                        .max = MODEL_MAX_CLASS_BITS,
                        .default_text = "0: two floats",
                        .help = "that an item's weight and bias take together: a class of items has them in "
                                "common"};
}

struct arg learn_threads_arg(struct learn_flags *flags)
{
    return (struct arg){.name = "threads",
                        .type = ARG_U64,
                        .target = &flags->threads,
                        .max = 1024,
                        .default_text = "one a CPU",
                        .help = "threads"};
}

struct arg spill_arg(struct learn_flags *flags)
{
    return (struct arg){
        .name = "spill",
        .type = ARG_TEXT,
        .target = &flags->spill,
        .value_name = "DIR",
        .help = "for logs larger than memory: what is as large as the log goes to files in this "
                "folder, which have no names and are gone with the process. It takes up to 12 bytes an "
                "interaction there; the model is the same"};
}

struct arg layout_arg(int *layout)
{
    static const char *const layouts[] = {
        [LOG_LAYOUT_AUTO] = "auto", [LOG_LAYOUT_PAIRS] = "pairs", [LOG_LAYOUT_ADJACENCY] = "adjacency", NULL};
    return (struct arg){.name = "layout",
                        .type = ARG_CHOICE,
                        .target = layout,
                        .choices = layouts,
                        .help = "lines of \"user item\", or of \"user item item ...\""};
}

struct arg temperature_arg(struct learn_flags *flags)
{
    return (struct arg){.name = "temperature",
                        .type = ARG_DOUBLE,
                        .target = &flags->temperature,
                        .low = 0.005,
                        .high = 10,
                        .default_text = "1.3 / ln items",
                        .group = TRAINING,
                        .help = "a logit is cosine / temperature + bias"};
}

struct arg teacher_epochs_arg(struct learn_flags *flags)
{
    return (struct arg){.name = "teacher-epochs",
                        .type = ARG_U64,
                        .target = &flags->teacher_epochs,
                        .min = 1,
                        .max = 10000,
                        .group = TRAINING,
                        .help = "epochs before the mapping, a row an item"};
}

struct arg epochs_arg(struct learn_flags *flags)
{
    return (struct arg){.name = "epochs",
                        .type = ARG_U64,
                        .target = &flags->mapped_epochs,
                        .min = 1,
                        .max = 10000,
                        .group = TRAINING,
                        .help = "epochs through the mapping"};
}

struct arg user_epochs_arg(struct learn_flags *flags)
{
    return (struct arg){.name = "user-epochs",
                        .type = ARG_U64,
                        .target = &flags->user_epochs,
                        .max = 10000,
                        .group = TRAINING,
                        .help = "epochs with users' rows, after those were found from their histories"};
}

struct arg patience_arg(struct learn_flags *flags)
{
    return (struct arg){.name = "patience",
                        .type = ARG_U64,
                        .target = &flags->patience,
                        .max = 1000,
                        .group = TRAINING,
                        .help = "with held-out interactions, quality is measured ten times in each stage of "
                                "training, which ends after so many measurements without a better one; 0: "
                                "never"};
}
