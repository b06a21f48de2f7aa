#pragma once

// A page of a channel's members as clients get it (docs/protocol.md 4.6).

#include "common/exchange/to_channel.hpp"
#include "common/protocol/line_writer.hpp"

#include <cstddef>
#include <string>

namespace pulsewire::hub {

class members_page {
public:
    explicit members_page(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    // The next member in their order. False: the page is full; there is at least one member on it.
    bool add(const std::string& session, const shown& as) {
        std::string entry;
        line_writer line(entry);
        line.name("session", session);
        if (!as.user.empty()) line.name("user", as.user);
        if (!as.user_info.empty()) line.json("user_info", as.user_info);
        line.json("info", as.info).end();
        constexpr std::size_t syntax_bytes = 2;
        more_ = !last_.empty() && json_.size() + entry.size() + syntax_bytes > bytes_max_;
        if (more_) return false;
        if (!last_.empty()) json_ += ',';
        json_ += entry;
        last_ = session;
        return true;
    }

    // [{"session":…,"info":…},…]
    std::string json() const { return json_ + ']'; }
    // The last member on it; empty when there is none.
    const std::string& last() const { return last_; }
    // Whether others follow.
    bool more() const { return more_; }

private:
    std::size_t bytes_max_;
    std::string json_ = "[";
    std::string last_;
    bool more_ = false;
};

}  // namespace pulsewire::hub
