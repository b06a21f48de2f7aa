#pragma once

// Those who read the channels of a partition on this node: subscribing, recovery and history come from the
// copy, and what is read from the log is told to the subscribers. While the copy does not serve, subscribes
// and queries wait here, for a bounded time, and what the subscribers were told last is remembered.

#include "common/cluster/former_names.hpp"
#include "common/cluster/replica.hpp"
#include "common/cluster/watched_channel.hpp"
#include "common/exchange/config.hpp"
#include "common/exchange/ports.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

namespace pulsewire::cluster {

class log_readers {
public:
    // All references outlive it. Nobody waits for the copy longer than `wait_ms`.
    log_readers(
        const hub::config& settings, const replica& copy, hub::session_port& sessions,
        hub::channel_counters& counted, std::int64_t wait_ms
    );

    void attach(hub::attach&& a, hub::instant now);
    void detach(const hub::detach& d);
    void query(hub::query&& q, hub::instant now);
    // To the shards with a subscription of its channel: which of them has the request is not remembered.
    void withdraw(const hub::withdrawn& what, hub::instant now);

    // --- what the copy reports ---
    void on_serving(hub::instant now);
    void on_degraded();
    void on_copy_lost() { former_names_.clear(); }
    void on_restated(const restated& r, hub::instant now);
    // `in` is null for a transient publication.
    void on_publication(const publication& p, const channel_epoch* in, hub::instant now);
    // A publish of this node has found no room in the channel's state.
    void on_full(const std::string& channel, hub::instant now);
    void on_member(const member_came& m, hub::instant now);
    void on_member(const member_gone& m, hub::instant now);
    void on_forgotten(const std::string& channel, hub::instant now);

    // Looks at those who wait. To be called every 100 ms or so.
    void look_at_waiting(hub::instant now);
    std::size_t waiting() const { return waiting_.size(); }

private:
    using call = std::variant<hub::attach, hub::query>;
    struct waiting_call {
        std::int64_t since_ms = 0;
        call what;
    };

    bool attach_now(hub::attach& a, std::int64_t since_ms, hub::instant now);
    void answer_now(const hub::query& q, hub::instant now);
    void wait(call&& what, hub::instant now);
    void refuse(call&& what, hub::instant now);
    void catch_up(watched_channel& c, hub::instant now);
    bool wants_snapshot(watched_channel& c) const;
    void ask_for_snapshot(watched_channel& c, hub::instant now);
    watched_channel* watched(const std::string& channel);
    void tell(const watched_channel& c, const hub::message_ptr& m, hub::instant now);
    void tell_position(const watched_channel& c, std::string_view lost, hub::instant now);
    channel_view view_of(std::string_view channel) const;
    const shared_channel* find(std::string_view channel) const {
        return copy_.state()->channels().find(channel);
    }

    const hub::config& config_;
    const replica& copy_;
    hub::session_port& sessions_;
    hub::channel_counters& counters_;
    std::int64_t wait_ms_;
    std::unordered_map<std::string, watched_channel, name_hash, std::equal_to<>> watched_;
    std::deque<waiting_call> waiting_;  // in order of arrival
    former_names former_names_;
};

}  // namespace pulsewire::cluster
