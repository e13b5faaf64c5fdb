#include "machine.h"

#include "base/parallel.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

/* Leaves out as it is if /proc/cpuinfo names no model, as on some architectures. */
static void read_cpu_model(char *out, size_t capacity)
{
    FILE *f = fopen("/proc/cpuinfo", "re");
    char line[512];
    while (f && fgets(line, sizeof line, f)) {
        const char *colon = strchr(line, ':');
        if (colon && strncmp(line, "model name", strlen("model name")) == 0) {
            const char *model = colon + 1 + strspn(colon + 1, " \t");
            snprintf(out, capacity, "%.*s", (int)strcspn(model, "\n"), model);
            break;
        }
    }
    if (f)
        fclose(f);
}

struct machine machine_describe(void)
{
    struct machine m = {.cpu = "unknown", .kernel = "unknown", .n_cpus = parallel_n_cpus()};
    struct utsname system;
    if (uname(&system) == 0) {
        snprintf(m.cpu, sizeof m.cpu, "%s", system.machine);
        snprintf(m.kernel, sizeof m.kernel, "%s %s", system.sysname, system.release);
    }
    read_cpu_model(m.cpu, sizeof m.cpu);
    return m;
}
