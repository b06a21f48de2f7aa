#include "server/identity/token_cache.hpp"

#include "server/identity/openssl.hpp"

#include <cstring>
#include <utility>

namespace pulsewire::identity {

std::optional<token_cache::digest> token_cache::digest_of(std::string_view token) {
    // Looked up once: OpenSSL takes a lock for every look-up.
    static const digest_ptr sha256(EVP_MD_fetch(nullptr, "SHA256", nullptr));
    digest made{};
    if (EVP_Digest(token.data(), token.size(), made.data(), nullptr, sha256.get(), nullptr) != 1)
        return std::nullopt;
    return made;
}

std::size_t token_cache::first_bytes::operator()(const digest& d) const {
    std::size_t first = 0;
    std::memcpy(&first, d.data(), sizeof first);
    return first;
}

std::optional<accepted> token_cache::find(const digest& token, std::int64_t wall_ms) const {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(token);
    if (found == entries_.end()) return std::nullopt;
    const entry& e = found->second;
    if (wall_ms < e.from_ms || wall_ms >= e.until_ms) return std::nullopt;
    return e.as;
}

void token_cache::keep(const digest& token, accepted as, std::int64_t from_ms, std::int64_t until_ms) {
    const std::lock_guard lock(mutex_);
    if (!entries_.try_emplace(token, entry{std::move(as), from_ms, until_ms}).second) return;
    if (arrived_.size() < entries_max) {
        arrived_.push_back(token);
        return;
    }
    entries_.erase(std::exchange(arrived_[oldest_], token));
    oldest_ = (oldest_ + 1) % entries_max;
}

std::size_t token_cache::size() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
}

}  // namespace pulsewire::identity
