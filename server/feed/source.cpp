#include "server/feed/source.hpp"

#include <utility>

namespace pulsewire::shell::feed {

void source::start(reading::listener heard) {
    heard_ = std::move(heard);
    begin();
}

void source::begin() {
    retired_.reset();
    reading::listener of_this = heard_;
    of_this.on_reading = [this] {
        again_.reset();
        heard_.on_reading();
    };
    of_this.on_lost = [this](std::string reason) {
        // Its caller still uses it.
        retired_ = std::move(now_);
        heard_.on_lost(std::move(reason));
        again_.after([this] { begin(); });
    };
    now_ = make_(last_, std::move(of_this));
    now_->set_room(room_);
}

void source::set_room(std::size_t records) {
    room_ = records;
    if (now_) now_->set_room(records);
}

void source::acknowledge(ticket number) {
    if (now_) now_->acknowledge(number);
}

void source::bury(const record& bad, const std::string& reason) {
    if (now_) now_->bury(bad, reason);
}

void source::release(std::function<void()> done) {
    again_.stop();
    now_ ? now_->release(std::move(done)) : done();
}

}  // namespace pulsewire::shell::feed
