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
// handlers but no connection. An exception from a handler is logged; the client gets the error
// `handler_failed`. docs/cpp.md is the guide.

#include "common/message/json_schema.hpp"
#include "common/message/message.hpp"
#include "common/message/typescript.hpp"
#include "server/app/contexts.hpp"
#include "server/app/handlers.hpp"
#include "server/config.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace pulsewire {

// Whether a message is kept. A transient one reaches the current subscribers only and has
// no place in the channel's history.
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
    // A connection has subscribed to a channel; with `prefix`, to one whose name starts with it.
    server& on_subscribe(std::function<void(subscription_event&)> handler);
    server& on_subscribe(std::string prefix, std::function<void(subscription_event&)> handler);

    // A client wants to do one of these operations on a channel whose name starts with `prefix`, and neither
    // its token nor the namespace forbids it: handler(const authorization_request&) decides. It returns
    // authorization::allow(), authorization::deny(reason), or request.later() and answers by that, from any
    // thread. The command, and everything that the client sends after it, waits for the answer; other clients
    // do not. Of several handlers that fit a command, the first that was registered decides.
    server& authorize(
        std::string prefix, operations what,
        std::function<authorization(const authorization_request&)> handler
    );

    // A client publishes an M; with `prefix`, in a channel whose name starts with it: handler(const M&,
    // publish_context&). The payload has been checked: the sender of one that does not fit gets the error
    // `invalid_payload`, and the handler is not called. As soon as one handler is registered, all publishes
    // of clients pass through the application's thread, to keep their order.
    template <class M, class Handler>
    server& on(Handler handler) {
        return on<M>({}, std::move(handler));
    }
    template <class M, class Handler>
    server& on([[maybe_unused]] std::string prefix, [[maybe_unused]] Handler handler) {
        if constexpr (detail::require_message<M>() && detail::require_publish_handler<Handler, M>()) {
            add_types<M>();
            add_publish_handler(
                message_name<M>, std::move(prefix),
                [handler = std::move(handler
                 )](shell::payload_view payload, publish_context& c) mutable -> std::optional<payload_error> {
                    if (auto wrong = payload.unless(false, message_name<M>)) return wrong;
                    auto message = decode_payload<M>(payload.text);
                    if (!message) return std::move(message).error();
                    handler(std::as_const(*message), c);
                    return std::nullopt;
                }
            );
        }
        return *this;
    }
    // Message types without a handler: publishes of them are checked, and they are part of typescript()
    // and schemas().
    template <class... M>
    server& declare() {
        (on<M>([](const M&, publish_context&) {}), ...);
        return *this;
    }
    // Message types that only the server publishes; they become part of typescript() and schemas().
    template <class... M>
    server& publishes() {
        if constexpr ((detail::require_message<M>() && ...)) (add_types<M>(), ...);
        return *this;
    }

    // A client sends a Request: handler(const Request&, request_context&) returns a Response or a
    // result<Response, rejection>. Each type has one handler; a later one replaces it.
    template <class Request, class Response, class Handler>
    server& handle([[maybe_unused]] Handler handler) {
        if constexpr (detail::require_message<Request>() && detail::require_travels<Response>() && detail::require_request_handler<Handler, Request, Response>()) {
            types_.request<Request, Response>();
            add_request_handler(
                message_name<Request>,
                [handler = std::move(handler
                 )](shell::payload_view payload, request_context& c) mutable -> shell::request_outcome {
                    if (auto wrong = payload.unless(false, message_name<Request>)) return *wrong;
                    auto asked = decode_payload<Request>(payload.text);
                    if (!asked) return std::move(asked).error();
                    using returned = decltype(handler(std::as_const(*asked), c));
                    if constexpr (std::is_convertible_v<returned, Response>) {
                        return shell::answer_payload{
                            encode_payload(static_cast<Response>(handler(std::as_const(*asked), c)))};
                    } else {
                        result<Response, rejection> outcome = handler(std::as_const(*asked), c);
                        if (!outcome) return std::move(outcome).error();
                        return shell::answer_payload{encode_payload(*outcome)};
                    }
                }
            );
        }
        return *this;
    }

    // A client publishes bytes under this type (docs/protocol.md 2.5). A publish of JSON under it is refused
    // with `invalid_payload`. The bytes live during the call.
    using bytes_handler = std::function<void(std::span<const std::byte>, publish_context&)>;
    server& on_bytes(std::string_view type, bytes_handler handler, std::string prefix = {});
    // A client sends bytes as a request of this type, and gets the bytes that are returned.
    using bytes_answer = result<std::vector<std::byte>, rejection>;
    server& handle_bytes(
        std::string_view type,
        std::function<bytes_answer(std::span<const std::byte>, request_context&)> handler
    );

    // --- from any thread, at any time ---

    // Publishes to all subscribers. The messages of one thread keep their order. Throws
    // std::invalid_argument when `channel` is not a channel's name (docs/protocol.md 1.2). `conflate` is the
    // key by which newer messages replace waiting ones in namespaces with the policy latest_per_key (4.17);
    // empty: the type takes its place.
    template <class M>
    void publish(std::string channel, const M& m, keeping k = keeping::kept, std::string conflate = {}) {
        if constexpr (detail::require_message<M>())
            publish_payload(
                std::move(channel), message_name<M>, encode_payload(m), k, std::move(conflate), false
            );
    }
    // The same with a payload of bytes, which are copied. Throws std::invalid_argument when `type` is not the
    // name of a type (1.3), too.
    void publish_bytes(
        std::string channel, std::string_view type, std::span<const std::byte> bytes,
        keeping k = keeping::kept, std::string conflate = {}
    );

    // Runs `what` on the application's thread: at an interval, once after a delay, or as soon as possible.
    using timer_id = std::uint64_t;
    timer_id every(std::chrono::milliseconds interval, std::function<void()> what);
    timer_id after(std::chrono::milliseconds delay, std::function<void()> what);
    void cancel(timer_id id);
    void run_soon(std::function<void()> what);

    // --- running ---

    // Serves until SIGINT, SIGTERM or stop(). Then every client is asked to reconnect, and when all are gone
    // or shutdown_timeout_ms has passed, it returns the exit code for main(). When the server cannot start,
    // it prints the reason on standard error and returns 1.
    int run();
    // The first half of run(): returns when connections are accepted, which may take long with
    // config::standby. Throws std::runtime_error with the reason when it cannot start. With a data folder,
    // files that the process makes from then on are for its user alone (umask 077).
    void start();
    // The port that was bound. Precondition: started.
    std::uint16_t port() const;
    // Reads again all that may change while the server runs, as SIGHUP does: flags, environment and config
    // file (docs/operating.md says which settings), files of keys and schemas, and those of TLS. Where one is
    // faulty the reason is logged and what was read before stays in use. From any thread, while run() runs.
    void reload();
    // Reads the files of config::tls_certificate and tls_key again: new connections use them, open ones keep
    // theirs. If they cannot be used, the reason is logged and the old ones stay in use. From
    // any thread, while run() runs; does nothing without TLS.
    void reload_tls();
    // Ends run() as a signal does. From any thread; safe to call again.
    void stop();

    // The TypeScript module of all registered types and of those that have schemas in the config, or the
    // conflicts between them.
    result<std::string, typescript_error> typescript() const;
    // The registered message types as JSON Schema: an object as it may stand in the setting "types".
    std::string schemas() const { return schemas_.str(); }

private:
    struct parts;

    template <class M>
    void add_types() {
        types_.message<M>();
        schemas_.message<M>();
    }
    void add_publish_handler(std::string_view type, std::string prefix, shell::publish_handler handler);
    void add_request_handler(std::string_view type, shell::request_handler handler);
    void publish_payload(
        std::string channel, std::string_view type, std::string payload, keeping k, std::string conflate,
        bool binary
    );
    int print_typescript() const;

    typescript_writer types_;
    schema_writer schemas_;
    std::unique_ptr<parts> parts_;
};

}  // namespace pulsewire
