#pragma once

// Publishes to a queue or an exchange of RabbitMQ for a forward, and waits for confirms. A message that no
// queue gets is not taken.

#include "server/broker/rabbitmq/connection.hpp"
#include "server/config.hpp"
#include "server/forward/writing.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace pulsewire::shell::forward {

class rabbitmq_writing final : public writing {
public:
    // All outlive it.
    rabbitmq_writing(const rabbitmq::dialer& to, const forward_settings& of, listener heard);
    ~rabbitmq_writing() override;

    void send(ticket number, record&& what) override;

private:
    using clock = std::chrono::steady_clock;
    struct sent {
        ticket number = 0;
        clock::time_point since;
    };

    void on_ready();
    void on_method(const amqp_method_t& method);
    void on_confirmed(std::uint64_t tag, bool multiple);
    void on_time();
    std::string place() const;
    void lose(std::string reason);

    const forward_settings& of_;
    listener heard_;
    std::map<std::uint64_t, sent> sent_;  // by the server's tag, without a confirm
    std::uint64_t last_tag_ = 0;
    bool is_lost_ = false;
    boost::asio::steady_timer timer_;
    std::shared_ptr<rabbitmq::connection> connection_;
    // Ends with the object: a timer that has expired calls even when it was destroyed since.
    const std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace pulsewire::shell::forward
