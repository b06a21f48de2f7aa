#pragma once

// Publishes to subjects that a stream of JetStream keeps, for a forward. Each record has an id, by which the
// stream takes one that comes again within its duplicate window once.

#include "server/broker/nats/connection.hpp"
#include "server/config.hpp"
#include "server/forward/writing.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <string>

namespace pulsewire::shell::forward {

class nats_writing final : public writing {
public:
    // All outlive it.
    nats_writing(
        boost::asio::io_context& loop, const nats::address& where, const forward_settings& of, listener heard
    );

    void send(ticket number, record&& what) override;

private:
    using clock = std::chrono::steady_clock;
    struct sent {
        clock::time_point since;
        std::string subject;
    };

    void on_message(const nats::delivery& answer);
    void on_time();
    void lose(std::string reason);

    const forward_settings& of_;
    listener heard_;
    std::map<ticket, sent> sent_;  // without an answer
    bool is_lost_ = false;
    boost::asio::steady_timer timer_;
    nats::connection connection_;
    // Ends with the object: a timer that has expired calls even when it was destroyed since.
    const std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace pulsewire::shell::forward
