// CRC-32C with the processor's own instruction where there is one: the checksum lies on the path of every put.
//
// The instruction takes a cycle to issue and three to answer, so one stream of bytes leaves it idle for two thirds of the time. Three
// neighbouring lanes are summed side by side and joined: what a lane's sum becomes when the bytes of the next lane follow it is a linear
// map of its 32 bits, here four tables of 256 entries for each length of lane. (Gopal et al., "Fast CRC computation for iSCSI
// polynomial using CRC32 instruction", Intel 2011.)
#include "CLogDB.h"
#include <string.h>

#define POLYNOMIAL 0x82F63B78u

enum { SHORT_LANE = 96, LONG_LANE = 1024 };

static uint32_t table[8][256];

typedef uint32_t lane_shift[4][256];
static lane_shift short_shift, long_shift;

// The product of two polynomials modulo ours. Reflected: the highest bit stands for x^0.
static uint32_t multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = 1u << 31; bit; bit >>= 1) {
    if (a & bit) product ^= b;
    b = (b >> 1) ^ (POLYNOMIAL & (0u - (b & 1)));
  }
  return product;
}

static void make_shift(lane_shift shift, uint32_t bytes) {
  uint32_t power = 1u << 31, square = 1u << 23;  // x^0, x^8
  for (; bytes; bytes >>= 1) {
    if (bytes & 1) power = multiply(power, square);
    square = multiply(square, square);
  }
  for (int t = 0; t < 4; t++)
    for (uint32_t i = 1; i < 256; i++) {
      uint32_t rest = i & (i - 1);
      shift[t][i] = rest ? shift[t][rest] ^ shift[t][i ^ rest] : multiply(power, i << (8 * t));
    }
}

__attribute__((constructor)) static void make_tables(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t c = i;
    for (int k = 0; k < 8; k++) c = (c >> 1) ^ (POLYNOMIAL & (0u - (c & 1)));
    table[0][i] = c;
  }
  for (uint32_t i = 0; i < 256; i++)
    for (int t = 1; t < 8; t++) table[t][i] = (table[t - 1][i] >> 8) ^ table[0][table[t - 1][i] & 0xFF];
  make_shift(short_shift, SHORT_LANE);
  make_shift(long_shift, LONG_LANE);
}

uint32_t logdb_crc32c_portable(uint32_t crc, const void *bytes, size_t count) {
  const uint8_t *p = bytes;
  uint32_t c = ~crc;
  while (count >= 8) {
    uint32_t low = c ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
    c = table[7][low & 0xFF] ^ table[6][(low >> 8) & 0xFF] ^ table[5][(low >> 16) & 0xFF] ^ table[4][low >> 24] ^
        table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^ table[0][p[7]];
    p += 8;
    count -= 8;
  }
  while (count--) c = (c >> 8) ^ table[0][(c ^ *p++) & 0xFF];
  return ~c;
}

#if defined(__x86_64__)
#include <nmmintrin.h>
#define HARDWARE __attribute__((target("sse4.2")))
#define SUM64(crc, word) ((uint32_t)_mm_crc32_u64(crc, word))
#define SUM8(crc, byte) _mm_crc32_u8(crc, byte)
static int has_hardware(void) { return __builtin_cpu_supports("sse4.2"); }
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#define HARDWARE
#define SUM64(crc, word) __crc32cd(crc, word)
#define SUM8(crc, byte) __crc32cb(crc, byte)
static int has_hardware(void) { return 1; }
#endif

#ifdef HARDWARE
static inline uint64_t load(const uint8_t *p) {
  uint64_t word;
  memcpy(&word, p, 8);
  return word;
}

static inline uint32_t shifted(lane_shift shift, uint32_t c) {
  return shift[0][c & 0xFF] ^ shift[1][(c >> 8) & 0xFF] ^ shift[2][(c >> 16) & 0xFF] ^ shift[3][c >> 24];
}

HARDWARE static inline uint32_t three_lanes(uint32_t a, const uint8_t *p, size_t lane, lane_shift shift) {
  uint32_t b = 0, c = 0;
  for (size_t i = 0; i < lane; i += 8) {
    a = SUM64(a, load(p + i));
    b = SUM64(b, load(p + lane + i));
    c = SUM64(c, load(p + 2 * lane + i));
  }
  return shifted(shift, shifted(shift, a) ^ b) ^ c;
}

HARDWARE static uint32_t crc32c_hardware(uint32_t crc, const uint8_t *p, size_t count) {
  uint32_t c = ~crc;
  for (; count >= 3 * LONG_LANE; p += 3 * LONG_LANE, count -= 3 * LONG_LANE) c = three_lanes(c, p, LONG_LANE, long_shift);
  for (; count >= 3 * SHORT_LANE; p += 3 * SHORT_LANE, count -= 3 * SHORT_LANE) c = three_lanes(c, p, SHORT_LANE, short_shift);
  for (; count >= 8; p += 8, count -= 8) c = SUM64(c, load(p));
  while (count--) c = SUM8(c, *p++);
  return ~c;
}
#else
static uint32_t crc32c_hardware(uint32_t crc, const uint8_t *p, size_t count) {
  return logdb_crc32c_portable(crc, p, count);
}
static int has_hardware(void) { return 0; }
#endif

uint32_t logdb_crc32c(uint32_t crc, const void *bytes, size_t count) {
  return has_hardware() ? crc32c_hardware(crc, bytes, count) : logdb_crc32c_portable(crc, bytes, count);
}
