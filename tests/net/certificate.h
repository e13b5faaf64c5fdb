/* Certificates for tests, each signed by itself, for localhost and 127.0.0.1. */
#ifndef TESTS_NET_CERTIFICATE_H
#define TESTS_NET_CERTIFICATE_H

/* Writes both as PEM, the key with mode 0600. The serial number tells one from another. */
void certificate_write(const char *certificate_path, const char *key_path, unsigned char serial);

#endif
