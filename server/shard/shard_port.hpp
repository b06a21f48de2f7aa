#pragma once

// The part of a shard that its connections and its listener see: the loop, the clocks, the bounds, the
// counters, the shared buffers, and the end of a turn. Everything here is touched by the shard's thread
// alone, except loop(), which other threads post to.
//
// The class has many members because a connection asks its surroundings for many small things.

#include "common/delivery/storage.hpp"
#include "common/session/session.hpp"
#include "server/base/address.hpp"
#include "server/base/time_slice.hpp"
#include "server/limits.hpp"
#include "server/log.hpp"
#include "server/log_limit.hpp"
#include "server/net/compression.hpp"
#include "server/net/poller.hpp"
#include "server/net/socket.hpp"
#include "server/shard/due_connections.hpp"
#include "server/shard/mail_load.hpp"
#include "server/shard/metrics.hpp"
#include "server/shard/ports.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace pulsewire::shell {

class connection;

class shard_port {
public:
    shard_port(const shard_port&) = delete;
    shard_port& operator=(const shard_port&) = delete;

    hub::shard_index index() const { return index_; }
    boost::asio::io_context& loop() { return loop_; }
    poller& poll() { return poller_; }
    const shell_limits& bounds() const { return bounds_; }
    const canned_answers& canned() const { return canned_; }
    // Whether what clients ask for may be carried out now, as far as the shards keep up with each other.
    bool mail_has_room() const { return mail_.has_room(); }
    shard_metrics& metrics() { return metrics_; }
    // A client was turned away: tells the operator why, and which setting would change that, in a few lines a
    // second at most. Text of the client was made printable before.
    void log_refusal(const address& client, std::string_view what, log::fields facts = {});
    // Whether one more end of a connection may be written to the log; `left_out` were not since the last one.
    bool admits_end_line(std::uint64_t& left_out);
    delivery::storage& storage() { return storage_; }
    static hub::instant now();
    // The part of a turn for a kind of work of unbounded length; begins now.
    time_slice new_slice() const { return time_slice(std::chrono::milliseconds(bounds_.turn_slice_ms)); }

    // What a connection reads into; valid until the next read of any connection.
    std::span<char> scratch() { return scratch_; }
    // For what comes out of the scratch buffer by TLS; empty without.
    std::span<char> plaintext_scratch() { return plaintext_; }

    // Calls connection::flush() at the end of this turn. The connection asks once per turn.
    void flush_at_turn_end(std::uint64_t connection);
    // Calls connection::read_on() at the end of this turn, before anything is written. The connection asks
    // once per turn.
    void read_on_at_turn_end(std::uint64_t connection);
    // More waits for a connection that does not keep up.
    void watch_waiting() {
        if (storage_.memory().is_too_much()) schedule_turn_end();
    }
    // The connection's peer lives, though what it sends waits unread.
    virtual void heard(connection& c) = 0;
    // Ends this turn of the loop after the handlers that are due now. Safe to call again.
    void schedule_turn_end();
    // What a token proves that a client has shown; nothing when that is not known yet, and then the hub is
    // told later.
    virtual std::optional<access::verdict> verify(const hub::output::verification& v) = 0;
    // A command was not permitted: tells the operator, within bounds.
    virtual void note_denial(const hub::output::denial& d) = 0;
    // Takes the connection out of the table. Its memory lives until the end of the turn, because the call
    // that ends a connection still uses it.
    virtual void retire(connection& c) = 0;
    // A socket that the listener accepted.
    virtual void accepted(tcp_socket&& socket) = 0;

protected:
    // All references outlive the shard.
    shard_port(
        hub::shard_index index, const shell_limits& bounds, const canned_answers& canned,
        const mail_load& mail
    );
    ~shard_port();

    void make_plaintext_scratch();
    due_connections& flushes() { return flushes_; }
    due_connections& reads() { return reads_; }
    // The milliseconds by which the turn that ends now was longer than the others wait gladly.
    std::int64_t turn_is_late_ms() const;

private:
    virtual void on_ready(std::uint64_t connection, poller::readiness what) = 0;
    virtual void end_turn() = 0;

    hub::shard_index index_;
    boost::asio::io_context loop_{1};
    poller poller_;
    const shell_limits& bounds_;
    const canned_answers& canned_;
    const mail_load& mail_;
    shard_metrics metrics_;
    log::limit refusals_, ends_;
    deflater deflater_;
    delivery::storage storage_;
    std::vector<char> scratch_, plaintext_;
    due_connections flushes_, reads_;
    bool turn_end_scheduled_ = false;
    std::int64_t turn_began_ms_ = 0;
};

}  // namespace pulsewire::shell
