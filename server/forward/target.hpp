#pragma once

// Where the records of a forward go: one writing after another, each begun some time after the one before was
// lost.

#include "common/base/result.hpp"
#include "server/config.hpp"
#include "server/feed/reconnect.hpp"
#include "server/forward/writing.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace pulsewire::shell::forward {

// What a broker's adapter offers.
struct target_kind {
    std::function<std::unique_ptr<writing>(writing::listener heard)> make;
    // Publications of one channel that may be on their way: one, where the broker may refuse one and take the
    // next.
    std::size_t window = 1;
};

class target {
public:
    // The loop outlives it.
    target(boost::asio::io_context& loop, target_kind kind) : kind_(std::move(kind)), again_(loop) {}
    target(const target&) = delete;
    target& operator=(const target&) = delete;

    std::size_t window() const { return kind_.window; }
    // After on_lost the next writing is begun.
    void start(writing::listener heard) {
        heard_ = std::move(heard);
        begin();
    }
    void send(ticket number, record&& what) {
        if (now_) now_->send(number, std::move(what));
    }

private:
    void begin() {
        retired_.reset();
        writing::listener of_this = heard_;
        of_this.on_acknowledged = [this](ticket number) {
            again_.reset();
            heard_.on_acknowledged(number);
        };
        of_this.on_lost = [this](std::string reason) {
            // Its caller still uses it.
            retired_ = std::move(now_);
            heard_.on_lost(std::move(reason));
            again_.after([this] { begin(); });
        };
        now_ = kind_.make(std::move(of_this));
    }

    const target_kind kind_;
    writing::listener heard_;
    feed::reconnect again_;
    std::unique_ptr<writing> now_;  // null: waits for the next attempt
    std::unique_ptr<writing> retired_;
};

// By the scheme of the broker. The error is a sentence for the operator, without a password. The loop and
// `of` outlive what it makes.
result<target_kind, std::string> make_target(const forward_settings& of, boost::asio::io_context& loop);

}  // namespace pulsewire::shell::forward
