#include "server/net/outbound.hpp"

#include "common/protocol/event_stream.hpp"
#include "common/protocol/websocket_writer.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace pulsewire::shell {
namespace {

// Parts of one system call: the kernel takes up to 1,024; a few batches with prefix and body each fit in
// here.
constexpr std::size_t parts_max = 256;
constexpr std::size_t parts_per_chunk = 3;

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

outbound::~outbound() {
    storage_->give_back(std::move(chunks_));
}

void outbound::push(chunk&& c) {
    if (chunks_.capacity() == 0) chunks_ = storage_->take();
    count_of(c) += c.body->size();
    chunks_.push_back(std::move(c));
}

std::size_t& outbound::count_of(const chunk& c) {
    return c.how == counts::as_live ? bytes_ : replay_bytes_;
}

bool outbound::overflows() const {
    return bytes_ > storage_->bounds().queue_bytes_max || replay_bytes_ > storage_->bounds().replay_bytes_max;
}

void outbound::push_line(shared_bytes line, counts how) {
    push({std::move(line), {}, 0, false, how});
    if (framing_ == framing::none) framed_ = static_cast<std::uint32_t>(chunks_.size());
}

void outbound::push_raw(shared_bytes bytes, std::string_view prefix, counts how) {
    // What waits before it must be framed now, or the order of framed and unframed chunks would be lost.
    frame_waiting();
    chunk c{std::move(bytes), {}, 0, false, how};
    c.set_prefix(prefix);
    push(std::move(c));
    framed_ = static_cast<std::uint32_t>(chunks_.size());
}

void outbound::push_raw(std::string bytes, counts how) {
    if (!bytes.empty()) push_raw(std::make_shared<const std::string>(std::move(bytes)), {}, how);
}

void outbound::push_control(std::string_view bytes) {
    if (chunks_.capacity() == 0) chunks_ = storage_->take();
    chunk c{std::make_shared<const std::string>(bytes), {}, 0, false, counts::as_live};
    bytes_ += bytes.size();
    chunks_.insert(chunks_.begin() + framed_, std::move(c));
    ++framed_;
}

std::size_t outbound::drop_lines() {
    const std::size_t dropped = chunks_.size() - framed_;
    for (std::size_t i = framed_; i < chunks_.size(); ++i) count_of(chunks_[i]) -= chunks_[i].body->size();
    chunks_.erase(chunks_.begin() + framed_, chunks_.end());
    return dropped;
}

// Gives the lines from framed_ to `end`, which have `bytes` bytes, the framing of one message.
void outbound::frame_batch(std::size_t end, std::size_t bytes) {
    if (framing_ == framing::websocket) {
        chunks_[framed_].set_prefix(websocket::frame_header(websocket::opcode::text, bytes));
    } else if (framing_ == framing::event_stream) {
        for (std::size_t i = framed_; i < end; ++i) chunks_[i].set_prefix(event_stream::data_prefix);
        chunks_[end - 1].ends_event = true;
    }
    framed_ = static_cast<std::uint32_t>(end);
}

void outbound::frame_waiting() {
    const shell_limits& bounds = storage_->bounds();
    while (framed_ < chunks_.size()) {
        std::size_t end = framed_;
        std::size_t bytes = 0;
        while (end < chunks_.size() && end - framed_ < bounds.batch_messages_max) {
            const std::size_t more = chunks_[end].body->size();
            if (end > framed_ && bytes + more > bounds.batch_bytes_max) break;
            bytes += more;
            ++end;
        }
        frame_batch(end, bytes);
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
        add(c.prefix.data(), c.prefix_size);
        add(c.body->data(), c.body->size());
        if (c.ends_event) add(event_stream::event_end.data(), event_stream::event_end.size());
    }
    return total;
}

void outbound::consume(std::size_t bytes) {
    std::size_t left = bytes + offset_;
    while (next_ < framed_ && left >= chunks_[next_].size()) {
        left -= chunks_[next_].size();
        count_of(chunks_[next_]) -= chunks_[next_].body->size();
        chunks_[next_].body.reset();
        ++next_;
    }
    offset_ = static_cast<std::uint32_t>(left);
}

// Gives the storage back when nothing waits, and keeps it from growing when something always does.
void outbound::tidy() {
    if (empty()) {
        storage_->give_back(std::move(chunks_));
        chunks_ = {};
        next_ = framed_ = offset_ = 0;
    } else if (next_ >= 64 && next_ > chunks_.size() / 2) {
        chunks_.erase(chunks_.begin(), chunks_.begin() + next_);
        framed_ -= next_;
        next_ = 0;
    }
}

outbound::written outbound::write_to(int socket) {
    written result;
    iovec parts[parts_max];
    frame_waiting();
    while (!empty()) {
        std::size_t count = 0;
        const std::size_t wanted = gather(parts, count);
        msghdr message{};
        message.msg_iov = parts;
        message.msg_iovlen = count;
        const ssize_t sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            if (errno == EINTR) continue;
            result.how = errno == EAGAIN || errno == EWOULDBLOCK ? outcome::blocked : outcome::failed;
            break;
        }
        result.bytes += static_cast<std::size_t>(sent);
        consume(static_cast<std::size_t>(sent));
        if (static_cast<std::size_t>(sent) < wanted) {
            result.how = outcome::blocked;
            break;
        }
        if (!empty() && result.bytes >= storage_->bounds().turn_bytes_max) {
            result.how = outcome::more;
            break;
        }
    }
    tidy();
    return result;
}

}  // namespace pulsewire::shell
