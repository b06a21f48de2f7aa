#include "server/broker/redis/broker.hpp"

#include "common/base/overloaded.hpp"
#include "server/broker/client_tls.hpp"
#include "server/broker/redis/address.hpp"
#include "server/broker/redis/connection.hpp"
#include "server/broker/redis/link.hpp"
#include "server/broker/told_values.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>

#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace pulsewire::shell::redis {
namespace {

namespace asio = boost::asio;

// Between post() and the links: everything below is on the thread of the loop, but for the values that wait
// in posted_.
class redis_broker : public broker {
public:
    redis_broker(
        address where, link_options options, std::optional<asio::ssl::context> tls, broker::handler handler
    )
        : address_(std::move(where)),
          options_(std::move(options)),
          tls_(std::move(tls)),
          told_(loop_, std::move(handler)),
          thread_([this] { loop_.run(); }) {}

    ~redis_broker() override {
        loop_.stop();
        thread_.join();
    }

    void post(cluster::to_broker value) override {
        const std::lock_guard hold(lock_);
        posted_.push_back(std::move(value));
        if (posted_.size() == 1) asio::post(loop_, [this] { take_posted(); });
    }

private:
    void take_posted() {
        std::vector<cluster::to_broker> taken;
        {
            const std::lock_guard hold(lock_);
            taken.swap(posted_);
        }
        for (auto& each : taken) carry_out(std::move(each));
    }

    void carry_out(cluster::to_broker&& value) {
        const auto partition = value.partition;
        auto& at = link_of(partition);
        std::visit(
            overloaded{
                [&](cluster::open_log& what) {
                    if (!at) at = new_link(partition);
                    at->open(partition, what);
                },
                [&](cluster::append_record& what) {
                    if (at) at->append(partition, std::move(what));
                },
                [&](cluster::trim_log& what) {
                    if (at) at->trim(partition, what);
                },
                [&](cluster::close_log& what) {
                    if (at) at->close(partition, what);
                    if (at && at->is_empty()) at.reset();
                },
            },
            value.what
        );
    }

    std::unique_ptr<link>& link_of(cluster::partition_index partition) {
        return links_[address_.how == address::kind::cluster ? partition : 0];
    }

    std::unique_ptr<link> new_link(cluster::partition_index partition) {
        link::listener heard{
            .on_value = [this](cluster::from_broker value) { told_.tell(std::move(value)); },
            .on_broken = [this, partition] { retire(link_of(partition)); },
        };
        return std::make_unique<link>(dialer_, options_, partition, std::move(heard));
    }

    // The link that says so is still in use by its caller.
    void retire(std::unique_ptr<link>& broken) {
        if (retired_.empty()) asio::post(loop_, [this] { retired_.clear(); });
        retired_.push_back(std::move(broken));
    }

    const address address_;
    const link_options options_;
    asio::io_context loop_{1};
    const asio::executor_work_guard<asio::io_context::executor_type> stays_{loop_.get_executor()};
    std::optional<asio::ssl::context> tls_;
    const dialer dialer_{loop_, address_, tls_ ? &*tls_ : nullptr};
    std::map<cluster::partition_index, std::unique_ptr<link>>
        links_;  // in a cluster one each, else one for all
    std::vector<std::unique_ptr<link>> retired_;
    told_values told_;
    std::mutex lock_;
    std::vector<cluster::to_broker> posted_;  // lock_
    std::thread thread_;
};

}  // namespace

result<std::unique_ptr<broker>, std::string> make_broker(
    const broker_options& options, broker::handler handler
) {
    auto where = read_address(options.url);
    if (!where) return failure(where.error());
    std::optional<asio::ssl::context> tls;
    if (where->tls) {
        auto made = client_tls(options.tls_ca_file);
        if (!made) return failure(made.error());
        tls.emplace(std::move(*made));
    }
    return std::unique_ptr<broker>(std::make_unique<redis_broker>(
        std::move(*where), link_options{options.prefix, options.wait_replicas}, std::move(tls),
        std::move(handler)
    ));
}

}  // namespace pulsewire::shell::redis
