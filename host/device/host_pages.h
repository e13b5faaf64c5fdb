/* Memory of the host that a device may share: in huge pages where the system gives them, filled by a few
 * threads. */
#ifndef DEVICE_HOST_PAGES_H
#define DEVICE_HOST_PAGES_H

#include "base/progress.h"
#include "collide/status.h"

#include <stddef.h>
#include <stdint.h>

enum { HOST_HUGE_PAGE_BYTES = 2 << 20 };

/* Bytes that copies in huge pages may take: half of what is available to this process; 0 where the system
 * gives no huge pages. */
uint64_t host_pages_room_bytes(void);

/* Zeroed memory, aligned to a huge page if it is that big, else to a page. NULL when out of memory. */
void *host_pages_allocate(uint64_t n_bytes);
void host_pages_free(void *pages, uint64_t n_bytes);

/* Asks for huge pages in memory that was allocated elsewhere, where whole ones fit into it. */
void host_pages_advise(void *pages, uint64_t n_bytes);

/* Copies bytes in; adds them to the progress (may be NULL). */
enum collide_status host_pages_fill(void *pages, const void *bytes, uint64_t n_bytes,
                                    struct progress *progress, struct collide_error *err);

#endif
