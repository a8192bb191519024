//===--- machine.c - what the benchmarks ask of the machine itself ----------===//

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "machine.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/prctl.h>
#endif

// MARK: - Checksum

#if defined(__x86_64__)
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) uint32_t machine_crc32c(uint32_t seed, const uint8_t *bytes, size_t count) {
    uint64_t crc = ~seed;
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        crc = _mm_crc32_u64(crc, word);
    }
    for (; count > 0; bytes++, count--) crc = _mm_crc32_u8((uint32_t)crc, *bytes);
    return ~(uint32_t)crc;
}
#else
// Bit by bit: right, and slow. The line that gives its speed says little on such a machine.
uint32_t machine_crc32c(uint32_t seed, const uint8_t *bytes, size_t count) {
    uint32_t crc = ~seed;
    for (; count > 0; bytes++, count--) {
        crc ^= *bytes;
        for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0x82F63B78u & (0u - (crc & 1)));
    }
    return ~crc;
}
#endif

// MARK: - LZ4

static int (*lz4_compress)(const char *, char *, int, int);
static int (*lz4_decompress)(const char *, char *, int, int);

bool machine_has_lz4(void) {
    if (lz4_decompress != NULL) return true;
    const char *names[] = {"liblz4.so.1", "liblz4.so", "liblz4.dylib"};
    for (size_t index = 0; index < sizeof names / sizeof names[0]; index++) {
        void *library = dlopen(names[index], RTLD_NOW | RTLD_LOCAL);
        if (library == NULL) continue;
        *(void **)&lz4_compress = dlsym(library, "LZ4_compress_default");
        *(void **)&lz4_decompress = dlsym(library, "LZ4_decompress_safe");
        return lz4_compress != NULL && lz4_decompress != NULL;
    }
    return false;
}

int machine_lz4_compress(const uint8_t *bytes, int count, uint8_t *target, int capacity) {
    return lz4_compress((const char *)bytes, (char *)target, count, capacity);
}

int machine_lz4_decompress(const uint8_t *bytes, int count, uint8_t *target, int capacity) {
    return lz4_decompress((const char *)bytes, (char *)target, count, capacity);
}

// MARK: - Processes

pid_t machine_spawn(const char *const *arguments) {
    pid_t parent = getpid();
    pid_t child = fork();
    if (child != 0) return child;
#if defined(__linux__)
    // Between fork and this call the parent may have died already.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
#else
    (void)parent;
#endif
    int nowhere = open("/dev/null", O_RDWR);
    if (nowhere >= 0) {
        dup2(nowhere, 0);
        dup2(nowhere, 1);
        dup2(nowhere, 2);
    }
    execvp(arguments[0], (char *const *)arguments);
    _exit(127);
}

// MARK: - Page cache

int machine_evict(const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    // Only clean pages can be forgotten.
    int result = fsync(file);
#if defined(POSIX_FADV_DONTNEED)
    if (result == 0) result = posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0 ? 0 : -1;
#else
    result = -1;
#endif
    close(file);
    return result;
}

static int copy_range(int source, int target, off_t start, off_t end, char *buffer, size_t size) {
    while (start < end) {
        size_t wanted = (size_t)(end - start) < size ? (size_t)(end - start) : size;
        ssize_t count = pread(source, buffer, wanted, start);
        if (count <= 0 || pwrite(target, buffer, (size_t)count, start) != count) return -1;
        start += count;
    }
    return 0;
}

int machine_copy(const char *source_path, const char *target_path) {
    enum { size = 1 << 20 };
    int source = open(source_path, O_RDONLY | O_CLOEXEC);
    if (source < 0) return -1;
    struct stat status;
    int target = open(target_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    char *buffer = malloc(size);
    int result = target < 0 || buffer == NULL || fstat(source, &status) != 0 || ftruncate(target, status.st_size) != 0 ? -1 : 0;
    for (off_t place = 0; result == 0 && place < status.st_size;) {
        off_t end = status.st_size;
#if defined(SEEK_DATA) && defined(SEEK_HOLE)
        off_t data = lseek(source, place, SEEK_DATA);
        // Behind the last data there is only a hole.
        if (data < 0) break;
        place = data;
        end = lseek(source, place, SEEK_HOLE);
        if (end < 0) end = status.st_size;
#endif
        result = copy_range(source, target, place, end, buffer, size);
        place = end;
    }
    if (result == 0) result = fsync(target);
    free(buffer);
    if (target >= 0) close(target);
    close(source);
    return result;
}

ssize_t machine_cached_bytes(const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    struct stat status;
    ssize_t cached = -1;
    if (fstat(file, &status) == 0) {
        size_t count = (size_t)status.st_size, page = (size_t)sysconf(_SC_PAGESIZE), pages = (count + page - 1) / page;
        cached = 0;
        void *mapped = count == 0 ? MAP_FAILED : mmap(NULL, count, PROT_READ, MAP_SHARED, file, 0);
        if (mapped != MAP_FAILED) {
            unsigned char *resident = malloc(pages);
            if (resident != NULL && mincore(mapped, count, (void *)resident) == 0) {
                for (size_t index = 0; index < pages; index++) cached += (resident[index] & 1) ? (ssize_t)page : 0;
            } else {
                cached = -1;
            }
            free(resident);
            munmap(mapped, count);
        }
    }
    close(file);
    return cached;
}

// MARK: - Digest

// Two multiplications for each eight bytes, as in wyhash: a wrong bit anywhere changes all of the result.
static uint64_t mix(uint64_t a, uint64_t b) {
    __uint128_t product = (__uint128_t)(a ^ 0x9E3779B97F4A7C15u) * (b ^ 0xD6E8FEB86659FD93u);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t absorb(uint64_t state, const uint8_t *bytes, size_t count) {
    state = mix(state, count);
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        state = mix(state, word);
    }
    uint64_t rest = 0;
    memcpy(&rest, bytes, count);
    return mix(state, rest);
}

uint64_t machine_digest(const uint8_t *key, size_t key_count, const uint8_t *value, size_t value_count) {
    return absorb(absorb(0x5EED, key, key_count), value, value_count);
}
