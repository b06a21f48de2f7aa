#pragma once

// This server's own metrics as messages: once a second, for as long as somebody says that they watch. It
// reads what GET /metrics says, as Prometheus would, and runs on the application's thread.

#include "server/server.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gallery {

// One second of the server. Rates are per second.
struct server_sample {
    std::int64_t connections = 0;
    std::int64_t subscriptions = 0;
    std::int64_t channels = 0;
    double published = 0;
    double delivered = 0;
    double sent_bytes = 0;
    double lag_ms = 0;     // how long what was due in a loop waited for its turn, at most
    double processor = 0;  // percent of one core
    double memory_bytes = 0;
};
PULSEWIRE_MESSAGE(
    server_sample, "server.sample", connections, subscriptions, channels, published, delivered, sent_bytes,
    lag_ms, processor, memory_bytes
)

// A page watches for the next fifteen seconds.
struct server_watch {
    bool open = true;
};
PULSEWIRE_MESSAGE(server_watch, "server.watch", open)

struct server_watched {
    bool available = false;  // whether this server's metrics can be read
};
PULSEWIRE_FIELDS(server_watched, available)

class dashboard {
public:
    // Metrics are read by plain HTTP from loopback, without a key.
    explicit dashboard(const pulsewire::config& c)
        : available_(
              c.tls_certificate.empty() && c.base_path.empty() && c.api_key.empty() &&
              c.api_key_file.empty() && c.api_keys.empty() &&
              (c.address == "127.0.0.1" || c.address == "0.0.0.0")
          ) {}

    void add_to(pulsewire::server& server) {
        server.publishes<server_sample>();
        server.handle<server_watch, server_watched>([this](const server_watch&, pulsewire::request_context&) {
            watched_until_ = clock::now() + std::chrono::seconds(15);
            return server_watched{available_};
        });
        server.every(std::chrono::seconds(1), [this, &server] {
            if (!available_ || clock::now() > watched_until_) return last_.reset();
            auto now = read(server.port());
            if (now && last_) server.publish("server:metrics", between(*last_, *now));
            last_ = std::move(now);
        });
    }

private:
    using clock = std::chrono::steady_clock;
    static constexpr std::size_t metrics_bytes_max = 1 << 20;

    struct reading {
        clock::time_point at;
        std::map<std::string, double> values;  // by metric, all its labels together
        std::map<double, double> lags;         // how many were within so many seconds
    };

    static std::optional<reading> read(std::uint16_t port) {
        const std::string text = get(port);
        if (text.find("\npulsewire_connections{") == std::string::npos) return std::nullopt;
        reading r;
        r.at = clock::now();
        for (std::size_t from = 0, to = 0; (to = text.find('\n', from)) != std::string::npos; from = to + 1)
            add_line(r, std::string_view(text).substr(from, to - from));
        return r;
    }

    // name{label="value",…} 12
    static void add_line(reading& r, std::string_view line) {
        constexpr std::string_view bucket = "pulsewire_loop_lag_seconds_bucket{le=\"";
        const auto space = line.rfind(' ');
        if (line.empty() || line[0] == '#' || space == std::string_view::npos) return;
        const double value = std::strtod(std::string(line.substr(space + 1)).c_str(), nullptr);
        if (line.substr(0, bucket.size()) == bucket)
            r.lags[std::strtod(std::string(line.substr(bucket.size())).c_str(), nullptr)] = value;
        else
            r.values[std::string(line.substr(0, line.find_first_of("{ ")))] += value;
    }

    static server_sample between(const reading& before, const reading& now) {
        const double seconds = std::chrono::duration<double>(now.at - before.at).count();
        const auto value = [](const reading& r, const char* name) {
            const auto found = r.values.find(name);
            return found == r.values.end() ? 0 : found->second;
        };
        const auto rate = [&](const char* name) {
            return std::round((value(now, name) - value(before, name)) / seconds * 10) / 10;
        };
        server_sample s;
        s.connections =
            static_cast<std::int64_t>(value(now, "pulsewire_connections")) - 1;  // without this one
        s.subscriptions = static_cast<std::int64_t>(value(now, "pulsewire_subscriptions"));
        s.channels = static_cast<std::int64_t>(value(now, "pulsewire_channels"));
        s.published = rate("pulsewire_publications_total");
        s.delivered = rate("pulsewire_messages_delivered_total");
        s.sent_bytes = rate("pulsewire_sent_bytes_total");
        s.lag_ms = lag_ms(before, now);
        s.processor = 100 *
                      (value(now, "process_cpu_seconds_total") - value(before, "process_cpu_seconds_total")) /
                      seconds;
        s.processor = std::round(10 * s.processor) / 10;
        s.memory_bytes = value(now, "process_resident_memory_bytes");
        return s;
    }

    // The lowest bound that holds for all of this time.
    static double lag_ms(const reading& before, const reading& now) {
        const auto since = [&](double bound) {
            const auto earlier = before.lags.find(bound);
            return now.lags.at(bound) - (earlier == before.lags.end() ? 0 : earlier->second);
        };
        for (const auto& [bound, count] : now.lags)
            if (since(bound) == since(now.lags.rbegin()->first))
                return std::isfinite(bound) ? 1000 * bound : 0;
        return 0;
    }

    // The answer with its head; empty where there is none. Loopback answers within a millisecond, and the
    // timeout keeps the other handlers from waiting long where it does not.
    static std::string get(std::uint16_t port) {
        const int s = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const timeval most{0, 200'000};
        ::setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
        ::setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        constexpr std::string_view asked =
            "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        std::string text;
        if (::connect(s, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
            ::send(s, asked.data(), asked.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(asked.size())) {
            std::array<char, 16384> part;
            for (ssize_t n;
                 text.size() < metrics_bytes_max && (n = ::recv(s, part.data(), part.size(), 0)) > 0;)
                text.append(part.data(), static_cast<std::size_t>(n));
        }
        ::close(s);
        return text;
    }

    bool available_;
    clock::time_point watched_until_;
    std::optional<reading> last_;
};

}  // namespace gallery
