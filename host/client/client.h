/* Clients over a channel of one's own. */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "client/channel.h"
#include "collide/client.h"

/* Takes the channel, on failure too; the options' url and COLLIDE_CLIENT_SPIN are not looked at. Returns
 * owned.
 */
enum collide_status client_create_on(struct channel *channel, const struct collide_client_options *options,
                                     struct collide_client **out, struct collide_error *err);

#endif
