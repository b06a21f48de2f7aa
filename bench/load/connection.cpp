#include "bench/load/connection.hpp"

#include "common/protocol/websocket_writer.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <span>
#include <stdexcept>

namespace pulsewire::bench {
namespace {

constexpr std::uint32_t message_bytes_max = 16 * 1024 * 1024;
constexpr std::size_t head_bytes_max = 16 * 1024;
// One buffer for all connections, so that an idle connection has none.
std::array<char, 256 * 1024> scratch;

// A constant key suffices: the server checks only that frames are masked,
// and no attacker chooses these bytes.
constexpr websocket::masking_key key{0x37, 0xfa, 0x21, 0x3d};

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return result;
}

int status_of(std::string_view head) {
    int status = 0;
    if (head.size() > 12 && head.starts_with("HTTP/1.1 "))
        std::from_chars(head.data() + 9, head.data() + 12, status);
    return status;
}

// The length of the body after a head; 0 without a body.
std::size_t body_bytes(std::string_view head) {
    const std::string fields = lower(head);
    constexpr std::string_view name = "\r\ncontent-length:";
    const std::size_t at = fields.find(name);
    if (at == fields.npos) return 0;
    const char* begin = fields.data() + at + name.size();
    const char* end = fields.data() + fields.size();
    while (begin != end && *begin == ' ') ++begin;
    std::size_t length = 0;
    std::from_chars(begin, end, length);
    return length;
}

}  // namespace

target read_target(std::string_view url) {
    const std::string whole(url);
    const auto fault = [&](const std::string& why) {
        return std::runtime_error(
            "'" + whole + "': " + why + "; write ws://host:port or http://host:port, or wss:// or https://"
        );
    };
    const std::size_t scheme = url.find("://");
    if (scheme == url.npos) throw fault("this is no URL");
    target t;
    const auto kind = url.substr(0, scheme);
    t.secure = kind == "wss" || kind == "https";
    if (!t.secure && kind != "ws" && kind != "http") throw fault("this scheme is not known here");
    url.remove_prefix(scheme + 3);

    const std::size_t slash = std::min(url.find('/'), url.size());
    t.host = url.substr(0, slash);
    t.base = url.substr(slash);
    while (t.base.ends_with('/')) t.base.pop_back();

    std::string name = t.host, port = t.secure ? "443" : "80";
    if (const std::size_t colon = name.rfind(':'); colon != name.npos && name.find(']', colon) == name.npos) {
        port = name.substr(colon + 1);
        name.resize(colon);
    }
    if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int code = getaddrinfo(name.c_str(), port.c_str(), &hints, &found); code != 0)
        throw fault(gai_strerror(code));
    std::memcpy(&t.address, found->ai_addr, found->ai_addrlen);
    t.address_bytes = found->ai_addrlen;
    freeaddrinfo(found);
    t.name = name;
    return t;
}

connection::connection(loop& l, const target& where, connection_owner& owner, transport over)
    : loop_(l),
      where_(where),
      owner_(owner),
      over_(over),
      reader_(websocket::role::client, message_bytes_max) {}

connection::~connection() {
    close();
}

void connection::open() {
    const int family = where_.address.ss_family;
    descriptor_ = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor_ < 0) return owner_.on_lost(*this, std::strerror(errno));
    const int on = 1;
    setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    phase_ = phase::connecting;
    is_settled = false;
    head_.clear();
    out_.clear();
    sent_ = 0;
    body_left_ = 0;
    finder_ = {};
    reader_ = websocket::reader(websocket::role::client, message_bytes_max);
    waits_for_ = EPOLLIN | EPOLLOUT;
    loop_.add(descriptor_, *this, waits_for_);
    const auto* address = reinterpret_cast<const sockaddr*>(&where_.address);
    if (connect(descriptor_, address, where_.address_bytes) != 0 && errno != EINPROGRESS)
        lose(std::strerror(errno));
}

void connection::close() {
    if (descriptor_ < 0) return;
    tls_.reset();
    const linger at_once{1, 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(descriptor_);
    descriptor_ = -1;
    phase_ = phase::closed;
}

void connection::lose(std::string_view why) {
    const std::string words(why);  // a copy, because `why` may belong to the TLS layer, which ends here
    close();
    owner_.on_lost(*this, words);
}

void connection::secured() {
    switch (tls_->shake_hands()) {
        case tls_stream::outcome::done:
            return connected();
        case tls_stream::outcome::wants_read:
            return wait_for(EPOLLIN);
        case tls_stream::outcome::wants_write:
            return wait_for(EPOLLIN | EPOLLOUT);
        case tls_stream::outcome::failed:
            return lose(tls_->fault());
    }
}

void connection::connected() {
    const dialect& d = *where_.speaks;
    const auto begin = [&](std::string_view method, const std::string& path) {
        out_.append(method).append(where_.base).append(path);
        out_ += " HTTP/1.1\r\nHost: ";
        out_.append(where_.host).append("\r\n").append(where_.headers);
    };
    phase_ = phase::head;
    switch (over_) {
        case transport::websocket:
            begin("GET ", d.websocket_path(as, channel));
            out_ +=
                "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: cHVsc2V3aXJlIGJlbmNoIQ==\r\n";
            if (!d.subprotocol().empty())
                out_.append("Sec-WebSocket-Protocol: ").append(d.subprotocol()).append("\r\n");
            if (where_.compression != nullptr)
                out_ +=
                    "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
                    "client_no_context_takeover\r\n";
            out_ += "\r\n";
            break;
        case transport::event_stream:
            begin("GET ", d.event_stream_path(channel));
            out_ += "Accept: text/event-stream\r\n\r\n";
            break;
        case transport::http:
            settled();
            break;
    }
    flush();
}

void connection::settled() {
    is_settled = true;
    owner_.on_settled(*this);
}

void connection::find_deliveries(std::string_view bytes) {
    finder_.feed(bytes, [this](const stamp& s) { owner_.on_delivered(*this, s); });
}

void connection::write_frame(std::string_view payload, websocket::opcode op) {
    out_ += websocket::frame_header(op, payload.size(), key).view();
    const std::size_t at = out_.size();
    out_ += payload;
    websocket::apply_mask(std::span(out_).subspan(at), key);
}

void connection::say(std::string_view message) {
    write_frame(message, where_.speaks->opcode());
    flush();
}

void connection::publish(std::string_view payload) {
    const dialect& d = *where_.speaks;
    static std::string message;
    message.clear();
    if (over_ == transport::websocket) {
        d.append_publish(message, channel, payload, publish_number_min + published_++);
        return write_frame(message, d.publish_opcode());
    }
    d.append_post_body(message, payload);
    out_.append("POST ").append(where_.base).append(d.post_path(channel));
    out_.append(" HTTP/1.1\r\nHost: ").append(where_.host).append("\r\n").append(where_.headers);
    out_.append("Content-Type: ").append(d.post_content_type()).append("\r\nContent-Length: ");
    out_.append(std::to_string(message.size())).append("\r\n\r\n").append(message);
}

ssize_t connection::send_some(std::string_view bytes) {
    if (!tls_) return send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    const tls_stream::moved m = tls_->write(bytes);
    if (m.how == tls_stream::outcome::done) return static_cast<ssize_t>(m.bytes);
    errno = m.how == tls_stream::outcome::failed ? EPIPE : EAGAIN;
    return -1;
}

void connection::flush() {
    while (descriptor_ >= 0 && sent_ < out_.size()) {
        const ssize_t count = send_some(std::string_view(out_).substr(sent_));
        if (count < 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK) return wait_for(EPOLLIN | EPOLLOUT);
            // The next read reports the loss; reporting it here could be in the
            // middle of the owner's own loop.
            return wait_for(EPOLLIN);
        }
        sent_ += static_cast<std::size_t>(count);
    }
    if (descriptor_ < 0) return;
    out_.clear();
    sent_ = 0;
    wait_for(EPOLLIN);
}

void connection::wait_for(std::uint32_t events) {
    if (waits_for_ == events) return;
    waits_for_ = events;
    loop_.change(descriptor_, *this, events);
}

void connection::ready(std::uint32_t epoll_events) {
    if (descriptor_ < 0) return;
    if (phase_ == phase::connecting) {
        int error = 0;
        socklen_t bytes = sizeof error;
        getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &bytes);
        if (error != 0) return lose(std::strerror(error));
        if (where_.tls == nullptr) {
            connected();
        } else {
            phase_ = phase::securing;
            tls_ = std::make_unique<tls_stream>(*where_.tls, where_.name, descriptor_);
            secured();
        }
    } else if (phase_ == phase::securing) {
        secured();
    } else if ((epoll_events & EPOLLOUT) != 0) {
        flush();
    }
    if (phase_ == phase::securing || descriptor_ < 0) return;
    if ((epoll_events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read();
}

// Reads everything, because epoll does not report bytes that are decrypted already.
void connection::read_secured() {
    while (descriptor_ >= 0) {
        const tls_stream::moved m = tls_->read(scratch);
        if (m.how == tls_stream::outcome::failed) return lose(tls_->fault());
        if (m.how != tls_stream::outcome::done) return;
        owner_.on_bytes(*this);
        take(std::span(scratch).first(m.bytes));
    }
}

void connection::read() {
    if (tls_) return read_secured();
    const ssize_t count = recv(descriptor_, scratch.data(), scratch.size(), 0);
    if (count > 0) {
        owner_.on_bytes(*this);
        return take({scratch.data(), static_cast<std::size_t>(count)});
    }
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
    lose(count == 0 ? "the server closed the connection" : std::strerror(errno));
}

void connection::take(std::span<char> bytes) {
    if (over_ == transport::http) return take_answers({bytes.data(), bytes.size()});
    if (phase_ == phase::head) return take_head(bytes);
    if (over_ == transport::websocket) return take_websocket(bytes);
    const std::string_view text(bytes.data(), bytes.size());
    if (!is_settled) {
        head_ += text;
        if (where_.speaks->settles(head_)) settled();
        if (is_settled || head_.size() > head_bytes_max) head_ = {};
    }
    find_deliveries(text);
}

void connection::take_head(std::span<char> bytes) {
    const std::size_t before = head_.size();
    head_.append(bytes.data(), bytes.size());
    const std::size_t end = head_.find("\r\n\r\n");
    if (end == head_.npos) {
        if (head_.size() > head_bytes_max) lose("the answer to the handshake does not end");
        return;
    }
    const int wanted = over_ == transport::websocket ? 101 : 200;
    if (status_of(head_) != wanted)
        return lose("the handshake was answered: " + head_.substr(0, head_.find('\r')));
    compressed_.reset();
    if (over_ == transport::websocket && where_.compression != nullptr) {
        if (lower(head_).find("server_no_context_takeover") == head_.npos)
            return lose("the server does not compress each message for itself");
        compressed_ = std::make_unique<compressed_reader>();
    }
    const std::span<char> rest = bytes.subspan(end + 4 - before);
    head_ = {};
    phase_ = phase::talking;
    if (over_ == transport::websocket) {
        where_.speaks->opened(*this);
    } else if (where_.speaks->settles({})) {
        settled();
    }
    if (!rest.empty() && descriptor_ >= 0) take(rest);
}

void connection::take_message(std::string_view message) {
    owner_.on_message(*this, message);
    where_.speaks->received(*this, message);
}

void connection::take_compressed(std::span<const char> bytes) {
    compressed_reader::message m;
    try {
        while (descriptor_ >= 0 && compressed_->next(bytes, m)) {
            switch (static_cast<websocket::opcode>(m.opcode)) {
                case websocket::opcode::ping:
                    out_ += websocket::pong_frame(m.data, key).view();
                    flush();
                    break;
                case websocket::opcode::close:
                    return lose("the server closed it");
                case websocket::opcode::pong:
                    break;
                default:
                    take_message(m.compressed ? where_.compression->inflate_alone(m.data) : m.data);
            }
        }
    } catch (const std::runtime_error& e) {
        lose(e.what());
    }
}

void connection::take_websocket(std::span<char> bytes) {
    if (compressed_) return take_compressed(bytes);
    for (;;) {
        const websocket::event e = reader_.next(bytes);
        switch (e.kind) {
            case websocket::event_kind::more:
                return;
            case websocket::event_kind::text:
            case websocket::event_kind::binary:
                take_message(e.data);
                if (descriptor_ < 0) return;
                break;
            case websocket::event_kind::ping:
                out_ += websocket::pong_frame(e.data, key).view();
                flush();
                break;
            case websocket::event_kind::pong:
                break;
            case websocket::event_kind::close:
                return lose(
                    "the server closed it with " + std::to_string(e.code) + " " + std::string(e.data)
                );
            case websocket::event_kind::oversized:
                return lose("a message larger than 16 MiB came");
            case websocket::event_kind::failure:
                return lose("the server broke RFC 6455: " + std::string(e.data));
        }
    }
}

void connection::take_answers(std::string_view bytes) {
    while (!bytes.empty() && descriptor_ >= 0) {
        if (body_left_ != 0) {
            const std::size_t taken = std::min(body_left_, bytes.size());
            bytes.remove_prefix(taken);
            body_left_ -= taken;
            if (body_left_ == 0) owner_.on_answered(*this);
            continue;
        }
        const std::size_t before = head_.size();
        head_ += bytes;
        const std::size_t end = head_.find("\r\n\r\n");
        if (end == head_.npos) {
            if (head_.size() > head_bytes_max) lose("an answer's head does not end");
            return;
        }
        bytes.remove_prefix(end + 4 - before);
        head_.resize(end + 2);
        if (const int status = status_of(head_); status < 200 || status > 299)
            return lose("a POST was answered: " + head_.substr(0, head_.find('\r')));
        body_left_ = body_bytes(head_);
        head_.clear();
        if (body_left_ == 0) owner_.on_answered(*this);
    }
}

}  // namespace pulsewire::bench
