/* `collide convert`: the same model in another shape. */
#include "learn/store/convert.h"

#include "base/error.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/model_args.h"
#include "model/read.h"
#include "model/write.h"

#include <inttypes.h>

struct flags {
    int precision, mapping;
    uint64_t max_merged_bytes;
    const char *model_path, *output;
};

static const char *const PRECISIONS[] = {"f32", "f16", "i8", "i8-line", "i4", "i3", "i2", "unchanged", NULL};
static const char *const MAPPINGS[] = {"stored", "packed", "unchanged", NULL};

static void print_row(const char *label, uint64_t before, uint64_t after)
{
    printf("%-24s %16" PRIu64 " %16" PRIu64 "\n", label, before, after);
}

static void print_lines(const char *label, double before, double after)
{
    printf("%-24s %16.2f %16.2f\n", label, before, after);
}

static void print_report(const struct conversion *r)
{
    const struct model_cost *before = &r->before, *after = &r->after;
    printf("%-24s %16s %16s\n", "", "before", "after");
    print_row("lookups an id", before->n_lookups, after->n_lookups);
    print_lines("cache lines a lookup", before->lookup_lines, after->lookup_lines);
    print_lines("cache lines an id", before->id_lines, after->id_lines);
    print_row("rows", before->n_rows, after->n_rows);
    print_row("bytes of rows", before->row_bytes, after->row_bytes);
    print_row("bytes of the mapping", before->mapping_bytes, after->mapping_bytes);
    printf("\nembeddings are off by %.3g (RMS), %.3g at the most, of a length of %.3g (RMS)\n", r->rms_error,
           r->largest_error, r->rms_length);
}

static enum collide_status run(const struct flags *flags, struct collide_error *err)
{
    const struct convert_options options = {.form = (enum row_form)flags->precision,
                                            .mapping = (enum mapping_choice)flags->mapping,
                                            .max_merged_bytes = flags->max_merged_bytes};
    struct model_file *file = NULL;
    struct converted *converted = NULL;
    struct collide_error detail = {0};
    enum collide_status status = model_file_open(flags->model_path, MODEL_CHECK_CONTENTS, &file, err);
    if (status != COLLIDE_OK)
        return status;
    status = convert_model(model_file_model(file), &options, &converted, &detail);
    if (status != COLLIDE_OK)
        error_set(err, status, "%s: %s", flags->model_path, detail.text);
    if (status == COLLIDE_OK)
        status = model_write(converted_model(converted), flags->output, err);
    if (status == COLLIDE_OK) {
        print_report(converted_report(converted));
        log_info("wrote %s", flags->output);
    }
    converted_destroy(converted);
    model_file_close(file);
    return status;
}

int command_convert(int argc, char **argv)
{
    struct flags flags = {.precision = ROWS_UNCHANGED, .mapping = MAPPING_UNCHANGED};
    const struct arg table[] = {
        {.name = "output",
         .short_name = 'o',
         .type = ARG_TEXT,
         .target = &flags.output,
         .value_name = "OUT",
         .help = "the model file to write; MODEL itself may be replaced"},
        precision_arg(&flags.precision, PRECISIONS),
        mapping_arg(&flags.mapping, MAPPINGS),
        {.name = "merge",
         .type = ARG_U64,
         .target = &flags.max_merged_bytes,
         .min = 1,
         .value_name = "MAX_BYTES",
         .default_text = "lookups stay as they are",
         .help = "make one lookup of every two, into rows that hold what the two combine to, if rows and "
                 "their scales then take no more bytes"},
    };
    struct usage usage = {
        "collide convert MODEL -o OUT [options]",
        "Stores a model in another shape, without learning: other rows, another mapping, fewer lookups. Says "
        "what that costs, and how far embeddings move.",
        table, sizeof table / sizeof table[0], .positionals = {1, 1, "MODEL"}};
    int exit_code;
    if (!command_parse(&usage, argc, argv, &exit_code))
        return exit_code;
    if (!flags.output)
        return command_misused(&usage, "-o OUT is missing");
    if (flags.precision == ROWS_UNCHANGED && flags.mapping == MAPPING_UNCHANGED && !flags.max_merged_bytes)
        return command_misused(&usage, "nothing to convert; give --precision, --mapping or --merge");
    flags.model_path = usage.positionals.values[0];
    struct collide_error err = {0};
    return run(&flags, &err) == COLLIDE_OK ? EXIT_DONE : command_fail(&err);
}
