#pragma once

// One shard's share of the server's logic: a pair of halves, the sessions of the connections it accepted and
// the channels it owns, which know each other only by values. Sans-I/O: the shell tells what happened and
// what time it is; what should happen next collects in out(), which the shell carries out and clears after
// each call. One hub belongs to one thread; hubs of a node speak to each other only through `posts`.

#include "common/channel/channels.hpp"
#include "common/exchange/config.hpp"
#include "common/exchange/output.hpp"
#include "common/exchange/ports.hpp"
#include "common/protocol/command.hpp"
#include "common/session/sessions.hpp"

#include <cstdint>
#include <string_view>
#include <utility>

namespace pulsewire::hub {

class hub final : private channel_port, private session_port {
public:
    explicit hub(config c) : config_(std::move(c)) {}
    hub(const hub&) = delete;
    hub& operator=(const hub&) = delete;

    // A connection was opened. `secret` goes into its welcome (protocol 4.2); empty where POST is not used.
    // `session_name` is given for faces that send no connect frame, which are welcome at once.
    void open(
        std::uint64_t connection, face f, std::string_view secret, std::string_view session_name, instant now
    ) {
        sessions_.open(connection, f, secret, session_name, now);
    }
    // Lines arrived (protocol 2.3); for the faces that speak in frames. They are carried out one after the
    // other until this call has put more than `answer_bytes_max` for the connection into out(), or until
    // other shards are making answers for it: nobody may make the server hold more answers than it reads.
    // Returns how many bytes of `lines` are done; the rest is to be given again when the answers are written.
    // All, when the connection is gone.
    static constexpr std::size_t no_limit = sessions::no_limit;
    std::size_t receive(
        std::uint64_t connection, std::string_view lines, instant now, std::size_t answer_bytes_max = no_limit
    ) {
        return sessions_.receive(connection, lines, now, answer_bytes_max);
    }
    // A message was larger than message_bytes_max; `head` is its beginning.
    void receive_oversized(std::uint64_t connection, std::string_view head, instant now) {
        sessions_.receive_oversized(connection, head, now);
    }
    // One command that the shell made itself (plain faces, HTTP API). Its views are used only during the
    // call.
    void execute(std::uint64_t connection, const command& c, instant now) {
        sessions_.execute(connection, c, now);
    }
    // A sign of life that is not a line, e.g. a WebSocket pong.
    void heard(std::uint64_t connection, instant now) { sessions_.heard(connection, now); }
    // The connection is gone.
    void closed(std::uint64_t connection, instant now) { sessions_.closed(connection, now); }
    // A value posted by another shard or by an observer.
    void receive(shard_message&& m, instant now);
    // To be called about once a second: heartbeats, deadlines, ages.
    void tick(instant now);
    // The server goes down: every protocol connection is told to come back after a moment of its own within
    // `spread_ms`, and closed.
    void drain(close_code code, std::uint32_t spread_ms, instant now) {
        sessions_.drain(code, spread_ms, now);
    }
    // The same for a server in whose place another one takes new connections: clients of the protocol are
    // told to open their next connection within `spread_ms`, and keep this one until that serves, or drain()
    // comes.
    void hand_over(close_code code, std::uint32_t spread_ms, instant now) {
        sessions_.hand_over(code, spread_ms, now);
    }

    // --- durable channels: common/exchange/store.hpp ---

    // Before anything else: what the store kept of the channels that this hub owns, channels first. What a
    // namespace keeps no longer, or is not durable any more, is left out.
    void restore(restored_channel&& kept, instant now) { channels_.restore(std::move(kept), now); }
    void restore(const restored_key& kept, instant now) { channels_.restore(kept, now); }
    // The operations up to `number` are safe.
    void stored(std::uint64_t number, instant now) { channels_.stored(number, now); }
    // An operation of `term` was not carried out, and none after it. All publishes that wait get the error.
    void store_failed(std::uint32_t term, error_code code, std::string_view text, instant now) {
        channels_.store_failed(term, code, text, now);
    }

    output& out() { return output_; }
    // Counted since the hub was made.
    counters count() const { return {sessions_.count(), channels_.count()}; }
    std::size_t session_count() const { return sessions_.session_count(); }
    std::size_t subscription_count() const { return sessions_.subscription_count(); }
    std::size_t channel_count() const { return channels_.channel_count(); }
    // Of all channels with their histories: limits::history_bytes_total_max.
    std::uint64_t history_bytes() const { return channels_.history_bytes(); }

private:
    // Values for the own shard are handled at once, others wait in the output.
    void publish(const publish_view& p, instant now) override;
    void change(channel_change&& value, instant now) override;
    void read(channel_read&& value, instant now) override;
    void post(shard_index to, to_session&& value, instant now) override;

    config config_;
    output output_;
    sessions sessions_{config_, *this, *this, output_};
    channels channels_{config_, *this, output_};
};

}  // namespace pulsewire::hub
