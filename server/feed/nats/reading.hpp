#pragma once

// Reads a subject of NATS JetStream for a feed, by a durable consumer that pushes.
//
// Such a consumer has one reader at a time, whom it finds by who subscribes to its deliver subject, and gives
// the next reader first what was not acknowledged, in its order. It gives no more than may be in flight.

#include "server/broker/nats/connection.hpp"
#include "server/config.hpp"
#include "server/feed/reading.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace pulsewire::shell::feed {

class nats_reading final : public reading {
public:
    // All outlive it.
    nats_reading(
        boost::asio::io_context& loop, const nats::address& where, const consume_settings& of, ticket& last,
        listener heard
    );

    void set_room(std::size_t) override {}
    void acknowledge(ticket number) override;
    void bury(const record& bad, const std::string& reason) override;
    void release(std::function<void()> done) override;

private:
    using clock = std::chrono::steady_clock;
    struct burial {
        ticket number = 0;
        clock::time_point since;
    };

    void on_message(const nats::delivery& one);
    void ask(std::string_view what, const std::string& subject, std::string_view body);
    void on_stream(std::string_view answer);
    void take_over();
    void on_consumer(std::string_view answer);
    void begin();
    void give(const nats::delivery& one);
    void on_buried(std::string_view what, const nats::delivery& answer);
    void on_time();
    void say_in_progress();
    void lose(std::string reason);

    const consume_settings& of_;
    ticket& last_;
    listener heard_;
    std::string stream_;
    std::string consumer_;                  // its durable name
    std::map<ticket, std::string> places_;  // where each record that was given is acknowledged
    std::map<std::uint64_t, burial> burials_;
    std::uint64_t last_burial_ = 0;
    bool is_reading_ = false;
    bool is_lost_ = false;
    clock::time_point heard_at_ = clock::now();
    clock::time_point in_progress_at_ = clock::now();
    boost::asio::steady_timer timer_;
    nats::connection connection_;
    // Ends with the object: a timer that has expired calls even when it was destroyed since.
    const std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace pulsewire::shell::feed
