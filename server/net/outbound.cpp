#include "server/net/outbound.hpp"

#include "common/exchange/message_text.hpp"
#include "common/protocol/event_stream.hpp"
#include "common/protocol/websocket_writer.hpp"
#include "server/net/tls.hpp"
#include "server/net/waiting_publications.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <utility>

namespace pulsewire::shell {
namespace {

// Parts of one system call: the kernel takes up to 1,024; a few batches with prefix and body each fit in
// here.
constexpr std::size_t parts_max = 256;
constexpr std::size_t parts_per_chunk = 3;
// So few bytes are copied together sooner than the kernel reads a list of their parts.
constexpr std::size_t small_write_bytes = 1'024;

ssize_t send_parts(int socket, std::span<iovec> parts, std::size_t bytes) {
    constexpr int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
    if (parts.size() == 1) return ::send(socket, parts[0].iov_base, bytes, flags);
    if (bytes <= small_write_bytes) {
        char joined[small_write_bytes];
        char* end = joined;
        for (const iovec& part : parts)
            end = std::copy_n(static_cast<char*>(part.iov_base), part.iov_len, end);
        return ::send(socket, joined, bytes, flags);
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    return ::sendmsg(socket, &message, flags);
}

outbound::outcome after(tls_session::outcome how) {
    switch (how) {
        case tls_session::outcome::sent:
            return outbound::outcome::drained;
        case tls_session::outcome::blocked:
            return outbound::outcome::blocked;
        case tls_session::outcome::failed:
            break;
    }
    return outbound::outcome::failed;
}

}  // namespace

void outbound::chunk::set_prefix(std::string_view bytes) {
    prefix_size = static_cast<std::uint8_t>(std::min(bytes.size(), prefix.size()));
    std::copy_n(bytes.begin(), prefix_size, prefix.begin());
}

std::vector<outbound::chunk> outbound_storage::take() {
    if (kept_.empty()) return {};
    auto chunks = std::move(kept_.back());
    kept_.pop_back();
    return chunks;
}

void outbound_storage::give_back(std::vector<outbound::chunk>&& chunks) {
    if (chunks.capacity() == 0 || chunks.capacity() > kept_capacity_max || kept_.size() >= kept_max) {
        std::vector<outbound::chunk>().swap(chunks);
        return;
    }
    chunks.clear();
    kept_.push_back(std::move(chunks));
}

outbound::outbound(outbound_storage& storage) : storage_(&storage) {}

outbound::~outbound() {
    for (chunk& c : chunks_) release(c);
    storage_->give_back(std::move(chunks_));
}

void outbound::push(chunk&& c) {
    if (chunks_.capacity() == 0) chunks_ = storage_->take();
    count_of(c) += c.counted();
    chunks_.push_back(std::move(c));
    if (blocked_) hold(chunks_.back());
}

std::size_t& outbound::count_of(const chunk& c) {
    return c.how == counts::as_live ? bytes_ : replay_bytes_;
}

void outbound::push_line(shared_bytes line, counts how, const hub::message* what) {
    chunk c;
    c.body = std::move(line);
    c.what = what;
    c.how = how;
    push(std::move(c));
    if (framing_ == framing::none) {
        framed_bytes_ += chunks_.back().size();
        framed_ = static_cast<std::uint32_t>(chunks_.size());
    } else if (blocked_ && chunks_.back().is(slow_consumer::latest_per_key)) {
        replace_older();
    }
}

void outbound::push_run(std::shared_ptr<line_run> run) {
    chunk c;
    c.run = run.get();
    c.body = shared_bytes(std::move(run), &c.run->text());
    c.grows = true;
    push(std::move(c));
}

void outbound::push_raw(shared_bytes bytes, std::string_view prefix, counts how) {
    // What waits before it must be framed now, or the order of framed and unframed chunks would be lost.
    frame_waiting(SIZE_MAX);
    chunk c;
    c.body = std::move(bytes);
    c.how = how;
    c.set_prefix(prefix);
    framed_bytes_ += c.size();
    push(std::move(c));
    framed_ = static_cast<std::uint32_t>(chunks_.size());
}

void outbound::push_raw(std::string bytes, counts how) {
    if (!bytes.empty()) push_raw(std::make_shared<const std::string>(std::move(bytes)), {}, how);
}

void outbound::push_control(std::string_view bytes) {
    if (chunks_.capacity() == 0) chunks_ = storage_->take();
    chunk c;
    c.body = std::make_shared<const std::string>(bytes);
    bytes_ += bytes.size();
    framed_bytes_ += bytes.size();
    if (blocked_) hold(c);
    chunks_.insert(chunks_.begin() + framed_, std::move(c));
    ++framed_;
    forget_places();
}

std::size_t outbound::drop_lines() {
    std::size_t dropped = 0;
    for (std::size_t i = framed_; i < chunks_.size(); ++i) {
        chunk& c = chunks_[i];
        count_of(c) -= c.counted();
        release(c);
        if (c.body != nullptr) dropped += c.lines();
    }
    chunks_.erase(chunks_.begin() + framed_, chunks_.end());
    holes_ = 0;
    slow_.reset();
    forget_places();
    return dropped;
}

// The chunk is going to be framed: what must stand before it does, and its text is made where it has to be.
void outbound::make_ready(std::size_t at) {
    chunk& c = chunks_[at];
    settle(c);
    if (c.run != nullptr && framing_ == framing::made) return make_run_ready(c);
    if (c.what == nullptr || (slow_ == nullptr && framing_ != framing::made)) return;
    std::string text;
    if (slow_ != nullptr) {
        if (c.is(slow_consumer::latest_per_key)) slow_->take(*c.what, static_cast<std::uint32_t>(at));
        const bool live = c.how == counts::as_live;
        if (const auto gap = live ? slow_->due_before(*c.what) : std::nullopt) {
            if (framing_ == framing::made) {
                maker_->write_gap(c.what->channel(), gap->offset, gap->why, text);
            } else if (framing_ != framing::plain) {
                text = hub::make_gap(c.what->channel(), gap->offset, gap->why);
                if (framing_ == framing::event_stream) text += event_stream::data_prefix;
            }
        }
    }
    if (framing_ == framing::made) {
        maker_->write(hub::message_ptr(c.body, c.what), text);
    } else if (text.empty()) {
        return;
    } else {
        text += *c.body;
    }
    count_of(c) += text.size() - c.body->size();
    release(c);
    c.body = std::make_shared<const std::string>(std::move(text));
    c.what = nullptr;
    if (blocked_) hold(c);
}

// What a run holds by now is what this connection gets of it.
void outbound::settle(chunk& c) {
    if (!c.grows) return;
    c.run->seal();
    c.grows = false;
    count_of(c) += c.counted();
}

void outbound::make_run_ready(chunk& c) {
    const auto messages = c.run->messages();
    if (maker_->passes(messages)) return;
    std::string text;
    for (const hub::message_ptr& m : messages) maker_->write(m, text);
    bytes_ += text.size() - c.text().size();
    release(c);
    c.run = nullptr;  // before what holds it
    c.body = std::make_shared<const std::string>(std::move(text));
}

// Gives the lines from framed_ to `end`, which are ready, the framing of one message.
void outbound::frame_batch(std::size_t end) {
    std::size_t first = end, last = end, bytes = 0;
    for (std::size_t i = framed_; i < end; ++i) {
        if (chunks_[i].body == nullptr) {
            --holes_;
            continue;
        }
        if (first == end) first = i;
        last = i;
        bytes += chunks_[i].text().size();
        // The lines of a run have theirs.
        if (framing_ == framing::event_stream && chunks_[i].run == nullptr)
            chunks_[i].set_prefix(event_stream::data_prefix);
    }
    if (first != end) {
        if (framing_ == framing::websocket || framing_ == framing::plain)
            chunks_[first].set_prefix(websocket::frame_header(websocket::opcode::text, bytes));
        if (framing_ == framing::event_stream) chunks_[last].ends_event = true;
    }
    for (std::size_t i = framed_; i < end; ++i) framed_bytes_ += chunks_[i].size();
    framed_ = static_cast<std::uint32_t>(end);
}

bool outbound::compressible(const chunk& c) const {
    return c.run != nullptr && compressor_for(*c.run) != nullptr;
}

deflater* outbound::compressor_for(const line_run& run) const {
    const bool is_worth_it = compresses_ && run.text().size() >= storage_->bounds().compression_bytes_min;
    return is_worth_it ? &storage_->compressor() : nullptr;
}

// The first chunk without framing, a run, becomes a message of its own.
void outbound::frame_run() {
    chunk& c = chunks_[framed_++];
    settle(c);
    const std::size_t before = c.text().size();
    // The message lives as long as its run.
    const auto& message = c.run->websocket_message(compressor_for(*c.run));
    release(c);
    c.run = nullptr;
    c.body = message;
    bytes_ += c.body->size() - before;
    framed_bytes_ += c.size();
}

// What most connections hold when much is published: then all send the same bytes, framing included.
bool outbound::is_one_run() const {
    return framing_ == framing::websocket && chunks_.size() == 1 && framed_ == 0 && slow_ == nullptr &&
           chunks_[0].run != nullptr;
}

// Frames what waits until so many bytes can be written. The rest stays as it is: what has no framing yet may
// still be dropped.
void outbound::frame_waiting(std::size_t bytes_ahead) {
    const shell_limits& bounds = storage_->bounds();
    while (framed_bytes_ < bytes_ahead) {
        if (framed_ == chunks_.size() && slow_ != nullptr) push_markers();
        if (framed_ == chunks_.size()) return;
        if (compressible(chunks_[framed_])) {
            frame_run();
            continue;
        }
        const std::size_t most = framing_ == framing::plain ? 1 : bounds.batch_messages_max;
        std::size_t end = framed_;
        std::size_t bytes = 0, lines = 0;
        for (; end < chunks_.size() && lines < most; ++end) {
            if (chunks_[end].body == nullptr) continue;
            const std::size_t more = chunks_[end].text().size(), more_lines = chunks_[end].lines();
            if (lines > 0 && compressible(chunks_[end])) break;
            if (lines > 0 && (bytes + more > bounds.batch_bytes_max || lines + more_lines > most)) break;
            make_ready(end);
            bytes += more;
            lines += more_lines;
        }
        frame_batch(end);
    }
}

std::size_t outbound::gather(iovec* parts, std::size_t& count) const {
    std::size_t total = 0;
    std::size_t skip = offset_;
    count = 0;
    const auto add = [&](const char* data, std::size_t size) {
        const std::size_t skipped = std::min(skip, size);
        skip -= skipped;
        if (skipped == size) return;
        parts[count++] = {const_cast<char*>(data) + skipped, size - skipped};
        total += size - skipped;
    };
    for (std::size_t i = next_; i < framed_ && count + parts_per_chunk <= parts_max; ++i) {
        const chunk& c = chunks_[i];
        if (c.body == nullptr) continue;
        add(c.prefix.data(), c.prefix_size);
        add(c.text().data(), c.text().size());
        if (c.ends_event) add(event_stream::event_end.data(), event_stream::event_end.size());
    }
    return total;
}

void outbound::consume(std::size_t bytes) {
    std::size_t left = bytes + offset_;
    framed_bytes_ -= bytes;
    while (next_ < framed_ && left >= chunks_[next_].size()) {
        chunk& c = chunks_[next_++];
        left -= c.size();
        count_of(c) -= c.text().size();
        release(c);
        c.body.reset();
    }
    offset_ = static_cast<std::uint32_t>(left);
}

// Gives the storage back when nothing waits, and keeps it from growing when something always does.
void outbound::tidy() {
    if (empty()) {
        storage_->give_back(std::move(chunks_));
        chunks_ = {};
        slow_.reset();
        next_ = framed_ = offset_ = settled_ = placed_ = holes_ = 0;
    } else if (next_ >= 64 && next_ > chunks_.size() / 2) {
        chunks_.erase(chunks_.begin(), chunks_.begin() + next_);
        framed_ -= next_;
        next_ = 0;
        forget_places();
    }
}

// One system call, or with TLS what it takes at a time. Returns what has left the queue.
std::size_t outbound::write_parts(
    int socket, tls_session* tls, std::span<iovec> parts, std::size_t bytes, written& result
) {
    if (tls != nullptr) {
        const tls_session::sent s = tls->send(socket, parts);
        result.how = after(s.how);
        result.bytes += s.bytes;
        return s.taken;
    }
    ssize_t sent = 0;
    do {
        sent = send_parts(socket, parts, bytes);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        result.how = errno == EAGAIN || errno == EWOULDBLOCK ? outcome::blocked : outcome::failed;
        return 0;
    }
    const auto taken = static_cast<std::size_t>(sent);
    if (taken < bytes) result.how = outcome::blocked;
    result.bytes += taken;
    return taken;
}

// A few lines for a connection that keeps up, the usual thing where much is said to few: one message and one
// system call, without a look at what does not concern them. False when they are no such lines; then nothing
// was done.
bool outbound::write_few(int socket, written& result) {
    constexpr std::size_t few = 4;
    if (framing_ != framing::websocket || slow_ != nullptr || framed_ != 0 ||
        chunks_.size() > std::min<std::size_t>(few, storage_->bounds().batch_messages_max))
        return false;
    iovec parts[1 + few];  // the header first
    std::size_t count = 1, bytes = 0;
    for (const chunk& c : chunks_) {
        if (c.run != nullptr) return false;
        const std::string_view text = c.text();
        parts[count++] = {const_cast<char*>(text.data()), text.size()};
        bytes += text.size();
    }
    if (bytes == 0 || bytes > storage_->bounds().batch_bytes_max) return false;
    auto header = websocket::frame_header(websocket::opcode::text, bytes);
    parts[0] = {header.bytes().data(), header.size()};
    const std::size_t taken =
        write_parts(socket, nullptr, std::span(parts).first(count), header.size() + bytes, result);
    if (result.how == outcome::drained) {
        for (chunk& c : chunks_) release(c);
        chunks_.clear();
        bytes_ = replay_bytes_ = 0;
    } else if (taken > 0) {
        frame_waiting(1);  // as they were sent
        consume(taken);
    }
    return true;
}

void outbound::write_some(int socket, tls_session* tls, written& result) {
    blocked_ = false;
    if (tls == nullptr && write_few(socket, result)) return;
    iovec parts[parts_max];
    if (is_one_run()) frame_run();
    while (true) {
        frame_waiting(std::max<std::size_t>(1, storage_->bounds().batch_bytes_max));
        if (empty()) return;
        std::size_t count = 0;
        const std::size_t wanted = gather(parts, count);
        if (wanted == 0) {  // only what was dropped, or means nothing here
            consume(0);
            continue;
        }
        consume(write_parts(socket, tls, std::span(parts).first(count), wanted, result));
        if (result.how != outcome::drained) return;
        if (!empty() && result.bytes >= storage_->bounds().turn_bytes_max) {
            result.how = outcome::more;
            return;
        }
    }
}

// The usual thing where one message is published to many: it never enters the queue.
outbound::written outbound::write_run(int socket, tls_session* tls, std::shared_ptr<line_run>&& run) {
    if (tls != nullptr || framing_ != framing::websocket || !chunks_.empty()) {
        push_run(std::move(run));
        return write_to(socket, tls);
    }
    written result;
    run->seal();
    const std::string& message = *run->websocket_message(compressor_for(*run));
    iovec whole{const_cast<char*>(message.data()), message.size()};
    const std::size_t taken = write_parts(socket, nullptr, {&whole, 1}, message.size(), result);
    if (result.how != outcome::drained) {
        push_run(std::move(run));
        frame_run();
        consume(taken);
        blocked_ = result.how == outcome::blocked;
        if (blocked_) count_waiting();
    }
    return result;
}

outbound::written outbound::write_to(int socket, tls_session* tls) {
    written result;
    if (tls != nullptr && tls->waits()) {
        const tls_session::sent before = tls->flush(socket);
        result = {after(before.how), before.bytes};
    }
    if (result.how == outcome::drained) write_some(socket, tls, result);
    blocked_ = result.how == outcome::blocked;
    if (blocked_) {
        take_runs_apart();
        count_waiting();
    }
    tidy();
    return result;
}

}  // namespace pulsewire::shell
