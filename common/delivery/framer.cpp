#include "common/delivery/framer.hpp"

#include "common/exchange/message_text.hpp"
#include "common/protocol/event_stream.hpp"
#include "common/protocol/websocket_writer.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace pulsewire::delivery {

compressor* framer::compressor_for(const line_run& run, const storage& of) const {
    // Bytes are mostly packed already.
    const bool is_worth_it =
        compresses_ && !run.is_binary() && run.text().size() >= of.limits().compression_bytes_min;
    return is_worth_it ? of.compresses_with() : nullptr;
}

bool framer::compressible(const piece& p, const storage& of) const {
    return p.run != nullptr && compressor_for(*p.run, of) != nullptr;
}

bool framer::stays_alone(const piece& p, const storage& of) const {
    return p.text().size() > of.limits().batch_bytes_max && p.lines() == 1 && !p.wants_text(how_) &&
           !compressible(p, of);
}

void framer::frame(piece_list& list, slow_reader& slow, std::size_t bytes_ahead) const {
    const bounds& limits = list.limits();
    while (list.framed_bytes() < bytes_ahead) {
        if (list.framed() == list.size() && slow.is_slow()) push_gaps(list, slow);
        if (list.framed() == list.size()) return;
        // Of what is compressed the same bytes go to everybody, so a run stays alone.
        if (compressible(list[list.framed()], list.home())) {
            frame_run(list);
            continue;
        }
        const std::size_t most_bytes = limits.joined_bytes();
        const std::size_t most = how_ == framing::plain ? 1 : limits.batch_messages_max;
        std::size_t end = list.framed();
        std::size_t bytes = 0, lines = 0;
        for (; end < list.size() && lines < most; ++end) {
            const piece& p = list[end];
            if (p.body == nullptr) continue;
            const std::size_t more = p.text().size(), more_lines = p.lines();
            if (lines > 0 && compressible(p, list.home())) break;
            if (lines > 0 && (bytes + more > most_bytes || lines + more_lines > most)) break;
            if (p.run != nullptr && is_websocket(how_) && more > most_bytes) break;
            make_ready(list, slow, end);
            bytes += more;
            lines += more_lines;
        }
        // A run of several messages, and nothing before it.
        if (lines == 0 && end < list.size()) {
            list.frame_up_to(end);
            frame_run(list);
            continue;
        }
        frame_batch(list, end);
    }
}

// The piece is going to be framed: what must stand before it does, and its text is made where it has to be.
void framer::make_ready(piece_list& list, slow_reader& slow, std::size_t at) const {
    piece& p = list[at];
    list.settle(p);
    const bool has_cursor = how_ == framing::cursor_events;
    if (p.run != nullptr && has_cursor) return make_run_ready(list, p);
    const bool wants_text = p.wants_text(how_);
    if (p.message == nullptr || (!slow.is_slow() && !has_cursor && !wants_text)) return;
    std::string text;
    if (const auto gap = slow.framing_of(p, at)) {
        if (has_cursor) {
            events_->write_gap(p.message->channel(), gap->offset, gap->why, text);
        } else if (how_ != framing::plain) {
            text = hub::make_gap(p.message->channel(), gap->offset, gap->why);
            if (how_ == framing::event_stream) text += event_stream::data_prefix;
        }
    }
    if (has_cursor) {
        events_->write(hub::message_ptr(p.body, p.message), text);
    } else if (wants_text) {
        text += hub::text_line(*p.message);
    } else if (text.empty()) {
        return;
    } else {
        text += *p.body;
    }
    list.replace(p, std::make_shared<const std::string>(std::move(text)));
}

// The text of all may stand in a place where this connection is not: then it gets one of its own.
void framer::make_run_ready(piece_list& list, piece& p) const {
    const auto messages = p.run->messages();
    if (events_->continues(messages)) return;
    std::string text;
    for (const hub::message_ptr& m : messages) events_->write(m, text);
    list.replace(p, std::make_shared<const std::string>(std::move(text)));
}

// Gives the lines up to `end`, which are ready, the framing of one message.
void framer::frame_batch(piece_list& list, std::size_t end) const {
    std::size_t first = end, last = end, bytes = 0;
    bool binary = false;
    for (std::size_t i = list.framed(); i < end; ++i) {
        piece& p = list[i];
        if (p.body == nullptr) continue;
        if (first == end) first = i;
        last = i;
        bytes += p.text().size();
        binary |= p.is_binary();
        // The lines of a run have theirs.
        if (how_ == framing::event_stream && p.run == nullptr) p.set_prefix(event_stream::data_prefix);
    }
    if (first != end) {
        if (is_websocket(how_) || how_ == framing::plain)
            list[first].set_prefix(
                websocket::frame_header(binary ? websocket::opcode::binary : websocket::opcode::text, bytes)
            );
        if (how_ == framing::event_stream) list[last].ends_event = true;
    }
    list.frame_up_to(end);
}

void framer::frame_run(piece_list& list) const {
    piece& p = list[list.framed()];
    list.settle(p);
    list.replace(p, p.run->websocket_message(compressor_for(*p.run, list.home())));
    list.frame_up_to(list.framed() + 1);
}

// Nothing waits that these gaps could be told before.
void framer::push_gaps(piece_list& list, slow_reader& slow) const {
    for (const auto& [channel, due] : slow.gaps_at_the_end()) {
        std::string text;
        if (how_ == framing::cursor_events) events_->write_gap(channel, due.offset, due.why, text);
        if (is_websocket(how_) || how_ == framing::event_stream)
            text = hub::make_gap(channel, due.offset, due.why);
        if (text.empty()) continue;
        piece p;
        p.body = std::make_shared<const std::string>(std::move(text));
        list.push(std::move(p));
    }
}

}  // namespace pulsewire::delivery
