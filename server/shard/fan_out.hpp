#pragma once

// What is published to many connections in one turn of the loop. A channel's messages are gathered for those
// who get them, and each of these is visited once, at the end of the turn: then it joins the run of its
// framing, which goes out at once (docs/decisions/0009). Whoever is sent something else before is visited
// before it.

#include "common/exchange/message.hpp"
#include "server/limits.hpp"
#include "server/net/line_run.hpp"
#include "server/net/outbound.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pulsewire::shell {

// Messages of one channel that came for the same connections.
class gathering {
public:
    gathering(const hub::message_ptr& first, std::uint64_t audience);

    std::span<const hub::message_ptr> messages() const { return messages_; }
    bool only_publications() const { return only_publications_; }

    // The run that this queue may take part in, the one of its framing, whose texts are written by what
    // `make_writer()` returns for the first; null when the queue has to hold each message by itself.
    template <class MakeWriter>
    std::shared_ptr<line_run> run_for(const outbound& queue, MakeWriter&& make_writer) {
        if (!queue.takes_runs()) return nullptr;
        auto& run = runs_[static_cast<std::size_t>(queue.framed_as())];
        if (run == nullptr) {
            run = std::make_shared<line_run>(make_writer());
            for (const hub::message_ptr& m : messages_) run->append(m);
        }
        return run;
    }

private:
    friend class fan_out;

    bool may_grow(const hub::message& m, const shell_limits& bounds) const;
    void append(const hub::message_ptr& m);

    std::vector<hub::message_ptr> messages_;
    std::uint64_t audience_;
    std::size_t bytes_ = 0;  // of the lines
    std::array<std::shared_ptr<line_run>, outbound::framing_count> runs_;
    std::vector<std::uint64_t> apart_;
    bool only_publications_ = true;
};

class fan_out {
public:
    // `bounds` outlives it.
    explicit fan_out(const shell_limits& bounds) : bounds_(bounds) {}

    // Appends the message where it goes to the same audience (hub::output::send; never 0) as what was
    // gathered before. Returns the connections that were visited and take no part, and have to be given it;
    // valid until the next call. Null when it begins something new.
    const std::vector<std::uint64_t>* extend(const hub::message_ptr& m, std::uint64_t audience);
    // The message is the first one for these connections. Precondition: nobody waits for a visit.
    void begin(const hub::message_ptr& m, std::uint64_t audience, std::span<const std::uint64_t> to);

    struct visit {
        gathering* what;  // until clear()
        std::uint64_t connection;
    };
    // Takes the next one who waits for a visit.
    std::optional<visit> next();
    // The connection that comes so many behind the next one; 0: none, or it was taken.
    std::uint64_t upcoming(std::size_t behind) const {
        return next_ + behind < waiting_.size() ? waiting_[next_ + behind] : 0;
    }
    // Takes this connection, if it waits.
    std::optional<visit> take(std::uint64_t connection);
    // It was visited and takes no part.
    void stands_apart(const visit& v) { v.what->apart_.push_back(v.connection); }

    // A message of the channel goes another way: none that comes behind it may be written before it.
    void forget(std::string_view channel) {
        if (!channels_.empty()) channels_.erase(channel);
    }
    // The turn is over. Precondition: nobody waits for a visit.
    void clear();

private:
    const shell_limits& bounds_;
    std::vector<std::unique_ptr<gathering>> gathered_;
    std::unordered_map<std::string_view, gathering*> channels_;  // that may grow
    std::vector<std::uint64_t> waiting_;  // for a visit, by the last one gathered; 0: had it
    std::size_t next_ = 0;                // of them
};

}  // namespace pulsewire::shell
