#pragma once

// A client for tests that shares no code with the server's I/O: a blocking socket that sends bytes as they
// are, so that anything wrong can be sent too; on top of it, if wished, a TLS that trusts everybody.
// Everything that waits has a deadline, after which the test fails.

#include "common/protocol/websocket_reader.hpp"
#include "common/protocol/websocket_writer.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace pulsewire::testing {

inline constexpr auto patience = std::chrono::seconds(20);

using tls_ticket = std::shared_ptr<SSL_SESSION>;

struct tls_wishes {
    int version = TLS1_3_VERSION;  // this one alone
    // From an earlier connection: to resume that.
    tls_ticket ticket = {};
    // As the wire has it: each name behind its length.
    std::string protocols = {};
};

class client {
public:
    explicit client(std::uint16_t port, int receive_buffer_bytes = 0)
        : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        if (socket_ < 0) throw std::runtime_error("no socket");
        if (receive_buffer_bytes > 0)
            ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
        const int on = 1;
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
            ::close(socket_);
            throw std::runtime_error("cannot connect");
        }
    }
    // Over TLS. Throws what the handshake complains about.
    client(std::uint16_t port, const tls_wishes& wishes, int receive_buffer_bytes = 0)
        : client(port, receive_buffer_bytes) {
        begin_tls(wishes);
        if (SSL_connect(tls_.get()) != 1) throw std::runtime_error(tls_error());
    }
    ~client() {
        tls_.reset();
        if (socket_ >= 0) ::close(socket_);
    }
    client(client&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)),
          buffer_(std::move(other.buffer_)),
          ended_(other.ended_),
          tls_(std::move(other.tls_)) {}
    client& operator=(client&&) = delete;

    // False when the server has closed the connection.
    bool send(std::string_view bytes) {
        if (tls_) return SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
        while (!bytes.empty()) {
            const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0 && errno == EINTR) continue;
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    // What has arrived and was not taken.
    std::string& buffer() { return buffer_; }

    // Reads more; false at the end of the connection. Throws when nothing comes.
    bool read_more() {
        if (ended_) return false;
        if (tls_) return read_tls();
        pollfd p{socket_, POLLIN, 0};
        const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(patience).count();
        if (::poll(&p, 1, static_cast<int>(ms)) <= 0)
            throw std::runtime_error("nothing comes; so far: " + buffer_);
        char bytes[65536];
        const ssize_t got = ::recv(socket_, bytes, sizeof bytes, 0);
        if (got <= 0) {
            ended_ = true;
            return false;
        }
        buffer_.append(bytes, static_cast<std::size_t>(got));
        return true;
    }

    // Reads and takes everything up to and including `mark`.
    std::string read_until(std::string_view mark) {
        std::size_t at = 0;
        while ((at = buffer_.find(mark)) == std::string::npos)
            if (!read_more()) throw std::runtime_error("the connection ended; so far: " + buffer_);
        return take(at + mark.size());
    }
    std::string read_exactly(std::size_t size) {
        while (buffer_.size() < size)
            if (!read_more()) throw std::runtime_error("the connection ended; so far: " + buffer_);
        return take(size);
    }
    // Everything until the server closes.
    std::string read_to_end() {
        while (read_more()) {
        }
        return take(buffer_.size());
    }
    // Whether something can be read now.
    bool has_more() {
        pollfd p{socket_, POLLIN, 0};
        return !buffer_.empty() || ::poll(&p, 1, 0) > 0;
    }

    void shut_down_sending() { ::shutdown(socket_, SHUT_WR); }

    // --- TLS ---
    SSL* tls() { return tls_.get(); }
    int socket() const { return socket_; }
    // Says that nothing more will be sent, within TLS.
    void say_end() { SSL_shutdown(tls_.get()); }
    // Whether the server said so, or TCP ended without a word.
    bool ended_with_words() const { return (SSL_get_shutdown(tls_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }
    bool resumed() const { return SSL_session_reused(tls_.get()) == 1; }
    // Of TLS 1.3 only when something was read before.
    tls_ticket ticket() const { return {SSL_get1_session(tls_.get()), SSL_SESSION_free}; }
    // Whose certificate the server has shown.
    std::string peer_name() const {
        const std::unique_ptr<X509, decltype(&X509_free)> shown(
            SSL_get1_peer_certificate(tls_.get()), &X509_free
        );
        char name[256];
        const int size =
            X509_NAME_get_text_by_NID(X509_get_subject_name(shown.get()), NID_commonName, name, sizeof name);
        return {name, static_cast<std::size_t>(size)};
    }
    // The connection ends as if the machine had lost it: with a reset.
    void reset() {
        const linger now{1, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        ::close(std::exchange(socket_, -1));
    }

private:
    struct tls_end {
        void operator()(SSL* p) const {
            // Otherwise OpenSSL takes an end without words for an attack, and the tickets for spent.
            SSL_set_shutdown(p, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
            SSL_free(p);
        }
    };

    void begin_tls(const tls_wishes& wishes) {
        // What would wait for ever ends with an error instead.
        const timeval most{std::chrono::duration_cast<std::chrono::seconds>(patience).count(), 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
        const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(
            SSL_CTX_new(TLS_client_method()), &SSL_CTX_free
        );
        SSL_CTX_set_security_level(context.get(), 0);
        SSL_CTX_set_min_proto_version(context.get(), wishes.version);
        SSL_CTX_set_max_proto_version(context.get(), wishes.version);
        tls_.reset(SSL_new(context.get()));
        if (!wishes.protocols.empty())
            SSL_set_alpn_protos(
                tls_.get(), reinterpret_cast<const unsigned char*>(wishes.protocols.data()),
                static_cast<unsigned int>(wishes.protocols.size())
            );
        if (wishes.ticket) SSL_set_session(tls_.get(), wishes.ticket.get());
        SSL_set_fd(tls_.get(), socket_);
    }
    static std::string tls_error() {
        const char* words = ERR_reason_error_string(ERR_peek_error());
        std::string text = words == nullptr ? "the connection ended" : words;
        ERR_clear_error();
        return text;
    }
    bool read_tls() {
        char bytes[65536];
        const int got = SSL_read(tls_.get(), bytes, sizeof bytes);
        if (got <= 0) {
            if (SSL_get_error(tls_.get(), got) == SSL_ERROR_WANT_READ)
                throw std::runtime_error("nothing comes; so far: " + buffer_);
            ERR_clear_error();
            ended_ = true;
            return false;
        }
        buffer_.append(bytes, static_cast<std::size_t>(got));
        return true;
    }

    std::string take(std::size_t size) {
        std::string taken = buffer_.substr(0, size);
        buffer_.erase(0, size);
        return taken;
    }

    int socket_;
    std::string buffer_;
    bool ended_ = false;
    std::unique_ptr<SSL, tls_end> tls_;
};

struct http_answer {
    int status = 0;
    std::string head;
    std::string body;

    // The value of a field; empty when it is not there.
    std::string field(const std::string& name) const {
        const std::size_t at = head.find("\r\n" + name + ": ");
        if (at == std::string::npos) return {};
        const std::size_t begin = at + 4 + name.size();
        return head.substr(begin, head.find("\r\n", begin) - begin);
    }
};

// Reads one answer; `for_head`: it has no body, whatever its length says.
inline http_answer read_answer(client& c, bool for_head = false) {
    http_answer a;
    a.head = c.read_until("\r\n\r\n");
    a.status = std::stoi(a.head.substr(9, 3));
    const std::string length = a.field("Content-Length");
    if (!for_head && !length.empty()) a.body = c.read_exactly(std::stoul(length));
    return a;
}

// One request. `fields` are whole lines with their ends.
inline http_answer ask(
    client& c, const std::string& method, const std::string& target, const std::string& body = {},
    const std::string& fields = {}
) {
    std::string request = method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n" + fields;
    if (!body.empty() || method == "POST")
        request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    c.send(request + "\r\n" + body);
    return read_answer(c, method == "HEAD");
}

// ... on a connection of its own.
inline http_answer ask(
    std::uint16_t port, const std::string& method, const std::string& target, const std::string& body = {},
    const std::string& fields = {}
) {
    client c(port);
    return ask(c, method, target, body, fields);
}

// A WebSocket client over the raw one.
class websocket_client {
public:
    // `fields` are whole lines with their ends.
    websocket_client(
        std::uint16_t port, const std::string& path, const std::string& protocol, int receive_buffer = 0,
        const std::string& fields = {}
    )
        : websocket_client(client(port, receive_buffer), path, protocol, fields) {}
    websocket_client(
        client connection, const std::string& path, const std::string& protocol,
        const std::string& fields = {}
    )
        : connection_(std::move(connection)) {
        connection_.send(
            "GET " + path +
            " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
            (protocol.empty() ? "" : "Sec-WebSocket-Protocol: " + protocol + "\r\n") + fields + "\r\n"
        );
        handshake = read_answer(connection_);
        if (!handshake.field("Sec-WebSocket-Extensions").empty()) reader_.allow_compression();
    }

    http_answer handshake;

    struct received {
        websocket::event_kind kind = websocket::event_kind::more;
        std::uint16_t code = 0;
        std::string data;
        bool compressed = false;
    };

    client& connection() { return connection_; }

    bool send_text(std::string payload) { return send_frame(websocket::opcode::text, std::move(payload)); }
    bool send_frame(websocket::opcode op, std::string payload, bool final = true) {
        return connection_.send(masked(op, std::move(payload), final));
    }
    static std::string masked(websocket::opcode op, std::string payload, bool final = true) {
        const websocket::masking_key key{1, 2, 3, 4};
        std::string frame(websocket::frame_header(op, payload.size(), key).view());
        if (!final) frame[0] = static_cast<char>(frame[0] & 0x7f);
        websocket::apply_mask(payload, key);
        return frame + payload;
    }

    // The next event; kind `more` at the end of the connection.
    received next() {
        while (true) {
            std::span<char> bytes(pending_);
            const websocket::event e = reader_.next(bytes);
            received r{e.kind, e.code, std::string(e.data), e.compressed};
            pending_.erase(0, pending_.size() - bytes.size());
            if (r.kind != websocket::event_kind::more) return r;
            if (connection_.buffer().empty() && !connection_.read_more()) return r;
            pending_ += std::exchange(connection_.buffer(), {});
        }
    }
    // The next line of the protocol; empty at the end of the connection, or when it is closed (see
    // closed_with).
    std::string next_line() {
        while (lines_.empty()) {
            const received r = next();
            if (r.kind == websocket::event_kind::close) closed_with = r;
            if (r.kind != websocket::event_kind::text) return {};
            lines_ = r.data;
            if (lines_.ends_with('\n')) lines_.pop_back();
            ++messages;
        }
        const std::size_t end = lines_.find('\n');
        std::string line = lines_.substr(0, end);
        lines_.erase(0, end == std::string::npos ? lines_.size() : end + 1);
        return line;
    }
    // The next line that has `part` in it; others are passed over.
    std::string line_with(std::string_view part) {
        while (true) {
            std::string line = next_line();
            if (line.empty()) throw std::runtime_error("the connection ended before " + std::string(part));
            if (line.find(part) != std::string::npos) return line;
        }
    }
    // The event that ends the connection; lines before it are passed over.
    received closed() {
        while (!next_line().empty()) {
        }
        return closed_with;
    }

    received closed_with;
    std::size_t messages = 0;  // WebSocket messages that lines came in

private:
    client connection_;
    std::string pending_;
    std::string lines_;
    websocket::reader reader_{websocket::role::client, 64 * 1024 * 1024};
};

// A client of pulsewire.v1 that is welcome.
inline websocket_client connected(client connection, const std::string& session = "session-of-a-test") {
    websocket_client c(std::move(connection), "/ws", "pulsewire.v1");
    c.send_text(R"({"op":"connect","id":1,"version":1,"session":")" + session + "\"}");
    c.line_with("\"welcome\"");
    return c;
}
inline websocket_client connected(
    std::uint16_t port, const std::string& session = "session-of-a-test", int receive_buffer = 0
) {
    return connected(client(port, receive_buffer), session);
}

// ... and subscribed to a channel.
inline websocket_client subscribed(
    client connection, const std::string& channel, const std::string& session = "session-of-a-test"
) {
    websocket_client c = connected(std::move(connection), session);
    c.send_text(R"({"op":"subscribe","id":2,"channel":")" + channel + "\"}");
    c.line_with("\"subscribed\"");
    return c;
}
inline websocket_client subscribed(
    std::uint16_t port, const std::string& channel, const std::string& session = "session-of-a-test",
    int receive_buffer = 0
) {
    return subscribed(client(port, receive_buffer), channel, session);
}

}  // namespace pulsewire::testing
