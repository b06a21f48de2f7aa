#pragma once

// Requests to the application (docs/protocol.md 4.12) and between the clients of a channel (4.18). A request
// between clients goes from the shard of the asker to the owner of the channel, which knows who is present,
// and from there to the shard of the asked client; the answer goes back directly.

#include "common/exchange/config.hpp"
#include "common/exchange/ports.hpp"
#include "common/protocol/command.hpp"
#include "common/session/answers.hpp"
#include "common/session/observers.hpp"
#include "common/session/subscriptions.hpp"

#include <cstdint>
#include <string_view>

namespace pulsewire::hub {

class requests {
public:
    // All outlive it.
    requests(
        const config& settings, channel_port& channels, session_port& sessions, answers& speaker,
        observers& hearing, subscriptions& subscribed
    )
        : config_(settings),
          channels_(channels),
          sessions_(sessions),
          answers_(speaker),
          observers_(hearing),
          subscriptions_(subscribed) {}

    // --- commands that have passed the guard ---
    void on_request(session& s, const command& c, instant now);
    void on_cancel(session& s, const command& c, instant now);
    void on_respond(session& s, const command& c, instant now);

    // --- from owners of channels ---
    void on(asked&& m, instant now);
    void on(withdrawn&& m, instant now);

    // The session shows another token: requests that it may not make any longer are refused.
    void recheck(session& s, instant now);

    // Forgets a request in flight; false when none has this id.
    static bool take(session& s, std::uint64_t id);
    // Whether a deadline of the session has passed. Forgets the questions whose deadline has passed.
    static bool sweep(session& s, std::int64_t ms);
    // Answers the requests in flight whose deadline has passed, with the error `timeout`.
    void expire(session& s, instant now);
    // Called when the session ends: answers the questions that it leaves open,
    // and withdraws its own requests.
    void forget(session& s, instant now);

private:
    std::uint32_t take_up(session& s, const command& c, instant now);
    void on_client_request(session& s, const command& c, instant now);
    bool make_room(session& asked_one, const ask& newest, instant now);
    void withdraw(const session& s, const request_in_flight& r, instant now);
    void answer_ask(
        const connection_ref& from, std::uint64_t id, error_code code, std::string_view text, instant now
    );

    const config& config_;
    channel_port& channels_;
    session_port& sessions_;
    answers& answers_;
    observers& observers_;
    subscriptions& subscriptions_;
};

}  // namespace pulsewire::hub
