// GET /streams/<name>?live=sse (docs/streams.md): data and control events. What waits for a reader is nothing
// but its place: the next event is made when the kernel has taken the one before.

#include "common/base/base64.hpp"
#include "server/endpoint/http_conversation.hpp"
#include "server/endpoint/stream_doors.hpp"
#include "server/random.hpp"
#include "server/shard/shard.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace pulsewire::shell {
namespace {

// Data of one event, in bytes; beyond, the next event has it. One publication always fits.
constexpr std::size_t event_bytes = 16 * 1024;
// Bytes that are queued for the connection at once.
constexpr std::size_t piece_bytes = 64 * 1024;

// Lines of an event, whatever ends them: a reader joins them by line feeds.
void add_text(std::string& event, std::string_view text) {
    while (true) {
        const std::size_t end = text.find_first_of("\r\n");
        const std::string_view line = text.substr(0, end);
        // A reader takes one space away.
        event += line.starts_with(' ') ? "data: " : "data:";
        event.append(line).push_back('\n');
        if (end == text.npos) return;
        text.remove_prefix(text.substr(end).starts_with("\r\n") ? end + 2 : end + 1);
    }
}

class stream_reader final : public conversation {
public:
    stream_reader(
        connection& owner, shard& own_shard, const address& client, const std::string& channel,
        streams::place from, std::string_view cursor
    )
        : conversation(transport::stream),
          owner_(owner),
          shard_(own_shard),
          client_(client),
          at_(from),
          cursor_(streams::cursor_after(cursor, own_shard.now().wall_ms, random_bits())),
          use_(own_shard.desk().open(channel, [this] { go_on(); })) {}

    bool is_text() const {
        return use_.how() != stream_desk::use::standing::ready ||
               streams::is_text(use_.log().made().content_type);
    }

    void on_begin() override { go_on(); }
    void on_bytes(std::span<char>) override {}
    void on_end() override { owner_.drop(); }
    void on_drained() override {
        if (owner_.gone() || owner_.finishing()) return;
        if (sent_ < text_.size()) return send();
        go_on();
    }
    // A sign of life where there is nothing else to send; what shows that it is read is what keeps a stream.
    void on_deadline() override {
        if (owner_.out().empty()) {
            use_.read();
            owner_.out().push_raw(std::string(":\n\n"));
            owner_.flush_soon();
        }
        rest();
    }
    void on_overflow() override { owner_.drop(); }
    void on_drain() override {}
    void on_lost() override {
        shard_.tell_hub([&](hub::hub& h, hub::instant now) { h.closed(owner_.id(), now); });
    }
    // The client may not read any more, or the server goes down. Where it may it comes back to its place.
    void on_close(close_code code, std::string_view) override {
        owner_.end().note(ended_by::hub, static_cast<std::uint16_t>(code));
        owner_.finish(connection::farewell::close);
    }

private:
    void rest() { owner_.set_deadline(shard_.now().monotonic_ms + shard_.settings().bounds.ping_ms); }

    void end() {
        on_lost();
        owner_.finish(connection::farewell::close);
    }

    void go_on() {
        if (owner_.gone() || owner_.finishing() || is_busy_ || !owner_.out().empty()) return;
        if (use_.how() == stream_desk::use::standing::loading) return;
        if (use_.how() == stream_desk::use::standing::failed) return end();
        const streams::log& log = use_.log();
        // Removed, or made anew: the client learns it when it comes back.
        if (!log.exists(shard_.now().wall_ms) || log.born_ms() != at_.born_ms) return end();
        // The first event comes at once: after it one comes when there is something to say.
        const bool is_new = log.tail() > at_.offset || (log.closed() && !is_told_closed_);
        if (is_told_ && !is_new) return;
        is_busy_ = true;
        make_events(log);
        if (is_new) use_.read();
        is_busy_ = false;
        send();
    }

    void make_events(const streams::log& log) {
        text_.clear();
        sent_ = 0;
        const bool is_text = streams::is_text(log.made().content_type);
        std::string data;
        bool is_whole = true;
        for (const streams::log::piece& p : log.after(at_.offset)) {
            is_whole = data.empty() || data.size() + p.data.size() <= event_bytes;
            if (!is_whole) break;
            if (!data.empty() && log.is_json()) data.push_back(',');
            data += p.data;
            at_.offset = p.offset;
        }
        if (is_whole) at_.offset = std::max(at_.offset, log.tail());
        if (!data.empty()) {
            text_ += "event: data\n";
            if (log.is_json())
                text_.append("data:[").append(data).append("]\n");
            else if (is_text)
                add_text(text_, data);
            else
                text_.append("data:").append(to_base64(data)).push_back('\n');
            text_.push_back('\n');
        }
        is_told_ = true;
        is_told_closed_ = is_whole && log.closed();
        text_.append("event: control\ndata:{\"streamNextOffset\":\"").append(streams::text_of(at_));
        if (!is_told_closed_) {
            // It goes on with the time from where the client was.
            const std::string now = streams::cursor_after({}, shard_.now().wall_ms, 0);
            if (streams::read_count(now) > streams::read_count(cursor_)) cursor_ = now;
            text_.append("\",\"streamCursor\":\"").append(cursor_);
        }
        text_ += '"';
        if (is_whole) text_ += ",\"upToDate\":true";
        if (is_told_closed_) text_ += ",\"streamClosed\":true";
        text_ += "}\n\n";
        shard_.charge_answer(client_, text_.size());
    }

    void send() {
        const std::size_t size = std::min(piece_bytes, text_.size() - sent_);
        owner_.out().push_raw(text_.substr(sent_, size));
        sent_ += size;
        rest();
        if (sent_ < text_.size()) return owner_.flush_soon();
        text_.clear();
        sent_ = 0;
        if (is_told_closed_) return end();
        owner_.flush_soon();
    }

    connection& owner_;
    shard& shard_;
    const address client_;
    streams::place at_;
    std::string cursor_;
    std::string text_;  // of the events that are being sent
    std::size_t sent_ = 0;
    bool is_told_ = false, is_told_closed_ = false, is_busy_ = false;
    stream_desk::use use_;
};

}  // namespace

void read_live(http_conversation& c, std::string channel, streams::place from, std::string cursor) {
    response head = stream_answer(200);
    head.streams = true;
    head.content_type = "text/event-stream";
    head.add("Cache-Control", "no-cache, no-store");
    head.add("X-Accel-Buffering", "no");
    auto next = std::make_unique<stream_reader>(c.owner(), c.own_shard(), c.client(), channel, from, cursor);
    if (!next->is_text()) head.add("Stream-SSE-Data-Encoding", "base64");
    c.upgrade(std::move(head), std::move(next));
}

}  // namespace pulsewire::shell
