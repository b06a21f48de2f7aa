#pragma once

// The part of the server's logic that belongs to one shard. It consists of two halves, the sessions of
// the connections that the shard accepted and the channels that it owns, which exchange values only. Channels
// of the log that several nodes share are a part of their own, which a shell adds where there is one.
// Sans-I/O: the shell passes in events and the time; the resulting actions collect in out(), which the
// shell carries out and clears after each call. One hub belongs to one thread; hubs of a node
// communicate only through `posts`.

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

    // A connection was opened. `secret` goes into its welcome (protocol 4.2); it is empty where POST is not
    // used. `session_name` is given for faces that send no `connect`; they are welcome at once. `source` is a
    // number for the address where it comes from, which has its share of what all have together: 0 where many
    // may share the address. `who` is known where a token came with the request that opened it.
    void open(
        std::uint64_t connection, face f, std::string_view secret, std::string_view session_name, instant now,
        std::uint64_t source = 0, access::principal_ptr who = nullptr
    ) {
        sessions_.open(connection, f, secret, session_name, now, source, std::move(who));
    }
    // A token that the output has asked to verify; an outcome for a connection that is gone does nothing.
    void verified(std::uint64_t connection, std::uint64_t number, access::verdict outcome, instant now) {
        sessions_.verified(connection, number, std::move(outcome), now);
    }
    // Lines arrived (protocol 2.3), on a face that uses frames. They are carried out one after the other
    // until this call has put more than `answer_bytes_max` for the connection into out(), or until the
    // answers that owners are making for it weigh too much: a client must not make the server hold more
    // answers than it reads. Returns the number of bytes of `lines` that are done, or all of them when the
    // connection is gone. The shell gives the rest again when the answers are written. In a binary message
    // payloads of bytes follow some lines (2.5).
    static constexpr std::size_t no_limit = sessions::no_limit;
    std::size_t receive(
        std::uint64_t connection, std::string_view lines, instant now,
        std::size_t answer_bytes_max = no_limit, message_form form = message_form::text
    ) {
        return sessions_.receive(connection, lines, now, answer_bytes_max, form);
    }
    // A message was larger than message_bytes_max; `head` is its beginning.
    void receive_oversized(std::uint64_t connection, std::string_view head, instant now) {
        sessions_.receive_oversized(connection, head, now);
    }
    // Why a command of `who` would be refused on a new connection; nothing: it would not.
    std::optional<refusal> refusal_of(face f, access::principal_ptr who, const command& c) const {
        return sessions_.refusal_of(f, std::move(who), c);
    }
    // A command that the shell made itself (plain faces, HTTP API). Its views are used during the call only.
    void execute(std::uint64_t connection, const command& c, instant now) {
        sessions_.execute(connection, c, now);
    }
    // A sign of life that is not a line, e.g. a WebSocket pong.
    void heard(std::uint64_t connection, instant now) { sessions_.heard(connection, now); }
    // The connection is gone.
    void closed(std::uint64_t connection, instant now) { sessions_.closed(connection, now); }
    // A value posted by another shard or by an observer.
    void receive(shard_message&& m, instant now);
    // To be called about once a second, for heartbeats, deadlines and ages. Does a bounded part of what is
    // due; true: tick_on() does the next part, and others may have their turn before.
    bool tick(instant now);
    bool tick_on(instant now);
    // For so long nobody was served, because the loop itself was late: nobody earns credit for that time.
    void was_late(std::int64_t ms) { sessions_.was_late(ms); }
    // The server stops: every connection is closed, and the close frame asks the client to come back after a
    // random time of up to `spread_ms`.
    void drain(close_code code, std::uint32_t spread_ms, instant now) {
        sessions_.drain(code, spread_ms, now);
    }
    // From now on these namespaces hold, as far as they can change (take_changeable); a new one is otherwise
    // as the default. Subscriptions that are not permitted any more end.
    void use_namespaces(const config& fresh, instant now);
    // Another server takes over the address: clients of the protocol are asked to open their next connection
    // within `spread_ms`. They keep this one until the next one serves, or until drain() is called. Other
    // connections are closed as by drain().
    void hand_over(close_code code, std::uint32_t spread_ms, instant now) {
        sessions_.hand_over(code, spread_ms, now);
    }

    // --- durable channels: common/exchange/store.hpp ---

    // To be called before anything else, with everything that the store kept of the channels of this hub,
    // channels before keys. Channels of a namespace that is no longer durable, and publications that it no
    // longer keeps, are left out.
    void restore(restored_channel&& kept, instant now) { channels_.restore(std::move(kept), now); }
    void restore(const restored_key& kept, instant now) { channels_.restore(kept, now); }
    // The operations up to `number` are safe.
    void stored(std::uint64_t number, instant now) { channels_.stored(number, now); }
    // An operation of `term` was not carried out, nor any after it. All waiting publishes get the error.
    void store_failed(std::uint32_t term, error_code code, std::string_view text, instant now) {
        channels_.store_failed(term, code, text, now);
    }

    output& out() { return output_; }
    // --- the shared log: common/cluster/log_channels.hpp ---

    // Before anything else: the channels of namespaces with durability::broker are there, and their owner
    // answers sessions by the port. It outlives the hub's use.
    void use_log(log_port& log) { log_ = &log; }
    session_port& port_to_sessions() { return *this; }
    const config& settings() const { return config_; }

    // Counted since the hub was made.
    counters count() const { return {sessions_.count(), channels_.count()}; }
    std::size_t session_count() const { return sessions_.session_count(); }
    std::size_t subscription_count() const { return sessions_.subscription_count(); }
    std::size_t channel_count() const { return channels_.channel_count(); }
    // The publish keys that are remembered: limits::idempotency_keys_max.
    std::size_t key_count() const { return channels_.key_count(); }
    // The memory of all channels with their histories: limits::history_bytes_total_max.
    std::uint64_t history_bytes() const { return channels_.history_bytes(); }

private:
    // The ports between the halves: values for the own shard are handled at once, others wait in the output.
    void publish(const publish_view& p, instant now) override;
    void change(channel_change&& value, instant now) override;
    void read(channel_read&& value, instant now) override;
    void read(attach&& value, instant now) override;
    void read(detach&& value, instant now) override;
    void post(shard_index to, to_session&& value, instant now) override;
    void post(shard_index to, attached&& value, instant now) override;
    void post(shard_index to, deliver&& value, instant now) override;
    void post(shard_index to, reply&& value, instant now) override;
    // The own channel that a value names is changed or read.
    template <class Value>
    void hand_to_channels(Value&& value, instant now);
    // The value has come to its shard.
    template <class Value>
    void hand_to_sessions(Value&& value, instant now);
    template <class Value>
    void read_named(Value&& value, instant now);
    template <class Value>
    void post_one(shard_index to, Value&& value, instant now);

    config config_;
    output output_;
    log_port* log_ = nullptr;  // null: without
    bool sessions_are_due_ = false, members_are_due_ = false;
    sessions sessions_{config_, *this, *this, output_};
    channels channels_{config_, *this, output_};
};

}  // namespace pulsewire::hub
