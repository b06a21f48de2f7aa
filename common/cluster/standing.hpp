#pragma once

// How long a copy has not served, and why, as people are told.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace pulsewire::cluster {

class standing {
public:
    // The copy is given so long to come back before anybody is told: most failovers take less.
    static constexpr std::int64_t told_after_ms = 1'500;

    void degraded(std::string why, std::int64_t now_ms) {
        since_ms_ = now_ms;
        why_ = std::move(why);
    }
    // Trying to come back has failed, by this.
    void still_away(std::string why) { why_ = std::move(why); }
    // It cannot serve until somebody changes something.
    void stands_back(std::string why) { why_ = std::move(why); }
    // To be called every 100 ms or so.
    void look(bool serves, std::int64_t now_ms) {
        if (serves) {
            *this = {};
        } else if (since_ms_ == INT64_MIN) {
            since_ms_ = now_ms;
        } else if (now_ms - since_ms_ >= told_after_ms) {
            told_ = why_.empty() ? "The broker has not answered yet." : why_;
        }
    }
    // Empty: it serves, or did a moment ago.
    const std::string& told() const { return told_; }

private:
    std::int64_t since_ms_ = INT64_MIN;  // INT64_MIN: the copy serves
    std::string why_, told_;
};

}  // namespace pulsewire::cluster
