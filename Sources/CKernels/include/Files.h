// What Linux offers for files and Swift does not import.
#ifndef CK_FILES_H
#define CK_FILES_H

#include <stdint.h>

/// The flag of open(2) with which reads and writes bypass the page cache.
int ck_open_direct(void);
/// The flag of open(2) with which a file has no name until it is linked.
int ck_open_unnamed(void);
/// Reserves disk space for a file of that many bytes; 0, or -1 and `errno`.
int ck_reserve(int descriptor, int64_t byte_count);

#endif
