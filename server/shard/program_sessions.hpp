#pragma once

// Sessions of parts of this process that publish by a hub as the HTTP API does, without a connection: what
// the hub answers goes to a function. All of it belongs to the shard's thread.

#include "common/exchange/message.hpp"

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>

namespace pulsewire::shell {

class program_sessions {
public:
    using on_answer = std::function<void(const hub::message& answer)>;

    // The id under which the hub is told of it. No connection has the same one: their places in the table
    // stay below the largest number.
    std::uint64_t add(on_answer answered) {
        const std::uint64_t id = ++last_ << 32 | place;
        answered_.emplace(id, std::move(answered));
        return id;
    }
    void remove(std::uint64_t id) { answered_.erase(id); }
    static bool is_one(std::uint64_t id) { return static_cast<std::uint32_t>(id) == place; }
    // Does nothing where it was removed.
    void give(std::uint64_t id, const hub::message& answer) const {
        if (const auto found = answered_.find(id); found != answered_.end()) found->second(answer);
    }

private:
    static constexpr std::uint32_t place = UINT32_MAX;

    std::uint64_t last_ = 0;
    std::unordered_map<std::uint64_t, on_answer> answered_;
};

}  // namespace pulsewire::shell
