#include "server/broker/rabbitmq/broker.hpp"

#include "common/base/overloaded.hpp"
#include "server/broker/client_tls.hpp"
#include "server/broker/posted_values.hpp"
#include "server/broker/rabbitmq/address.hpp"
#include "server/broker/rabbitmq/connection.hpp"
#include "server/broker/rabbitmq/stream_log.hpp"
#include "server/broker/told_values.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace pulsewire::shell::rabbitmq {
namespace {

namespace asio = boost::asio;
using clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds check_interval{250};

// Between post() and the logs: everything below is on the thread of the loop, but for the values that wait in
// posted_. Two connections serve all logs, because a server whose memory or disk is low reads nothing more
// from one that appends, and so would miss what the readers acknowledge; one that ends takes the other one
// and all logs along.
class rabbitmq_broker : public broker {
public:
    rabbitmq_broker(
        address where, std::optional<asio::ssl::context> tls, std::string id, broker::handler handler
    )
        : where_(std::move(where)),
          tls_(std::move(tls)),
          told_(loop_, std::move(handler)),
          id_(std::move(id)) {
        check_later();
        thread_ = std::thread([this] { loop_.run(); });
    }

    ~rabbitmq_broker() override {
        loop_.stop();
        thread_.join();
        disconnect();
    }

    void post(cluster::to_broker value) override {
        if (posted_.post(std::move(value))) asio::post(loop_, [this] { take_posted(); });
    }

private:
    void take_posted() {
        auto taken = posted_.take();
        for (auto& each : taken.values) carry_out(each.partition, each.what);
        if (taken.has_too_much)
            break_all("RabbitMQ takes less than it is given: more than 32 MB wait for its confirms");
        remove_closed();
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
                    if (find(partition, what.connection) != nullptr) remove(partition);
                },
            },
            value
        );
    }

    void open(cluster::partition_index partition, const cluster::open_log& what) {
        remove(partition);
        auto& log = logs_[partition];
        log = std::make_unique<stream_log>(
            where_, partition, what, id_ + std::to_string(++openings_), clock::now(),
            stream_log::listener{
                .on_value = [this](cluster::from_broker value) { told_.tell(std::move(value)); },
                .on_freed = [this](std::size_t bytes) { posted_.free(bytes); },
            }
        );
        if (!appending_) connect();
        if (is_ready()) begin(*log);
    }

    stream_log* find(cluster::partition_index partition, cluster::log_connection number) {
        const auto found = logs_.find(partition);
        if (found == logs_.end() || found->second->number() != number || found->second->is_closed())
            return nullptr;
        return found->second.get();
    }

    // --- the connections ---

    void connect() {
        appending_ = connection::open(dialer_, first_host_, heard_by([](stream_log& log, const auto& frame) {
                                          log.on_append_frame(frame, clock::now());
                                      }));
        reading_ = connection::open(dialer_, first_host_, heard_by([](stream_log& log, const auto& frame) {
                                        log.on_read_frame(frame);
                                    }));
    }

    connection::listener heard_by(void (*on_frame)(stream_log&, const amqp_frame_t&)) {
        return {
            .on_ready =
                [this] {
                    if (!is_ready()) return;
                    for (auto& [partition, log] : logs_) begin(*log);
                },
            .on_frame =
                [this, on_frame](const amqp_frame_t& frame) {
                    const auto found = channels_.find(frame.channel);
                    if (found != channels_.end()) on_frame(*found->second, frame);
                },
            .on_pause =
                [this] {
                    for (auto& [partition, log] : logs_) log->acknowledge();
                    remove_closed();
                },
            .on_failure = [this](const std::string& reason) { break_all(reason); },
        };
    }

    bool is_ready() const { return appending_ && appending_->is_ready() && reading_->is_ready(); }

    void begin(stream_log& log) {
        const auto is_free = [&](amqp_channel_t channel) {
            return !appending_->has_channel(channel) && !reading_->has_channel(channel);
        };
        const amqp_channel_t last = std::min(appending_->channel_max(), reading_->channel_max());
        amqp_channel_t channel = 1;
        while (channel < last && !is_free(channel)) ++channel;
        if (!is_free(channel))
            return log.fail("RabbitMQ has too few channels for so many partitions: see its channel_max");
        channels_[channel] = &log;
        log.begin(*appending_, *reading_, channel);
    }

    void remove(cluster::partition_index partition) {
        const auto found = logs_.find(partition);
        if (found == logs_.end()) return;
        channels_.erase(found->second->channel());
        found->second->end();
        logs_.erase(found);
    }

    void remove_closed() {
        std::vector<cluster::partition_index> closed;
        for (const auto& [partition, log] : logs_)
            if (log->is_closed()) closed.push_back(partition);
        for (const auto partition : closed) remove(partition);
    }

    void break_all(const std::string& reason) {
        for (auto& [partition, log] : logs_) log->fail(reason);
        logs_.clear();
        disconnect();
        // Another server of the cluster may fare better.
        ++first_host_;
    }

    void disconnect() {
        channels_.clear();
        for (const auto& each : {std::exchange(appending_, nullptr), std::exchange(reading_, nullptr)})
            if (each) each->close();
    }

    void check_later() {
        timer_.expires_after(check_interval);
        timer_.async_wait([this](const boost::system::error_code& error) {
            if (error) return;
            for (auto& [partition, log] : logs_) log->on_time(clock::now());
            remove_closed();
            check_later();
        });
    }

    const address where_;
    asio::io_context loop_{1};
    const asio::executor_work_guard<asio::io_context::executor_type> stays_{loop_.get_executor()};
    asio::steady_timer timer_{loop_};
    std::optional<asio::ssl::context> tls_;
    const dialer dialer_{loop_, where_, tls_ ? &*tls_ : nullptr};
    told_values told_;
    posted_values posted_;
    const std::string id_;  // begins the ids of what the logs of this process append about themselves
    std::uint64_t openings_ = 0;
    std::size_t first_host_ = 0;
    std::shared_ptr<connection> appending_;  // both or none
    std::shared_ptr<connection> reading_;
    std::map<cluster::partition_index, std::unique_ptr<stream_log>> logs_;
    std::map<amqp_channel_t, stream_log*> channels_;  // of logs_
    std::thread thread_;
};

// Another one in each process, and for each broker in it.
std::string new_id() {
    std::random_device random;
    std::string id;
    for (int i = 0; i < 4; ++i) id.append(std::to_string(random())).append(1, '-');
    return id;
}

}  // namespace

result<std::unique_ptr<broker>, std::string> make_broker(
    const broker_options& options, broker::handler handler
) {
    auto where = read_address(options);
    if (!where) return failure(where.error());
    std::optional<asio::ssl::context> tls;
    if (where->tls) {
        auto made = client_tls(options.tls_ca_file);
        if (!made) return failure(made.error());
        tls.emplace(std::move(*made));
    }
    return std::unique_ptr<broker>(
        std::make_unique<rabbitmq_broker>(std::move(*where), std::move(tls), new_id(), std::move(handler))
    );
}

}  // namespace pulsewire::shell::rabbitmq
