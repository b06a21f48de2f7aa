#pragma once

// One record as a broker has it, before anybody has looked at what it says.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pulsewire::shell::feed {

// Names a record between a source and its reader. Counts up and is never given twice by one source.
using ticket = std::uint64_t;

struct record {
    ticket number = 0;
    // The same whenever the broker gives this record, and of this record alone: letters, digits, '-', '.'.
    std::string position = {};
    std::string value = {};  // JSON, if the writer kept to it
    std::string fault = {};  // why it has no value, as a part of a sentence; empty: it has one
    // Kafka's key of the record, the field "key" of a Redis entry, the subject of a NATS message.
    std::optional<std::string> key = {};
    std::vector<std::pair<std::string, std::string>> headers = {};  // of a Redis entry: all fields
};

}  // namespace pulsewire::shell::feed
