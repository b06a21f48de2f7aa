#include "server/feed/feeds.hpp"

#include "server/feed/feed.hpp"
#include "server/log.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <set>
#include <thread>
#include <utility>

namespace pulsewire::shell::feed {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds tick_interval{50};
// The brokers have so long to hear that this server reads no more.
constexpr std::chrono::milliseconds release_time_max{500};

}  // namespace

class feeds::thread {
public:
    ~thread() { stop(); }

    std::string add(consume_settings of, std::uint32_t payload_bytes_max) {
        auto made = feed::make(std::move(of), payload_bytes_max, loop_);
        if (!made) return made.error();
        all_.push_back(std::move(*made));
        return {};
    }

    const std::vector<std::unique_ptr<feed>>& all() const { return all_; }

    void start(node& home) {
        runs_ = std::thread([this, &home] {
            const auto stays = asio::make_work_guard(*loop_);
            for (std::size_t i = 0; i < all_.size(); ++i)
                all_[i]->start(home, static_cast<hub::shard_index>(i % home.shard_count()));
            tick();
            loop_->run();
        });
    }

    void stop() {
        if (!runs_.joinable()) return;
        asio::post(*loop_, [this] { release(); });
        runs_.join();
    }

private:
    void tick() {
        for (const auto& one : all_) one->tick();
        timer_.expires_after(tick_interval);
        timer_.async_wait([this](const auto& error) {
            if (!error) tick();
        });
    }

    void release() {
        timer_.expires_after(release_time_max);
        timer_.async_wait([this](const auto&) { loop_->stop(); });
        unreleased_ = all_.size();
        for (const auto& one : all_)
            one->release([this] {
                if (--unreleased_ == 0) loop_->stop();
            });
    }

    // Shared with what shards may still answer.
    const std::shared_ptr<asio::io_context> loop_ = std::make_shared<asio::io_context>(1);
    asio::steady_timer timer_{*loop_};
    std::vector<std::unique_ptr<feed>> all_;
    std::size_t unreleased_ = 0;
    std::thread runs_;
};

result<std::unique_ptr<feeds>, std::string> feeds::make(const config& settings) {
    auto made = std::make_unique<thread>();
    std::set<std::string> names;
    for (consume_settings one : settings.consume) {
        if (one.broker.empty()) {
            one.broker = settings.broker;
            if (one.broker_ca_file.empty()) one.broker_ca_file = settings.broker_ca_file;
        }
        if (one.group.empty()) one.group = "pulsewire-" + one.name;
        if (!names.insert(one.name).second)
            return failure("consume: two are named \"" + log::printable(one.name) + "\"");
        if (one.broker.empty())
            return failure(
                "consume \"" + log::printable(one.name) +
                "\": broker is missing, for example \"redis://localhost:6379\""
            );
        if (std::string fault = made->add(std::move(one), settings.bounds.message_bytes_max); !fault.empty())
            return failure(std::move(fault));
    }
    return std::unique_ptr<feeds>(new feeds(std::move(made)));
}

feeds::feeds(std::unique_ptr<thread> t) : thread_(std::move(t)) {}

feeds::~feeds() = default;

std::vector<const feed_counters*> feeds::counters() const {
    std::vector<const feed_counters*> all;
    for (const auto& one : thread_->all()) all.push_back(&one->counters());
    return all;
}

void feeds::start(node& home) {
    thread_->start(home);
}

void feeds::stop() {
    thread_->stop();
}

}  // namespace pulsewire::shell::feed
