#pragma once

// The half of the hub that faces clients: the sessions of the connections that a shard accepted. It
// reads commands, passes each through the guard, and sends values to the owners of channels. Values
// from owners and observers, and the passing of time, become messages to the connections. It knows
// channels only through these values.
//
// The class has many members because each kind of command and of value has its handler here, as short as it
// can be; requests, subscriptions, answers and heartbeats are classes apart.

#include "common/exchange/config.hpp"
#include "common/exchange/ports.hpp"
#include "common/session/authorizations.hpp"
#include "common/session/guard.hpp"
#include "common/session/requests.hpp"
#include "common/session/session_table.hpp"
#include "common/session/subscriptions.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pulsewire::hub {

class sessions {
public:
    // All outlive it.
    sessions(const config& settings, channel_port& channels, session_port& others, output& out);

    // These do what the functions of `hub` with the same names say.
    void open(
        std::uint64_t connection, face f, std::string_view secret, std::string_view session_name, instant now,
        std::uint64_t source, access::principal_ptr who
    );
    static constexpr std::size_t no_limit = SIZE_MAX;
    std::size_t receive(
        std::uint64_t connection, std::string_view lines, instant now, std::size_t answer_bytes_max,
        message_form form
    );
    void receive_oversized(std::uint64_t connection, std::string_view head, instant now);
    std::optional<refusal> refusal_of(face f, access::principal_ptr who, const command& c) const;
    void execute(std::uint64_t connection, const command& c, instant now);
    void heard(std::uint64_t connection, instant now);
    void closed(std::uint64_t connection, instant now);
    void verified(std::uint64_t connection, std::uint64_t number, access::verdict outcome, instant now);
    void receive(to_session&& value, instant now);
    void receive(attached&& m, instant now);
    void receive(deliver&& m, instant now) { subscriptions_.on(std::move(m), now); }
    void receive(reply&& m, instant now);
    // True: more is due, for another call.
    bool tick(instant now);
    void was_late(std::int64_t ms) { late_ms_ += ms; }
    // What is permitted has changed.
    void recheck_all(instant now);
    void drain(close_code code, std::uint32_t spread_ms, instant now);
    void hand_over(close_code code, std::uint32_t spread_ms, instant now);

    const session_counters& count() const { return counters_; }
    std::size_t session_count() const { return table_.size(); }
    std::size_t subscription_count() const { return subscriptions_.size(); }

private:
    // common/session/credit.hpp
    std::int64_t credit_clock(instant now) const { return now.monotonic_ms - late_ms_; }
    void heard(session& s, instant now);
    bool rests(session& s, instant now);
    void rest(session& s, std::int64_t until_ms);
    void refuse_for_rate(session& s, std::uint64_t id, std::string_view text, instant now);
    void count_refusal(session& s, instant now);
    // Whether the rest of the message can be read.
    bool receive_line(
        session& s, std::string_view line, std::optional<std::string_view> behind, bool& limit_told,
        instant now
    );
    std::string too_large_text() const;
    void answered(const connection_ref& to, std::uint8_t weight);
    void execute(session& s, const command& c, instant now);
    void carry_out(session& s, const command& c, instant now);
    void carry_out_waiting(std::uint64_t connection, instant now);
    void refuse(session& s, const command& c, const refusal& why, instant now);
    void on_connect(session& s, const command& c, instant now);
    void greet(session& s, std::uint64_t id, instant now);
    void on_publish(session& s, const command& c, instant now);
    void on_query(session& s, const command& c, instant now);
    // `reason` is a word for the client.
    void end(session& s, close_code code, std::string_view text, instant now, std::string_view reason = {});
    void send_away(session& s, close_code code, std::uint32_t spread_ms, instant now);
    void forget(session& s, instant now);
    void on(disconnect&& m, instant now);
    void on(authorized&& m, instant now);
    std::vector<session*> named(const connection_ref& connection, std::string_view user);
    void on(offer_channel&& m, instant now);
    void on(end_subscription&& m, instant now);
    void offer(session& s, std::string_view channel, instant now);
    void on(standing&& m, instant now);

    // sessions_tokens.cpp
    void show_token(session& s, const command& c);
    void on_refresh(session& s, const command& c, instant now);
    void proves_nothing(session& s, std::uint64_t id, const access::verdict& why, instant now);
    void adopt(session& s, access::principal_ptr who, instant now);
    void recheck(session& s, instant now);
    bool may_have(const session& s, const message& answer) const;
    void on(revoke&& m, instant now);

    const config& config_;
    channel_port& channels_;
    output& output_;
    session_counters counters_;
    session_table table_;
    answers answers_;
    observers observers_;
    authorizations authorizations_;
    subscriptions subscriptions_;
    requests requests_;
    std::uint64_t random_;
    std::int64_t late_ms_ = 0;
    std::uint64_t last_verification_ = 0;
    std::set<shard_index> degraded_;  // shards whose partitions do not go on
    std::string scratch_;
};

}  // namespace pulsewire::hub
