#include "observe/process_figures.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

/* Of entries but "." and "..", less the descriptor that the looking itself takes. */
static double count_entries(const char *path, double n_own)
{
    DIR *dir = opendir(path);
    double n = -n_own;
    if (!dir)
        return NAN;
    for (const struct dirent *e = readdir(dir); e; e = readdir(dir))
        n += e->d_name[0] != '.';
    closedir(dir);
    return n;
}

static void read_memory(struct process_figures *out)
{
    double page_bytes = (double)sysconf(_SC_PAGESIZE);
    unsigned long long n_virtual, n_resident;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return;
    if (fscanf(file, "%llu %llu", &n_virtual, &n_resident) == 2) {
        out->virtual_bytes = (double)n_virtual * page_bytes;
        out->resident_bytes = (double)n_resident * page_bytes;
    }
    fclose(file);
}

void process_figures_read(struct process_figures *out)
{
    struct rusage usage;
    struct rlimit fds;
    *out = (struct process_figures){NAN, NAN, NAN, NAN, NAN, NAN};
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        out->cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    if (getrlimit(RLIMIT_NOFILE, &fds) == 0)
        out->max_fds = fds.rlim_cur == RLIM_INFINITY ? INFINITY : (double)fds.rlim_cur;
    read_memory(out);
    out->n_open_fds = count_entries("/proc/self/fd", 1);
    out->n_threads = count_entries("/proc/self/task", 0);
}
