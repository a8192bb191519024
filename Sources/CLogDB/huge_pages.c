#define _GNU_SOURCE
#include "CLogDB.h"

#ifdef __linux__
#include <sys/mman.h>

void logdb_advise_huge_pages(void *start, size_t length) { (void)madvise(start, length, MADV_HUGEPAGE); }
#else
void logdb_advise_huge_pages(void *start, size_t length) { (void)start, (void)length; }
#endif
