/* clCreateContext, by the linker's --wrap, for tests that build kernels: PoCL reads its library of functions
 * anew in each context, a third of what building takes, so a device has one context until the test's end. */
#include "device/platform.h"

#include <pthread.h>

typedef void(CL_CALLBACK context_notify)(const char *, const void *, size_t, void *);

cl_context __real_clCreateContext(const cl_context_properties *properties, cl_uint n, const cl_device_id *ids,
                                  context_notify *notify, void *user_data, cl_int *code);
cl_context __wrap_clCreateContext(const cl_context_properties *properties, cl_uint n, const cl_device_id *ids,
                                  context_notify *notify, void *user_data, cl_int *code);

static struct {
    cl_device_id id;
    cl_context context;
} kept[PLATFORM_MAX_DEVICES];
static size_t n_kept;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static cl_context find_kept(cl_device_id id)
{
    for (size_t i = 0; i < n_kept; i++)
        if (kept[i].id == id)
            return kept[i].context;
    return NULL;
}

cl_context __wrap_clCreateContext(const cl_context_properties *properties, cl_uint n, const cl_device_id *ids,
                                  context_notify *notify, void *user_data, cl_int *code)
{
    pthread_mutex_lock(&lock);
    cl_context context = find_kept(ids[0]);
    *code = CL_SUCCESS;
    if (!context) {
        context = __real_clCreateContext(properties, n, ids, notify, user_data, code);
        if (context) {
            kept[n_kept].id = ids[0];
            kept[n_kept++].context = context;
        }
    }
    if (context)
        clRetainContext(context);
    pthread_mutex_unlock(&lock);
    return context;
}
