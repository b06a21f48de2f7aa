#include "common/delivery/outbound.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::delivery {

void outbound::push_line(shared_bytes line, counts how, const hub::message* message) {
    piece p;
    p.body = std::move(line);
    p.message = message;
    p.binary = message != nullptr && message->binary && keeps_bytes();
    p.how = how;
    list_.push(std::move(p));
    if (framed_as() == framing::none) {
        list_.frame_up_to(list_.size());
    } else if (blocked_ && list_.last().may_leave(slow_consumer::latest_per_key)) {
        slow_.replace_older(list_);
    }
}

void outbound::push_run(std::shared_ptr<line_run> run) {
    piece p;
    p.run = run.get();
    const std::string* text = &run->text();
    p.body = shared_bytes(std::move(run), text);
    p.grows = true;
    list_.push(std::move(p));
}

void outbound::push_raw(shared_bytes bytes, std::string_view prefix, counts how) {
    // The pieces before it must be framed now, or the order of framed and unframed pieces would be lost.
    framer_.frame(list_, slow_, SIZE_MAX);
    piece p;
    p.body = std::move(bytes);
    p.how = how;
    p.set_prefix(prefix);
    list_.push(std::move(p));
    list_.frame_up_to(list_.size());
}

void outbound::push_raw(std::string bytes, counts how) {
    if (!bytes.empty()) push_raw(std::make_shared<const std::string>(std::move(bytes)), {}, how);
}

void outbound::push_control(std::string_view bytes) {
    piece p;
    p.body = std::make_shared<const std::string>(bytes);
    list_.push_framed(std::move(p));
    slow_.forget_places(list_);
}

std::size_t outbound::drop_lines() {
    const std::size_t dropped = list_.drop_unframed();
    slow_.forget();
    slow_.forget_places(list_);
    return dropped;
}

// The usual state of a connection when much is published: then all send the same bytes, framing included.
bool outbound::is_one_run() const {
    return is_websocket(framed_as()) && list_.size() == 1 && list_.framed() == 0 && !slow_.is_slow() &&
           list_[0].run != nullptr;
}

// A few lines for a connection that keeps up, the usual thing where much is said to few: one message, without
// a look at what does not concern them.
bool outbound::gives_lines_as_they_are(parts& next) const {
    constexpr std::size_t few = 4;
    if (!is_websocket(framed_as()) || slow_.is_slow() || list_.framed() != 0 ||
        list_.size() > std::min<std::size_t>(few, list_.limits().batch_messages_max))
        return false;
    std::size_t count = 1, bytes = 0;  // the header first
    bool binary = false;
    for (std::size_t i = 0; i < list_.size(); ++i) {
        if (list_[i].run != nullptr || list_[i].wants_text(framed_as())) return false;
        const std::string_view text = list_[i].text();
        next.all[count++] = {text.data(), text.size()};
        bytes += text.size();
        binary |= list_[i].binary;
    }
    if (bytes == 0 || bytes > list_.limits().joined_bytes()) return false;
    auto& header = next.headers.front();
    header = websocket::frame_header(binary ? websocket::opcode::binary : websocket::opcode::text, bytes);
    next.all[0] = {header.data(), header.size()};
    next.count = count;
    next.bytes = header.size() + bytes;
    return true;
}

// Messages too large to be joined with others, as payloads of bytes are: a few of them in one write, since
// each write ends with a packet of what is left, which costs the kernel as much as a full one.
bool outbound::gives_large_messages_as_they_are(parts& next) {
    if (!is_websocket(framed_as()) || slow_.is_slow() || list_.framed_bytes() != 0) return false;
    next.count = next.bytes = 0;
    std::size_t given = 0;
    for (std::size_t i = list_.framed(); i < list_.size() && given < next.headers.size(); ++i) {
        piece& p = list_[i];
        if (!framer_.stays_alone(p, list_.home())) break;
        list_.settle(p);
        const std::string_view text = p.text();
        auto& header = next.headers[given++];
        header = websocket::frame_header(
            p.is_binary() ? websocket::opcode::binary : websocket::opcode::text, text.size()
        );
        next.all[next.count++] = {header.data(), header.size()};
        next.all[next.count++] = {text.data(), text.size()};
        next.bytes += header.size() + text.size();
    }
    unframed_pieces_ = static_cast<std::uint16_t>(given);
    unframed_bytes_ = static_cast<std::uint32_t>(next.bytes);
    return given != 0;
}

bool outbound::next_parts(parts& next) {
    const bool was_put_off = std::exchange(put_off_, false);
    if (std::exchange(blocked_, false) || was_put_off) list_.count_memory(false);
    if (list_.empty() && !slow_.is_slow()) {
        tidy();
        return false;
    }
    if (gives_lines_as_they_are(next)) {
        unframed_pieces_ = static_cast<std::uint16_t>(list_.size());
        unframed_bytes_ = static_cast<std::uint32_t>(next.bytes);
        return true;
    }
    if (gives_large_messages_as_they_are(next)) return true;
    if (is_one_run()) framer_.frame_run(list_);
    while (true) {
        framer_.frame(list_, slow_, std::max<std::size_t>(1, list_.limits().batch_bytes_max));
        if (list_.empty()) break;
        next.bytes = list_.gather(next.all, next.count);
        if (next.bytes != 0) return true;
        list_.take(0);  // only what was dropped, or means nothing here
    }
    tidy();
    return false;
}

void outbound::taken(std::size_t bytes) {
    if (const std::size_t all = std::exchange(unframed_bytes_, 0); all != 0) {
        if (bytes == all && unframed_pieces_ == list_.size()) return list_.take_all();
        if (bytes == 0) return;
        framer_.frame(list_, slow_, bytes);  // as they were written
    }
    list_.take(bytes);
}

void outbound::blocked() {
    blocked_ = true;
    // Each message stands alone from now on.
    if (list_.take_runs_apart()) slow_.forget_places(list_);
    list_.count_memory(true);
    tidy();
}

void outbound::put_off() {
    put_off_ = true;
    list_.count_memory(true);
}

const std::string* outbound::whole_message(line_run& run) const {
    if (!is_websocket(framed_as()) || list_.size() != 0) return nullptr;
    run.seal();
    return run.websocket_message(framer_.compressor_for(run, list_.home())).get();
}

void outbound::push_rest(std::shared_ptr<line_run> run, std::size_t bytes_taken) {
    push_run(std::move(run));
    framer_.frame_run(list_);
    list_.take(bytes_taken);
}

// Not before the gaps at the end are told, where there are some.
void outbound::tidy() {
    if (!list_.tidy()) return;
    if (list_.empty()) slow_.forget();
    slow_.forget_places(list_);
}

}  // namespace pulsewire::delivery
