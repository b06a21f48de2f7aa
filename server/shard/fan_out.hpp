#pragma once

// What is published to many connections in one turn of the loop. The first message of a channel is given to
// each of its subscribers, who join the run of their framing where they can; what follows for the same
// subscribers is appended to the runs, and only those who did not join are given it (docs/decisions/0009).

#include "common/hub/message.hpp"
#include "server/limits.hpp"
#include "server/net/line_run.hpp"
#include "server/net/outbound.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pulsewire::shell {

class fan_out {
public:
    // `bounds` outlives it.
    explicit fan_out(const shell_limits& bounds) : bounds_(bounds) {}

    // Appends the message where the same audience (hub::output::send; never 0) takes part in runs that may
    // still grow.
    // Returns the connections that take no part and have to be given it, valid until the next call; null when
    // all have to, between begin() and end().
    const std::vector<std::uint64_t>* extend(const hub::message_ptr& m, std::uint64_t audience);
    void begin(const hub::message_ptr& m, std::uint64_t audience);
    void end() { current_ = nullptr; }
    // Of the connections that are given it, this one did not join.
    void stands_apart(std::uint64_t connection) { current_->apart.push_back(connection); }
    // Lets a queue take part in the run of its framing, whose texts are written by what `make_writer()`
    // returns for the first. False when there is none, or the queue has to hold each message by itself.
    template <class MakeWriter>
    bool join(outbound& queue, MakeWriter&& make_writer) {
        if (current_ == nullptr || !queue.takes_runs()) return false;
        auto& run = current_->runs[static_cast<std::size_t>(queue.framed_as())];
        if (run == nullptr) {
            run = std::make_shared<line_run>(make_writer());
            run->append(current_->first);
        }
        queue.push_run(run);
        return true;
    }

    // A message of the channel goes another way: none that comes behind it may be written before it.
    void forget(std::string_view channel) {
        if (!channels_.empty()) channels_.erase(channel);
    }
    // The turn is over.
    void clear() { channels_.clear(); }

private:
    struct channel {
        hub::message_ptr first;  // keeps the key, too
        std::uint64_t audience = 0;
        std::array<std::shared_ptr<line_run>, outbound::framing_count> runs;
        std::vector<std::uint64_t> apart;
    };

    bool may_grow(const channel& c, const hub::message& m) const;

    const shell_limits& bounds_;
    std::unordered_map<std::string_view, channel> channels_;
    channel* current_ = nullptr;  // the one whose subscribers are given its first message
};

}  // namespace pulsewire::shell
