#pragma once

// The half of the hub that owns channels. It gives publications their order, keeps them and the keys of their
// publishes, keeps the list of members, and waits for the store where a channel is durable. It knows no
// session: its values go to shards.

#include "common/channel/channel_table.hpp"
#include "common/channel/idempotency_window.hpp"
#include "common/channel/store_queue.hpp"
#include "common/channel/unstored_publishes.hpp"
#include "common/exchange/config.hpp"
#include "common/exchange/ports.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace pulsewire::hub {

class channels {
public:
    // All outlive it.
    channels(const config& settings, session_port& sessions, output& out);

    void receive(channel_change&& value, instant now);
    void receive(channel_read&& value, instant now);
    void receive(attach&& m, instant now) { on(std::move(m), now); }
    void receive(detach&& m, instant now) { on(std::move(m), now); }
    // Gives a publish its offset, or the one that its key already has, and answers it.
    void order(const publish_view& p, instant now);
    // As let_leave().
    bool tick(instant now);
    // Takes those out of the lists of members whose time to leave has come, some of them in each call. True:
    // more may be due, for another call.
    bool let_leave(instant now);

    // --- the store: as the hub's ---
    void restore(restored_channel&& kept, instant now);
    void restore(const restored_key& kept, instant now);
    void stored(std::uint64_t number, instant now);
    void store_failed(std::uint32_t term, error_code code, std::string_view text, instant now);

    // The options of namespaces have changed, as far as they can.
    void use_options() { table_.use_options(); }

    const channel_counters& count() const { return counters_; }
    std::size_t channel_count() const { return table_.size(); }
    std::size_t key_count() const { return idempotency_.size(); }
    std::uint64_t history_bytes() const { return table_.bytes(); }

private:
    void on(join&& m, instant now);
    void on(part&& m, instant now);
    void on(ask&& m, instant now);
    void on(unask&& m, instant now);
    void on(attach&& m, instant now);
    void on(detach&& m, instant now);
    void on(query&& m, instant now);

    const std::vector<message_ptr>& members_of(channel& c) const;
    void broadcast(const channel& c, message_ptr m, instant now);
    void answer_publish(const connection_ref& from, std::uint64_t id, message_ptr answer, instant now);
    void put_in_order(channel& c, message_ptr m, const publish_key& key, instant now);
    bool repeats(const publish_view& p, const idempotency_window::known& before, instant now);
    void keep(channel& c, const publish_view& p, instant now);
    message_ptr refused_for_state(channel& c, const publish_view& p, instant now);
    void ask_for_snapshot(channel& c, instant now);
    // The error where the publication is to follow one of its key that is not the newest.
    message_ptr refused_for_key(channel& c, const publish_view& p);
    void make_snapshot(channel& c, instant now);
    void sweep_keys(instant now);

    const config& config_;
    session_port& sessions_;
    output& out_;
    channel_counters counters_;
    store_queue stores_;
    channel_table table_;
    idempotency_window idempotency_;
    std::set<std::string> leaving_;  // channels with a member that is about to leave
    std::string leaving_at_;         // the first of them that let_leave() looks at next
    unstored_publishes unstored_;
    // Wall-clock time when the last key was given to the store; 0: the store has none.
    std::int64_t keys_stored_ms_ = 0;
    std::int64_t swept_ms_ = 0;
    bool sweeping_ = false;
};

}  // namespace pulsewire::hub
