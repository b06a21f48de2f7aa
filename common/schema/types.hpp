#pragma once

// The schemas of a namespace, by message type.

#include "common/base/payload_error.hpp"
#include "common/schema/checker.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace pulsewire::schema {

class types {
public:
    struct entry {
        checker rules;
        std::string text;     // the schema, from which TypeScript is made
        std::string file;     // its path from the root; empty for one that stands in the config
        bool binary = false;  // payloads are bytes, any; `text` is "\"binary\""
    };

    void add(std::string type, entry one);

    bool has(std::string_view type) const { return entries_.find(type) != entries_.end(); }
    // The entry of a type whose payloads are bytes.
    static entry bytes();

    // Why the payload does not fit the schema of its type; nothing where it does, and for a type without one.
    // `binary`: it is bytes, not JSON.
    std::optional<payload_error> check(std::string_view type, std::string_view payload, bool binary = false)
        const;

    const std::map<std::string, entry, std::less<>>& all() const { return entries_; }

private:
    std::map<std::string, entry, std::less<>> entries_;
};

}  // namespace pulsewire::schema
