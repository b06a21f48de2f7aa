#pragma once

// The compiled form of a schema: one node for each of its subschemas, found by index. Everything that a node
// demands can be decided in one pass through the value.

#include "common/schema/value.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace pulsewire::schema {

using node_index = std::uint32_t;
// The two boolean schemas are always the first nodes.
inline constexpr node_index anything = 0;
inline constexpr node_index nothing = 1;

struct size_bounds {
    std::uint64_t min = 0;
    std::uint64_t max = std::numeric_limits<std::uint64_t>::max();

    bool are_set() const { return min != 0 || max != std::numeric_limits<std::uint64_t>::max(); }
};

struct number_bound {
    std::string number;  // as it is written in the schema
    bool exclusive = false;
};

// A member that the schema names, under "properties" or "required".
struct member_rule {
    std::string name;
    node_index content = anything;
    bool required = false;
};

constexpr std::uint8_t bit_of(kind k) {
    return static_cast<std::uint8_t>(1u << static_cast<unsigned>(k));
}
inline constexpr std::uint8_t all_kinds = 0x3f;

struct node {
    std::uint8_t kinds = all_kinds;  // bit_of() each that may be here
    bool whole = false;              // of numbers, those without a fraction alone
    // The words for what may be here: "string", "string or null", "one of 1, 2".
    std::string expected = "any value";

    // Where it has a $ref, that is all it has.
    std::optional<node_index> refers_to;

    std::vector<member_rule> members;
    std::vector<std::uint32_t> by_name;  // the indices of `members`, sorted by name
    node_index other_members = anything;
    size_bounds member_count;

    node_index elements = anything;
    size_bounds element_count;

    std::optional<number_bound> min, max;
    size_bounds characters;  // code points of a string

    // The values of "enum" or "const"; empty where there is neither.
    std::vector<value> choices;
};

}  // namespace pulsewire::schema
