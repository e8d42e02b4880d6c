// What Linux offers for files and Swift does not import.
#ifndef CK_FILES_H
#define CK_FILES_H

#include <stddef.h>
#include <stdint.h>

/// The flag of open(2) with which reads and writes bypass the page cache.
int ck_open_direct(void);
/// The flag of open(2) with which a file has no name until it is linked.
int ck_open_unnamed(void);
/// Reserves disk space for a file of that many bytes; 0, or -1 and `errno`.
int ck_reserve(int descriptor, int64_t byte_count);

/// Linux's `copy_file_range` of at most `byte_count` bytes between two places.
int64_t ck_copy_range(int from, int64_t from_offset, int to, int64_t to_offset, size_t byte_count);

#endif
