#include "server/forward/forwards.hpp"

#include "common/protocol/names.hpp"
#include "server/forward/forward.hpp"
#include "server/log.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace pulsewire::shell::forward {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds tick_interval{50};
// The destinations have so long to acknowledge what is on its way when the server ends.
constexpr std::chrono::milliseconds end_time_max{500};
// Longer than the history is kept after something was published, however clocks differ.
constexpr std::int64_t forget_margin_ms = 10 * 60'000;

failure<std::string> wrong(const forward_settings& of, std::string_view what) {
    return failure("forward \"" + log::printable(of.name) + "\": " + std::string(what));
}

result<surroundings, std::string> surroundings_of(const forward_settings& of, const config& settings) {
    const std::string name(namespace_of(of.from));
    const auto found = settings.namespaces.find(name);
    const namespace_options& options =
        found == settings.namespaces.end() ? settings.default_namespace : found->second;
    if (options.history_count_max == 0 || options.history_bytes_max == 0 || options.history_age_ms == 0)
        return wrong(of, "its namespace keeps no history, and what is forwarded is read from there");
    durability keeps = options.keeps;
    if (keeps == durability::automatic)
        keeps = !settings.broker.empty() ? durability::broker
                : !settings.data.empty() ? durability::disk
                                         : durability::memory;
    surroundings where;
    if (options.state_bytes_max == 0) where.forget_ms = options.history_age_ms + forget_margin_ms;
    if (keeps == durability::disk) where.place_path = settings.data + "/forward/" + of.name;
    if (keeps != durability::broker) return where;
    // The place is a publication there, which no snapshot would cover.
    if (options.state_bytes_max != 0)
        return wrong(of, "a namespace of the shared log that keeps state (state_bytes_max) is not forwarded");
    where.partitions = settings.broker_partitions;
    return where;
}

}  // namespace

class forwards::thread {
public:
    ~thread() { stop(); }

    std::string add(forward_settings of, const config& settings) {
        auto where = surroundings_of(of, settings);
        if (!where) return where.error();
        patterns_.push_back(of.from);
        auto made = forward::make(std::move(of), std::move(*where), loop_);
        if (!made) return made.error();
        all_.push_back(std::move(*made));
        return {};
    }

    // What a shard tells before the thread runs waits for it.
    node::forwarding for_node(node& home) {
        node::forwarding made;
        made.patterns = patterns_;
        for (const auto& one : all_) made.counters.push_back(&one->counters());
        made.reader_for = [this, &home](hub::shard_index index) {
            forward_tap::reader reader;
            reader.on_news = [this, &home, index, loop = loop_](std::vector<hub::channel_news>&& news) {
                asio::post(*loop, [this, &home, index, news = std::move(news)] {
                    for (const auto& one : all_) one->on_news(news);
                    shard& from = home.at(index);
                    asio::post(from.loop(), [&from] { from.tap().taken(); });
                });
            };
            reader.on_turns = [this, loop = loop_](std::vector<cluster::log_output::turn>&& turns) {
                asio::post(*loop, [this, turns = std::move(turns)] {
                    for (const auto& one : all_) one->on_turns(turns);
                });
            };
            return reader;
        };
        return made;
    }

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
        asio::post(*loop_, [this] {
            ends_at_ = std::chrono::steady_clock::now() + end_time_max;
            for (const auto& one : all_) one->hold();
        });
        runs_.join();
    }

private:
    void tick() {
        for (const auto& one : all_) one->tick();
        const bool is_idle =
            std::all_of(all_.begin(), all_.end(), [](const auto& one) { return one->is_idle(); });
        if (ends_at_ && (is_idle || std::chrono::steady_clock::now() >= *ends_at_)) return loop_->stop();
        timer_.expires_after(tick_interval);
        timer_.async_wait([this](const auto& error) {
            if (!error) tick();
        });
    }

    // Shared with what shards may still answer and tell.
    const std::shared_ptr<asio::io_context> loop_ = std::make_shared<asio::io_context>(1);
    asio::steady_timer timer_{*loop_};
    std::vector<std::string> patterns_;
    std::vector<std::unique_ptr<forward>> all_;
    std::optional<std::chrono::steady_clock::time_point> ends_at_;
    std::thread runs_;
};

result<std::unique_ptr<forwards>, std::string> forwards::make(const config& settings) {
    auto made = std::make_unique<thread>();
    std::set<std::string> names;
    for (forward_settings one : settings.forward) {
        if (one.broker.empty()) {
            one.broker = settings.broker;
            if (one.broker_ca_file.empty()) one.broker_ca_file = settings.broker_ca_file;
        }
        if (!names.insert(one.name).second)
            return failure("forward: two are named \"" + log::printable(one.name) + "\"");
        if (one.broker.empty())
            return wrong(one, "broker is missing, for example \"redis://localhost:6379\"");
        if (std::string fault = made->add(std::move(one), settings); !fault.empty())
            return failure(std::move(fault));
    }
    return std::unique_ptr<forwards>(new forwards(std::move(made)));
}

forwards::forwards(std::unique_ptr<thread> t) : thread_(std::move(t)) {}

forwards::~forwards() = default;

node::forwarding forwards::for_node(node& home) {
    return thread_->for_node(home);
}

void forwards::start(node& home) {
    thread_->start(home);
}

void forwards::stop() {
    thread_->stop();
}

}  // namespace pulsewire::shell::forward
