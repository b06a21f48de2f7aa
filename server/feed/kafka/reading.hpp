#pragma once

// Reads a topic of Kafka for a feed, as a member of a consumer group: the partitions that the group's
// coordinator assigns to it, from the committed offsets on. A new assignment begins anew there, and what was
// given before is void.

#include "server/broker/kafka/settings.hpp"
#include "server/config.hpp"
#include "server/feed/reading.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace pulsewire::shell::feed {

class kafka_reading final : public reading {
public:
    // All outlive it.
    kafka_reading(
        boost::asio::io_context& loop, const kafka::client_options& options, const consume_settings& of,
        ticket& last, listener heard
    );
    // Waits for the library's threads, which end within a second or so.
    ~kafka_reading() override;

    void set_room(std::size_t records) override;
    void acknowledge(ticket number) override;
    void bury(const record& bad, const std::string& reason) override;
    void release(std::function<void()> done) override;

private:
    class worker;
    const std::unique_ptr<worker> worker_;
};

}  // namespace pulsewire::shell::feed
