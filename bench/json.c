#include "json.h"

#include "base/error.h"

enum collide_status json_print(FILE *out, cJSON *document, struct collide_error *err)
{
    char *text = cJSON_Print(document);
    cJSON_Delete(document);
    if (!text)
        return error_no_memory(err, "the report");
    fprintf(out, "%s\n", text);
    cJSON_free(text);
    return COLLIDE_OK;
}
