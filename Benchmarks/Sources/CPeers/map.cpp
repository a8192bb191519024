//===--- map.cpp - the map that a C++ program would fill ---------------------===//

#include "machine.h"
#include <string>
#include <unordered_map>

struct machine_map {
    std::unordered_map<std::string, std::string> entries;
};

namespace {
const char *characters(const uint8_t *bytes) { return reinterpret_cast<const char *>(bytes); }
const uint8_t *bytes(const std::string &text) { return reinterpret_cast<const uint8_t *>(text.data()); }
} // namespace

machine_map *machine_map_create(void) { return new machine_map; }

void machine_map_destroy(machine_map *map) { delete map; }

void machine_map_put(machine_map *map, const uint8_t *key, size_t key_count, const uint8_t *value, size_t value_count) {
    map->entries[std::string(characters(key), key_count)].assign(characters(value), value_count);
}

void machine_map_remove(machine_map *map, const uint8_t *key, size_t key_count) {
    map->entries.erase(std::string(characters(key), key_count));
}

size_t machine_map_count(const machine_map *map) { return map->entries.size(); }

uint64_t machine_map_digest(const machine_map *map, uint64_t *byte_count) {
    uint64_t sum = 0;
    *byte_count = 0;
    for (const auto &[key, value] : map->entries) {
        sum += machine_digest(bytes(key), key.size(), bytes(value), value.size());
        *byte_count += key.size() + value.size();
    }
    return sum;
}
