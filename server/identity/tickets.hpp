#pragma once

// Tickets: each stands for one token for a moment, and is exchanged once for the cookie that holds the token
// (protocol 11.8). A token that a page passes on never stands in an address or a script this way.

#include "common/base/result.hpp"
#include "server/identity/token_cache.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace pulsewire::identity {

// All functions may be called from any thread. `now_ms` never goes back.
class tickets {
public:
    static constexpr std::int64_t lifetime_ms = 30'000;
    // Open ones; beyond, none is made. Each holds a token of a few hundred bytes, 4 KB at most.
    static constexpr std::size_t most = 10'000;
    static constexpr std::size_t most_of_user = 16;

    enum class refused : std::uint8_t { too_many, too_many_of_user };

    // `name` is what opens the ticket: 128 random bits or more. `user` is the name on the wire.
    std::optional<refused> add(
        std::string_view name, std::string user, std::string token, std::int64_t now_ms
    );
    // The token, once; nothing when there is no such ticket, or no more.
    std::optional<std::string> take(std::string_view name, std::int64_t now_ms);

private:
    // Only hashes of the names are kept and compared, so that neither memory nor the time of a comparison
    // tells one.
    using digest = token_cache::digest;
    struct entry {
        std::string user, token;
        std::int64_t until_ms;
        std::list<digest>::iterator place;  // in `made_`
    };
    void forget_old(std::int64_t now_ms);
    void forget(std::map<digest, entry>::iterator one);

    std::mutex mutex_;
    std::map<digest, entry> open_;
    std::list<digest> made_;  // in their order, which is that of their ends
    std::map<std::string, std::size_t, std::less<>> of_user_;
};

}  // namespace pulsewire::identity
