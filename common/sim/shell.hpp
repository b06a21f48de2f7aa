#pragma once

// The shell between the hub of one shard and its connections, as in the real server: the real queues and the
// real fan-out, for peers that take as much as the network lets them. Each line that is sent is compared with
// the lines that leave.

#include "common/delivery/fan_out.hpp"
#include "common/delivery/storage.hpp"
#include "common/sim/outlet.hpp"
#include "common/sim/timeline.hpp"
#include "common/sim/witness.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace pulsewire::sim {

class shell {
public:
    struct outside {
        // The network takes as much as it can of so many bytes. Returns how many.
        std::function<std::size_t(hub::connection_ref, std::size_t bytes)> takes;
        // A whole message has left.
        std::function<void(hub::connection_ref, std::string_view lines)> says;
        // The connection has ended, and all is written that ever will be.
        std::function<void(hub::connection_ref, close_code)> closed;
        // The hub is to forget it: it is too slow.
        std::function<void(hub::connection_ref)> forget;
        // There is room for the answers to more of its commands.
        std::function<void(hub::connection_ref)> read_on;
    };

    // All outlive it.
    shell(timeline& time, witness& seen, const delivery::bounds& limits, const outside& tell)
        : time_(time), seen_(seen), limits_(limits), tell_(tell) {}

    void open(hub::connection_ref who, hub::face speaks);
    // The connection is gone: nothing can be sent any more.
    void lost(std::uint64_t connection) { outlets_.erase(connection); }
    outlet* find(std::uint64_t connection);

    // The hub sends this, or ends the connection. `audience` as in hub::output::send; 0: to these alone.
    void deliver(
        const hub::message_ptr& m, delivery::counts how, std::uint64_t audience,
        std::span<const std::uint64_t> to
    );
    void end(std::uint64_t connection, close_code code);
    // Writes what was collected and queued, as far as it is taken.
    void end_turn();
    bool has_work() const { return !due_.empty() || collects_; }
    // The network takes more.
    void writable(std::uint64_t connection);
    // Drops connections that have taken nothing for too long.
    void sweep();
    // The server ends: all connections that are still there end at once.
    void drop_all(close_code code);

    // Those whose signs of life wait unread.
    template <class F>
    void each_unread(F&& f) const {
        for (const auto& [id, o] : outlets_)
            if (!o->unread.empty()) f(id);
    }

    bool holds_memory() const { return storage_.memory().bytes() != 0; }

private:
    void push(outlet& o, const hub::message_ptr& m, delivery::counts how);
    void visit(const delivery::fan_out::visit& v, bool writes);
    void catch_up(std::uint64_t connection);
    void write(outlet& o);
    void write_run(outlet& o, std::shared_ptr<delivery::line_run>&& run);
    // The bytes are used up: the reader of a message unmasks in place.
    std::size_t send(outlet& o, std::string&& bytes);
    void check(outlet& o, std::string_view lines);
    void check_drained(outlet& o);
    void settle(outlet& o, bool blocked);
    void look_at_length(outlet& o);
    void count_drops();

    timeline& time_;
    witness& seen_;
    const delivery::bounds& limits_;
    const outside& tell_;
    delivery::storage storage_{limits_};
    delivery::fan_out fan_out_{limits_};
    std::map<std::uint64_t, std::unique_ptr<outlet>> outlets_;
    std::vector<std::uint64_t> due_;
    bool collects_ = false;
};

}  // namespace pulsewire::sim
