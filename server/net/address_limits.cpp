#include "server/net/address_limits.hpp"

#include <algorithm>
#include <string_view>

namespace pulsewire::shell {
namespace {

constexpr std::int64_t us_per_s = 1'000'000;

}  // namespace

address_limits::address_limits(
    const hash_key& secret, const bounds& of_others, const bounds& of_this_machine,
    std::vector<network> proxies
)
    : secret_(secret), proxies_(std::move(proxies)), cells_(2 * cells_per_row) {
    use(of_others, of_this_machine);
}

void address_limits::use(const bounds& of_others, const bounds& of_this_machine) {
    of_others_ = of_others;
    of_this_machine_ = of_this_machine;
}

void address_limits::changing_bounds::operator=(const bounds& b) {
    connections_max.store(b.connections_max, std::memory_order_relaxed);
    connects_per_second.store(b.connects_per_second, std::memory_order_relaxed);
    requests_per_second.store(b.requests_per_second, std::memory_order_relaxed);
}

address_limits::bounds address_limits::changing_bounds::now() const {
    return {
        connections_max.load(std::memory_order_relaxed), connects_per_second.load(std::memory_order_relaxed),
        requests_per_second.load(std::memory_order_relaxed)};
}

bool address_limits::is_proxy(const address& a) const {
    return std::any_of(proxies_.begin(), proxies_.end(), [&](const network& n) { return n.contains(a); });
}

address_limits::bounds address_limits::bounds_of(const address& from) const {
    if (is_proxy(from)) return {};
    return from.is_loopback() ? of_this_machine_.now() : of_others_.now();
}

std::uint64_t address_limits::hash_of(const address& from) const {
    constexpr std::size_t customer_bytes = 8;
    const auto& bytes = from.bytes();
    const std::string_view whole(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return keyed_hash(secret_, from.is_v4() || from.is_loopback() ? whole : whole.substr(0, customer_bytes));
}

std::uint64_t address_limits::source_of(const address& a) const {
    return a.is_loopback() || is_proxy(a) ? 0 : hash_of(a);
}

std::uint64_t address_limits::source_of(const address& a, const held& counted) const {
    return counted.table_ == this ? counted.source_ : source_of(a);
}

std::array<std::uint32_t, 2> address_limits::places_of(std::uint64_t hash) {
    return {
        static_cast<std::uint32_t>(hash % cells_per_row),
        static_cast<std::uint32_t>(cells_per_row + (hash >> 32) % cells_per_row)};
}

address_limits::outcome address_limits::connect(const address& from, std::int64_t now_ms, held& into) {
    const bounds most = bounds_of(from);
    if (most.connections_max == 0 && most.connects_per_second == 0) return outcome::admitted;
    const std::uint64_t hash = hash_of(from);
    const auto places = places_of(hash);
    // Counted before it is compared: two loops at a time may both be refused, and never both admitted.
    std::uint32_t others = UINT32_MAX;
    for (const std::uint32_t place : places)
        others = std::min(others, cells_[place].connections.fetch_add(1));
    if (most.connections_max != 0 && others >= most.connections_max) {
        release(places);
        return outcome::too_many_connections;
    }
    if (take(places, &cell::connects, most.connects_per_second, connects_burst_s, 1, now_ms) > 0) {
        release(places);
        return outcome::too_many_connects;
    }
    held counted;
    counted.table_ = this;
    counted.places_ = places;
    counted.source_ = from.is_loopback() ? 0 : hash;
    into = std::move(counted);
    return outcome::admitted;
}

std::int64_t address_limits::request(const address& from, std::int64_t now_ms, std::uint32_t cost) {
    const std::uint32_t per_second = bounds_of(from).requests_per_second;
    if (per_second == 0) return 0;
    return take(places_of(from), &cell::requests, per_second, requests_burst_s, cost, now_ms);
}

bool address_limits::admits_line(const address& from, std::int64_t now_ms) {
    return take(places_of(from), &cell::lines, lines_per_second, 1, 1, now_ms) == 0;
}

void address_limits::release(const std::array<std::uint32_t, 2>& places) {
    for (const std::uint32_t place : places) --cells_[place].connections;
}

// The generic cell rate algorithm: what is taken moves the moment of fullness, and that moment may be at most
// one burst ahead.
std::int64_t address_limits::take(
    const std::array<std::uint32_t, 2>& places, bucket cell::*which, std::uint32_t per_second,
    std::int64_t burst_s, std::uint32_t cost, std::int64_t now_ms
) {
    if (per_second == 0) return 0;
    const std::int64_t now_us = now_ms * 1'000;
    const std::int64_t one_us = std::max<std::int64_t>(1, us_per_s / per_second);
    const std::int64_t latest_us = now_us + burst_s * us_per_s;
    std::int64_t full_us = INT64_MAX;
    for (const std::uint32_t place : places)
        full_us = std::min(full_us, std::max(now_us, (cells_[place].*which).load(std::memory_order_relaxed)));
    const std::int64_t missing_us = full_us + one_us - latest_us;
    if (missing_us > 0) return (missing_us + 999) / 1'000;
    for (const std::uint32_t place : places) {
        bucket& full = cells_[place].*which;
        std::int64_t before = full.load(std::memory_order_relaxed);
        while (!full.compare_exchange_weak(
            before, std::max(before, now_us) + cost * one_us, std::memory_order_relaxed
        )) {
        }
    }
    return 0;
}

}  // namespace pulsewire::shell
