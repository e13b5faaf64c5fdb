#include "serve/service.h"
#include "serve/worker.h"

enum service_state service_state(const struct service *s)
{
    if (atomic_load_explicit(&s->draining, memory_order_relaxed))
        return SERVICE_DRAINING;
    return atomic_load_explicit(&s->is_ready, memory_order_acquire) ? SERVICE_READY : SERVICE_LOADING;
}

void service_drain(struct service *s)
{
    atomic_store(&s->draining, true);
}
