#pragma once

// The arguments of handlers: the connection that did something, and the possible reactions. All of them
// belong to the application's thread.

#include "common/exchange/shard_message.hpp"
#include "common/message/message.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace pulsewire {

namespace shell {
class application;
}

// One connection of a client. A small value: keep copies as long as you like. Calls for a
// connection that is gone have no effect.
class connection {
public:
    // The name under which others see the session (protocol 4.2), kept across its reconnects.
    const std::string& session() const { return session_; }

    // The user's name as messages carry it (protocol 1.5), by the token that the client showed; empty:
    // unknown.
    const std::string& user() const { return user_; }

    // Sends a message to this connection alone; the client's handlers of `channel` get it.
    template <class M>
    void send(std::string_view channel, const M& m) const {
        if constexpr (detail::require_message<M>()) send_payload(channel, message_name<M>, encode_payload(m));
    }
    // Ends the connection. With the code `normal` and those from 4500 on the client does not come back.
    void close(close_code code = close_code::normal, std::string reason = {}) const;

    friend bool operator==(const connection& a, const connection& b) { return a.ref_ == b.ref_; }

private:
    friend class shell::application;
    connection(shell::application& home, hub::connection_ref ref, std::string session, std::string user)
        : home_(&home), ref_(ref), session_(std::move(session)), user_(std::move(user)) {}
    void send_payload(std::string_view channel, std::string_view type, std::string payload) const;

    shell::application* home_;
    hub::connection_ref ref_;
    std::string session_;
    std::string user_;
};

// A connection has subscribed. Messages sent here arrive after the replayed ones.
class subscription_event {
public:
    const connection& who() const { return who_; }
    const std::string& session() const { return who_.session(); }
    const std::string& user() const { return who_.user(); }
    const std::string& channel() const { return channel_; }

    template <class M>
    void send(const M& m) const {
        who_.send(channel_, m);
    }

private:
    friend class shell::application;
    subscription_event(connection who, std::string channel)
        : who_(std::move(who)), channel_(std::move(channel)) {}

    connection who_;
    std::string channel_;
};

// A client publishes, and the message is not in the channel yet. If the handler calls none of the functions
// below, the message is published unchanged.
class publish_context {
public:
    const connection& who() const { return who_; }
    const std::string& session() const { return who_.session(); }
    const std::string& user() const { return who_.user(); }
    const std::string& channel() const { return what_.channel; }
    bool transient() const { return what_.transient; }

    // Sends a message to the sender alone, in this channel.
    template <class M>
    void send(const M& m) const {
        who_.send(what_.channel, m);
    }

    // Nothing is published; the sender gets the error `rejected` with the reason.
    void reject(std::string reason);
    // Nothing is published; the sender gets an acknowledgement as if it were.
    void drop();
    // `m` is published instead.
    template <class M>
    void publish_instead(const M& m) {
        if constexpr (detail::require_message<M>()) replace(message_name<M>, encode_payload(m), {});
    }
    // The same, but the sender does not show it to its own handlers.
    template <class M>
    void publish_to_others(const M& m) {
        if constexpr (detail::require_message<M>()) replace(message_name<M>, encode_payload(m), session());
    }

private:
    friend class shell::application;
    enum class verdict : std::uint8_t { pass, drop, reject };
    publish_context(connection who, hub::publish what) : who_(std::move(who)), what_(std::move(what)) {}
    void replace(std::string_view type, std::string payload, std::string except);

    connection who_;
    hub::publish what_;
    verdict verdict_ = verdict::pass;
    bool settled_ = false;  // later handlers are not asked
    std::string reason_;
};

// A client has sent a request.
class request_context {
public:
    const connection& who() const { return who_; }
    const std::string& session() const { return who_.session(); }
    const std::string& user() const { return who_.user(); }

private:
    friend class shell::application;
    explicit request_context(connection who) : who_(std::move(who)) {}

    connection who_;
};

// A request handler may return this instead of an answer: the client gets the
// error `rejected` with the reason.
struct rejection {
    std::string reason;
};

}  // namespace pulsewire
