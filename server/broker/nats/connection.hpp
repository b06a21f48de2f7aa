#pragma once

// One connection to one server of a NATS. The library's calls may wait (for a name, for a handshake, for the
// end of its own threads), so each connection has a thread that makes it and ends it; what arrives on the
// library's threads is handed to the loop. The library does not connect again by itself and sends nothing
// twice.

#include "server/broker/nats/address.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pulsewire::shell::nats {

// Silence of a server that was asked something, after which it is taken for dead.
inline constexpr std::chrono::milliseconds patience{3'000};
// A write that the kernel has not taken for so long ends the connection.
inline constexpr std::chrono::milliseconds write_time_max{2'000};
// All servers of the address together have so long to answer.
inline constexpr std::chrono::milliseconds connect_time_max{4'000};
// Connections that were given up while they were being made: the library waits for a TLS handshake without
// end. Beyond, no other is begun.
inline constexpr int given_up_max = 8;

struct delivery {
    std::string_view subject;
    std::string_view reply;  // empty: none is wanted
    std::string_view bytes;
    int status = 0;  // 0: a message; else the server's word about a request, as in HTTP
    // Of a message that came to connection::own_subject().
    std::vector<std::pair<std::string, std::string>> headers = {};
};

class connection {
public:
    // All are called on the loop, and none from within a call.
    struct listener {
        std::function<void()> on_ready;
        std::function<void(const delivery&)> on_message;
        // The connection has ended. Gets one sentence, without a password.
        std::function<void(const std::string& reason)> on_failure;
    };
    // Begins to connect. `loop` outlives it.
    connection(
        boost::asio::io_context& loop, const address& where, const std::string& ca_file, listener heard
    );
    // No function is called any more.
    ~connection();
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    using headers = std::vector<std::pair<std::string, std::string>>;
    // After on_ready alone. Without a reply no answer is wanted. May wait for `write_time_max`.
    void publish(
        const std::string& subject, const std::string& reply, std::string_view bytes, const headers& with = {}
    );

    // After on_ready alone, once: what is sent to own_subject() arrives here, too. A subject without a
    // wildcard, because JetStream sees nobody behind the wildcard of inbox().
    void hear_own_subject();
    std::string own_subject() const { return inbox() + "-own"; }

    bool is_ready() const;
    // What is sent to a subject that begins with it and a dot arrives here.
    const std::string& inbox() const;
    // Another one after each start of the server.
    const std::string& server_id() const;
    // "the NATS at host:port", for sentences.
    std::string name() const;
    // What the server complained about last, in brackets and with a space before; or nothing.
    std::string complaint() const;

private:
    class shared_end;
    // Shared with the library's threads and the thread of the connection: they may be at work when the owner
    // lets go.
    const std::shared_ptr<shared_end> end_;
};

}  // namespace pulsewire::shell::nats
