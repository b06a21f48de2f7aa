#include "server/feed/feed.hpp"

#include "common/base/overloaded.hpp"
#include "server/log.hpp"

#include <chrono>
#include <utility>

namespace pulsewire::shell::feed {
namespace {

// Lines about bad records that one feed writes; the metric counts all.
constexpr std::uint32_t bad_lines_per_second = 10;

std::int64_t now_ms() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace

result<std::unique_ptr<feed>, std::string> feed::make(
    consume_settings of, std::uint32_t payload_bytes_max, std::shared_ptr<boost::asio::io_context> loop
) {
    auto read = mapping::read(of, payload_bytes_max);
    if (!read) return failure(read.error());
    auto made = std::unique_ptr<feed>(new feed(std::move(of), std::move(*read), std::move(loop)));
    auto from = make_source(made->of_, *made->loop_);
    if (!from) return failure("consume \"" + made->of_.name + "\": " + from.error());
    made->source_.emplace(*made->loop_, std::move(*from));
    return made;
}

feed::feed(consume_settings of, mapping m, std::shared_ptr<boost::asio::io_context> loop)
    : of_(std::move(of)), mapping_(std::move(m)), loop_(std::move(loop)), bad_lines_(bad_lines_per_second) {
    counters_.name = of_.name;
}

void feed::start(node& home, hub::shard_index where) {
    door_ = std::make_unique<door>(
        home, where, "feed-" + of_.name, loop_,
        [this](ticket number, error_code refused, const std::string& text) {
            on_answer(number, refused, text);
        }
    );
    reading::listener heard;
    heard.on_record = [this](record&& one) { on_record(std::move(one)); };
    heard.on_buried = [this](ticket number, const std::string& refused) { on_buried(number, refused); };
    heard.on_reading = [this] { on_reading(); };
    heard.on_waiting = [this] { on_waiting(); };
    heard.on_lost = [this](const std::string& reason) { on_lost(reason); };
    source_->set_room(logic_.room());
    source_->start(std::move(heard));
}

// --- the source ---

void feed::on_record(record&& one) {
    const ticket number = one.number;
    auto what = mapping_.publication_of(one);
    records_.emplace(number, std::move(one));
    logic_.arrived(number, std::move(what));
    carry_out();
}

void feed::on_buried(ticket number, const std::string& refused) {
    if (!refused.empty())
        log::warning(
            "consume \"", of_.name, "\": a bad record is kept nowhere, because ",
            log::printable(of_.dead_letters), " does not take it: ", refused
        );
    records_.erase(number);
    logic_.buried(number);
    carry_out();
}

void feed::on_reading() {
    forget_all();
    if (std::exchange(is_away_, false)) log::info("consume \"", of_.name, "\": the broker is back");
    counters_.connected = true;
    counters_.reading = true;
    log::info("consume \"", of_.name, "\": reading from ", log::printable(of_.from));
}

void feed::on_waiting() {
    if (std::exchange(is_away_, false)) log::info("consume \"", of_.name, "\": the broker is back");
    if (!counters_.connected.exchange(true))
        log::info("consume \"", of_.name, "\": another server reads; this one waits for its turn");
    counters_.reading = false;
}

void feed::on_lost(const std::string& reason) {
    forget_all();
    counters_.connected = false;
    counters_.reading = false;
    if (std::exchange(is_away_, true)) return;
    log::warning(
        "consume \"", of_.name, "\" does not go on: ", reason, ". It is tried again until it works."
    );
}

// Whatever was not acknowledged comes again.
void feed::forget_all() {
    logic_.lost();
    records_.clear();
    counters_.in_flight = 0;
    source_->set_room(logic_.room());
}

// --- the hub ---

void feed::on_answer(ticket number, error_code refused, const std::string& text) {
    if (passes(refused)) ++counters_.retries;
    logic_.answered(number, refused, text, now_ms());
    carry_out();
}

void feed::tick() {
    logic_.tick(now_ms());
    carry_out();
}

void feed::carry_out() {
    for (consumer::action& one : logic_.take_actions()) {
        std::visit(
            overloaded{
                [&](consumer::publish& p) { door_->publish(p.number, std::move(p.what)); },
                [&](consumer::acknowledge& a) {
                    ++counters_.published;
                    records_.erase(a.number);
                    source_->acknowledge(a.number);
                },
                [&](consumer::bury& b) { bury(b.number, b.reason); },
            },
            one
        );
    }
    counters_.in_flight = logic_.in_flight();
    source_->set_room(logic_.room());
}

void feed::bury(ticket number, const std::string& reason) {
    const auto found = records_.find(number);
    if (found == records_.end()) return;
    ++counters_.bad;
    if (bad_lines_.admits(now_ms()))
        log::warning(
            "consume \"", of_.name, "\": the record ", log::printable(found->second.position), " of ",
            log::printable(of_.from), " becomes no message: ", reason
        );
    if (!of_.dead_letters.empty()) return source_->bury(found->second, reason);
    source_->acknowledge(number);
    records_.erase(found);
    logic_.buried(number);
}

}  // namespace pulsewire::shell::feed
