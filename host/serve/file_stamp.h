/* What a path led to at some time: a file that has been replaced or written to differs. */
#ifndef SERVE_FILE_STAMP_H
#define SERVE_FILE_STAMP_H

#include <stdbool.h>
#include <sys/stat.h>

struct file_stamp {
    dev_t device;
    ino_t inode;
    off_t n_bytes;
    struct timespec modified;
};

static inline struct file_stamp file_stamp_of(const struct stat *st)
{
    return (struct file_stamp){st->st_dev, st->st_ino, st->st_size, st->st_mtim};
}

static inline bool file_stamp_equals(const struct file_stamp *a, const struct file_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->n_bytes == b->n_bytes &&
           a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec;
}

#endif
