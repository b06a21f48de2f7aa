#pragma once

// The application: one thread on which all handlers and timers of the program run, so that they need no locks
// and never hold up connections. Shards post the events of clients to it; it posts values back to the shards.
//
// The class has many members because it is what programs see: a word for each thing that they may do.

#include "common/channel/idempotency_window.hpp"
#include "server/app/contexts.hpp"
#include "server/app/handlers.hpp"
#include "server/shard/node.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

namespace pulsewire::shell {

class application final : public observer_port {
public:
    explicit application(const config& settings);
    ~application() override;

    // --- before start() ---
    handlers& registered() { return handlers_; }

    // Runs the thread. `home` outlives it.
    void start(node& home);
    // Lets the thread finish the posted work, and ends it. Safe to call again.
    void stop();

    // --- from any thread ---
    void publish(
        std::string channel, std::string type, std::string payload, bool transient, std::string conflate = {},
        bool binary = false
    );
    std::uint64_t add_timer(
        std::chrono::milliseconds first, std::chrono::milliseconds interval, std::function<void()> what
    );
    void cancel_timer(std::uint64_t id);
    void run_soon(std::function<void()> what);
    void answer(hub::connection_ref to, std::uint64_t number, authorization given);
    void post(std::vector<hub::to_observer>&& batch) override;
    bool admit() override;
    hub::interests wants() const override;

    // --- on its thread ---
    void send_to(hub::connection_ref to, hub::message_ptr what, std::uint64_t ends_request = 0);
    void disconnect(hub::connection_ref who, close_code code, std::string reason);
    void subscribe(hub::connection_ref who, std::string channel);
    void unsubscribe(hub::connection_ref who, std::string channel);

private:
    using clock = std::chrono::steady_clock;
    struct timer {
        boost::asio::steady_timer wait;
        std::chrono::milliseconds interval;  // 0: once
        std::function<void()> what;
    };

    void run();
    template <class Call>
    bool guarded(std::string_view what, Call&& call) noexcept;
    void arm(std::uint64_t id);

    void handle(hub::connected& m);
    void handle(hub::disconnected& m);
    void handle(hub::client_subscribed& m);
    void handle(hub::client_publish& m);
    void handle(hub::authorize& m);
    void handle(hub::client_request& m, clock::time_point arrived);
    static bool is_remembered(const hub::publish& p);
    bool answered_before(const hub::publish& p);
    void ask_handlers(publish_context& c, bool declared_only);
    void settle(publish_context& c);
    void refuse(const hub::publish& p, error_code code, std::string_view text, std::string_view pointer = {});
    void pass_on(hub::publish&& p);
    void post(hub::shard_index to, hub::shard_message&& value);
    std::int64_t now_ms() const;

    const config& settings_;
    handlers handlers_;
    boost::asio::io_context loop_{1};
    std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_;
    std::thread thread_;
    std::atomic<std::thread::id> thread_id_{};
    node* home_ = nullptr;
    std::atomic<std::uint32_t> waiting_{0};
    std::atomic<std::uint64_t> last_timer_{0};
    std::unordered_map<std::uint64_t, std::unique_ptr<timer>> timers_;
    bool stopping_ = false;  // no new timers, which would keep the loop from ending
    // The keyed publishes that the handlers have seen: asking them again would
    // have a second effect (promise P4).
    hub::idempotency_window seen_;
};

}  // namespace pulsewire::shell
