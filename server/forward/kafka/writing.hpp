#pragma once

// Writes into topics of Kafka for a forward. The library's producer is idempotent and without gaps: of the
// records for one partition none reaches the log after one before it did not. Where it ends for that reason,
// which it does after faults of a broker, everything goes on from the places with another one.

#include "server/broker/kafka/settings.hpp"
#include "server/forward/writing.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>

namespace pulsewire::shell::forward {

class kafka_writing final : public writing {
public:
    // All outlive it.
    kafka_writing(boost::asio::io_context& loop, const kafka::client_options& options, listener heard);
    ~kafka_writing() override;

    void send(ticket number, record&& what) override;

private:
    class worker;
    const std::unique_ptr<worker> worker_;
};

}  // namespace pulsewire::shell::forward
