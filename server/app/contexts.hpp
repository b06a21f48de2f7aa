#pragma once

// The arguments of handlers: the connection that did something, and the possible reactions. All of them
// belong to the application's thread.

#include "common/exchange/shard_message.hpp"
#include "common/exchange/to_observer.hpp"
#include "common/message/message.hpp"
#include "common/protocol/codes.hpp"
#include "common/protocol/operations.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
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
        if constexpr (detail::require_message<M>())
            send_payload(channel, message_name<M>, encode_payload(m), false);
    }
    // The same with a payload of bytes, which are copied.
    void send_bytes(std::string_view channel, std::string_view type, std::span<const std::byte> bytes) const;
    // Asks the client to subscribe to the channel (docs/protocol.md 4.26), unless it is subscribed or may
    // not.
    void subscribe(std::string_view channel) const;
    // Ends its subscription to the channel; the client is told that this is forbidden now.
    void unsubscribe(std::string_view channel) const;
    // Ends the connection. With the code `normal` and those from 4500 on the client does not come back.
    void close(close_code code = close_code::normal, std::string reason = {}) const;

    friend bool operator==(const connection& a, const connection& b) { return a.ref_ == b.ref_; }

private:
    friend class shell::application;
    connection(shell::application& home, hub::connection_ref ref, std::string session, std::string user)
        : home_(&home), ref_(ref), session_(std::move(session)), user_(std::move(user)) {}
    void send_payload(std::string_view channel, std::string_view type, std::string_view payload, bool binary)
        const;

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
    // Ends the subscription again. What was published meanwhile may have arrived: a handler of
    // server::authorize() decides before.
    void refuse() const { who_.unsubscribe(channel_); }

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
    // The name of the message's type.
    const std::string& type() const { return what_.type; }
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

// The answer of a handler of server::authorize().
class authorization {
public:
    static authorization allow() { return authorization(error_code::none, {}); }
    // The client gets the error `forbidden` with the reason, which is for people.
    static authorization deny(std::string reason = "the application does not permit this") {
        return authorization(error_code::forbidden, std::move(reason));
    }

private:
    friend class shell::application;
    friend class pending_authorization;
    authorization(error_code refused, std::string reason) : refused_(refused), reason_(std::move(reason)) {}
    static authorization later() { return authorization(error_code::timeout, {}); }

    error_code refused_;
    std::string reason_;
};

// The answer that will be given later. A small value: keep copies as long as the server lives. Both functions
// may be called from any thread; the first call counts. Without any the client gets the error `timeout` after
// eight seconds (protocol 4.25).
class pending_authorization {
public:
    void allow() const { answer(authorization::allow()); }
    void deny(std::string reason = "the application does not permit this") const {
        answer(authorization::deny(std::move(reason)));
    }
    // What the handler returns.
    operator authorization() const { return authorization::later(); }

private:
    friend class authorization_request;
    pending_authorization(shell::application& home, hub::connection_ref to, std::uint64_t number)
        : home_(&home), to_(to), number_(number) {}
    void answer(authorization given) const;

    shell::application* home_;
    hub::connection_ref to_;
    std::uint64_t number_;
};

// A client wants to do something on a channel, and neither its token nor the namespace forbids it.
class authorization_request {
public:
    const connection& who() const { return who_; }
    const std::string& session() const { return who_.session(); }
    const std::string& user() const { return who_.user(); }
    const std::string& channel() const { return asked_.channel; }
    // Whether this is among what the client wants: one command may take several, such as a subscription that
    // begins with history.
    bool wants(operation one) const { return asked_.wants.has(one); }
    // The type of the message that it wants to publish, or to ask with; empty for other commands.
    const std::string& type() const { return asked_.type; }

    // For handlers that have to ask somebody else first: return it, and answer by it.
    pending_authorization later() const { return {*home_, asked_.who, asked_.number}; }

private:
    friend class shell::application;
    authorization_request(shell::application& home, connection who, hub::authorize asked)
        : home_(&home), who_(std::move(who)), asked_(std::move(asked)) {}

    shell::application* home_;
    connection who_;
    hub::authorize asked_;
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
