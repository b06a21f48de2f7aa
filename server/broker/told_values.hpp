#pragma once

// Values for a broker's handler that come about one by one: what is told in one turn of the loop is handed
// over together, and appends that follow each other are added up.

#include "server/broker/broker.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <utility>
#include <variant>
#include <vector>

namespace pulsewire::shell {

class told_values {
public:
    // `loop` outlives it, and runs on one thread, which makes all calls.
    told_values(boost::asio::io_context& loop, broker::handler handler)
        : loop_(loop), handler_(std::move(handler)) {}

    void tell(cluster::from_broker&& value) {
        if (told_.empty()) boost::asio::post(loop_, [this] { hand_over(); });
        if (!told_.empty() && adds_up(told_.back(), value)) return;
        told_.push_back(std::move(value));
    }

private:
    static bool adds_up(cluster::from_broker& last, const cluster::from_broker& value) {
        auto* const before = std::get_if<cluster::appended>(&last.what);
        const auto* const more = std::get_if<cluster::appended>(&value.what);
        if (before == nullptr || more == nullptr || last.partition != value.partition) return false;
        if (before->connection != more->connection) return false;
        before->records += more->records;
        return true;
    }

    void hand_over() {
        std::vector<cluster::from_broker> values;
        values.swap(told_);
        handler_(values);
    }

    boost::asio::io_context& loop_;
    const broker::handler handler_;
    std::vector<cluster::from_broker> told_;
};

}  // namespace pulsewire::shell
