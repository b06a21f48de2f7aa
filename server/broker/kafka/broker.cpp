#include "server/broker/kafka/broker.hpp"

#include "common/base/overloaded.hpp"
#include "server/broker/kafka/address.hpp"
#include "server/broker/kafka/client.hpp"
#include "server/broker/kafka/link.hpp"
#include "server/broker/told_values.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
#include <fstream>
#include <future>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace pulsewire::shell::kafka {
namespace {

namespace asio = boost::asio;

// Between post() and the link: everything below is on the thread of the loop, but for the values that wait in
// posted_.
class kafka_broker : public broker {
public:
    kafka_broker(client_options options, broker::handler handler)
        : options_(std::move(options)), told_(loop_, std::move(handler)), thread_([this] { loop_.run(); }) {}

    ~kafka_broker() override {
        loop_.stop();
        thread_.join();
        if (link_) retired_.push_back(std::move(link_));
        bury_retired();
        // The destructors of ending_ wait for what the library has under way.
    }

    void post(cluster::to_broker value) override {
        const auto* const record = std::get_if<cluster::append_record>(&value.what);
        const std::lock_guard hold(lock_);
        // Dropped: what follows it on its connection is void, because the link is broken first.
        if (record != nullptr && posted_bytes_ + record->bytes.size() > unsent_bytes_max) {
            is_overfull_ = true;
            return;
        }
        if (record != nullptr) posted_bytes_ += record->bytes.size();
        posted_.push_back(std::move(value));
        if (posted_.size() == 1) asio::post(loop_, [this] { take_posted(); });
    }

private:
    void take_posted() {
        std::vector<cluster::to_broker> taken;
        bool was_overfull = false;
        {
            const std::lock_guard hold(lock_);
            taken.swap(posted_);
            posted_bytes_ = 0;
            was_overfull = std::exchange(is_overfull_, false);
        }
        for (auto& each : taken) carry_out(std::move(each));
        if (was_overfull && link_)
            link_->break_all("more than 32 MB of records wait for Kafka, which takes less than it is given");
    }

    void carry_out(cluster::to_broker&& value) {
        const auto partition = value.partition;
        std::visit(
            overloaded{
                [&](cluster::open_log& what) {
                    if (!link_) link_ = new_link();
                    link_->open(partition, what);
                },
                [&](cluster::append_record& what) {
                    if (link_) link_->append(partition, std::move(what));
                },
                [&](cluster::trim_log& what) {
                    if (link_) link_->trim(partition, what);
                },
                [&](cluster::close_log& what) {
                    if (!link_) return;
                    link_->close(partition, what);
                    if (link_->is_empty()) retire();
                },
            },
            value.what
        );
    }

    std::unique_ptr<link> new_link() {
        return std::make_unique<link>(
            loop_, options_,
            link::listener{
                .on_value = [this](cluster::from_broker value) { told_.tell(std::move(value)); },
                .on_broken = [this] { retire(); },
            }
        );
    }

    // The link that says that it is broken is still in use by its caller, and so is its client.
    void retire() {
        link_->stop();
        if (retired_.empty()) asio::post(loop_, [this] { bury_retired(); });
        retired_.push_back(std::move(link_));
    }

    // Elsewhere: the library's threads may be waiting for a name to be resolved.
    void bury_retired() {
        std::erase_if(ending_, [](const std::future<void>& each) {
            return each.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
        });
        for (const auto& each : retired_) {
            ending_.push_back(std::async(std::launch::async, [ended = each->release()]() mutable {
                ended.reset();
            }));
        }
        retired_.clear();
    }

    const client_options options_;
    asio::io_context loop_{1};
    const asio::executor_work_guard<asio::io_context::executor_type> stays_{loop_.get_executor()};
    std::vector<std::future<void>> ending_;
    std::unique_ptr<link> link_;
    std::vector<std::unique_ptr<link>> retired_;
    told_values told_;
    std::mutex lock_;
    std::vector<cluster::to_broker> posted_;  // lock_
    std::size_t posted_bytes_ = 0;            // lock_: of the records among them
    bool is_overfull_ = false;                // lock_: one was dropped
    std::thread thread_;
};

}  // namespace

result<std::unique_ptr<broker>, std::string> make_broker(
    const broker_options& options, broker::handler handler
) {
    auto where = read_address(options.url);
    if (!where) return failure(where.error());
    const std::string topic = where->topic.empty() ? options.prefix : where->topic;
    if (!is_topic_name(topic)) {
        return failure(
            "the logs cannot be called " + topic +
            ": a topic of Kafka has up to 249 letters, digits, dots, underscores and hyphens"
        );
    }
    for (const auto& file : {options.tls_ca_file, where->certificate_file, where->key_file}) {
        if (file.empty() || std::ifstream(file).good()) continue;
        return failure("the file " + file + " for TLS with Kafka cannot be read");
    }
    const topic_needs needs{.replicas = where->replicas, .wait_replicas = options.wait_replicas};
    topic_request wanted{topic, where->partitions, needs};
    return std::unique_ptr<broker>(std::make_unique<kafka_broker>(
        client_options{std::move(*where), std::move(wanted), options.tls_ca_file}, std::move(handler)
    ));
}

}  // namespace pulsewire::shell::kafka
