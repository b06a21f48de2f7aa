// The cost of fan-out in the kernel alone: one thread, epoll, no protocol, no limits, no checks. It serves
// the benchmark only, as the limit that no server can beat by much.
//
//   GET /sub/<channel>      subscribes as a WebSocket; with Accept: text/event-stream to an event stream
//   GET /pub/<channel>      a WebSocket that publishes each message
//   GET /pubsub/<channel>   does both
//   POST /pub/<channel>     publishes the body
//
// There are two modes: `direct` writes each message to each subscriber at once; `coalesce` writes all
// messages of one turn of the loop in one write per subscriber. A binary message is delivered as one. With
// `--deflate` each text message is compressed, once for all subscribers.

#include "common/protocol/websocket_reader.hpp"
#include "common/protocol/websocket_writer.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::limit {
namespace {

constexpr std::uint32_t message_bytes_max = 1 << 20;

struct client;

struct channel {
    std::vector<client*> websockets, event_streams;
    // The messages of this turn, framed once for all subscribers.
    std::string frames, events;
    bool changed = false;
};

enum class kind : std::uint8_t { http, websocket, event_stream };

struct client {
    int descriptor = -1;
    kind speaks = kind::http;
    channel* publishes_to = nullptr;
    channel* subscribed_to = nullptr;
    std::uint32_t place = 0;  // among the channel's subscribers
    bool waits_to_write = false;
    std::unique_ptr<websocket::reader> reader;
    std::string waiting;  // bytes that the kernel did not take
    std::string request;  // the part that has arrived
};

struct server {
    bool coalesce = true;
    bool deflate = false;
    std::string envelope;  // before each payload, to send as many bytes as a protocol does
    int epoll = -1, listener = -1;
    std::map<std::string, channel, std::less<>> channels;
    std::vector<channel*> changed;
    std::vector<client*> dead;
    std::array<char, 256 * 1024> scratch;
};

void watch(server& s, int operation, client* c, int descriptor, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = c;
    epoll_ctl(s.epoll, operation, descriptor, &event);
}

std::vector<client*>& neighbours(client& c) {
    return c.speaks == kind::websocket ? c.subscribed_to->websockets : c.subscribed_to->event_streams;
}

void end(server& s, client& c) {
    if (c.descriptor < 0) return;
    close(c.descriptor);
    c.descriptor = -1;
    if (c.subscribed_to != nullptr) {
        auto& all = neighbours(c);
        all[c.place] = all.back();
        all[c.place]->place = c.place;
        all.pop_back();
    }
    s.dead.push_back(&c);
}

void write(server& s, client& c, std::string_view bytes) {
    if (c.waiting.empty()) {
        const ssize_t count = send(c.descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count == static_cast<ssize_t>(bytes.size())) return;
        if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    c.waiting += bytes;
    if (!c.waits_to_write) watch(s, EPOLL_CTL_MOD, &c, c.descriptor, EPOLLIN | EPOLLOUT);
    c.waits_to_write = true;
}

void write_waiting(server& s, client& c) {
    const ssize_t count = send(c.descriptor, c.waiting.data(), c.waiting.size(), MSG_NOSIGNAL);
    if (count <= 0) return;
    c.waiting.erase(0, static_cast<std::size_t>(count));
    if (!c.waiting.empty()) return;
    c.waiting = {};
    c.waits_to_write = false;
    watch(s, EPOLL_CTL_MOD, &c, c.descriptor, EPOLLIN);
}

void deliver(server& s, channel& to) {
    to.changed = false;
    for (client* c : to.websockets) write(s, *c, to.frames);
    for (client* c : to.event_streams) write(s, *c, to.events);
    to.frames.clear();
    to.events.clear();
}

// A frame with the message compressed without context (RFC 7692 7.2.1).
void append_deflated(std::string& frames, std::string text) {
    static z_stream stream{};
    static const int ready = deflateInit2(&stream, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
    if (ready != Z_OK) std::abort();
    static std::string out;
    deflateReset(&stream);
    out.resize(text.size() + 64);
    stream.next_in = reinterpret_cast<Bytef*>(text.data());
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    ::deflate(&stream, Z_SYNC_FLUSH);
    out.resize(out.size() - stream.avail_out - 4);
    const auto header = websocket::frame_header(websocket::opcode::text, out.size());
    frames += static_cast<char>(header.view()[0] | 0x40);
    frames.append(header.view().substr(1)).append(out);
}

void publish(
    server& s, channel& to, std::string_view payload, websocket::opcode as = websocket::opcode::text
) {
    if (!to.websockets.empty() && s.deflate && as == websocket::opcode::text) {
        append_deflated(to.frames, s.envelope + std::string(payload));
    } else if (!to.websockets.empty()) {
        to.frames += websocket::frame_header(as, s.envelope.size() + payload.size()).view();
        to.frames.append(s.envelope).append(payload);
    }
    if (!to.event_streams.empty())
        to.events.append("data: ").append(s.envelope).append(payload).append("\n\n");
    if (!s.coalesce) return deliver(s, to);
    if (!to.changed) s.changed.push_back(&to);
    to.changed = true;
}

void subscribe(client& c, channel& to, kind speaks) {
    c.speaks = speaks;
    c.subscribed_to = &to;
    c.place = static_cast<std::uint32_t>(neighbours(c).size());
    neighbours(c).push_back(&c);
}

std::string_view field(std::string_view head, std::string_view name) {
    std::size_t at = head.find(name);
    if (at == head.npos) return {};
    at += name.size();
    return head.substr(at, head.find('\r', at) - at);
}

std::string accept_of(std::string_view key) {
    const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<unsigned char, 20> hash{};
    EVP_Digest(text.data(), text.size(), hash.data(), nullptr, EVP_sha1(), nullptr);
    std::array<unsigned char, 32> base64{};
    const int length = EVP_EncodeBlock(base64.data(), hash.data(), hash.size());
    return {reinterpret_cast<const char*>(base64.data()), static_cast<std::size_t>(length)};
}

void open_websocket(
    server& s, client& c, std::string_view head, channel& to, bool subscribes, bool publishes
) {
    std::string answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    if (s.deflate)
        answer +=
            "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
            "client_no_context_takeover\r\n";
    answer += "Sec-WebSocket-Accept: " + accept_of(field(head, "Sec-WebSocket-Key: ")) + "\r\n\r\n";
    write(s, c, answer);
    c.speaks = kind::websocket;
    c.reader = std::make_unique<websocket::reader>(websocket::role::server, message_bytes_max);
    if (subscribes) subscribe(c, to, kind::websocket);
    if (publishes) c.publishes_to = &to;
}

// Answers the complete requests.
void take_requests(server& s, client& c) {
    for (;;) {
        const std::string_view all = c.request;
        const std::size_t head_bytes = all.find("\r\n\r\n");
        if (head_bytes == all.npos) return;
        const std::string head(all.substr(0, head_bytes + 2));
        std::size_t body_bytes = 0;
        const std::string_view length = field(head, "Content-Length: ");
        std::from_chars(length.data(), length.data() + length.size(), body_bytes);
        if (all.size() < head_bytes + 4 + body_bytes) return;
        const std::string body(all.substr(head_bytes + 4, body_bytes));
        c.request.erase(0, head_bytes + 4 + body_bytes);
        if (c.request.empty()) c.request = {};

        const std::size_t begin = head.find('/');
        const std::size_t middle = head.find('/', begin + 1);
        if (begin == head.npos || middle == head.npos) return end(s, c);
        const std::string way = head.substr(begin, middle - begin);
        channel& to = s.channels[head.substr(middle + 1, head.find(' ', middle) - middle - 1)];
        if (head.starts_with("POST ")) {
            publish(s, to, body);
            write(s, c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        } else if (head.find("Accept: text/event-stream") != head.npos) {
            write(s, c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
            return subscribe(c, to, kind::event_stream);
        } else {
            return open_websocket(s, c, head, to, way != "/pub", way != "/sub");
        }
    }
}

void take_frames(server& s, client& c, std::span<char> bytes) {
    for (;;) {
        const websocket::event e = c.reader->next(bytes);
        if (e.kind == websocket::event_kind::more) return;
        if (e.kind == websocket::event_kind::text && c.publishes_to != nullptr)
            publish(s, *c.publishes_to, e.data);
        if (e.kind == websocket::event_kind::binary && c.publishes_to != nullptr)
            publish(s, *c.publishes_to, e.data, websocket::opcode::binary);
        if (e.kind == websocket::event_kind::close || e.kind == websocket::event_kind::failure)
            return end(s, c);
    }
}

void read(server& s, client& c) {
    const ssize_t count = recv(c.descriptor, s.scratch.data(), s.scratch.size(), 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return end(s, c);
    const std::span<char> bytes(s.scratch.data(), static_cast<std::size_t>(count));
    if (c.speaks == kind::websocket) return take_frames(s, c, bytes);
    if (c.speaks == kind::event_stream) return;
    c.request.append(bytes.data(), bytes.size());
    take_requests(s, c);
}

void accept_all(server& s) {
    for (int i = 0; i < 64; ++i) {
        const int descriptor = accept4(s.listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor < 0) return;
        const int on = 1;
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        auto* c = new client;
        c->descriptor = descriptor;
        watch(s, EPOLL_CTL_ADD, c, descriptor, EPOLLIN);
    }
}

void listen_on(server& s, std::uint16_t port) {
    s.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(s.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof address;
    if (bind(s.listener, reinterpret_cast<sockaddr*>(&address), bytes) != 0 ||
        listen(s.listener, 4'096) != 0) {
        std::perror("pulsewire-bench-limit");
        std::exit(1);
    }
    getsockname(s.listener, reinterpret_cast<sockaddr*>(&address), &bytes);
    std::printf("listening on http://127.0.0.1:%u\n", ntohs(address.sin_port));
    std::fflush(stdout);
    watch(s, EPOLL_CTL_ADD, nullptr, s.listener, EPOLLIN);
}

void turn(server& s) {
    std::array<epoll_event, 512> events;
    const int count = epoll_wait(s.epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
        auto* c = static_cast<client*>(events[static_cast<std::size_t>(i)].data.ptr);
        if (c == nullptr) {
            accept_all(s);
            continue;
        }
        if (c->descriptor >= 0 && (events[static_cast<std::size_t>(i)].events & EPOLLOUT) != 0)
            write_waiting(s, *c);
        if (c->descriptor >= 0 && (events[static_cast<std::size_t>(i)].events & ~EPOLLOUT) != 0) read(s, *c);
    }
    for (channel* c : s.changed) deliver(s, *c);
    s.changed.clear();
    for (client* c : s.dead) delete c;
    s.dead.clear();
}

}  // namespace
}  // namespace pulsewire::limit

int main(int count, char** arguments) {
    using namespace pulsewire::limit;
    static server s;
    std::uint16_t port = 0;
    for (int i = 1; i < count; ++i) {
        const std::string_view argument = arguments[i];
        if (argument == "--direct") {
            s.coalesce = false;
        } else if (argument == "--deflate") {
            s.deflate = true;
        } else if (argument == "--coalesce") {
            s.coalesce = true;
        } else if (argument == "--port" && i + 1 < count) {
            port = static_cast<std::uint16_t>(std::atoi(arguments[++i]));
        } else if (argument == "--envelope-bytes" && i + 1 < count) {
            s.envelope.assign(static_cast<std::size_t>(std::atoi(arguments[++i])), '.');
        } else {
            std::puts(
                "pulsewire-bench-limit [--port N] [--direct | --coalesce] [--deflate] [--envelope-bytes N]"
            );
            return argument == "--help" ? 0 : 2;
        }
    }
    s.epoll = epoll_create1(EPOLL_CLOEXEC);
    listen_on(s, port);
    for (;;) turn(s);
}
