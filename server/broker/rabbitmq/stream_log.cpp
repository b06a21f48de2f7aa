#include "server/broker/rabbitmq/stream_log.hpp"

#include "server/log.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pulsewire::shell::rabbitmq {
namespace {

constexpr std::uint64_t megabyte = 1'000'000;
// What retention removes at once.
constexpr std::uint64_t segment_bytes = 64 * megabyte;
// Offsets in a row that the server may give to entries of its own: one is seen where it begins a new file.
// Retention takes whole files, which hold more records than that.
constexpr std::uint64_t hidden_entries_max = 8;
// Entries before the end that are looked at for the last record, at first; then sixteen times as many.
constexpr std::uint64_t look_back_entries = 16;

// The port has {0, 0} stand before every record, so offset 0 is 1.
cluster::mark mark_of(std::uint64_t offset) {
    return {offset + 1, 0};
}

std::optional<std::uint64_t> offset_in(const amqp_basic_properties_t& properties) {
    if ((properties._flags & AMQP_BASIC_HEADERS_FLAG) == 0) return std::nullopt;
    for (int i = 0; i < properties.headers.num_entries; ++i) {
        const amqp_table_entry_t& each = properties.headers.entries[i];
        if (text_of(each.key) == "x-stream-offset" && each.value.kind == AMQP_FIELD_KIND_I64)
            return static_cast<std::uint64_t>(each.value.value.i64);
    }
    return std::nullopt;
}

}  // namespace

stream_log::stream_log(
    const address& where, cluster::partition_index partition, const cluster::open_log& what, std::string id,
    time_point now, listener heard
)
    : where_(where),
      partition_(partition),
      number_(what.connection),
      from_(what.from),
      id_(std::move(id)),
      queue_(where.name + "-" + std::to_string(partition)),
      heard_(std::move(heard)),
      opening_since_(now) {}

stream_log::~stream_log() {
    free_appends();
}

void stream_log::free_appends() {
    waiting_.clear();
    sent_.clear();
    heard_.on_freed(std::exchange(waiting_bytes_, 0) + std::exchange(sent_bytes_, 0));
}

void stream_log::tell(auto&& what) {
    heard_.on_value({partition_, std::forward<decltype(what)>(what)});
}

void stream_log::lose(const std::string& what) {
    fail("the stream " + queue_ + " of " + appending_->name() + " " + what);
}

void stream_log::end() {
    closed_ = true;
    if (channel_ == 0) return;
    appending_->close_channel(channel_);
    reading_->close_channel(channel_);
}

void stream_log::fail(std::string reason) {
    if (std::exchange(closed_, true)) return;
    free_appends();
    tell(cluster::closed{number_, std::move(reason)});
}

// --- opening ---

// All requests of a channel are answered in their order, so none waits for the answer to the one before.
void stream_log::begin(connection& appending, connection& reading, amqp_channel_t channel) {
    appending_ = &appending;
    reading_ = &reading;
    channel_ = channel;
    appending_->open_channel(channel_);
    appending_->send(channel_, AMQP_CONFIRM_SELECT_METHOD, amqp_confirm_select_t{});
    declare();
    reading_->open_channel(channel_);
    amqp_basic_qos_t qos{};
    qos.prefetch_count = prefetch;
    reading_->send(channel_, AMQP_BASIC_QOS_METHOD, qos);
}

// Refused by the server where the stream exists with other settings.
void stream_log::declare() {
    amqp_table_entry_t settings[] = {
        text_entry("x-queue-type", "stream"),
        number_entry("x-max-length-bytes", static_cast<std::int64_t>(where_.keep_mb * megabyte)),
        number_entry("x-stream-max-segment-size-bytes", static_cast<std::int64_t>(segment_bytes))};
    amqp_queue_declare_t stream{};
    stream.queue = bytes_of(queue_);
    stream.durable = 1;
    stream.arguments = table_of(settings);
    appending_->send(channel_, AMQP_QUEUE_DECLARE_METHOD, stream);
}

// Instead of the consumer before.
void stream_log::consume(phase next, const amqp_table_entry_t& from) {
    if (!consumer_.empty()) {
        amqp_basic_cancel_t cancel{};
        cancel.consumer_tag = bytes_of(consumer_);
        cancel.nowait = 1;
        reading_->send(channel_, AMQP_BASIC_CANCEL_METHOD, cancel);
    }
    phase_ = next;
    seen_from_.reset();
    consumer_ = std::to_string(++consumers_);
    amqp_table_entry_t argument = from;
    amqp_basic_consume_t wish{};
    wish.queue = bytes_of(queue_);
    wish.consumer_tag = bytes_of(consumer_);
    wish.arguments = table_of({&argument, 1});
    reading_->send(channel_, AMQP_BASIC_CONSUME_METHOD, wish);
}

void stream_log::consume_at(phase next, std::uint64_t offset) {
    consume(next, number_entry("x-stream-offset", static_cast<std::int64_t>(offset)));
}

// The place of the consumer is fixed, so whatever is appended from now on comes to it.
void stream_log::on_consuming() {
    if (phase_ == phase::finding_end) publish(id_, {}, std::chrono::steady_clock::now());
}

void stream_log::look_at(const entry& seen) {
    if (!seen_from_) seen_from_ = seen.offset;
    const bool is_record = seen.size > 0;
    switch (phase_) {
        case phase::finding_end:
            if (is_record) last_ = seen.offset;
            end_ = seen.offset;
            if (!is_record && seen.id == id_) on_end_found();
            return;
        case phase::finding_last:
            if (is_record && !first_) first_ = seen.offset;
            if (is_record && seen.offset < end_) last_ = seen.offset;
            if (seen.offset >= end_) on_looked_back();
            return;
        case phase::finding_first:
            if (is_record) first_ = seen.offset;
            if (is_record || seen.offset >= end_) open();
            return;
        default:
            return;
    }
}

void stream_log::on_end_found() {
    if (last_) return consume(phase::finding_first, text_entry("x-stream-offset", "first"));
    look_back(look_back_entries);
}

void stream_log::look_back(std::uint64_t count) {
    looked_back_ = std::min(count, end_);
    first_.reset();
    consume_at(phase::finding_last, end_ - looked_back_);
}

// A consumer that asks for an entry that is gone is given the first that is there.
void stream_log::on_looked_back() {
    const std::uint64_t asked = end_ - looked_back_;
    if (asked == 0 || *seen_from_ > asked + hidden_entries_max) return open();
    if (!last_) return look_back(looked_back_ * look_back_entries);
    first_.reset();
    consume(phase::finding_first, text_entry("x-stream-offset", "first"));
}

void stream_log::open() {
    // AMQP does not say whether the server was started again.
    cluster::opened told{.connection = number_, .first = {}, .last = {}, .incarnation = {}};
    if (last_) {
        if (!first_ || *first_ > *last_) return lose("was trimmed while it was opened");
        told.first = mark_of(*first_);
        told.last = mark_of(*last_);
    }
    tell(std::move(told));
    // A log that is shorter than its reader knows is read from its end on.
    const std::uint64_t begin = first_.value_or(end_);
    next_ = from_.high == 0 ? begin : std::clamp(from_.high - 1, std::min(begin, end_), end_);
    consume_at(phase::following, next_);
    pump(std::chrono::steady_clock::now());
}

// --- reading ---

void stream_log::on_read_frame(const amqp_frame_t& frame) {
    if (closed_) return;
    if (frame.frame_type == AMQP_FRAME_HEADER) return on_header(frame);
    if (frame.frame_type == AMQP_FRAME_BODY) {
        const auto part = text_of(frame.payload.body_fragment);
        if (read_.bytes.size() + part.size() > read_.size) return lose("sends more than it said it would");
        read_.bytes.append(part);
        if (read_.bytes.size() == read_.size) take(read_);
        return;
    }
    if (frame.frame_type != AMQP_FRAME_METHOD) return;
    switch (frame.payload.method.id) {
        case AMQP_BASIC_DELIVER_METHOD: {
            const auto& method = as<amqp_basic_deliver_t>(frame.payload.method);
            delivered_ = method.delivery_tag;
            read_ = {};
            read_.is_current = text_of(method.consumer_tag) == consumer_;
            return;
        }
        case AMQP_BASIC_CONSUME_OK_METHOD:
            if (text_of(as<amqp_basic_consume_ok_t>(frame.payload.method).consumer_tag) == consumer_)
                on_consuming();
            return;
        case AMQP_BASIC_CANCEL_METHOD:
            return lose("is read no more: was it deleted, or has it lost its leader?");
        case AMQP_CHANNEL_CLOSE_METHOD:
            return lose(
                "cannot be read (" + said(as<amqp_channel_close_t>(frame.payload.method).reply_text) + ")"
            );
        default:
            return;
    }
}

void stream_log::on_header(const amqp_frame_t& frame) {
    const auto& properties = *static_cast<const amqp_basic_properties_t*>(frame.payload.properties.decoded);
    const auto offset = offset_in(properties);
    if (!offset) return lose("has entries without an offset: is it a stream?");
    read_.offset = *offset;
    read_.size = frame.payload.properties.body_size;
    if (read_.size > cluster::record_bytes_max)
        return lose("has a message that is no record: only Pulsewire may write to it");
    if ((properties._flags & AMQP_BASIC_MESSAGE_ID_FLAG) != 0) read_.id = text_of(properties.message_id);
    read_.bytes.reserve(read_.size);
    if (read_.size == 0) take(read_);
}

void stream_log::take(entry& taken) {
    if (!taken.is_current) return;
    phase_ == phase::following ? follow(taken) : look_at(taken);
}

void stream_log::follow(entry& next) {
    if (next.offset < next_ || next.offset > next_ + hidden_entries_max) {
        const std::string places = " (it sends entry " + std::to_string(next.offset) + " where " +
                                   std::to_string(next_) + " is next)";
        return lose(
            (next.offset < next_ ? "has gone back, so it has lost records"
                                 : "was trimmed before it was read: keep_mb is too small for this reader") +
            places
        );
    }
    next_ = next.offset + 1;
    if (next.size == 0) return;
    count(next.offset, next.bytes.size());
    tell(cluster::record_read{number_, mark_of(next.offset), std::move(next.bytes)});
}

void stream_log::acknowledge() {
    if (closed_ || acknowledged_ == delivered_) return;
    acknowledged_ = delivered_;
    amqp_basic_ack_t all{};
    all.delivery_tag = delivered_;
    all.multiple = 1;
    reading_->send(channel_, AMQP_BASIC_ACK_METHOD, all);
}

// --- what retention leaves ---

void stream_log::count(std::uint64_t offset, std::size_t bytes) {
    if (milestones_.empty() || read_bytes_ - milestones_.back().bytes >= megabyte) {
        milestones_.push_back({offset, read_bytes_});
        if (milestones_.size() > where_.keep_mb) milestones_.pop_front();
    }
    read_bytes_ += bytes;
}

// Retention is the stream's own, by its size: AMQP has no word to remove records. But it shall not remove
// what nodes need, and that grows until the next trim.
void stream_log::trim(cluster::mark before) {
    const auto after = std::find_if(milestones_.begin(), milestones_.end(), [&](const milestone& each) {
        return mark_of(each.offset) > before;
    });
    // This connection began to read behind it.
    if (after == milestones_.begin()) return;
    milestones_.erase(milestones_.begin(), std::prev(after));
    const std::uint64_t needed_mb = (read_bytes_ - milestones_.front().bytes) / megabyte;
    if (needed_mb <= where_.keep_mb / 2 || std::exchange(has_warned_, true)) return;
    log::warning(
        "nodes need the newest ", needed_mb, " MB of the stream ", queue_, " of RabbitMQ, which keeps ",
        where_.keep_mb,
        " MB: that is too little to be safe. Stop all nodes, delete the stream, and give them ",
        "a larger keep_mb"
    );
}

// --- appending ---

void stream_log::on_append_frame(const amqp_frame_t& frame, time_point now) {
    if (closed_ || frame.frame_type != AMQP_FRAME_METHOD) return;
    switch (frame.payload.method.id) {
        case AMQP_QUEUE_DECLARE_OK_METHOD:
            return consume(phase::finding_end, text_entry("x-stream-offset", "last"));
        case AMQP_BASIC_ACK_METHOD: {
            const auto& method = as<amqp_basic_ack_t>(frame.payload.method);
            return on_confirm(method.delivery_tag, method.multiple != 0, now);
        }
        case AMQP_BASIC_NACK_METHOD:
            return lose("has refused a record");
        case AMQP_BASIC_RETURN_METHOD:
            return lose("is there no more");
        case AMQP_CHANNEL_CLOSE_METHOD: {
            const auto& method = as<amqp_channel_close_t>(frame.payload.method);
            const bool is_other = method.reply_code == AMQP_PRECONDITION_FAILED;
            return lose(
                "cannot be used (" + said(method.reply_text) + ")" +
                (is_other ? ": all nodes must have the same keep_mb. To change it, stop them and delete the "
                            "stream, with all that it holds"
                          : "")
            );
        }
        default:
            return;
    }
}

void stream_log::append(std::string bytes, time_point now) {
    waiting_bytes_ += bytes.size();
    waiting_.push_back(std::move(bytes));
    if (phase_ == phase::following) pump(now);
}

void stream_log::publish(std::string_view id, std::string_view bytes, time_point now) {
    ++published_;
    sent_bytes_ += bytes.size();
    sent_.push_back({bytes.size(), now});
    appending_->send(channel_, message{queue_, id, bytes});
}

void stream_log::pump(time_point now) {
    while (!closed_ && !waiting_.empty() && sent_.size() < window_records_max &&
           (sent_.empty() || sent_bytes_ + waiting_.front().size() <= window_bytes_max)) {
        const std::string bytes = std::move(waiting_.front());
        waiting_.pop_front();
        waiting_bytes_ -= bytes.size();
        publish({}, bytes, now);
    }
}

// Confirms may come in any order, and one for many.
void stream_log::on_confirm(std::uint64_t tag, bool multiple, time_point now) {
    const std::uint64_t before = published_ - sent_.size();
    if (tag <= before || tag > published_) return;
    const auto last = sent_.begin() + static_cast<std::ptrdiff_t>(tag - before - 1);
    for (auto each = multiple ? sent_.begin() : last; each <= last; ++each) each->is_confirmed = true;
    std::uint32_t records = 0;
    std::size_t bytes = 0;
    while (!sent_.empty() && sent_.front().is_confirmed) {
        if (sent_.front().bytes > 0) ++records;
        bytes += sent_.front().bytes;
        sent_.pop_front();
    }
    sent_bytes_ -= bytes;
    heard_.on_freed(bytes);
    if (records > 0) tell(cluster::appended{number_, records});
    if (phase_ == phase::following) pump(now);
}

// --- time ---

void stream_log::on_time(time_point now) {
    if (closed_) return;
    if (phase_ != phase::following && now - opening_since_ > opening_time_max) {
        return fail(
            (appending_ != nullptr ? appending_->name() : std::string("the broker")) +
            " was not ready within 4.5 seconds: does it still run, and has it memory and disk?"
        );
    }
    if (!sent_.empty() && now - sent_.front().at > patience)
        lose("has not confirmed a record for 3 seconds: has its server memory and disk?");
}

}  // namespace pulsewire::shell::rabbitmq
