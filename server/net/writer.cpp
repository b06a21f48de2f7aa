#include "server/net/writer.hpp"

#include "server/net/tls.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <span>
#include <utility>

namespace pulsewire::shell {
namespace {

using delivery::part;

// The queue gives its stretches in the form that the kernel reads.
static_assert(sizeof(part) == sizeof(iovec) && alignof(part) == alignof(iovec));
static_assert(offsetof(part, data) == offsetof(iovec, iov_base));
static_assert(offsetof(part, size) == offsetof(iovec, iov_len));

// So few bytes are copied together sooner than the kernel reads a list of their parts.
constexpr std::size_t small_write_bytes = 1'024;

ssize_t send_parts(int socket, std::span<const part> parts, std::size_t bytes) {
    constexpr int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
    if (parts.size() == 1) return ::send(socket, parts[0].data, bytes, flags);
    if (bytes <= small_write_bytes) {
        char joined[small_write_bytes];
        char* end = joined;
        for (const part& p : parts) end = std::copy_n(p.data, p.size, end);
        return ::send(socket, joined, bytes, flags);
    }
    msghdr message{};
    message.msg_iov = reinterpret_cast<iovec*>(const_cast<part*>(parts.data()));
    message.msg_iovlen = parts.size();
    return ::sendmsg(socket, &message, flags);
}

written::outcome after(tls_session::outcome how) {
    switch (how) {
        case tls_session::outcome::sent:
            return written::outcome::drained;
        case tls_session::outcome::blocked:
            return written::outcome::blocked;
        case tls_session::outcome::failed:
            break;
    }
    return written::outcome::failed;
}

// One system call, or with TLS what it takes at a time. Returns what has left the queue.
std::size_t send_some(
    int socket, tls_session* tls, std::span<const part> parts, std::size_t bytes, written& result
) {
    if (tls != nullptr) {
        const tls_session::sent s =
            tls->send(socket, {reinterpret_cast<const iovec*>(parts.data()), parts.size()});
        result.how = after(s.how);
        result.bytes += s.bytes;
        return s.taken;
    }
    ssize_t sent = 0;
    do {
        sent = send_parts(socket, parts, bytes);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        const bool is_full = errno == EAGAIN || errno == EWOULDBLOCK;
        result.how = is_full ? written::outcome::blocked : written::outcome::failed;
        return 0;
    }
    const auto taken = static_cast<std::size_t>(sent);
    if (taken < bytes) result.how = written::outcome::blocked;
    result.bytes += taken;
    return taken;
}

}  // namespace

written write(delivery::outbound& queue, int socket, tls_session* tls, std::size_t turn_bytes_max) {
    written result;
    // Encrypted bytes go first: TLS takes nothing more before.
    if (tls != nullptr && tls->waits()) {
        const tls_session::sent before = tls->flush(socket);
        result = {after(before.how), before.bytes};
    }
    delivery::parts next;
    while (result.how == written::outcome::drained && queue.next_parts(next)) {
        queue.taken(send_some(socket, tls, {next.all.data(), next.count}, next.bytes, result));
        if (result.how == written::outcome::drained && result.bytes >= turn_bytes_max && !queue.empty())
            result.how = written::outcome::more;
    }
    if (result.how == written::outcome::blocked) queue.blocked();
    return result;
}

written write_run(
    delivery::outbound& queue, int socket, tls_session* tls, std::shared_ptr<delivery::line_run>&& run,
    std::size_t turn_bytes_max
) {
    const std::string* whole = tls == nullptr ? queue.whole_message(*run) : nullptr;
    if (whole == nullptr) {
        queue.push_run(std::move(run));
        return write(queue, socket, tls, turn_bytes_max);
    }
    written result;
    const part one{whole->data(), whole->size()};
    const std::size_t taken = send_some(socket, nullptr, {&one, 1}, one.size, result);
    if (result.how != written::outcome::drained) {
        queue.push_rest(std::move(run), taken);
        if (result.how == written::outcome::blocked) queue.blocked();
    }
    return result;
}

void send_alert(int socket, tls_session& tls) {
    (void)tls.flush(socket);
}

void send_last_words(int socket, std::string_view answer) {
    (void)::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    char discarded[1024];
    (void)::recv(socket, discarded, sizeof discarded, MSG_DONTWAIT);
    (void)::shutdown(socket, SHUT_WR);
}

}  // namespace pulsewire::shell
