#include "server/forward/kafka/writing.hpp"

#include "server/broker/kafka/address.hpp"
#include "server/broker/kafka/library.hpp"
#include "server/log.hpp"

#include <boost/asio/post.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace pulsewire::shell::forward {
namespace {

namespace asio = boost::asio;

constexpr int poll_ms = 20;
constexpr int metadata_ms = 2'500;
// Kafka's own bound.
constexpr std::size_t topic_bytes_max = 249;

}  // namespace

// The thread that waits for the library, and all that is the library's.
class kafka_writing::worker {
public:
    worker(asio::io_context& loop, const kafka::client_options& options, listener heard)
        : loop_(loop), options_(options), heard_(std::move(heard)) {
        thread_ = std::thread([this] { run(); });
    }
    ~worker() {
        *alive_ = false;
        {
            const std::lock_guard hold(lock_);
            ends_ = true;
        }
        wakes_.notify_all();
        thread_.join();
    }

    // --- on the loop ---

    void send(ticket number, record&& what) {
        {
            const std::lock_guard hold(lock_);
            waiting_.emplace_back(number, std::move(what));
        }
        wakes_.notify_all();
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
        if (std::string fault = make_producer(); !fault.empty()) return lose(std::move(fault));
        if (std::string fault = ask_who_is_there(); !fault.empty()) return lose(std::move(fault));
        post([this] { heard_.on_ready(); });
        while (!is_lost_) {
            std::deque<std::pair<ticket, record>> due;
            {
                std::unique_lock hold(lock_);
                if (on_their_way_ == 0)
                    wakes_.wait_for(hold, std::chrono::milliseconds(poll_ms), [this] {
                        return ends_ || !waiting_.empty();
                    });
                if (ends_) break;
                due.swap(waiting_);
            }
            for (auto& [number, what] : due)
                if (!is_lost_) produce(number, what);
            rd_kafka_poll(producer_.get(), on_their_way_ > 0 ? poll_ms : 0);
        }
        // What was not reported is void, and nothing of it may be sent any more.
        rd_kafka_purge(producer_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        is_lost_ = true;
        rd_kafka_poll(producer_.get(), 0);
    }

    std::string make_producer() {
        kafka::conf_ptr conf(rd_kafka_conf_new());
        std::array<char, 512> why{};
        std::vector<kafka::setting> all = kafka::common_settings(options_);
        all.insert(
            all.end(), {{"acks", "all"},
                        {"enable.idempotence", "true"},
                        {"enable.gapless.guarantee", "true"},
                        {"linger.ms", "2"},
                        {"compression.codec", "none"},
                        {"message.timeout.ms", "10000"},
                        {"request.timeout.ms", "5000"},
                        {"queue.buffering.max.kbytes", std::to_string(4 * bytes_max >> 10)}}
        );
        for (const auto& [setting, value] : all)
            if (rd_kafka_conf_set(conf.get(), setting.c_str(), value.c_str(), why.data(), why.size()) !=
                RD_KAFKA_CONF_OK)
                return "Kafka's library refuses a setting: " + kafka::said(why.data());
        rd_kafka_conf_set_log_cb(conf.get(), [](const rd_kafka_t*, int, const char*, const char* line) {
            log::debug("librdkafka: ", kafka::said(line));
        });
        rd_kafka_conf_set_opaque(conf.get(), this);
        rd_kafka_conf_set_error_cb(conf.get(), &worker::on_error);
        rd_kafka_conf_set_dr_msg_cb(conf.get(), [](rd_kafka_t*, const rd_kafka_message_t* sent, void* self) {
            static_cast<worker*>(self)->on_report(*sent);
        });
        producer_.reset(rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), why.data(), why.size()));
        if (!producer_) return "Kafka's library does not start: " + kafka::said(why.data());
        static_cast<void>(conf.release());  // it belongs to the producer
        return {};
    }

    std::string ask_who_is_there() {
        const rd_kafka_metadata_t* found = nullptr;
        const auto error = rd_kafka_metadata(producer_.get(), 0, nullptr, &found, metadata_ms);
        const kafka::metadata_ptr held(found);
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
        return name() + " cannot be used (" + kafka::meaning_of(error) +
               (last_error_.empty() ? ")" : "; " + last_error_ + ")");
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

    void produce(ticket number, record& what) {
        if (what.to.size() > topic_bytes_max) return refuse(number, "the name of its topic is too long");
        rd_kafka_headers_t* headers = rd_kafka_headers_new(what.headers.size() + 1);
        const auto add = [&](std::string_view header, std::string_view value) {
            rd_kafka_header_add(
                headers, header.data(), static_cast<ssize_t>(header.size()), value.data(),
                static_cast<ssize_t>(value.size())
            );
        };
        for (const auto& [header, value] : what.headers) add(header, value);
        add("content-type", what.content_type);
        const auto error = rd_kafka_producev(
            producer_.get(), RD_KAFKA_V_TOPIC(what.to.c_str()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_KEY(what.key.data(), what.key.size()),
            RD_KAFKA_V_VALUE(what.value.data(), what.value.size()), RD_KAFKA_V_HEADERS(headers),
            RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(static_cast<std::uintptr_t>(number))), RD_KAFKA_V_END
        );
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
            ++on_their_way_;
            return;
        }
        rd_kafka_headers_destroy(headers);
        report(number, what.to, error);
    }

    void on_report(const rd_kafka_message_t& sent) {
        --on_their_way_;
        // After the first that was not taken the others only follow it.
        if (is_lost_) return;
        report(reinterpret_cast<std::uintptr_t>(sent._private), rd_kafka_topic_name(sent.rkt), sent.err);
    }

    void report(ticket number, std::string_view topic, rd_kafka_resp_err_t error) {
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR)
            return post([this, number] { heard_.on_acknowledged(number); });
        if (error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
            return refuse(number, "it is larger than the topic, or its server, lets a record be");
        lose(
            error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
                ? name() + " has no topic " + kafka::said(topic) + ": make it first"
                : name() + " does not take a record of the topic " + kafka::said(topic) + " (" +
                      kafka::meaning_of(error) + (last_error_.empty() ? ")" : "; " + last_error_ + ")")
        );
    }

    void refuse(ticket number, std::string why) {
        post([this, number, why = std::move(why)] { heard_.on_refused(number, why); });
    }

    void lose(std::string reason) {
        if (is_lost_.exchange(true)) return;
        post([this, reason = std::move(reason)] { heard_.on_lost(reason); });
    }

    asio::io_context& loop_;
    const kafka::client_options& options_;

    // Of the loop.
    listener heard_;
    // Shared with what the thread has posted, which may come too late.
    const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

    // Of the thread.
    kafka::handle_ptr producer_;
    std::size_t on_their_way_ = 0;
    std::string last_error_;  // what the library said last about a connection

    std::atomic<bool> is_lost_ = false;
    std::mutex lock_;
    std::condition_variable wakes_;
    bool ends_ = false;                              // lock_
    std::deque<std::pair<ticket, record>> waiting_;  // lock_
    std::thread thread_;
};

kafka_writing::kafka_writing(asio::io_context& loop, const kafka::client_options& options, listener heard)
    : worker_(std::make_unique<worker>(loop, options, std::move(heard))) {}

kafka_writing::~kafka_writing() = default;

void kafka_writing::send(ticket number, record&& what) {
    worker_->send(number, std::move(what));
}

}  // namespace pulsewire::shell::forward
