#pragma once

// The records that a node has appended and not read back. A record is numbered within its connection and sent
// again, with all behind it, when it does not come back; each attempt says anew what its writer has read.

#include "common/cluster/command_queue.hpp"
#include "common/cluster/record.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pulsewire::cluster {

// The base of the records that a node writes now, and the digest of its copy there.
struct what_was_read {
    log_base base;
    std::uint64_t digest = 0;
};

// A body with the text that its views are of.
struct owned_body {
    record_body body;
    std::shared_ptr<const std::string> text = {};  // shared by the chunks of one image
};

class appender {
public:
    struct sent_record {
        process_id process = 0;
        log_connection connection = 0;
        std::uint64_t seq = 0;
        std::uint64_t attempt = 0;      // number of its last attempt among those of the connection
        std::int64_t sent_ms = 0;       // monotonic
        owned_body what;                // of all kinds but operations
        std::vector<command> commands;  // of operations
    };

    // `resends_max` times the window is sent again after `resend_ms`; then is_stuck().
    appender(std::size_t window, std::int64_t resend_ms, std::uint32_t resends_max)
        : window_(window), resend_ms_(resend_ms), resends_max_(resends_max) {}

    // A new connection: its records are numbered from 1. Those of older ones are still waited for.
    void connect(process_id process, log_connection connection);

    // Whether another record may be appended before one is read back.
    bool has_room() const { return sent_.size() < window_; }
    bool empty() const { return sent_.empty(); }
    // The bytes of a new record.
    std::string append(owned_body what, const what_was_read& read, const hub::instant& now);
    std::string append(std::vector<command> commands, const what_was_read& read, const hub::instant& now);

    // Whether the window is to be sent again; and the records for that.
    bool is_late(std::int64_t now_ms) const;
    bool is_stuck() const { return resends_ >= resends_max_; }
    std::vector<std::string> append_again(const what_was_read& read, const hub::instant& now);

    // A record of a process counted: it leaves, if it was this node's.
    std::optional<sent_record> read_back(process_id process, log_connection connection, std::uint64_t seq);
    // The own hello was read back: what earlier connections sent and nobody read will never count.
    std::vector<sent_record> take_earlier();
    // All of it.
    std::vector<sent_record> take_all();
    // Those whose outcome is still waited for.
    template <class Each>
    void each_command(Each&& each) {
        for (sent_record& s : sent_)
            for (command& c : s.commands) each(c);
    }

    // The broker has so many more of the attempts.
    void kept(std::uint32_t attempts) { kept_ += attempts; }
    // Whether the broker has a record of this connection, or all that earlier ones could append.
    bool is_kept(log_connection connection, std::uint64_t attempt) const {
        return connection == connection_ ? kept_ >= attempt : kept_ > 0;
    }

private:
    std::string append_next(sent_record s, const what_was_read& read, const hub::instant& now);
    std::string bytes_of(sent_record& s, const what_was_read& read, const hub::instant& now);

    std::size_t window_;
    std::int64_t resend_ms_;
    std::uint32_t resends_max_;
    process_id process_ = 0;
    log_connection connection_ = 0;
    std::uint64_t seq_ = 0;
    std::uint64_t attempts_ = 0;  // on this connection
    std::uint64_t kept_ = 0;      // ... of which the broker has so many
    std::uint32_t resends_ = 0;   // in a row
    std::deque<sent_record> sent_;
};

}  // namespace pulsewire::cluster
