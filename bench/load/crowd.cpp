#include "bench/load/crowd.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "bench/load/process.hpp"

namespace pulsewire::bench {
namespace {

// Above this share of a core the generator may have limited the server.
constexpr double busy_share = 0.95;
// The longest wait of the loop when nothing is due.
constexpr std::uint64_t nap_ns = 10'000'000;

// The setting to raise when the server refused something because of a limit.
std::string remedy_for(std::string_view refusal) {
    if (refusal.find("rate_limited") != refusal.npos)
        return " (the server's limit is commands_per_second: start it with PULSEWIRE_COMMANDS_PER_SECOND=0)";
    if (refusal.find("too_many_channels") != refusal.npos)
        return " (the server's limit is channels_per_connection_max: start it with "
               "PULSEWIRE_CHANNELS_PER_CONNECTION_MAX=20000)";
    return {};
}

}  // namespace

void allow_descriptors(std::size_t count, report& r) {
    constexpr std::size_t others = 64;
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    rlimit wanted = limit;
    wanted.rlim_cur = std::max<rlim_t>(limit.rlim_cur, count + others);
    wanted.rlim_max = std::max(limit.rlim_max, wanted.rlim_cur);
    if (setrlimit(RLIMIT_NOFILE, &wanted) == 0) return;
    wanted = {limit.rlim_max, limit.rlim_max};
    setrlimit(RLIMIT_NOFILE, &wanted);
    if (count + others > limit.rlim_max)
        r.warn(
            std::to_string(count) + " connections need more open files than 'ulimit -Hn' allows (" +
            std::to_string(limit.rlim_max) + ")"
        );
}

crowd::crowd(const options& o)
    : options_(o), dialect_(make_dialect(o.dialect, o.payload_bytes, o.filled_with)) {
    if (!dialect_)
        throw std::runtime_error(
            "there is no dialect '" + o.dialect +
            (o.filled_with == filling::bytes ? "' with payloads of bytes; there are pulsewire, plain, nats"
                                             : "'; there are " + std::string(dialect_names))
        );
    target_ = read_target(o.url);
    target_.speaks = dialect_.get();
    if (target_.secure) {
        tls_ = std::make_unique<tls_client>(o.ca, o.insecure);
        target_.tls = tls_.get();
    }
    if (o.deflate) {
        inflater_ = std::make_unique<inflater>();
        target_.compression = inflater_.get();
    }
    if (!o.api_key.empty()) target_.headers += "Authorization: Bearer " + o.api_key + "\r\n";
    for (const std::string& header : o.headers) target_.headers += header + "\r\n";
}

connection& crowd::add(transport over, part as, std::string channel) {
    auto& c = *members_.emplace_back(std::make_unique<connection>(loop_, target_, *this, over));
    c.as = as;
    c.channel = std::move(channel);
    c.index = static_cast<std::uint32_t>(members_.size() - 1);
    if (!options_.tokens.empty()) c.token = options_.tokens[c.index % options_.tokens.size()];
    return c;
}

void crowd::open_all(std::size_t at_once) {
    const std::size_t lost = lost_;
    std::size_t next = 0, opened = 0;
    const std::size_t settled = settled_;
    const std::uint64_t until = now_ns() + static_cast<std::uint64_t>(settle_seconds_max * 1e9);
    for (;;) {
        while (next != members_.size() && opened - (settled_ - settled) < at_once) {
            connection& c = *members_[next++];
            if (c.is_open()) continue;
            ++opened;
            c.open();
        }
        const std::size_t done = settled_ - settled;
        if (lost_ != lost)
            throw std::runtime_error(
                "connection " + std::to_string(done + 1) + " to " + options_.url + " failed: " + first_loss_
            );
        if (refused_ != 0)
            throw std::runtime_error("the server refused: " + first_refusal_ + remedy_for(first_refusal_));
        if (next == members_.size() && done == opened) return;
        if (now_ns() > until)
            throw std::runtime_error(
                std::to_string(opened - done) + " connections do not get through their handshake"
            );
        loop_.turn(now_ns() + nap_ns);
    }
}

bool crowd::run_until(double seconds_max, const std::function<bool()>& done) {
    const std::uint64_t until = now_ns() + static_cast<std::uint64_t>(seconds_max * 1e9);
    while (!done()) {
        const std::uint64_t now = now_ns();
        if (now >= until) return false;
        loop_.turn(std::min(until, now + nap_ns));
    }
    return true;
}

void crowd::tell_faults(report& r) const {
    if (lost_ != 0) r.fail(std::to_string(lost_) + " connections ended; the first: " + first_loss_);
    if (refused_ != 0)
        r.fail(
            "the server refused " + std::to_string(refused_) + " times; first: " + first_refusal_ +
            remedy_for(first_refusal_)
        );
}

void crowd::on_refused(connection&, std::string_view words) {
    if (refused_++ == 0) first_refusal_ = words;
}

void crowd::on_lost(connection&, std::string_view why) {
    if (lost_++ == 0) first_loss_ = why;
}

void meter::start() {
    began_ns_ = now_ns();
    own_ = own_cpu_seconds();
    const auto server = cpu_seconds(server_);
    known_ = server.has_value();
    server_began_ = server.value_or(0);
}

void meter::stop() {
    seconds_ = static_cast<double>(now_ns() - began_ns_) / 1e9;
    own_seconds_ = own_cpu_seconds() - own_;
    const auto server = cpu_seconds(server_);
    known_ = known_ && server.has_value();
    server_seconds_ = known_ ? *server - server_began_ : 0;
}

void meter::tell(report& r) const {
    const double own = own_seconds_ / seconds_;
    const double server = server_seconds_ / seconds_;
    if (known_) r.add("server_cpu_percent", "server's share of a core", 100 * server, "%");
    r.add("generator_cpu_percent", "generator's share of a core", 100 * own, "%");
    if (own > busy_share && (!known_ || server < own - 0.02))
        r.warn("the generator was busy all the time: it, not the server, limited this run");
}

}  // namespace pulsewire::bench
