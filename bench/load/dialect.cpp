#include "bench/load/dialect.hpp"

#include "common/protocol/command.hpp"

#include <algorithm>
#include <charconv>

#include "bench/load/lines.hpp"

namespace pulsewire::bench {
namespace {

std::string pulsewire_connect(std::uint64_t session, std::string_view token, bool takes_binary) {
    std::string text = R"({"op":"connect","id":1,"version":1,"client":"pulsewire-bench","session":"bench-)" +
                       std::to_string(1'000'000'000 + session) + '"';
    if (takes_binary) text += R"(,"binary":true)";
    if (!token.empty()) text.append(R"(,"token":")").append(token) += '"';
    return text += '}';
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != text.npos;
}

class pulsewire_dialect : public dialect {
public:
    // `from_the_end` is the place of the stamp, counted back from the end of the payload.
    explicit pulsewire_dialect(std::size_t from_the_end) : from_the_end_(from_the_end) {}

    std::string websocket_path(part, std::string_view) const override { return "/ws"; }
    std::string_view subprotocol() const override { return "pulsewire.v1"; }

    void opened(talk& t) const override {
        std::string message = pulsewire_connect(++sessions_, t.token, takes_binary());
        if (t.as != part::publisher) {
            message += R"(
{"op":"subscribe","id":2,"channel":")";
            message += t.channel;
            message += '"';
            message += t.resume;
            message += '}';
        }
        t.say(message);
    }

    void received(talk& t, std::string_view message) const override {
        for_each_line(message, [&](std::string_view line) {
            if (line.starts_with(R"({"op":")"))
                answer(t, line);
            else
                publication(t, line);
        });
    }

    void append_publish(
        std::string& out, std::string_view channel, std::string_view payload, std::uint64_t number
    ) const override {
        out += R"({"op":"publish","id":)";
        out += std::to_string(number);
        out += R"(,"channel":")";
        out += channel;
        out += R"(","type":"bench","payload":)";
        out += payload;
        out += '}';
    }

    std::string event_stream_path(std::string_view channel) const override {
        return "/events?channel=" + std::string(channel);
    }
    bool settles(std::string_view bytes) const override { return contains(bytes, "pulsewire.open"); }
    std::string post_path(std::string_view channel) const override {
        return "/api/channels/" + std::string(channel) + "/messages";
    }
    void append_post_body(std::string& out, std::string_view payload) const override {
        out += R"({"type":"bench","payload":)";
        out += payload;
        out += '}';
    }

protected:
    virtual bool takes_binary() const { return false; }

    static void answer(talk& t, std::string_view line) {
        const std::string_view op = line.substr(7);
        if (op.starts_with("published")) return;
        if (op.starts_with("subscribed") || (op.starts_with("welcome") && t.as == part::publisher)) {
            if (!t.is_settled) t.settled();
        } else if (op.starts_with("ping")) {
            t.say(R"({"op":"pong"})");
        } else if (op.starts_with("error") || op.starts_with("close") || op.starts_with("gap")) {
            t.refused(line);
        }
    }

private:
    // The payload is the last member, so its place counts from the end (protocol 3.2).
    void publication(talk& t, std::string_view line) const {
        stamp s;
        if (line.size() > from_the_end_ && read_stamp(line.substr(line.size() - from_the_end_ - 1), s))
            t.delivered(s);
    }

    std::size_t from_the_end_;
    mutable std::uint64_t sessions_ = 0;
};

// The same with payloads of bytes (protocol 2.5).
class pulsewire_bytes_dialect final : public pulsewire_dialect {
public:
    using pulsewire_dialect::pulsewire_dialect;

    void received(talk& t, std::string_view message) const override {
        while (!message.empty()) {
            const std::size_t end = std::min(message.find('\n'), message.size());
            const std::string_view line = message.substr(0, end);
            message.remove_prefix(std::min(end + 1, message.size()));
            if (line.starts_with(R"({"op":")")) {
                answer(t, line);
                continue;
            }
            const std::size_t bytes = std::min<std::size_t>(bytes_behind(line).value_or(0), message.size());
            stamp s;
            if (read_stamp(message.substr(0, bytes), s)) t.delivered(s);
            message.remove_prefix(bytes);
        }
    }

    void append_publish(
        std::string& out, std::string_view channel, std::string_view payload, std::uint64_t number
    ) const override {
        out += R"({"op":"publish","id":)";
        out += std::to_string(number);
        out += R"(,"channel":")";
        out += channel;
        out += R"(","type":"bench","bytes":)";
        out += std::to_string(payload.size());
        out += "}\n";
        out += payload;
    }
    websocket::opcode publish_opcode() const override { return websocket::opcode::binary; }

    std::string_view post_content_type() const override { return "application/octet-stream"; }
    std::string post_path(std::string_view channel) const override {
        return pulsewire_dialect::post_path(channel) + "?type=bench";
    }
    void append_post_body(std::string& out, std::string_view payload) const override { out += payload; }

private:
    bool takes_binary() const override { return true; }
};

// No protocol at all: the path names the channel, a message is a publication, and every subscriber gets it
// unchanged. bench/limit, bench/peers and Nchan as bench/peers/nginx.conf sets it up.
class plain_dialect final : public dialect {
public:
    explicit plain_dialect(websocket::opcode publishes) : publishes_(publishes) {}

    std::string websocket_path(part as, std::string_view channel) const override {
        const std::string_view path = as == part::subscriber  ? "/sub/"
                                      : as == part::publisher ? "/pub/"
                                                              : "/pubsub/";
        return std::string(path).append(channel);
    }
    void opened(talk& t) const override { t.settled(); }
    void received(talk& t, std::string_view message) const override { t.find_deliveries(message); }
    void append_publish(std::string& out, std::string_view, std::string_view payload, std::uint64_t)
        const override {
        out += payload;
    }
    websocket::opcode publish_opcode() const override { return publishes_; }
    std::string event_stream_path(std::string_view channel) const override {
        return "/sub/" + std::string(channel);
    }
    std::string post_path(std::string_view channel) const override { return "/pub/" + std::string(channel); }

private:
    websocket::opcode publishes_;
};

// Engine.IO 4 and Socket.IO 5 over WebSocket. bench/peers/socket.io.mjs knows the two events.
class socket_io_dialect final : public dialect {
public:
    std::string websocket_path(part, std::string_view) const override {
        return "/socket.io/?EIO=4&transport=websocket";
    }
    void opened(talk&) const override {}
    void received(talk& t, std::string_view message) const override {
        if (message.starts_with("42")) {
            t.find_deliveries(message);
        } else if (message.starts_with("2")) {
            t.say("3");
        } else if (message.starts_with("0")) {
            t.say("40");
        } else if (message.starts_with("40")) {
            if (t.as == part::publisher) return t.settled();
            t.say("420[\"subscribe\",\"" + t.channel + "\"]");
        } else if (message.starts_with("430")) {
            t.settled();
        } else if (message.starts_with("44")) {
            t.refused(message);
        }
    }
    void append_publish(std::string& out, std::string_view channel, std::string_view payload, std::uint64_t)
        const override {
        out += R"(42["publish",")";
        out += channel;
        out += "\",";
        out += payload;
        out += ']';
    }
};

// https://docs.nats.io/reference/reference-protocols/nats-protocol; a frame may hold any part of the stream.
class nats_dialect final : public dialect {
public:
    std::string websocket_path(part, std::string_view) const override { return "/"; }
    websocket::opcode opcode() const override { return websocket::opcode::binary; }
    void opened(talk& t) const override {
        std::string message = "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n";
        if (t.as != part::publisher) message += "SUB " + t.channel + " 1\r\n";
        t.say(message + "PING\r\n");
    }
    void received(talk& t, std::string_view message) const override {
        t.find_deliveries(message);
        if (message.starts_with("PING\r\n") || message.ends_with("\nPING\r\n")) t.say("PONG\r\n");
        if (message.starts_with("-ERR")) t.refused(message);
        if (!t.is_settled && contains(message, "PONG")) t.settled();
    }
    void append_publish(std::string& out, std::string_view channel, std::string_view payload, std::uint64_t)
        const override {
        out += "PUB ";
        out += channel;
        out += ' ';
        out += std::to_string(payload.size());
        out += "\r\n";
        out += payload;
        out += "\r\n";
    }
};

// https://centrifugal.dev/docs/transports/client_protocol, as JSON lines.
class centrifugo_dialect final : public dialect {
public:
    std::string websocket_path(part, std::string_view) const override { return "/connection/websocket"; }
    void opened(talk& t) const override {
        std::string message = R"({"id":1,"connect":{}})";
        if (t.as != part::publisher)
            message += "\n{\"id\":2,\"subscribe\":{\"channel\":\"" + t.channel + "\"}}";
        t.say(message);
    }
    void received(talk& t, std::string_view message) const override {
        for_each_line(message, [&](std::string_view line) {
            if (line == "{}") return t.say("{}");
            if (line.starts_with(R"({"push":)")) return t.find_deliveries(line);
            if (contains(line, R"("error":)")) return t.refused(line);
            const std::string_view last = t.as == part::publisher ? R"({"id":1,)" : R"({"id":2,)";
            if (!t.is_settled && line.starts_with(last)) t.settled();
        });
    }
    void append_publish(
        std::string& out, std::string_view channel, std::string_view payload, std::uint64_t number
    ) const override {
        out += "{\"id\":";
        out += std::to_string(number);
        out += R"(,"publish":{"channel":")";
        out += channel;
        out += R"(","data":)";
        out += payload;
        out += "}}";
    }
};

}  // namespace

std::optional<std::uint64_t> acknowledged_number(std::string_view line) {
    constexpr std::string_view beginning = R"({"op":"published","id":)";
    if (!line.starts_with(beginning)) return {};
    line.remove_prefix(beginning.size());
    std::uint64_t number = 0;
    const auto read = std::from_chars(line.data(), line.data() + line.size(), number);
    if (read.ec != std::errc() || number < publish_number_min) return {};
    return number;
}

std::unique_ptr<dialect> make_dialect(std::string_view name, std::size_t payload_bytes, filling filled_with) {
    const bool binary = filled_with == filling::bytes;
    const std::size_t from_the_end = payload_bytes - stamp_place(filled_with);
    if (name == "pulsewire" && binary) return std::make_unique<pulsewire_bytes_dialect>(from_the_end);
    if (name == "pulsewire") return std::make_unique<pulsewire_dialect>(from_the_end);
    if (name == "plain")
        return std::make_unique<plain_dialect>(binary ? websocket::opcode::binary : websocket::opcode::text);
    if (name == "nats") return std::make_unique<nats_dialect>();
    if (binary) return nullptr;
    if (name == "socket.io") return std::make_unique<socket_io_dialect>();
    if (name == "centrifugo") return std::make_unique<centrifugo_dialect>();
    return nullptr;
}

}  // namespace pulsewire::bench
