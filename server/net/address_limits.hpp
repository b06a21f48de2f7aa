#pragma once

// The limits of each client address, counted for all loops together without a lock.
//
// A table of fixed size counts every address in two places, which a keyed hash chooses; the smaller count is
// the one that holds. Addresses that share both places count together, so a limit may come early and never
// late. An outsider cannot choose such addresses, because the key of the hash is a secret of the process.
// Addresses of IPv6 count by their first 64 bits, since a customer gets at least that many addresses.
//
// The time is an argument, in monotonic milliseconds. All functions may be called from any thread.

#include "common/base/keyed_hash.hpp"
#include "server/base/address.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace pulsewire::shell {

class address_limits {
public:
    // Each 0: no limit.
    struct bounds {
        std::uint32_t connections_max = 0;
        std::uint32_t connects_per_second = 0;
        std::uint32_t requests_per_second = 0;
    };
    // Bursts, in seconds of the average that a bucket holds.
    static constexpr std::int64_t connects_burst_s = 10;
    static constexpr std::int64_t requests_burst_s = 2;

    // The addresses of `proxies` have no limits, since many clients share them.
    address_limits(
        const hash_key& secret, const bounds& of_others, const bounds& of_this_machine,
        std::vector<network> proxies = {}
    );

    // Other limits from now on. A connection that was opened while its address had none does not count.
    void use(const bounds& of_others, const bounds& of_this_machine);

    std::span<const network> proxies() const { return proxies_; }
    bool is_proxy(const address& a) const;
    // A number for the address that outsiders cannot choose (hub::open); 0 where many may share it, as those
    // do who come through a proxy on this machine.
    std::uint64_t source_of(const address& a) const;
    class held;
    // The same for the address that `counted` counts, if any, without hashing it again.
    std::uint64_t source_of(const address& a, const held& counted) const;

    // One open connection of an address; the end of this object ends its counting. The table outlives it.
    class held {
    public:
        held() = default;
        held(held&& other) noexcept { swap(other); }
        held& operator=(held&& other) noexcept {
            held taken(std::move(other));
            swap(taken);
            return *this;
        }
        ~held() {
            if (table_ != nullptr) table_->release(places_);
        }

    private:
        friend class address_limits;
        void swap(held& other) noexcept {
            std::swap(table_, other.table_);
            std::swap(places_, other.places_);
            std::swap(source_, other.source_);
        }
        address_limits* table_ = nullptr;
        std::array<std::uint32_t, 2> places_{};
        std::uint64_t source_ = 0;
    };

    enum class outcome : std::uint8_t { admitted, too_many_connections, too_many_connects };
    // One more connection of the address, which `into` holds when it is admitted.
    outcome connect(const address& from, std::int64_t now_ms, held& into);
    // `cost` requests of the address. Returns 0 when they are admitted, otherwise the milliseconds until one
    // will be. A cost above 1 is a penalty: it is charged even when the bucket does not hold as much.
    std::int64_t request(const address& from, std::int64_t now_ms, std::uint32_t cost = 1);
    // Whether one more line about the address may be written.
    bool admits_line(const address& from, std::int64_t now_ms);
    static constexpr std::uint32_t lines_per_second = 10;

private:
    // A bucket is the moment, in microseconds, at which it would be full again.
    using bucket = std::atomic<std::int64_t>;
    struct cell {
        std::atomic<std::uint32_t> connections{0};
        bucket connects{0};
        bucket requests{0};
        bucket lines{0};
    };
    static constexpr std::size_t cells_per_row = 16 * 1024;

    std::uint64_t hash_of(const address& from) const;
    static std::array<std::uint32_t, 2> places_of(std::uint64_t hash);
    std::array<std::uint32_t, 2> places_of(const address& from) const { return places_of(hash_of(from)); }
    bounds bounds_of(const address& from) const;
    void release(const std::array<std::uint32_t, 2>& places);
    std::int64_t take(
        const std::array<std::uint32_t, 2>& places, bucket cell::*which, std::uint32_t per_second,
        std::int64_t burst_s, std::uint32_t cost, std::int64_t now_ms
    );

    hash_key secret_;
    // Atomic, because they may change while any thread asks.
    struct changing_bounds {
        std::atomic<std::uint32_t> connections_max{0}, connects_per_second{0}, requests_per_second{0};
        void operator=(const bounds& b);
        bounds now() const;
    };
    changing_bounds of_others_, of_this_machine_;
    std::vector<network> proxies_;
    std::vector<cell> cells_;  // the first row, then the second
};

}  // namespace pulsewire::shell
