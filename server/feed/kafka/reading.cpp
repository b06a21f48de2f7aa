#include "server/feed/kafka/reading.hpp"

#include "server/broker/kafka/address.hpp"
#include "server/broker/kafka/library.hpp"
#include "server/feed/kafka/offsets.hpp"
#include "server/log.hpp"

#include <boost/asio/post.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace pulsewire::shell::feed {
namespace {

namespace asio = boost::asio;
using message_ptr = std::unique_ptr<rd_kafka_message_t, freed_by<rd_kafka_message_destroy>>;

constexpr int poll_ms = 20;

std::vector<std::pair<std::string, std::string>> headers_of(const rd_kafka_message_t& message) {
    std::vector<std::pair<std::string, std::string>> found;
    rd_kafka_headers_t* all = nullptr;
    if (rd_kafka_message_headers(&message, &all) != RD_KAFKA_RESP_ERR_NO_ERROR) return found;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0;
         rd_kafka_header_get_all(all, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i)
        found.emplace_back(name, std::string(static_cast<const char*>(value), size));
    return found;
}

}  // namespace

// The thread that waits for the library, and all that is the library's.
class kafka_reading::worker {
public:
    worker(
        asio::io_context& loop, const kafka::client_options& options, const consume_settings& of,
        ticket& last, listener heard
    )
        : loop_(loop), options_(options), of_(of), last_(last), heard_(std::move(heard)) {
        thread_ = std::thread([this] { run(); });
    }
    ~worker() {
        *alive_ = false;
        ends_ = true;
        thread_.join();
    }

    // --- on the loop ---

    // Of those on their way to the loop it knows nothing yet, so what is counted is how many may be read in
    // all.
    void set_room(std::size_t records) { read_max_ = arrived_ + records; }

    void acknowledge(ticket number) {
        const auto upto = offsets_.acknowledged(number);
        if (!upto) return;
        const std::lock_guard hold(lock_);
        commits_[upto->first] = {generation_, upto->second};
    }

    void bury(const record& bad, const std::string& reason) {
        if (!offsets_.is_open(bad.number)) return;
        const std::lock_guard hold(lock_);
        burials_.emplace_back(bad, reason);
    }

    void release(std::function<void()> done) {
        released_ = std::move(done);
        leaves_ = true;
    }

private:
    template <class Function>
    void post(Function&& what) {
        asio::post(loop_, [alive = alive_, what = std::forward<Function>(what)]() mutable {
            if (*alive) what();
        });
    }
    std::string name() const { return "the Kafka at " + kafka::text_of(options_.where.hosts); }

    // --- on the thread ---

    void run() {
        if (std::string fault = make_consumer(); !fault.empty()) return lose(std::move(fault));
        while (!ends_ && !leaves_ && !is_lost_) {
            if (producer_) rd_kafka_poll(producer_.get(), 0);
            send_burials();
            commit(1);
            hold_or_go_on();
            take(message_ptr(rd_kafka_consumer_poll(consumer_.get(), poll_ms)));
        }
        if (leaves_) {
            commit(0);
            rd_kafka_consumer_close(consumer_.get());
            post([this] { released_(); });
        }
        producer_.reset();
        // Without waiting for a broker that may be away.
        rd_kafka_destroy_flags(consumer_.release(), RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    }

    result<kafka::conf_ptr, std::string> configuration(const std::vector<kafka::setting>& own) const {
        kafka::conf_ptr conf(rd_kafka_conf_new());
        std::array<char, 512> why{};
        std::vector<kafka::setting> all = kafka::common_settings(options_);
        all.insert(all.end(), own.begin(), own.end());
        for (const auto& [name, value] : all)
            if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), why.data(), why.size()) !=
                RD_KAFKA_CONF_OK)
                return failure("Kafka's library refuses a setting: " + kafka::said(why.data()));
        rd_kafka_conf_set_log_cb(conf.get(), [](const rd_kafka_t*, int, const char*, const char* line) {
            log::debug("librdkafka: ", kafka::said(line));
        });
        return conf;
    }

    std::string make_consumer() {
        auto conf = configuration(
            {{"group.id", of_.group},
             {"enable.auto.commit", "false"},
             {"enable.auto.offset.store", "false"},
             {"auto.offset.reset", of_.from_newest ? "latest" : "earliest"},
             {"allow.auto.create.topics", "false"},
             {"partition.assignment.strategy", "range"},
             {"session.timeout.ms", "6000"},
             {"heartbeat.interval.ms", "1000"},
             {"fetch.wait.max.ms", "100"},
             {"queued.max.messages.kbytes", "16384"}}
        );
        if (!conf) return conf.error();
        rd_kafka_conf_set_opaque(conf->get(), this);
        rd_kafka_conf_set_rebalance_cb(conf->get(), &worker::on_rebalance);
        rd_kafka_conf_set_error_cb(conf->get(), &worker::on_error);
        std::array<char, 512> why{};
        consumer_.reset(rd_kafka_new(RD_KAFKA_CONSUMER, conf->get(), why.data(), why.size()));
        if (!consumer_) return "Kafka's library does not start: " + kafka::said(why.data());
        static_cast<void>(conf->release());  // it belongs to the consumer
        rd_kafka_poll_set_consumer(consumer_.get());
        const kafka::partition_list_ptr topics(rd_kafka_topic_partition_list_new(1));
        rd_kafka_topic_partition_list_add(topics.get(), of_.from.c_str(), RD_KAFKA_PARTITION_UA);
        const auto error = rd_kafka_subscribe(consumer_.get(), topics.get());
        return error == RD_KAFKA_RESP_ERR_NO_ERROR ? "" : name() + ": " + kafka::meaning_of(error);
    }

    static void on_rebalance(
        rd_kafka_t* consumer, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* partitions,
        void* self
    ) {
        worker& w = *static_cast<worker*>(self);
        if (what != RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
            w.commit(0);
            rd_kafka_assign(consumer, nullptr);
            return;
        }
        rd_kafka_assign(consumer, partitions);
        w.is_paused_ = false;
        const std::uint64_t generation = ++w.generations_;
        w.post([&w, generation, reads = partitions->cnt > 0] {
            w.generation_ = generation;
            w.offsets_.clear();
            reads ? w.heard_.on_reading() : w.heard_.on_waiting();
        });
    }

    static void on_error(rd_kafka_t* of, int error, const char* why, void* self) {
        const auto code = static_cast<rd_kafka_resp_err_t>(error);
        worker& w = *static_cast<worker*>(self);
        const bool is_end = code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || code == RD_KAFKA_RESP_ERR__FATAL ||
                            code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
                            rd_kafka_fatal_error(of, nullptr, 0) != 0;
        if (!is_end) {
            w.last_error_ = kafka::said(why);
            return;
        }
        w.lose(
            w.name() + " cannot be used (" + kafka::said(why) +
            (w.last_error_.empty() ? ")" : "; " + w.last_error_ + ")")
        );
    }

    void take(const message_ptr message) {
        if (!message) return;
        if (message->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
            message->err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
            return lose(name() + " has no topic " + kafka::said(of_.from));
        if (message->err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
            message->err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)
            return lose(
                name() + ": this user lacks a right: it needs Read on the topic " + kafka::said(of_.from) +
                " and on the group " + kafka::said(of_.group)
            );
        // Others pass by themselves; what does not becomes an error of the whole client.
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) return;
        record one;
        const std::int64_t time = rd_kafka_message_timestamp(message.get(), nullptr);
        one.position = std::to_string(message->partition)
                           .append("-")
                           .append(std::to_string(message->offset))
                           .append("-")
                           .append(std::to_string(time < 0 ? 0 : time));
        // A record without a value says that what its key names is gone.
        one.value = message->payload == nullptr
                        ? "null"
                        : std::string(static_cast<const char*>(message->payload), message->len);
        if (message->key != nullptr)
            one.key.emplace(static_cast<const char*>(message->key), message->key_len);
        one.headers = headers_of(*message);
        ++read_;
        post([this, one = std::move(one), generation = generations_, partition = message->partition,
              offset = message->offset]() mutable {
            ++arrived_;
            if (generation != generation_) return;
            one.number = ++last_;
            offsets_.given(one.number, partition, offset);
            heard_.on_record(std::move(one));
        });
    }

    // A group's member has to ask for records as long as it lives, so partitions are paused instead.
    void hold_or_go_on() {
        const bool is_full = read_ >= read_max_;
        if (is_full == is_paused_) return;
        rd_kafka_topic_partition_list_t* all = nullptr;
        if (rd_kafka_assignment(consumer_.get(), &all) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
        const kafka::partition_list_ptr assigned(all);
        is_full ? rd_kafka_pause_partitions(consumer_.get(), all)
                : rd_kafka_resume_partitions(consumer_.get(), all);
        is_paused_ = is_full;
    }

    void commit(int async) {
        std::map<std::int32_t, std::pair<std::uint64_t, std::int64_t>> due;
        {
            const std::lock_guard hold(lock_);
            due.swap(commits_);
        }
        const kafka::partition_list_ptr list(rd_kafka_topic_partition_list_new(1));
        for (const auto& [partition, upto] : due)
            if (upto.first == generations_)
                rd_kafka_topic_partition_list_add(list.get(), of_.from.c_str(), partition)->offset =
                    upto.second;
        if (list->cnt > 0) rd_kafka_commit(consumer_.get(), list.get(), async);
    }

    // --- bad records ---

    void send_burials() {
        std::vector<std::pair<record, std::string>> due;
        {
            const std::lock_guard hold(lock_);
            due.swap(burials_);
        }
        for (const auto& [bad, reason] : due) {
            if (std::string fault = make_producer(); !fault.empty()) return lose(std::move(fault));
            rd_kafka_headers_t* headers = rd_kafka_headers_new(bad.headers.size() + 3);
            const auto add = [&](const std::string& name, const std::string& value) {
                rd_kafka_header_add(
                    headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                    static_cast<ssize_t>(value.size())
                );
            };
            for (const auto& [name, value] : bad.headers) add(name, value);
            add("pulsewire-reason", reason);
            add("pulsewire-from", of_.from);
            add("pulsewire-position", bad.position);
            std::string key = bad.key.value_or("");
            void* const key_bytes = bad.key ? key.data() : nullptr;
            const auto error = rd_kafka_producev(
                producer_.get(), RD_KAFKA_V_TOPIC(of_.dead_letters.c_str()),
                RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key_bytes, key.size()),
                RD_KAFKA_V_VALUE(const_cast<char*>(bad.value.data()), bad.value.size()),
                RD_KAFKA_V_HEADERS(headers),
                RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(static_cast<std::uintptr_t>(bad.number))),
                RD_KAFKA_V_END
            );
            if (error == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
            rd_kafka_headers_destroy(headers);
            tell_buried(bad.number, error);
        }
    }

    std::string make_producer() {
        if (producer_) return {};
        auto conf = configuration(kafka::producer_settings());
        if (!conf) return conf.error();
        rd_kafka_conf_set_opaque(conf->get(), this);
        rd_kafka_conf_set_dr_msg_cb(conf->get(), [](rd_kafka_t*, const rd_kafka_message_t* sent, void* self) {
            const auto number = reinterpret_cast<std::uintptr_t>(sent->_private);
            static_cast<worker*>(self)->tell_buried(number, sent->err);
        });
        std::array<char, 512> why{};
        producer_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf->get(), why.data(), why.size()));
        if (!producer_) return "Kafka's library does not start: " + kafka::said(why.data());
        static_cast<void>(conf->release());  // it belongs to the producer
        return {};
    }

    void tell_buried(ticket number, rd_kafka_resp_err_t error) {
        // Not confirmed in time: whether it is there is not known, and the record comes again.
        if (error == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT || error == RD_KAFKA_RESP_ERR__TRANSPORT)
            return lose(name() + " has not confirmed a bad record in time");
        post([this, number, why = error == RD_KAFKA_RESP_ERR_NO_ERROR ? "" : kafka::meaning_of(error)] {
            if (!offsets_.is_open(number)) return;
            acknowledge(number);
            heard_.on_buried(number, why);
        });
    }

    void lose(std::string reason) {
        if (is_lost_.exchange(true)) return;
        post([this, reason = std::move(reason)] { heard_.on_lost(reason); });
    }

    asio::io_context& loop_;
    const kafka::client_options& options_;
    const consume_settings& of_;

    // Of the loop.
    ticket& last_;
    listener heard_;
    kafka_offsets offsets_;
    std::uint64_t generation_ = 0;  // of the assignment whose records are given
    std::uint64_t arrived_ = 0;     // records that were read, from any assignment
    std::function<void()> released_;
    // Shared with what the thread has posted, which may come too late.
    const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

    // Of the thread.
    kafka::handle_ptr consumer_, producer_;
    std::uint64_t generations_ = 0;  // assignments so far
    std::uint64_t read_ = 0;         // records
    bool is_paused_ = false;
    std::string last_error_;  // what the library said last about a connection

    std::atomic<std::uint64_t> read_max_ = 0;
    std::atomic<bool> ends_ = false, leaves_ = false, is_lost_ = false;
    std::mutex lock_;
    // lock_: by partition, the assignment and the offset.
    std::map<std::int32_t, std::pair<std::uint64_t, std::int64_t>> commits_;
    std::vector<std::pair<record, std::string>> burials_;  // lock_
    std::thread thread_;
};

kafka_reading::kafka_reading(
    asio::io_context& loop, const kafka::client_options& options, const consume_settings& of, ticket& last,
    listener heard
)
    : worker_(std::make_unique<worker>(loop, options, of, last, std::move(heard))) {}

kafka_reading::~kafka_reading() = default;

void kafka_reading::set_room(std::size_t records) {
    worker_->set_room(records);
}
void kafka_reading::acknowledge(ticket number) {
    worker_->acknowledge(number);
}
void kafka_reading::bury(const record& bad, const std::string& reason) {
    worker_->bury(bad, reason);
}
void kafka_reading::release(std::function<void()> done) {
    worker_->release(std::move(done));
}

}  // namespace pulsewire::shell::feed
