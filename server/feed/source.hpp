#pragma once

// Where the records of a feed come from: one reading after another, each begun some time after the one before
// was lost.

#include "common/base/result.hpp"
#include "server/config.hpp"
#include "server/feed/reading.hpp"
#include "server/feed/reconnect.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace pulsewire::shell::feed {

class source {
public:
    // Gives records numbers that count on from `last`, and keeps the newest one there.
    using maker = std::function<std::unique_ptr<reading>(ticket& last, reading::listener heard)>;

    // The loop outlives it.
    source(boost::asio::io_context& loop, maker make) : make_(std::move(make)), again_(loop) {}
    source(const source&) = delete;
    source& operator=(const source&) = delete;

    // After on_lost the next reading is begun; on_reading and on_lost say that what was given before is void.
    void start(reading::listener heard);
    void set_room(std::size_t records);
    void acknowledge(ticket number);
    void bury(const record& bad, const std::string& reason);
    // The end; nothing else is called after it.
    void release(std::function<void()> done);

private:
    void begin();

    const maker make_;
    reading::listener heard_;
    reconnect again_;
    ticket last_ = 0;
    std::size_t room_ = 0;
    std::unique_ptr<reading> now_;  // null: waits for the next attempt
    std::unique_ptr<reading> retired_;
};

// What makes the readings for a feed, by the scheme of its broker. The error is a sentence for the operator,
// without a password. The loop and `of` outlive what it makes.
result<source::maker, std::string> make_source(const consume_settings& of, boost::asio::io_context& loop);

}  // namespace pulsewire::shell::feed
