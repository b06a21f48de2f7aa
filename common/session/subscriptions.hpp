#pragma once

// Subscribing and unsubscribing, with the answers of the owners of channels (docs/protocol.md 4.3 to 4.8).

#include "common/exchange/config.hpp"
#include "common/exchange/ports.hpp"
#include "common/protocol/command.hpp"
#include "common/session/answers.hpp"
#include "common/session/observers.hpp"
#include "common/session/session_table.hpp"
#include "common/session/subscribers.hpp"

#include <cstdint>

namespace pulsewire::hub {

class subscriptions {
public:
    // All outlive it.
    subscriptions(
        const config& settings, session_table& sessions, channel_port& channels, output& out,
        answers& speaker, observers& hearing, session_counters& counted
    )
        : config_(settings),
          sessions_(sessions),
          channels_(channels),
          output_(out),
          answers_(speaker),
          observers_(hearing),
          counters_(counted),
          table_(settings.secret) {}

    // --- commands that have passed the guard ---
    void on_subscribe(session& s, const command& c, instant now);
    void on_unsubscribe(session& s, const command& c, instant now);

    // The session shows another token: subscriptions that it may have no longer end, and the client is told.
    void recheck(session& s, instant now);

    // The application ends a subscription, and the client is told.
    void end(session& s, std::string_view channel, instant now);

    // The session ends.
    void remove_all(session& s, instant now);

    // --- from owners of channels ---
    void on(attached&& m, instant now);
    void on(attach_refused&& m, instant now);
    void on(deliver&& m, instant now);
    void on(const snapshot_wanted& m, instant now);

    // Null when the session is not subscribed.
    subscription* find(const session& s, std::string_view channel) { return table_.find(s, channel); }
    // Null when no connection of this shard is subscribed.
    local_channel* find(std::string_view channel) { return table_.find(channel); }
    std::size_t size() const { return table_.size(); }

private:
    void end(subscription& sub, instant now);
    void remove(subscription& sub, instant now);
    subscription* waiting_for(const connection_ref& who, std::string_view channel, std::uint64_t token);

    const config& config_;
    session_table& sessions_;
    channel_port& channels_;
    output& output_;
    answers& answers_;
    observers& observers_;
    session_counters& counters_;
    subscriber_table table_;
    std::uint64_t last_token_ = 0;
};

}  // namespace pulsewire::hub
