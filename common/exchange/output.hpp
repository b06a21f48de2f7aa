#pragma once

// The list of things that a hub wants its shell to do.

#include "common/exchange/address.hpp"
#include "common/exchange/message.hpp"
#include "common/exchange/news.hpp"
#include "common/exchange/shard_message.hpp"
#include "common/exchange/store.hpp"
#include "common/exchange/to_observer.hpp"
#include "common/protocol/codes.hpp"
#include "common/protocol/command.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pulsewire::hub {

// The shell carries out all `sends` in order and then all `closes`; `rests`, `denials`, `posts`, `notices`,
// `stores` and `news` at any time, each list in its order.
struct output {
    // One message to one connection or to many: a publication is listed once,
    // however many connections get it.
    struct send {
        message_ptr what;
        std::uint32_t first = 0;  // the place of its first connection in `receivers`
        std::uint32_t count = 0;
        bool replayed = false;  // from history: bounded by recovery_max, not by the connection's queue
        // Identifies the set of receivers. Two messages of a channel with the same non-zero audience go to
        // exactly the same connections.
        std::uint64_t audience = 0;
    };
    // The hub has already forgotten the connection; closed() for it is allowed and does nothing.
    struct close {
        std::uint64_t connection;
        close_code code;
        std::string reason;
    };
    // Nothing that the connection sends is to be read before this time (instant::monotonic_ms).
    struct rest {
        std::uint64_t connection;
        std::int64_t until_ms;
    };
    // A token that a client has shown. hub::verified() with the same number takes the outcome.
    struct verification {
        std::uint64_t connection;
        std::uint64_t number;
        std::string token;
    };
    // A command was not permitted: for the operator, who may have meant otherwise.
    struct denial {
        std::uint64_t connection;
        command_op op;
        std::string user;     // empty: unknown
        std::string channel;  // empty: the command has none
        std::string why;      // the sentence that the client is told
    };
    struct post {
        shard_index to;  // never the own shard
        shard_message what;
    };
    struct notice {
        observer_index to;
        to_observer what;
    };
    std::vector<send> sends;
    std::vector<std::uint64_t> receivers;
    std::vector<close> closes;
    std::vector<rest> rests;
    std::vector<verification> verifications;
    std::vector<denial> denials;
    std::vector<post> posts;
    std::vector<notice> notices;
    std::vector<store_op> stores;
    std::vector<channel_news> news;  // of channels that are forwarded

    // The connections that a message goes to.
    std::span<const std::uint64_t> to(const send& s) const {
        return std::span(receivers).subspan(s.first, s.count);
    }
    bool empty() const {
        return sends.empty() && closes.empty() && rests.empty() && verifications.empty() && denials.empty() &&
               posts.empty() && notices.empty() && stores.empty() && news.empty();
    }
    void clear();
    void swap(output& other) noexcept;
    void add_send(message_ptr what, std::uint64_t connection);
    // In their order, from history or of the list of members.
    void add_replay(std::span<message_ptr> what, std::uint64_t connection);
};

}  // namespace pulsewire::hub
