#pragma once

// Sessions of parts of this process that use a hub as the HTTP API does, without a connection: what the hub
// answers goes to a function. All of it belongs to the shard's thread.

#include "common/exchange/message.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace pulsewire::shell {

class program_sessions {
public:
    using on_answer = std::function<void(const hub::message_ptr& answer)>;

    // The id under which the hub is told of it. No connection has the same one: their places in the table
    // stay below the largest number.
    std::uint64_t add(on_answer answered) { return listen({}, std::move(answered)); }
    // The same for one that subscribes to this channel.
    std::uint64_t listen(std::string channel, on_answer answered) {
        const std::uint64_t id = ++last_ << 32 | place;
        if (!channel.empty()) ++listened_[channel];
        sessions_.emplace(id, one{std::move(channel), std::move(answered)});
        return id;
    }
    void remove(std::uint64_t id) {
        const auto found = sessions_.find(id);
        if (found == sessions_.end()) return;
        const auto channel = listened_.find(found->second.channel);
        if (channel != listened_.end() && --channel->second == 0) listened_.erase(channel);
        sessions_.erase(found);
    }
    static bool is_one(std::uint64_t id) { return static_cast<std::uint32_t>(id) == place; }
    // Does nothing where it was removed. The function may remove its own session.
    void give(std::uint64_t id, const hub::message_ptr& answer) const {
        const auto found = sessions_.find(id);
        if (found == sessions_.end()) return;
        const on_answer answered = found->second.answered;
        answered(answer);
    }
    // Gives it to those among many receivers; where no session listens to the channel none is looked for.
    void give_to_listeners(const hub::message_ptr& m, std::span<const std::uint64_t> receivers) const {
        if (listened_.empty() || !listened_.contains(std::string(m->channel()))) return;
        for (const std::uint64_t id : receivers)
            if (is_one(id)) give(id, m);
    }

private:
    static constexpr std::uint32_t place = UINT32_MAX;

    struct one {
        std::string channel;  // empty: it subscribes to none
        on_answer answered;
    };

    std::uint64_t last_ = 0;
    std::unordered_map<std::uint64_t, one> sessions_;
    std::unordered_map<std::string, std::uint32_t> listened_;
};

}  // namespace pulsewire::shell
