#include "common/base/random.hpp"
#include "common/cluster/log_channels.hpp"
#include "common/cluster/record.hpp"
#include "common/exchange/config.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/micro/parts.hpp"

namespace pulsewire::bench {
namespace {

using namespace pulsewire::cluster;

constexpr std::uint32_t publications = 64;  // of a record
constexpr std::uint32_t channels = 10'000;
// Keys are remembered for 150 records, because each record lets the log's time advance by two seconds: the
// records can come again in a ring.
constexpr std::size_t records = 256;
constexpr std::int64_t clock_step_ms = 2'000;

struct no_sessions final : hub::session_port {
    void post(hub::shard_index, hub::to_session&&, hub::instant) override {}
    void post(hub::shard_index, hub::attached&&, hub::instant) override {}
    void post(hub::shard_index, hub::deliver&&, hub::instant) override {}
    void post(hub::shard_index, hub::reply&&, hub::instant) override {}
};

hub::config one_partition() {
    hub::config c;
    c.default_namespace.keeps = durability::broker;
    c.partitions = 1;
    return c;
}

std::string operations_of(std::uint32_t number) {
    std::uint64_t random = number + 1;
    const std::string content = payload();
    std::string all;
    for (std::uint32_t i = 0; i < publications; ++i) {
        const std::string channel = "chat:" + std::to_string(next_random(random, channels));
        std::string key = std::to_string(number * publications + i);
        key.insert(0, 16 - key.size(), 'k');
        publish_op p;
        p.channel = channel;
        p.type = "chat.message";
        p.key = key;
        p.user = "ada";
        p.payload = content;
        p.content = next_random(random);
        p.publisher = next_random(random, 1'000) + 1;
        // Never too late.
        p.accepted_ms = std::int64_t{1} << 59;
        all += encode(cluster::operation(p));
    }
    return all;
}

// A node that follows the log of one partition, and another one that writes it.
class follower {
public:
    follower() : channels_(settings_, {}, sessions_) {
        channels_.tick({1'000, 0});
        report(opened{1, {}, {}, "one"});
        for (const to_broker& what : std::exchange(channels_.out().broker, {}))
            if (const auto* const own = std::get_if<append_record>(&what.what)) write(own->bytes);
        write(encode(next(hello{1, false, true, "one"})));
        const std::string options = encode(shared_options{});
        write(encode(next(options_record{options})));
        hub::attach a;
        a.channel = "chat:of nobody";
        channels_.read(std::move(a), {1'000, 0});
        for (std::uint32_t r = 0; r < records; ++r) ring_.push_back(operations_of(r));
        for (std::uint32_t r = 0; r < records; ++r) read_one();
    }
    // One record more, of which this node's clients want nothing.
    void read_one() {
        const record head = next(cluster::operations{});
        write(encode_operations(head, ring_[head.seq % records], publications));
        use(channels_.out().broker.size());
        channels_.out().broker.clear();
    }

private:
    record next(record_body body) {
        record r;
        r.process = 7;
        r.connection = 1;
        r.seq = ++seq_;
        r.base = channels_.first().copy().state()->chain().base();
        r.clock.monotonic_ms = clock_ms_ += clock_step_ms;
        r.body = std::move(body);
        return r;
    }
    void write(std::string bytes) { report(record_read{1, {++last_mark_, 0}, std::move(bytes)}); }
    template <class What>
    void report(What&& what) {
        channels_.on({0, std::forward<What>(what)}, {1'000, 0});
    }

    hub::config settings_ = one_partition();
    no_sessions sessions_;
    log_channels channels_;
    std::vector<std::string> ring_;
    std::uint64_t seq_ = 0;
    std::uint64_t last_mark_ = 0;
    std::int64_t clock_ms_ = 0;
};

std::function<void(std::uint64_t)> apply_unwanted() {
    auto node = std::make_shared<follower>();
    return [node](std::uint64_t times) {
        for (; times != 0; --times) node->read_one();
    };
}

}  // namespace

void add_cluster(std::vector<work>& all) {
    all.push_back({"cluster/apply_unwanted", publications, apply_unwanted});
}

}  // namespace pulsewire::bench
