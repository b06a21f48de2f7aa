#pragma once

// The results of a run, in the order in which they are printed.

#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::bench {

class report {
public:
    // `key` is the figure's name in JSON; `label` and `unit` are for people.
    void add(
        std::string_view key, std::string_view label, double value, std::string_view unit, int decimals = 0
    );
    // A warning that makes the figures less reliable.
    void warn(std::string text) { warnings_.push_back(std::move(text)); }
    // A fault that must not happen: the run has failed.
    void fail(std::string text) { failures_.push_back(std::move(text)); }
    bool failed() const { return !failures_.empty(); }

    std::string table() const;
    std::string json() const;

private:
    struct figure {
        std::string key, label, unit;
        double value;
        int decimals;
    };
    std::vector<figure> figures_;
    std::vector<std::string> warnings_, failures_;
};

}  // namespace pulsewire::bench
