#include "server/broker/nats/broker.hpp"

#include "common/base/overloaded.hpp"
#include "server/broker/nats/address.hpp"
#include "server/broker/nats/connection.hpp"
#include "server/broker/nats/stream_log.hpp"
#include "server/broker/posted_values.hpp"
#include "server/broker/told_values.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <charconv>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace pulsewire::shell::nats {
namespace {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds check_interval{250};

template <class Number>
bool take_number(std::string_view& text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.starts_with('.') || text.starts_with('_')) text.remove_prefix(1);
    return true;
}

// Between post() and the logs: everything below is on the thread of the loop, but for the values that wait in
// posted_. One connection serves all logs, and ends all of them with itself.
class nats_broker : public broker {
public:
    nats_broker(address where, std::string ca_file, broker::handler handler)
        : where_(std::move(where)), ca_file_(std::move(ca_file)), told_(loop_, std::move(handler)) {
        check_later();
        thread_ = std::thread([this] { loop_.run(); });
    }

    ~nats_broker() override {
        loop_.stop();
        thread_.join();
    }

    void post(cluster::to_broker value) override {
        if (posted_.post(std::move(value))) asio::post(loop_, [this] { take_posted(); });
    }

private:
    void take_posted() {
        auto taken = posted_.take();
        for (auto& each : taken.values) carry_out(each.partition, each.what);
        if (taken.has_too_much)
            break_all(name() + " takes less than it is given: more than 32 MB wait for its answers");
    }

    void carry_out(cluster::partition_index partition, decltype(cluster::to_broker::what)& value) {
        std::visit(
            overloaded{
                [&](cluster::open_log& what) { open(partition, what); },
                [&](cluster::append_record& what) {
                    if (stream_log* const log = find(partition, what.connection))
                        log->append(std::move(what.bytes), clock::now());
                    else
                        posted_.free(what.bytes.size());
                },
                [&](cluster::trim_log& what) {
                    if (stream_log* const log = find(partition, what.connection)) log->trim(what.before);
                },
                [&](cluster::close_log& what) {
                    if (stream_log* const log = find(partition, what.connection)) {
                        log->end();
                        logs_.erase(partition);
                    }
                },
            },
            value
        );
    }

    void open(cluster::partition_index partition, const cluster::open_log& what) {
        const auto before = logs_.find(partition);
        if (before != logs_.end() && !before->second->is_closed()) before->second->end();
        auto& log = logs_[partition];
        log = std::make_unique<stream_log>(
            where_, partition, what, clock::now(),
            stream_log::listener{
                .on_value = [this](cluster::from_broker value) { told_.tell(std::move(value)); },
                .on_freed = [this](std::size_t bytes) { posted_.free(bytes); },
            }
        );
        if (!connection_) connect();
        if (connection_->is_ready()) log->begin(*connection_, clock::now());
    }

    stream_log* find(cluster::partition_index partition, cluster::log_connection number) {
        const auto found = logs_.find(partition);
        if (found == logs_.end() || found->second->number() != number || found->second->is_closed())
            return nullptr;
        return found->second.get();
    }

    // --- the connection ---

    void connect() {
        connection_.emplace(
            loop_, where_, ca_file_,
            connection::listener{
                .on_ready =
                    [this] {
                        for (auto& [partition, log] : logs_)
                            if (!log->is_closed()) log->begin(*connection_, clock::now());
                    },
                .on_message = [this](const delivery& message) { route(message); },
                .on_failure = [this](const std::string& reason) { break_all(reason); },
            }
        );
    }

    // Answers come to <inbox>.<partition>.<connection>.<letter>.<number>, records to the consumers that are
    // named <partition>_<connection>_….
    void route(const delivery& message) {
        cluster::partition_index partition = 0;
        cluster::log_connection number = 0;
        if (message.subject.starts_with(connection_->inbox())) {
            std::string_view rest = message.subject.substr(connection_->inbox().size() + 1);
            std::uint64_t which = 0;
            if (!take_number(rest, partition) || !take_number(rest, number) || rest.size() < 3) return;
            const char what = rest[0];
            rest.remove_prefix(2);
            if (!take_number(rest, which)) return;
            if (stream_log* const log = find(partition, number))
                log->on_answer(what, which, message, clock::now());
            return;
        }
        const auto place = place_of(message.reply);
        if (!place) return;
        std::string_view consumer = place->consumer;
        if (!take_number(consumer, partition) || !take_number(consumer, number)) return;
        if (stream_log* const log = find(partition, number))
            log->on_record(*place, message.bytes, clock::now());
    }

    void check_later() {
        timer_.expires_after(check_interval);
        timer_.async_wait([this](const boost::system::error_code& error) {
            if (error) return;
            std::erase_if(logs_, [](const auto& each) { return each.second->is_closed(); });
            for (auto& [partition, log] : logs_) log->on_time(clock::now());
            const bool is_late =
                std::erase_if(logs_, [](const auto& each) { return each.second->is_closed(); }) > 0;
            // A new one may fare better than one that has not come about until now.
            if (is_late && connection_ && !connection_->is_ready()) {
                connection_.reset();
                if (!logs_.empty()) connect();
            }
            check_later();
        });
    }

    std::string name() const { return connection_ ? connection_->name() : "the broker"; }

    void break_all(const std::string& reason) {
        for (auto& [partition, log] : logs_) log->fail(reason);
        logs_.clear();
        // The one that says so is not in a call of ours.
        connection_.reset();
    }

    const address where_;
    const std::string ca_file_;
    asio::io_context loop_{1};
    const asio::executor_work_guard<asio::io_context::executor_type> stays_{loop_.get_executor()};
    asio::steady_timer timer_{loop_};
    told_values told_;
    posted_values posted_;
    std::optional<connection> connection_;
    std::map<cluster::partition_index, std::unique_ptr<stream_log>> logs_;
    std::thread thread_;
};

}  // namespace

result<std::unique_ptr<broker>, std::string> make_broker(
    const broker_options& options, broker::handler handler
) {
    auto where = read_address(options);
    if (!where) return failure(where.error());
    return std::unique_ptr<broker>(
        std::make_unique<nats_broker>(std::move(*where), options.tls_ca_file, std::move(handler))
    );
}

}  // namespace pulsewire::shell::nats
