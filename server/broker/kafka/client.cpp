#include "server/broker/kafka/client.hpp"

#include "server/broker/kafka/settings.hpp"
#include "server/log.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

namespace pulsewire::shell::kafka {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

// A host may have several addresses, and the first of them need not be the right one.
constexpr std::chrono::milliseconds unreachable_max{400};
constexpr std::chrono::milliseconds extent_time_max{1'500};
constexpr std::chrono::milliseconds extent_pause{30};
// The records that the handler is given in one turn of the loop.
constexpr std::size_t turn_bytes_max = std::size_t{4} << 20;

// What a refused login may mean with an old library, which sends a nonce twice (librdkafka#4895).
std::string old_scram(std::string_view mechanism) {
    constexpr int first_right = 0x02060100;
    if (!mechanism.starts_with("SCRAM") || rd_kafka_version() >= first_right) return {};
    return std::string("; Kafka 3.8.1 and newer refuse every login by SCRAM of librdkafka ")
        .append(rd_kafka_version_str())
        .append(": with kafkas:// write sasl=PLAIN, or install 2.6.1 or newer");
}

result<handle_ptr, std::string> make_handle(
    rd_kafka_type_t type, connection_guard& guard, const std::vector<setting>& common,
    const std::vector<setting>& own
) {
    std::array<char, 512> why{};
    conf_ptr conf(rd_kafka_conf_new());
    for (const auto* const settings : {&common, &own}) {
        for (const auto& [name, value] : *settings) {
            if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), why.data(), why.size()) !=
                RD_KAFKA_CONF_OK)
                return failure("Kafka's library refuses a setting: " + said(why.data()));
        }
    }
    rd_kafka_conf_set_events(conf.get(), RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_FETCH | RD_KAFKA_EVENT_ERROR);
    rd_kafka_conf_set_log_cb(conf.get(), [](const rd_kafka_t*, int, const char*, const char* line) {
        log::debug("librdkafka: ", said(line));
    });
    guard.watch(conf.get());
    handle_ptr handle(rd_kafka_new(type, conf.get(), why.data(), why.size()));
    if (!handle) return failure("Kafka's library does not start: " + said(why.data()));
    static_cast<void>(conf.release());  // it belongs to the handle
    return handle;
}

void* opaque_of(cluster::log_connection connection) {
    return reinterpret_cast<void*>(static_cast<std::uintptr_t>(connection));
}

cluster::log_connection connection_of(const void* opaque) {
    return reinterpret_cast<std::uintptr_t>(opaque);
}

}  // namespace

client::client(boost::asio::io_context& loop, const client_options& options, listener heard)
    : loop_(loop), options_(options), heard_(std::move(heard)), guard_([this](const std::string& where) {
          // What the library has said about it is already in the queue.
          post([this, where] {
              take_events();
              if (*is_stopped_) return;
              break_now(last_error_.empty() ? "the connection to " + where + " has ended" : last_error_);
          });
      }) {
    if (std::string fault = make_handles(); !fault.empty()) {
        post([this, fault = std::move(fault)] { break_now(fault); });
        return;
    }
    worker_ = std::thread([this] { work(); });
}

client::~client() {
    guard_.retire();
    {
        const std::lock_guard hold(lock_);
        ends_ = true;
    }
    asked_.notify_all();
    if (worker_.joinable()) worker_.join();
    for (const auto& [partition, connection] : followed_)
        rd_kafka_consume_stop(read_from_.get(), static_cast<std::int32_t>(partition));
    for (auto* const queue : {reports_.get(), troubles_.get(), records_.get()})
        if (queue != nullptr) rd_kafka_queue_cb_event_enable(queue, nullptr, nullptr);
}

void client::stop() {
    *is_stopped_ = true;
    guard_.retire();
}

std::string client::name() const {
    return "the Kafka at " + text_of(options_.where.hosts);
}

// --- beginning ---

// Empty, or a sentence.
std::string client::make_handles() {
    const auto common = common_settings(options_);
    auto producer = make_handle(RD_KAFKA_PRODUCER, guard_, common, producer_settings());
    if (!producer) return producer.error();
    producer_ = std::move(*producer);
    auto consumer = make_handle(RD_KAFKA_CONSUMER, guard_, common, consumer_settings());
    if (!consumer) return consumer.error();
    consumer_ = std::move(*consumer);
    reports_.reset(rd_kafka_queue_get_main(producer_.get()));
    troubles_.reset(rd_kafka_queue_get_main(consumer_.get()));
    records_.reset(rd_kafka_queue_new(consumer_.get()));
    for (auto* const queue : {reports_.get(), troubles_.get(), records_.get()}) {
        rd_kafka_queue_cb_event_enable(
            queue, [](rd_kafka_t*, void* self) { static_cast<client*>(self)->schedule_events(); }, this
        );
    }
    schedule_events();
    return {};
}

bool client::goes_on() const {
    const auto since = unreachable_since_.load();
    const bool is_reachable =
        since == steady::time_point{} || guard_.has_connected() || steady::now() - since < unreachable_max;
    return is_reachable && !guard_.is_broken();
}

// The worker's life: it opens the topic, then answers questions.
void client::work() {
    const auto opened = open();
    if (!opened) {
        post([this, reason = opened.error()] { break_now(reason); });
        return;
    }
    post([this, what = *opened] { heard_.on_ready(what); });
    std::unique_lock lock(lock_);
    while (!ends_) {
        if (questions_.empty()) {
            asked_.wait(lock);
            continue;
        }
        const auto [partition, connection] = *questions_.begin();
        questions_.erase(questions_.begin());
        lock.unlock();
        answer(partition, connection);
        lock.lock();
    }
}

// The producer's topic is made when it is there, because asking for it would have the brokers make one that
// does not suit; and its partitions are known before the first append, because those to unknown ones wait
// elsewhere.
result<opened_topic, std::string> client::open() {
    const auto end = steady::now() + opening_time_max;
    const auto opened = open_topic(consumer_.get(), options_.topic, end, [this] { return goes_on(); });
    if (!opened) return opened;
    const char* const topic = options_.topic.name.c_str();
    appended_to_.reset(rd_kafka_topic_new(producer_.get(), topic, nullptr));
    read_from_.reset(rd_kafka_topic_new(consumer_.get(), topic, nullptr));
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - steady::now());
    const rd_kafka_metadata_t* read = nullptr;
    const auto error = rd_kafka_metadata(
        producer_.get(), 0, appended_to_.get(), &read, static_cast<int>(std::max(left, 1ms).count())
    );
    const metadata_ptr known(read);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return failure(meaning_of(error));
    return opened;
}

// Asked by the producer, whose connection to the leader stands from then on: what is appended does not begin
// a new one. A broker that was made the leader a moment ago may not know it yet.
result<extent, std::string> client::read_extent(partition_index partition) {
    const auto end = steady::now() + extent_time_max;
    for (;;) {
        extent found;
        const auto error = rd_kafka_query_watermark_offsets(
            producer_.get(), options_.topic.name.c_str(), static_cast<std::int32_t>(partition), &found.first,
            &found.end, static_cast<int>(extent_time_max.count())
        );
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return found;
        if (!passes_by_itself(error) || !goes_on() || steady::now() > end) return failure(meaning_of(error));
        std::this_thread::sleep_for(extent_pause);
    }
}

void client::answer(partition_index partition, log_connection connection) {
    post([this, partition, connection, found = read_extent(partition)] {
        heard_.on_extent(partition, connection, found);
    });
}

// --- calls of a log ---

void client::ask_extent(partition_index partition, log_connection connection) {
    {
        const std::lock_guard hold(lock_);
        questions_[partition] = connection;
    }
    asked_.notify_all();
}

void client::append(partition_index partition, log_connection connection, std::string_view bytes) {
    // Nothing goes after a record that was left out.
    if (has_refused_) return;
    // Copied by the library, which does not change it.
    void* const payload = const_cast<char*>(bytes.data());
    const int done = rd_kafka_produce(
        appended_to_.get(), static_cast<std::int32_t>(partition), RD_KAFKA_MSG_F_COPY, payload, bytes.size(),
        nullptr, 0, opaque_of(connection)
    );
    has_refused_ = done != 0;
    if (!has_refused_) return;
    post([this, error = rd_kafka_last_error()] {
        break_now(
            error == RD_KAFKA_RESP_ERR__QUEUE_FULL
                ? "it takes less than it is given: more than 32 MB of records wait to be sent"
                : "a record cannot be sent: " + meaning_of(error)
        );
    });
}

void client::follow(partition_index partition, log_connection connection, std::int64_t offset) {
    unfollow(partition);
    followed_[partition] = connection;
    const int done = rd_kafka_consume_start_queue(
        read_from_.get(), static_cast<std::int32_t>(partition), offset, records_.get()
    );
    if (done == 0) return;
    followed_.erase(partition);
    post([this, partition, connection, error = rd_kafka_last_error()] {
        heard_.on_lost(partition, connection, "cannot be read: " + meaning_of(error));
    });
}

void client::unfollow(partition_index partition) {
    if (followed_.erase(partition) > 0)
        rd_kafka_consume_stop(read_from_.get(), static_cast<std::int32_t>(partition));
}

void client::trim(partition_index partition, std::int64_t before) {
    const partition_list_ptr offsets(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(
        offsets.get(), options_.topic.name.c_str(), static_cast<std::int32_t>(partition)
    )
        ->offset = before;
    const delete_records_ptr request(rd_kafka_DeleteRecords_new(offsets.get()));
    rd_kafka_DeleteRecords_t* one = request.get();
    rd_kafka_DeleteRecords(producer_.get(), &one, 1, nullptr, reports_.get());
}

// --- what the library says ---

void client::post(std::function<void()> what) {
    boost::asio::post(loop_, [is_stopped = is_stopped_, what = std::move(what)] {
        if (!*is_stopped) what();
    });
}

void client::schedule_events() {
    if (is_scheduled_.exchange(true)) return;
    post([this] { take_events(); });
}

// Records last, and not all at once: errors are not to wait for a handler that is slow.
void client::take_events() {
    is_scheduled_ = false;
    for (auto* const queue : {troubles_.get(), reports_.get()}) {
        while (!*is_stopped_) {
            const event_ptr event(rd_kafka_queue_poll(queue, 0));
            if (!event) break;
            take(event.get());
        }
    }
    turn_bytes_ = 0;
    while (!*is_stopped_ && turn_bytes_ < turn_bytes_max) {
        const event_ptr event(rd_kafka_queue_poll(records_.get(), 0));
        if (!event) return;
        take(event.get());
    }
    schedule_events();
}

void client::take(rd_kafka_event_t* event) {
    const auto each_message = [&](auto then) {
        while (const auto* const message = rd_kafka_event_message_next(event))
            if (!*is_stopped_) then(*message);
    };
    switch (rd_kafka_event_type(event)) {
        case RD_KAFKA_EVENT_DR:
            return each_message([this](const auto& m) { take_report(m); });
        case RD_KAFKA_EVENT_FETCH:
            return each_message([this](const auto& m) { take_record(m); });
        case RD_KAFKA_EVENT_ERROR:
            return take_error(event);
        case RD_KAFKA_EVENT_DELETERECORDS_RESULT:
            return take_trim(event);
        default:
            return;
    }
}

// What a broker says is about this log; what the library says is about the way there.
void client::take_report(const rd_kafka_message_t& appended) {
    const auto partition = static_cast<partition_index>(appended.partition);
    const auto connection = connection_of(appended._private);
    if (appended.err == RD_KAFKA_RESP_ERR_NO_ERROR) return heard_.on_appended(partition, connection);
    if (appended.err < 0) return break_now(meaning_of(appended.err));
    heard_.on_lost(partition, connection, "takes no append: " + meaning_of(appended.err));
}

void client::take_record(const rd_kafka_message_t& record) {
    const auto partition = static_cast<partition_index>(record.partition);
    if (record.err != RD_KAFKA_RESP_ERR_NO_ERROR) return lose_followed(partition, meaning_of(record.err));
    const auto found = followed_.find(partition);
    if (found == followed_.end()) return;
    turn_bytes_ += record.len;
    const std::string_view bytes(static_cast<const char*>(record.payload), record.len);
    heard_.on_record(partition, found->second, record.offset, bytes);
}

void client::take_error(rd_kafka_event_t* event) {
    const auto error = rd_kafka_event_error(event);
    if (rd_kafka_topic_partition_t* const of = rd_kafka_event_topic_partition(event)) {
        const auto partition = static_cast<partition_index>(of->partition);
        rd_kafka_topic_partition_destroy(of);
        return lose_followed(partition, meaning_of(error));
    }
    if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        auto never = steady::time_point{};
        unreachable_since_.compare_exchange_strong(never, steady::now());
        return;
    }
    const std::string words = said(rd_kafka_event_error_string(event));
    // That the guard refuses to connect again explains nothing.
    if (words.find(std::strerror(connection_guard::refusal)) != words.npos) return;
    last_error_ = words;
    if (error == RD_KAFKA_RESP_ERR__AUTHENTICATION) last_error_ += old_scram(options_.where.mechanism);
    const bool is_final = error == RD_KAFKA_RESP_ERR__FATAL || error == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
                          error == RD_KAFKA_RESP_ERR__SSL;
    if (is_final) break_now({});
}

// A trim that fails costs disk and nothing else.
void client::take_trim(rd_kafka_event_t* event) {
    std::string why;
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        why = said(rd_kafka_event_error_string(event));
    } else {
        const auto* const offsets =
            rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event));
        for (const auto& each : std::span(offsets->elems, static_cast<std::size_t>(offsets->cnt)))
            if (each.err != RD_KAFKA_RESP_ERR_NO_ERROR) why = meaning_of(each.err);
    }
    if (!why.empty()) log::warning("the topic ", options_.topic.name, " is not trimmed: ", why);
}

void client::lose_followed(partition_index partition, const std::string& reason) {
    const auto found = followed_.find(partition);
    if (found == followed_.end()) return;
    const auto connection = found->second;
    unfollow(partition);
    heard_.on_lost(partition, connection, "cannot be read: " + reason);
}

void client::break_now(const std::string& reason) {
    std::string why = reason.empty() ? last_error_ : reason;
    if (why.empty())
        why = "it was not ready within 4 seconds: does it run there, and may this machine connect?";
    stop();
    heard_.on_broken(name() + ": " + why);
}

}  // namespace pulsewire::shell::kafka
