#pragma once

// One accepted socket: reads when bytes are there, writes what its queue holds, keeps deadlines. What the
// bytes mean is its conversation's business. Lives and dies on one shard; nothing here may be touched by
// another thread.
//
// Its class has many members because reading, writing, TLS, deadlines and the end of one socket depend on
// each other in every step, as its nine flags do; divided, the parts would have to tell each other
// everything.

#include "common/delivery/outbound.hpp"
#include "server/net/address_limits.hpp"
#include "server/net/poller.hpp"
#include "server/net/socket.hpp"
#include "server/net/tls.hpp"
#include "server/net/user_timeout.hpp"
#include "server/net/writer.hpp"
#include "server/shard/connection_log.hpp"
#include "server/shard/conversation.hpp"
#include "server/shard/ending.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace pulsewire::shell {

class shard_port;

// Why a connection may not stay.
enum class turned_away : std::uint8_t { no, server_is_full, too_many_of_its_address };

class connection {
public:
    // `home` outlives the connection.
    connection(shard_port& home, std::uint64_t id, tcp_socket&& socket);
    ~connection();

    // Unique for the life of the process on its shard; also the hub's name for it.
    std::uint64_t id() const { return id_; }
    delivery::outbound& out() { return out_; }
    // The conversation that will get what happens next.
    conversation& current_conversation() { return next_ ? *next_ : *conversation_; }

    // What was queued is written at the end of this turn of the loop, together with what follows until then.
    void flush_soon();
    // `next` takes over when the current call of the conversation returns.
    void become(std::unique_ptr<conversation> next);
    // Nothing more will be queued: when all is written the socket is closed. Where the peer may still be
    // sending it lingers before: it is shut down for sending, and what comes is discarded until the peer's
    // end or close_timeout_ms, because closing over unread bytes makes the kernel send a reset, which can
    // overtake our last words.
    enum class farewell : std::uint8_t { close, linger };
    void finish(farewell how);
    // Closes the socket; the connection object lives until the end of the turn. Safe to call again.
    void drop();

    // When conversation::on_deadline() is to be called, in monotonic milliseconds with the precision of a
    // sweep (500 ms); 0: never.
    void set_deadline(std::int64_t monotonic_ms) { deadline_ms_ = monotonic_ms; }
    // Until resumed, what the peer sends waits in the kernel. Its end then shows only after resuming.
    void pause_reading() { reads_ = false; }
    void resume_reading();

    // Whether more of what the peer asks for may be carried out now: it does not rest, what waits for it is
    // not more than one batch, and the shards keep up with each other.
    bool has_room() const;
    // Until there is room again what the peer sends waits in the kernel; then comes conversation::on_room().
    // The peer does not count as silent meanwhile.
    void wait_for_room() { waits_for_room_ = true; }
    // There is no room before this time (instant::monotonic_ms), with the precision of a sweep.
    void rest_until(std::int64_t ms) { rests_until_ms_ = ms; }
    bool waits_for_room() const { return waits_for_room_; }
    // conversation::on_room() comes soon, whether there is room or not.
    void read_on_soon();
    // Bytes of the peer's that wait for room, in the conversation's hands.
    void keeps_unread(std::size_t bytes);

    // Where it comes from: the peer's address, and its place among the connections of that address.
    void comes_from(const address& peer, address_limits::held&& counted) {
        peer_ = peer;
        owner_.client = peer;
        counted_ = std::move(counted);
    }
    const address& peer() const { return peer_; }
    // The kernel ends it when the peer takes nothing for so long.
    void give_up_after(std::uint32_t silence_ms) {
        user_timeout_ = user_timeout(silence_ms);
        set_user_timeout(silence_ms);
    }
    // It was let in although it may not stay, to be told why by `answer`, or by a better one for its request.
    void turn_away(turned_away why, std::string_view answer) {
        turned_away_ = why;
        parting_answer_ = answer;
    }
    turned_away why_turned_away() const { return turned_away_; }
    std::string_view parting_answer() const { return parting_answer_; }
    // Counts among the connections of another address from now on: of the client behind a proxy.
    void count_as(address_limits::held&& counted) { counted_ = std::move(counted); }
    const address_limits::held& counted() const { return counted_; }

    // Who it is for, for the log: the client behind a proxy, and its user.
    connection_owner& owner() { return owner_; }
    // From where the client of the conversation comes (hub::open).
    void speaks_for(std::uint64_t source) { source_ = source; }
    std::uint64_t source() const { return source_; }

    // Who ends the connection and why is noted here before it is done.
    ending& end() { return end_; }
    bool gone() const { return gone_; }
    bool finishing() const { return finishing_; }

    // --- for the shard ---
    // `tls` is null where the connection goes without.
    void start(std::unique_ptr<conversation> first, const tls_context* tls);
    void on_ready(poller::readiness what);
    void flush();
    // Whether flush() may take long, so that those who are answered in a few bytes go first.
    bool writes_much() const { return out_.unwritten_bytes() > little_bytes_max; }
    // flush() comes in a later turn.
    void put_off();
    // Queues a run; where nothing else waits it is written at once, if that is wanted.
    void send(std::shared_ptr<delivery::line_run>&& run, bool at_once);
    void read_on();
    // Reads on soon if it waits for room and there is some.
    void look_for_room() {
        if (waits_for_room_ && has_room()) read_on_soon();
    }
    // What waits for a peer that does not keep up, in bytes of memory; 0 when it does.
    std::size_t waiting_memory() const {
        return blocked_ || put_off_ ? out_.waiting_memory() + unread_bytes_ : unread_bytes_;
    }
    // Ends it as a slow consumer, whatever its queue may hold.
    void cut();
    void sweep(std::int64_t now_ms);
    // Lets the processor fetch what is touched when a run is sent: this, and when it has that, the
    // conversation.
    void prefetch() const { prefetch(this, sizeof *this); }
    void prefetch_conversation() const { prefetch(conversation_.get(), sizeof *conversation_); }

private:
    static constexpr std::size_t little_bytes_max = 16 * 1024;

    static void prefetch(const void* object, std::size_t bytes) {
        constexpr std::size_t line_bytes = 64;
        for (std::size_t at = 0; at < bytes; at += line_bytes)
            __builtin_prefetch(static_cast<const char*>(object) + at);
    }
    void flush_at_turn_end();
    void on_readable();
    bool read_some();
    void watch();
    void go_on_after(const written& done);
    void say_farewell();
    void log_end();
    void adopt_next();
    void on_end();
    void discard(std::size_t received);
    bool peer_takes_bytes(std::int64_t now_ms);
    void set_user_timeout(std::uint32_t ms);
    void on_ciphertext(std::span<const char> bytes);
    void on_tls_failure(tls_session::state how);

    shard_port& home_;
    std::uint64_t id_;
    tcp_socket socket_;
    delivery::outbound out_;
    std::unique_ptr<conversation> conversation_;
    std::unique_ptr<conversation> next_;
    std::unique_ptr<tls_session> tls_;  // null: without
    std::int64_t deadline_ms_ = 0;
    std::int64_t rests_until_ms_ = 0;       // 0: it does not rest
    std::int64_t write_deadline_ms_ = 0;    // while blocked
    std::uint64_t sent_bytes_ = 0;          // that the kernel took
    std::uint64_t acknowledged_bytes_ = 0;  // of them by the peer's kernel, at the last look
    std::uint32_t in_flight_bytes_ = 0;     // the others
    user_timeout user_timeout_{0};
    std::uint32_t discarded_bytes_ = 0;
    std::uint32_t unread_bytes_ = 0;
    poller::interest watched_;
    std::uint8_t quiet_sweeps_ = 0;  // since the peer sent something
    bool flush_is_due_ = false;      // at the end of this turn
    bool put_off_ = false;           // it is due, and had to wait for a later turn
    bool reads_ = true;              // not paused, and the peer has not ended
    bool blocked_ = false;           // the kernel's buffer is full
    bool finishing_ = false;
    bool lingers_ = false;  // finishing with farewell::linger
    bool gone_ = false;
    ending end_;
    bool overflowed_ = false;
    bool waits_for_room_ = false;
    bool ended_unread_ = false;  // the peer ended while what it sent before waits for room
    bool reads_on_soon_ = false;
    turned_away turned_away_ = turned_away::no;
    std::string_view parting_answer_;
    address peer_;
    std::uint64_t source_ = 0;
    address_limits::held counted_;
    connection_owner owner_;
    std::int64_t began_ms_;
    std::uint64_t received_bytes_ = 0;
};

}  // namespace pulsewire::shell
