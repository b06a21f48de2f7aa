#pragma once

// A Pulsewire server inside a program: typed handlers, requests, timers, and publishing from any thread.
//
//     struct chat_message { std::string user; std::string text; };
//     PULSEWIRE_MESSAGE(chat_message, "chat.message", user, text)
//
//     int main(int argc, char** argv) {
//         pulsewire::server server(pulsewire::config::from_command_line(argc, argv));
//         server.on<chat_message>([](const chat_message& m, pulsewire::publish_context& c) {
//             if (m.text.empty()) c.reject("say something");
//         });
//         return server.run();
//     }
//
// All handlers and timers run on one thread of their own: they need no locks, and a slow one delays other
// handlers but no connection. An exception that a handler lets out is logged; the client gets the error
// `handler_failed`. docs/cpp.md is the guide.

#include "common/message/message.hpp"
#include "common/message/typescript.hpp"
#include "server/app/contexts.hpp"
#include "server/app/handlers.hpp"
#include "server/config.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace pulsewire {

// Kept or not: a transient message reaches who is there now, and has no place in the channel's history.
enum class keeping : bool { kept, transient };

class server {
public:
    explicit server(config settings = {});
    ~server();  // stops
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    // --- before run() or start() ---

    // A client has connected, or its connection has ended.
    server& on_connect(std::function<void(connection&)> handler);
    server& on_disconnect(std::function<void(connection&)> handler);
    // A connection has subscribed to a channel, to one whose name starts with `prefix`.
    server& on_subscribe(std::function<void(subscription_event&)> handler);
    server& on_subscribe(std::string prefix, std::function<void(subscription_event&)> handler);

    // A client publishes an M, in a channel whose name starts with `prefix`: handler(const M&,
    // publish_context&). The payload was checked; one that does not fit never comes here, its sender gets the
    // error `invalid_payload`. Registering one handler makes all publishes of clients pass through the
    // application's thread, to keep their order.
    template <message_type M, class Handler>
    server& on(Handler handler) {
        return on<M>({}, std::move(handler));
    }
    template <message_type M, class Handler>
    server& on(std::string prefix, Handler handler) {
        types_.message<M>();
        add_publish_handler(
            message_name<M>, std::move(prefix),
            [handler = std::move(handler
             )](std::string_view payload, publish_context& c) mutable -> std::optional<payload_error> {
                auto message = decode_payload<M>(payload);
                if (!message) return std::move(message).error();
                handler(std::as_const(*message), c);
                return std::nullopt;
            }
        );
        return *this;
    }
    // Message types without a handler: what clients publish of them is checked, and they are part of
    // typescript().
    template <message_type... M>
    server& declare() {
        (on<M>([](const M&, publish_context&) {}), ...);
        return *this;
    }
    // Message types that only the server publishes: part of typescript(), nothing else.
    template <message_type... M>
    server& publishes() {
        (types_.message<M>(), ...);
        return *this;
    }

    // A client asks with a Request: handler(const Request&, request_context&) returns a Response or a
    // result<Response, rejection>. One handler for each type; a later one takes its place.
    template <message_type Request, wire_type Response, class Handler>
    server& handle(Handler handler) {
        types_.request<Request, Response>();
        add_request_handler(
            message_name<Request>,
            [handler = std::move(handler
             )](std::string_view payload, request_context& c) mutable -> shell::request_outcome {
                auto asked = decode_payload<Request>(payload);
                if (!asked) return std::move(asked).error();
                using returned = decltype(handler(std::as_const(*asked), c));
                if constexpr (std::is_convertible_v<returned, Response>) {
                    return encode_payload(static_cast<Response>(handler(std::as_const(*asked), c)));
                } else {
                    result<Response, rejection> outcome = handler(std::as_const(*asked), c);
                    if (!outcome) return std::move(outcome).error();
                    return encode_payload(*outcome);
                }
            }
        );
        return *this;
    }

    // --- from any thread, at any time ---

    // Publishes to everybody who is subscribed. The messages of one thread keep their order. Throws
    // std::invalid_argument when `channel` is not a channel's name (docs/protocol.md 1.2). `conflate` names
    // what the message is the latest of, for namespaces with the policy latest_per_key (4.17); empty: its
    // type.
    template <message_type M>
    void publish(std::string channel, const M& m, keeping k = keeping::kept, std::string conflate = {}) {
        publish_payload(std::move(channel), message_name<M>, encode_payload(m), k, std::move(conflate));
    }

    // Runs `what` on the application's thread: again and again, once after a while, or as soon as may be.
    using timer_id = std::uint64_t;
    timer_id every(std::chrono::milliseconds interval, std::function<void()> what);
    timer_id after(std::chrono::milliseconds delay, std::function<void()> what);
    void cancel(timer_id id);
    void run_soon(std::function<void()> what);

    // --- running ---

    // Serves until SIGINT, SIGTERM or stop(). Then every client is told to come back, and when all are gone
    // or shutdown_timeout_ms has passed, the answer is the exit code for main(). When the server cannot start
    // it says why on standard error and returns 1.
    int run();
    // The first half of run(): returns when connections are accepted, with config::standby perhaps after a
    // long wait. Throws std::runtime_error with the reason.
    void start();
    // The port that was bound. Precondition: started.
    std::uint16_t port() const;
    // Reads the files of config::tls_certificate and tls_key again, as SIGHUP does: new connections get them,
    // open ones keep theirs. Where they cannot be used the log says why, and the old ones stay. From any
    // thread, while run() runs; does nothing without TLS.
    void reload_tls();
    // Makes run() end as a signal does. From any thread; safe to call again.
    void stop();

    // The TypeScript module of all registered types, or what cannot stand in one module.
    result<std::string, typescript_error> typescript() const { return types_.str(); }

private:
    struct parts;

    void add_publish_handler(std::string_view type, std::string prefix, shell::publish_handler handler);
    void add_request_handler(std::string_view type, shell::request_handler handler);
    void publish_payload(
        std::string channel, std::string_view type, std::string payload, keeping k, std::string conflate
    );
    int print_typescript() const;

    typescript_writer types_;
    std::unique_ptr<parts> parts_;
};

}  // namespace pulsewire
