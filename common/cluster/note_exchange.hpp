#pragma once

// What nodes tell each other by the notes of a partition: requests between clients of two nodes, lines for an
// event stream that another node has, and orders to the sessions of all.

#include "common/cluster/log_output.hpp"
#include "common/cluster/log_readers.hpp"
#include "common/cluster/notes.hpp"
#include "common/cluster/open_asks.hpp"
#include "common/cluster/replica.hpp"
#include "common/exchange/config.hpp"
#include "common/exchange/ports.hpp"

#include <cstdint>
#include <string_view>

namespace pulsewire::cluster {

// Leads into the log.
class note_port {
public:
    // To one process, or to all if `to` is 0.
    virtual void say(process_id to, const note& n, hub::instant now) = 0;

protected:
    ~note_port() = default;
};

class note_exchange {
public:
    // All references outlive it.
    note_exchange(
        const hub::config& settings, partition_index partition, const replica& copy, log_readers& readers,
        hub::session_port& sessions, log_output& out, note_port& log
    );

    // --- requests of this node's clients, and the answers to others' ---
    void ask(hub::ask&& a, hub::instant now);
    void unask(hub::unask&& u, hub::instant now);
    void answer(hub::reply&& r, hub::instant now);

    // --- what the copy reports ---
    void on(const noted& n, hub::instant now);
    void on(const process_ended& p, hub::instant now);
    // A copy that is new to this node may know of tokens that were revoked before it came.
    void on_serving();
    void on_copy_lost() { heard_kept_ = false; }

    void forget_overdue(std::int64_t now_ms) { asks_.forget_overdue(now_ms); }

private:
    void reply_to(const own_ask& a, hub::message_ptr what, hub::instant now);
    void carry_out(ask_note&& a, process_id from, hub::instant now);
    hub::connection_ref foreign(std::uint64_t number) const;

    const hub::config& config_;
    partition_index partition_;
    const replica& copy_;
    log_readers& readers_;
    hub::session_port& sessions_;
    log_output& out_;
    note_port& log_;
    open_asks asks_;
    bool heard_kept_ = false;  // of the present copy, what nodes were told before
};

}  // namespace pulsewire::cluster
