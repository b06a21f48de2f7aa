#pragma once

// What the contract suite of feeds needs of each broker: a real one, and hands on it from outside.

#include <memory>
#include <string>
#include <vector>

namespace pulsewire::shell::feed {

class tested_source {
public:
    virtual ~tested_source() = default;
    // For config::consume; the one that records are written to, and the one for bad records.
    virtual std::string address() = 0;
    virtual std::string from() = 0;
    virtual std::string dead_letters() = 0;
    virtual std::string group() { return "pulsewire-shop"; }
    // As other systems do, in order.
    virtual void write(const std::string& key, const std::string& value) = 0;
    // Returns when the broker has everything.
    virtual void flush() {}
    // What was written to the place of bad records, as text: the records, each with the reason.
    virtual std::string dead() = 0;
    // Records that a reader has got and not acknowledged, and those that were not read.
    virtual std::size_t left() = 0;
    // As kill -9, and a start with the data that is there.
    virtual void restart() = 0;
};

struct source_kind {
    std::string name;
    // Why it cannot be tested here: a sentence, or empty.
    std::string (*lacks)();
    std::unique_ptr<tested_source> (*start)();
};

}  // namespace pulsewire::shell::feed
