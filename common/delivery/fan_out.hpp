#pragma once

// Collects the messages that go to many connections in one turn of the loop, those of a channel for each
// audience. At the end of the turn each subscriber is visited once and sends the shared run of its framing
// (docs/decisions/0009). If something else must go to a subscriber sooner, it is visited first.

#include "common/delivery/bounds.hpp"
#include "common/delivery/framing.hpp"
#include "common/delivery/line_run.hpp"
#include "common/delivery/outbound.hpp"
#include "common/exchange/message.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace pulsewire::delivery {

// Messages of one channel that came for the same connections.
class audience_batch {
public:
    audience_batch(const hub::message_ptr& first, std::uint64_t audience);

    std::span<const hub::message_ptr> messages() const { return messages_; }
    bool only_publications() const { return only_publications_; }

    // The run that this queue takes instead of the messages, the one of its framing, made for the first who
    // takes it; null when the queue has to hold each message by itself.
    std::shared_ptr<line_run> run_for(const outbound& queue);

private:
    friend class fan_out;

    bool may_grow(const hub::message& m, const bounds& limits) const;
    void append(const hub::message_ptr& m);
    std::shared_ptr<line_run> new_run(const outbound& queue) const;

    std::vector<hub::message_ptr> messages_;
    std::uint64_t audience_;
    std::size_t bytes_ = 0;  // of the lines
    std::array<std::shared_ptr<line_run>, framing_count> runs_;
    std::vector<std::uint64_t> excluded_;
    bool only_publications_ = true;
};

class fan_out {
public:
    // `limits` outlives it.
    explicit fan_out(const bounds& limits) : limits_(limits) {}

    // Appends the message where it goes to the same audience (hub::output::send; never 0) as what was
    // collected before. Returns the connections that were visited and excluded, which have to be given it;
    // valid until the next call. Null when it begins something new.
    const std::vector<std::uint64_t>* extend(const hub::message_ptr& m, std::uint64_t audience);
    // The message is the first one for these connections. Precondition: nobody waits for a visit.
    void begin(const hub::message_ptr& m, std::uint64_t audience, std::span<const std::uint64_t> to);

    struct visit {
        audience_batch* batch;  // until clear()
        std::uint64_t connection;
    };
    // Takes the next one who waits for a visit.
    std::optional<visit> next();
    // The connection that comes so many after the next one; 0: none, or it was taken.
    std::uint64_t upcoming(std::size_t after) const {
        return next_ + after < waiting_.size() ? waiting_[next_ + after] : 0;
    }
    // Takes this connection, if it waits.
    std::optional<visit> take(std::uint64_t connection);
    // It was visited and takes no part in the run.
    void exclude(const visit& v) { v.batch->excluded_.push_back(v.connection); }

    // A message of the channel goes another way: none that comes after it may be written before it.
    void forget(std::string_view channel) {
        if (!channels_.empty()) channels_.erase(channel);
    }
    // The turn is over. Precondition: nobody waits for a visit.
    void clear();

private:
    const bounds& limits_;
    std::vector<std::unique_ptr<audience_batch>> batches_;
    // By name, those that may grow. A tree, which no names make slow; mostly it holds one.
    std::map<std::string_view, audience_batch*> channels_;
    std::vector<std::uint64_t> waiting_;  // for a visit, by the last batch; 0: had it
    std::size_t next_ = 0;                // of them
};

}  // namespace pulsewire::delivery
